"""Keys of the API."""

from ...modules.api_key.service import ApiKeyService
from ..plain import Plain

API_KEYS = Plain(
    "api_key",
    "create-api-keys",
    "update-api-keys",
    "delete-api-keys",
    create_by=ApiKeyService.create_keys,
    delete_by=ApiKeyService.delete_keys,
)

"""Return reasons."""

from ..plain import Plain

RETURN_REASONS = Plain("return_reason", "create-return-reasons", "update-return-reasons", "delete-return-reasons")

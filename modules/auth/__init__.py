"""Auth: identities, the providers that authenticate them, sessions."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import AuthProvider
from .providers.emailpass import EmailPassword
from .service import AuthService
from .tables import SCHEMA

MODULE = Module(
    name="auth", schema=SCHEMA, service=AuthService, package=__name__, provider_kinds={"emailpass": EmailPassword}, provider=AuthProvider
)

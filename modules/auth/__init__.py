"""Auth: identities, the providers that authenticate them, sessions."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import AuthProvider
from .providers.emailpass import EmailPassword
from .providers.github import GitHub
from .providers.google import Google
from .service import AuthService
from .tables import SCHEMA

KINDS: dict[str, type] = {kind.identifier: kind for kind in (EmailPassword, GitHub, Google)}
MODULE = Module(name="auth", schema=SCHEMA, service=AuthService, package=__name__, provider_kinds=KINDS, provider=AuthProvider)

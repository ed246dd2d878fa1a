"""The token in the email about a forgotten secret: its reader may choose a new secret, once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jwt

from ...core.settings import Settings

PURPOSE = "reset"


@dataclass(frozen=True, slots=True)
class Reset:
    """The contents of such a token."""

    provider: str
    entity_id: str
    actor_type: str
    word: str
    """Known to the email's reader alone; the module stores a digest of it."""

    def signed(self, settings: Settings, seconds: float) -> str:
        """The token, valid for this many seconds."""
        now = time.time()
        claims = {
            "entity_id": self.entity_id,
            "provider": self.provider,
            "actor_type": self.actor_type,
            "purpose": PURPOSE,
            "jti": self.word,
        }
        return jwt.encode({**claims, "iat": int(now), "exp": int(now + seconds)}, settings.secret("jwt_secret"), algorithm="HS256")

    @classmethod
    def read(cls, settings: Settings, token: str) -> Reset | None:
        """The contents of a token; None if it isn't ours, or has expired."""
        try:
            claims = jwt.decode(token, settings.secret("jwt_secret"), algorithms=["HS256"], options={"require": ["exp"]})
        except jwt.InvalidTokenError:
            return None
        said = [claims.get(name) for name in ("provider", "entity_id", "actor_type", "jti")]
        if claims.get("purpose") != PURPOSE or not all(isinstance(one, str) for one in said):
            return None
        return cls(*map(str, said))

"""The token of a letter about a forgotten secret: who reads it may choose a new one, once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jwt

from ...core.settings import Settings

PURPOSE = "reset"


@dataclass(frozen=True, slots=True)
class Reset:
    """What such a token says."""

    provider: str
    entity_id: str
    actor_type: str
    word: str
    """Known to the letter alone; the module keeps a digest of it."""

    def signed(self, settings: Settings, seconds: float) -> str:
        """The token, which is read for so many seconds."""
        now = time.time()
        claims = {
            "entity_id": self.entity_id,
            "provider": self.provider,
            "actor_type": self.actor_type,
            "purpose": PURPOSE,
            "jti": self.word,
        }
        return jwt.encode({**claims, "iat": int(now), "exp": int(now + seconds)}, _secret(settings), algorithm="HS256")

    @classmethod
    def read(cls, settings: Settings, token: str) -> Reset | None:
        """None for what is no such token of ours, or no longer one."""
        try:
            claims = jwt.decode(token, _secret(settings), algorithms=["HS256"], options={"require": ["exp"]})
        except jwt.InvalidTokenError:
            return None
        said = [claims.get(name) for name in ("provider", "entity_id", "actor_type", "jti")]
        if claims.get("purpose") != PURPOSE or not all(isinstance(one, str) for one in said):
            return None
        return cls(*map(str, said))


def _secret(settings: Settings) -> str:
    return str(settings.jwt_secret or settings.with_secrets().jwt_secret)

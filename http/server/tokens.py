"""Signatures: JSON web tokens, and the session cookie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import Any
from urllib.parse import quote, unquote

import jwt
from cachetools import LRUCache

_COOKIE = re.compile(r"(?:^|;\s*)connect\.sid=([^;]*)")
_BASE64_END = "="


class Tokens:
    """Signs and reads tokens and cookies with the secrets of the settings."""

    def __init__(self, jwt_secret: str, cookie_secret: str, expires: int) -> None:
        self._jwt_secret = jwt_secret
        self._cookie_secret = cookie_secret.encode()
        self.expires = expires
        self._read: LRUCache[str, dict[str, Any]] = LRUCache(2048)

    def issue(self, claims: dict[str, Any], *, expires: int | None = None) -> str:
        """A token with these claims, valid for `expires` seconds (default: as in the settings)."""
        now = int(time.time())
        return jwt.encode({**claims, "iat": now, "exp": now + (expires or self.expires)}, self._jwt_secret, algorithm="HS256")

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token; None for one that isn't ours, was changed or has expired."""
        claims = self._read.get(token)
        if claims is None:
            try:
                claims = jwt.decode(token, self._jwt_secret, algorithms=["HS256"], options={"require": ["exp"]})
            except jwt.InvalidTokenError:
                return None
            self._read[token] = claims  # a signed text never changes its meaning, it only expires
        return claims if claims["exp"] > time.time() else None

    def sign_cookie(self, session_id: str) -> str:
        """`s:<id>.<signature>`, escaped."""
        return quote(f"s:{session_id}.{self._signature(session_id)}", safe="")

    def session_of(self, cookie_header: str) -> str | None:
        """The session id of a Cookie header; None without one, or with a wrong signature."""
        found = _COOKIE.search(cookie_header)
        if found is None:
            return None
        value = unquote(found.group(1).strip('"'))
        if not value.startswith("s:"):
            return None
        session_id, _, signature = value[2:].rpartition(".")
        if not session_id or not hmac.compare_digest(signature.encode(), self._signature(session_id).encode()):
            return None
        return session_id

    def _signature(self, session_id: str) -> str:
        digest = hmac.new(self._cookie_secret, session_id.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode().rstrip(_BASE64_END)

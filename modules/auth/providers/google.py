"""Signing in by Google.

[[providers.auth]]
use = "google"
options = { client_id = "….apps.googleusercontent.com", client_secret = "…", callback_url = "https://shop.example/auth/google/callback" }
"""

from __future__ import annotations

from typing import ClassVar

from .oauth import Account, OAuth

ABOUT = ("name", "given_name", "family_name", "picture")


class Google(OAuth):
    """https://developers.google.com/identity/protocols/oauth2/web-server: the id is `sub`; an address counts once it is verified there."""

    identifier: ClassVar[str] = "google"
    display_name: ClassVar[str] = "Google Authentication"
    authorize_url = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url = "https://oauth2.googleapis.com/token"
    api_url = "https://openidconnect.googleapis.com"
    scope = "openid email profile"

    async def _account(self, token: str) -> Account | None:
        said = await self._get("/v1/userinfo", token)
        if not isinstance(said, dict) or not isinstance(said.get("sub"), str):
            return None
        about = {name: said[name] for name in ABOUT if isinstance(said.get(name), str)}
        is_verified = said.get("email_verified") is True and isinstance(said.get("email"), str)
        return Account(said["sub"], about, said["email"] if is_verified else None)

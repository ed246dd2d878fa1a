"""Signing in by GitHub.

[[providers.auth]]
use = "github"
options = { client_id = "…", client_secret = "…", callback_url = "https://shop.example/auth/github/callback" }
"""

from __future__ import annotations

from typing import Any, ClassVar

from .oauth import Account, OAuth


class GitHub(OAuth):
    """https://docs.github.com/en/apps/oauth-apps: the id is the account's number, for names change hands there; an address counts where it
    is the primary one and verified. For GitHub Enterprise the options `authorize_url`, `token_url` and `api_url` say where it is."""

    identifier: ClassVar[str] = "github"
    display_name: ClassVar[str] = "GitHub Authentication"
    authorize_url = "https://github.com/login/oauth/authorize"
    token_url = "https://github.com/login/oauth/access_token"
    api_url = "https://api.github.com"
    scope = "read:user user:email"

    async def _account(self, token: str) -> Account | None:
        said = await self._get("/user", token)
        if not isinstance(said, dict) or not isinstance(said.get("id"), int):
            return None
        shown = {"name": said.get("name"), "picture": said.get("avatar_url"), "login": said.get("login")}
        about = {name: value for name, value in shown.items() if isinstance(value, str)}
        emails = await self._get("/user/emails", token)
        verified = (each["email"] for each in emails if _is_verified(each)) if isinstance(emails, list) else iter(())
        return Account(str(said["id"]), about, next(verified, None))


def _is_verified(given: Any) -> bool:
    if not isinstance(given, dict) or not isinstance(given.get("email"), str):
        return False
    return given.get("primary") is True and given.get("verified") is True

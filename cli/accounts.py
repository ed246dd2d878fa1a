"""Admin accounts made from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import InvalidData

if TYPE_CHECKING:
    from ..modules import Modules


async def create_admin(modules: Modules, email: str, password: str) -> str:
    """Create a user who logs in with email and password; returns the user's id.

    Repeating it after an interruption finishes it. Raises InvalidData when the account is complete already.
    """
    given = {"body": {"email": email, "password": password}}
    outcome = await modules.auth.register("emailpass", given)
    if not outcome["success"]:
        outcome = await modules.auth.authenticate("emailpass", given)
    identity = outcome["auth_identity"]
    if identity is None:
        raise InvalidData(f"There is an account of {email} already, with another password.")
    if (identity["app_metadata"] or {}).get("user_id"):
        raise InvalidData(f"There is an account of {email} already.")
    known = await modules.user.list("user", {"email": email}, fields=("id",))
    user = known[0] if known else (await modules.user.create("user", [{"email": email}]))[0]
    await modules.auth.set_actor(identity["id"], "user", user["id"])
    return str(user["id"])

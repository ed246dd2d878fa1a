"""Accounts, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import InvalidData, NotFound

if TYPE_CHECKING:
    from ..core.rows import Row
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


async def reset_mfa(modules: Modules, email: str, actor_type: str = "user") -> bool:
    """Let who signs in as such an actor (`user`, `customer`, one of a plugin's) do so without a second factor: whoever signs in by the
    address and is such an actor, or none yet, and whoever's account as a user or customer has it. Returns whether there was a factor.

    Raises NotFound where there is nobody.
    """
    key = f"{actor_type}_id"
    by_login = [(row["id"], row["app_metadata"] or {}) for row in await modules.auth.identities_by(email)]
    found = {id for id, actors in by_login if key in actors or not any(actors.values())}
    for account in await _accounts(modules, email, actor_type):
        found |= {row["id"] for row in await modules.auth.identities_of(actor_type, account["id"])}
    if not found:
        raise NotFound(f"Nobody signs in as a {actor_type} by {email}.", hint="--actor customer looks among customers.")
    return any([await modules.auth.reset_factors(id) for id in sorted(found)])


async def _accounts(modules: Modules, email: str, actor_type: str) -> list[Row]:
    """Who may sign in by another service, which knows them by a number."""
    if actor_type == "user":
        return await modules.user.list("user", {"email": email}, fields=("id",))
    if actor_type == "customer":
        return await modules.customer.list("customer", {"email": email, "has_account": True}, fields=("id",))
    return []

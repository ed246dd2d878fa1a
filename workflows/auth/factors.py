"""Second factors: set up, taken away, and their recovery codes. What is secret is made and sealed before it comes here."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step, workflow


@step
async def check_factor(flow: Flow, identity_id: str, id: str, code: str) -> Row:
    factor, is_new = await flow.modules.auth.verify_factor(identity_id, id, code)
    return {"factor": factor, "is_new": is_new}


@workflow("verify-mfa-factor", emits=("auth.mfa_enabled",))
async def verify_factor(flow: Flow, identity_id: str, id: str, code: str) -> Row:
    """Enable a factor by a code of it. Raises what `AuthService.verify_factor` raises."""
    done = await flow.run(check_factor, identity_id, id, code)
    if done["is_new"]:
        flow.emit("auth.mfa_enabled", auth_identity_id=identity_id, mfa_id=id, provider=done["factor"]["provider"])
    return dict(done["factor"])


@step
async def end_factor(flow: Flow, identity_id: str, id: str, method: str | None, code: str | None) -> Row:
    factor, was_enabled = await flow.modules.auth.disable_factor(identity_id, id, method, code)
    return {"factor": factor, "was_enabled": was_enabled}


@workflow("disable-mfa-factor", emits=("auth.mfa_disabled",))
async def disable_factor(flow: Flow, identity_id: str, id: str, method: str | None = None, code: str | None = None) -> Row:
    """Disable a factor. Raises what `AuthService.disable_factor` raises."""
    done = await flow.run(end_factor, identity_id, id, method, code)
    if done["was_enabled"]:
        flow.emit("auth.mfa_disabled", auth_identity_id=identity_id, mfa_id=id, provider=done["factor"]["provider"])
    return dict(done["factor"])


@step
async def keep_recovery_codes(flow: Flow, identity_id: str, hashes: list[str], method: str | None, code: str | None) -> None:
    await flow.modules.auth.replace_recovery_codes(identity_id, hashes, method, code)


@workflow("generate-mfa-recovery-codes", emits=("auth.mfa_recovery_codes_generated",))
async def replace_recovery_codes(
    flow: Flow, identity_id: str, hashes: list[str], method: str | None = None, code: str | None = None
) -> None:
    """Replace an identity's recovery codes. Raises what `AuthService.replace_recovery_codes` raises."""
    await flow.run(keep_recovery_codes, identity_id, hashes, method, code)
    flow.emit("auth.mfa_recovery_codes_generated", auth_identity_id=identity_id, count=len(hashes))

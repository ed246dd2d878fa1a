"""Second factors: codes of an authenticator app (TOTP, RFC 6238) and recovery codes, asked for after a password was right."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypedDict, cast

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...core.clock import iso, utc_now
from ...core.errors import InvalidData, Misconfigured, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.context import ModuleContext
from ...core.service.module import ModuleService
from . import queries
from .limits import Limits

TOTP: Final = "totp"
RECOVERY: Final = "recovery_code"
PERIOD: Final = 30
"""Seconds for which a code is shown."""
WINDOW: Final = 1
"""Codes before and after the present one that are taken, too: clocks differ."""
CHALLENGE_SECONDS: Final = 300.0
CHALLENGE_ATTEMPTS: Final = 5
KEPT_FACTORS: Final = 10
"""Disabled factors of an identity that are kept, and shown."""
WITHOUT_FACTOR: Final = "Recovery codes require an enabled MFA factor"
_CODE = re.compile(r"[0-9]{6}")


class Challenge(TypedDict):
    """What has to be answered by a code before a sign-in is complete."""

    id: str
    auth_identity_id: str
    auth_provider: str
    methods: list[str]
    expires_at: str
    attempts: int
    max_attempts: int
    completed_at: str | None
    metadata: None


class Seal:
    """Encrypts secrets of authenticator apps, so that no reader of the database makes codes: AES-256-GCM under the setting `mfa_key`."""

    def __init__(self, key: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"mfa:" + key.encode()).digest())

    def close(self, secret: str, identity_id: str) -> str:
        """The sealed secret, which opens for the same identity only."""
        nonce = secrets.token_bytes(12)
        return (nonce + self._cipher.encrypt(nonce, secret.encode(), identity_id.encode())).hex()

    def open(self, sealed: str, identity_id: str) -> str:
        """Raises Misconfigured where it was sealed under another key."""
        data = bytes.fromhex(sealed)
        try:
            return self._cipher.decrypt(data[:12], data[12:], identity_id.encode()).decode()
        except InvalidTag:
            raise Misconfigured(
                "A second factor was set up under another mfa_key.",
                hint="Set the former mfa_key, or let its owner begin anew: velella user reset-mfa --email … [--actor customer]",
            ) from None


def new_secret() -> str:
    """A secret for an authenticator app, in base 32."""
    return pyotp.random_base32()


def provisioning_url(secret: str, account: str, issuer: str) -> str:
    """The `otpauth://` URL that authenticator apps read as a picture."""
    return pyotp.TOTP(secret, interval=PERIOD).provisioning_uri(name=account, issuer_name=issuer)


def new_recovery_code() -> str:
    """128 random bits, in groups that can be typed."""
    return "-".join(re.findall("....", secrets.token_hex(16)))


def recovery_hash(code: str) -> str:
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The time step whose code this is, of those near `now` (seconds since 1970); None for a wrong code. Takes the same time for any."""
    match = None
    if _CODE.fullmatch(code):
        present = int(now) // PERIOD
        for step in range(present - WINDOW, present + WINDOW + 1):
            if hmac.compare_digest(pyotp.TOTP(secret, interval=PERIOD).generate_otp(step), code):
                match = step
    return match


class SecondFactors(ModuleService):
    """The part of the auth service for second factors."""

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._limits = Limits(context.settings, context.database)

    @reads
    async def factors(self, identity_id: str) -> list[Row]:
        """The factors of an identity, also the last `KEPT_FACTORS` disabled ones, without their secrets."""
        return await self.list("auth_mfa_factor", {"auth_identity_id": identity_id}, order=("created_at", "id"))

    @writes
    async def start_factor(self, identity_id: str, provider: str, sealed: str, metadata: Mapping[str, Any]) -> Row:
        """Begin to set up a factor (`totp`), whose secret the caller has made and sealed; it counts once a code of it is verified.

        Raises InvalidData for an unknown provider, NotAllowed while another is being set up or is enabled.
        """
        if provider != TOTP:
            raise InvalidData(f"There is no MFA provider {provider}")
        row = {"auth_identity_id": identity_id, "provider": provider, "status": "pending", "metadata": dict(metadata)}
        try:
            async with self.database.savepoint():
                [made] = await self.create("auth_mfa_factor", [{**row, "provider_metadata": {"secret": sealed}}])
        except InvalidData as error:
            if "already exists" not in error.message:
                raise
            raise NotAllowed("An active TOTP factor already exists for this auth identity") from error
        return made

    async def verify_factor(self, identity_id: str, id: str, code: str) -> tuple[Row, bool]:
        """Enable a factor by a code of it. Returns it, and whether it wasn't enabled before.

        Raises NotFound, NotAllowed for a wrong code or one that was used, TooManyRequests after too many.
        """
        factor = await self._factor(identity_id, id)
        if factor["status"] == "disabled":
            raise NotAllowed("Disabled MFA factors cannot be verified")
        await self._tried(identity_id, lambda: self._is_right(identity_id, factor, code), "Invalid TOTP code")
        return await self.retrieve("auth_mfa_factor", id), factor["status"] == "pending"

    async def disable_factor(self, identity_id: str, id: str, method: str | None, code: str | None) -> tuple[Row, bool]:
        """Disable a factor, for which the setting `mfa_disable_needs_code` may ask for a code; one that was never enabled is forgotten.
        Returns it, and whether it was enabled.

        Raises NotFound; InvalidData without a code where one is asked for, NotAllowed for a wrong one.
        """
        factor = await self._factor(identity_id, id)
        if factor["status"] == "pending":
            if (forgotten := await self._forget_pending(identity_id, id)) is not None:
                return forgotten, False
            factor = await self._factor(identity_id, id)  # a code of it was right meanwhile
        if factor["status"] == "enabled":
            await self._ask(identity_id, method, code, "disable MFA")
        await self._disable(identity_id, id)
        return await self.retrieve("auth_mfa_factor", id), factor["status"] == "enabled"

    @writes
    async def reset_factors(self, identity_id: str) -> bool:
        """Disable all factors and forget all recovery codes of an identity, for one who has lost them. Returns whether it had any."""
        return await self._disable(identity_id)

    async def replace_recovery_codes(
        self, identity_id: str, hashes: Sequence[str], method: str | None = None, code: str | None = None
    ) -> None:
        """Replace an identity's recovery codes, which the caller has made. The setting `mfa_disable_needs_code` may ask for a code: a new
        recovery code disables a factor.

        Raises NotAllowed without an enabled factor, or for a wrong code; InvalidData without a code where one is asked for.
        """
        if await self.database.fetch_one(queries.FACTOR, {"identity_id": identity_id, "id": None}) is None:
            raise NotAllowed(WITHOUT_FACTOR)
        await self._ask(identity_id, method, code, "replace recovery codes")
        await self._replace_recovery_codes(identity_id, hashes)

    @writes
    async def _replace_recovery_codes(self, identity_id: str, hashes: Sequence[str]) -> None:
        there = await self.database.fetch_one(queries.LOCK_IDENTITY, {"id": identity_id})  # two at once would add up
        if there is None or not there["mfa_enabled"]:
            raise NotAllowed(WITHOUT_FACTOR)
        await self.database.execute(queries.FORGET_RECOVERY_CODES, {"id": identity_id})
        ids = [new_id("authmfarec") for _ in hashes]
        await self.database.execute(queries.KEEP_RECOVERY_CODES, {"id": identity_id, "ids": ids, "hashes": list(hashes)})

    # -- challenges

    @writes
    async def begin_challenge(self, identity_id: str, actor_type: str, auth_provider: str) -> Challenge:
        """Ask for a code: what a sign-in as such an actor, by such a provider, waits for."""
        codes = await self.database.fetch(queries.HAS_RECOVERY_CODES, {"id": identity_id})
        expires_at = utc_now() + timedelta(seconds=CHALLENGE_SECONDS)
        row: Row = {
            "id": new_id("authmfachal"),
            "auth_identity_id": identity_id,
            "auth_provider": auth_provider,
            "methods": [TOTP, *([RECOVERY] if codes else [])],
            "max_attempts": CHALLENGE_ATTEMPTS,
        }
        await self.database.execute(queries.FORGET_CHALLENGES)
        await self.database.execute(queries.BEGIN_CHALLENGE, {**row, "actor_type": actor_type, "expires_at": expires_at})
        return cast("Challenge", {**row, "expires_at": iso(expires_at), "attempts": 0, "completed_at": None, "metadata": None})

    async def verify_challenge(self, identity_id: str, actor_type: str, auth_provider: str | None, id: str, method: str, code: str) -> None:
        """Answer a challenge of a sign-in of this identity, as such an actor, by this provider.

        Raises NotFound for that of another, InvalidData for a method that it doesn't have; NotAllowed where it is over, or the code is
        wrong; TooManyRequests after too many wrong codes of the identity.
        """
        about = {"id": id, "identity_id": identity_id, "actor_type": actor_type, "auth_provider": auth_provider}
        challenge = await self.database.fetch_one(queries.CHALLENGE, about)
        if challenge is None:
            raise NotFound(f'MFA challenge with id "{id}" was not found')
        if method not in challenge["methods"]:
            raise InvalidData(f'MFA challenge does not support method "{method}"')
        if await self.database.fetch_one(queries.TRY_CHALLENGE, about) is None:
            raise NotAllowed(_over(challenge))
        last = challenge["attempts"] + 1 >= challenge["max_attempts"]
        wrong = "MFA challenge has too many failed attempts" if last else "Invalid MFA challenge code"
        await self._tried(identity_id, lambda: self._answers(identity_id, method, code), wrong)
        if await self.database.fetch_one(queries.COMPLETE_CHALLENGE, about) is None:
            raise NotAllowed("MFA challenge has already been completed")

    # -- inside

    async def _factor(self, identity_id: str, id: str) -> Any:
        factor = await self.database.fetch_one(queries.FACTOR, {"identity_id": identity_id, "id": id})
        if factor is None:
            raise NotFound(f'MFA factor with id "{id}" was not found')
        return factor

    async def _ask(self, identity_id: str, method: str | None, code: str | None, purpose: str) -> None:
        """Have whoever is signed in prove the second factor once more, where the setting `mfa_disable_needs_code` says so."""
        if not self.context.settings.mfa_disable_needs_code:
            return
        if not method or not code:
            raise InvalidData(f"MFA verification code is required to {purpose}")
        await self._tried(identity_id, lambda: self._answers(identity_id, method, code), "Invalid MFA verification code")

    async def _tried(self, identity_id: str, attempt: Callable[[], Awaitable[bool]], wrong: str) -> None:
        """Raises NotAllowed where an attempt fails. Attempts count before they are made, and are given back if they succeed."""
        uses = {"sign_in_account": f"mfa:{identity_id}"}
        await self._limits.count(uses)
        if not await attempt():
            raise NotAllowed(wrong)
        await self._limits.give_back(uses)

    async def _answers(self, identity_id: str, method: str, code: str) -> bool:
        """Whether a code is right; it isn't any more afterwards."""
        if method == RECOVERY:
            return bool(await self.database.fetch(queries.USE_RECOVERY_CODE, {"id": identity_id, "code_hash": recovery_hash(code)}))
        factor = await self.database.fetch_one(queries.FACTOR, {"identity_id": identity_id, "id": None}) if method == TOTP else None
        return factor is not None and await self._is_right(identity_id, factor, code)

    async def _is_right(self, identity_id: str, factor: Any, code: str) -> bool:
        seal = Seal(self.context.settings.secret("mfa_key"))
        step = matching_step(seal.open(factor["provider_metadata"]["secret"], identity_id), code, time.time())
        return step is not None and await self._use_step(identity_id, factor["id"], step, enables=factor["status"] == "pending")

    @writes
    async def _use_step(self, identity_id: str, factor_id: str, step: int, *, enables: bool) -> bool:
        if enables:
            await self.database.execute(queries.LOCK_IDENTITY, {"id": identity_id})
        used = await self.database.fetch(queries.USE_STEP, {"id": factor_id, "step": step})
        if used:
            self.touch("auth_mfa_factor")
        if used and enables:  # else the identity stays as it is, and so does what is remembered of it
            await self.database.execute(queries.SET_MFA, {"id": identity_id})
            self.touch_rows("auth_identity", [identity_id])
        return bool(used)

    @writes
    async def _forget_pending(self, identity_id: str, id: str) -> Row | None:
        rows: list[Row] = await self.list("auth_mfa_factor", {"id": id}, limit=1)
        if not await self.database.fetch(queries.FORGET_PENDING, {"identity_id": identity_id, "id": id}):
            return None
        self.touch("auth_mfa_factor")
        return {**rows[0], "status": "disabled"}

    @writes
    async def _disable(self, identity_id: str, id: str | None = None) -> bool:
        """Disable a factor, or all; without one, recovery codes stand for nothing. Returns whether there was one."""
        await self.database.execute(queries.LOCK_IDENTITY, {"id": identity_id})
        if not await self.database.fetch(queries.DISABLE_FACTORS, {"identity_id": identity_id, "id": id, "kept": KEPT_FACTORS - 1}):
            return False
        if not (await self.database.fetch(queries.SET_MFA, {"id": identity_id}))[0]["mfa_enabled"]:
            await self.database.execute(queries.FORGET_RECOVERY_CODES, {"id": identity_id})
        self.touch("auth_mfa_factor")
        self.touch_rows("auth_identity", [identity_id])
        return True


def _over(challenge: Any) -> str:
    if challenge["completed_at"] is not None:
        return "MFA challenge has already been completed"
    if challenge["expires_at"] <= utc_now():
        return "MFA challenge has expired"
    return "MFA challenge has too many failed attempts"

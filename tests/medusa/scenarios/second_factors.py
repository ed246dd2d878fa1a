"""A customer with an authenticator app: set up, asked for at each sign-in, recovered from, given up."""

from __future__ import annotations

import time
from typing import Any

import pyotp

from ..ground import Api

SIGN_IN = "/customer/emailpass"


async def run(api: Api) -> None:
    login = {"email": api.fresh("totp") + "@example.com", "password": "supersecret"}
    first = (await api.auth("POST", f"{SIGN_IN}/register", login))["token"]
    await api.quiet("POST", "/store/customers", {"email": login["email"]}, first)
    token = (await api.auth("POST", SIGN_IN, login))["token"]
    await api.auth("GET", "/mfa/factors")
    await api.auth("GET", "/mfa/factors", None, token)
    await api.auth("POST", "/mfa/recovery-codes", {"count": 3}, token)
    await api.auth("POST", "/mfa/factors", {}, token)
    await api.auth("POST", "/mfa/factors", {"provider": "carrier pigeon"}, token)
    wanted = {"provider": "totp", "label": "ada", "issuer": "Mug Shop", "metadata": {"phone": "old"}}
    made: Any = await api.auth("POST", "/mfa/factors", wanted, token)
    factor, codes = f"/mfa/factors/{made['mfa_factor']['id']}", pyotp.TOTP(made["secret"])
    now = int(time.time())
    await api.auth("GET", "/mfa/factors", None, token)
    await api.auth("POST", f"{factor}/verify", {"code": "12345"}, token)
    await api.auth("POST", f"{factor}/verify", {}, token)
    await api.auth("POST", "/mfa/factors/nothing/verify", {"code": codes.at(now)}, token)
    await api.auth("POST", f"{factor}/verify", {"code": codes.at(now)}, token)
    await api.auth("POST", f"{factor}/verify", {"code": codes.at(now)}, token)
    await api.auth("GET", "/mfa/factors", None, token)
    await api.auth("POST", "/mfa/recovery-codes", {"count": 0}, token)
    await api.auth("POST", "/mfa/recovery-codes", {"count": 3}, token)
    recovery = (await api.auth("POST", "/mfa/recovery-codes", {"count": 2}, token))["recovery_codes"]

    halfway: Any = await api.auth("POST", SIGN_IN, login)
    challenge = f"/mfa/challenges/{halfway['mfa_challenge']['id']}/verify"
    await api.store("GET", "/customers/me?fields=email", token=halfway["token"])
    await api.auth("POST", "/mfa/factors", wanted, halfway["token"])
    await api.auth("POST", challenge, {"method": "totp"}, halfway["token"])
    await api.auth("POST", challenge, {"method": "carrier pigeon", "code": codes.at(now + 30)}, halfway["token"])
    await api.auth("POST", challenge, {"method": "totp", "code": "12345"}, halfway["token"])
    await api.auth("POST", challenge, {"method": "totp", "code": codes.at(now + 30)})
    done = await api.auth("POST", challenge, {"method": "totp", "code": codes.at(now + 30)}, halfway["token"])
    await api.store("GET", "/customers/me?fields=email", token=done["token"])
    await api.auth("POST", challenge, {"method": "totp", "code": codes.at(now + 30)}, halfway["token"])

    halfway = await api.auth("POST", SIGN_IN, login)
    challenge = f"/mfa/challenges/{halfway['mfa_challenge']['id']}/verify"
    done = await api.auth("POST", challenge, {"method": "recovery_code", "code": recovery[0]}, halfway["token"])
    await api.store("GET", "/customers/me?fields=email", token=done["token"])
    halfway = await api.auth("POST", SIGN_IN, login)
    challenge = f"/mfa/challenges/{halfway['mfa_challenge']['id']}/verify"
    await api.auth("POST", challenge, {"method": "recovery_code", "code": recovery[0]}, halfway["token"])
    for _ in range(4):
        await api.auth("POST", challenge, {"method": "recovery_code", "code": "wrong"}, halfway["token"])
    await api.auth("POST", challenge, {"method": "recovery_code", "code": recovery[1]}, halfway["token"])
    await api.auth("POST", "/mfa/challenges/nothing/verify", {"method": "recovery_code", "code": recovery[1]}, halfway["token"])

    await api.auth("DELETE", "/mfa/factors/nothing", {}, token)
    await api.auth("DELETE", factor, {}, token)
    await api.auth("DELETE", factor, {}, token)
    await api.auth("POST", f"{factor}/verify", {"code": codes.at(now + 30)}, token)
    await api.auth("GET", "/mfa/factors", None, token)
    await api.auth("POST", SIGN_IN, login)

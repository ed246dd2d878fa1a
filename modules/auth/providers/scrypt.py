"""Password hashes in the format of scrypt-kdf, which is that of Colin Percival's scrypt command: 96 bytes.

bytes 0-5    "scrypt"
6            0
7            log2 of N
8-11, 12-15  r, p, big endian
16-47        salt
48-63        first half of SHA-256 of all before
64-95        HMAC-SHA-256 of all before, keyed with the second half of the derived 64 bytes
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

_HEAD = struct.Struct(">6sBBII32s")
_LENGTH = 96
_MAX_MEMORY = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a guess: 2**log_n * r * 128 bytes of memory, p times as much work."""

    log_n: int = 15
    r: int = 8
    p: int = 1

    @property
    def memory(self) -> int:
        return 128 * self.r * (1 << self.log_n)


def hash_password(password: str, cost: Cost) -> bytes:
    """Make a new hash. Takes about 100 ms of one core: not for an event loop."""
    salt = secrets.token_bytes(32)
    head = _HEAD.pack(b"scrypt", 0, cost.log_n, cost.r, cost.p, salt)
    checked = head + hashlib.sha256(head).digest()[:16]
    return checked + hmac.digest(_derive(password, salt, cost), checked, "sha256")


def unknown_password(cost: Cost) -> bytes:
    """A hash that no password matches; checking against it takes as long as against any other."""
    head = _HEAD.pack(b"scrypt", 0, cost.log_n, cost.r, cost.p, secrets.token_bytes(32))
    return head + hashlib.sha256(head).digest()[:16] + secrets.token_bytes(32)


def verify_password(stored: bytes, password: str) -> bool:
    """Whether the password matches the hash. Takes the same time if it doesn't; False for bytes that aren't such a hash."""
    if len(stored) != _LENGTH:
        return False
    magic, version, log_n, r, p, salt = _HEAD.unpack_from(stored)
    cost = Cost(log_n, r, p)
    if magic != b"scrypt" or version != 0 or not 1 <= log_n <= 22 or not 1 <= r <= 64 or not 1 <= p <= 64 or cost.memory > _MAX_MEMORY // 2:
        return False
    head = stored[:48]
    if not hmac.compare_digest(hashlib.sha256(head).digest()[:16], stored[48:64]):
        return False
    return hmac.compare_digest(hmac.digest(_derive(password, salt, cost), stored[:64], "sha256"), stored[64:])


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    """The second half of the derived bytes: the key of the last 32."""
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << cost.log_n, r=cost.r, p=cost.p, maxmem=_MAX_MEMORY, dklen=64)[32:]

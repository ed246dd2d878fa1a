"""Names and types of files."""

from __future__ import annotations

import mimetypes
import re
import secrets
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from ...core.errors import InvalidData

NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,199}")
"""Every name that we make, and nothing that could lead out of the folder."""
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_KNOWN = mimetypes.MimeTypes()  # without this machine's own additions: a file has the same type everywhere
_KNOWN.add_type("image/webp", ".webp")
_KNOWN.add_type("image/avif", ".avif")
_KNOWN.add_type("model/gltf-binary", ".glb")
_KNOWN.add_type("model/gltf+json", ".gltf")


def type_of(name: str) -> str:
    """The type for a name's extension."""
    return _KNOWN.guess_type(name)[0] or "application/octet-stream"


CSV_TYPES = frozenset(("application/vnd.ms-excel", "application/csv", "application/x-csv", "text/x-csv", "text/plain"))
"""What browsers call CSV, as the machine's spreadsheet says."""


def is_csv(filename: str) -> bool:
    return filename.lower().endswith(".csv")


def checked_type(filename: str, declared: str | None, allowed: Sequence[str]) -> str:
    """The type of an uploaded file. Raises InvalidData if it isn't one of `allowed` (`image/*`), or the name isn't text."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in filename):
        raise InvalidData("A file's name can't hold control characters")
    given = (declared or "").partition(";")[0].strip().lower()
    if not given or given == "application/octet-stream" or (given in CSV_TYPES and is_csv(filename)):
        given = type_of(filename.lower())
    if not _TYPE.fullmatch(given):
        raise InvalidData(f"{given} is not the type of a file")
    if not any(fnmatchcase(given, each) for each in allowed):
        raise InvalidData(f"Files of type {given} are not taken")
    return given


def new_name(filename: str, mime_type: str) -> str:
    """An unguessable name that still says something about the file: `sail-shirt-4f….png`.

    Its extension follows from the type, whatever the file was called, because files are served by their extension.
    """
    given = PurePosixPath(filename.replace("\\", "/")).name
    stem, dot, ending = given.rpartition(".")
    suffix = f".{ending.lower()}" if dot and stem else ""
    if type_of(f"x{suffix}") != mime_type:
        suffix = _KNOWN.guess_extension(mime_type) or ".bin"
    plain = unicodedata.normalize("NFKD", stem if dot and stem else given).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:80].strip("-")
    return f"{slug or 'file'}-{secrets.token_hex(16)}{suffix}"

"""Stacks of a sampling profiler (`frame;frame;frame count` on each line), by our layers and libraries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

OURS = ("http", "workflows", "modules", "commerce", "core", "actors")
LIBRARIES = ("asyncpg", "aiohttp", "sqlalchemy", "orjson", "msgpack", "structlog", "asyncio, uvloop")
LAYERS = (*OURS, *LIBRARIES, "system calls", "standard library", "ray", "others")

_FRAME = re.compile(r"(?P<name>.*) \((?P<path>.*?)(?::\d+)?\)$")
_LAYER = re.compile(rf"/velella/(?P<file>(?P<layer>{'|'.join(OURS)})/.*)$")
_PACKAGE = re.compile(r"/site-packages/(?P<package>[^/.]+)")
_WHEEL = re.compile(r"^/project/(?:build/|vendor/|src/)?(?P<source>\w+)")
"""Where compiled parts of wheels were built; their frames have the names of their sources."""
_BELONGS = {
    "uvloop": "asyncio, uvloop", "libuv": "asyncio, uvloop", "llhttp": "aiohttp", "multidict": "aiohttp", "yarl": "aiohttp",
    "propcache": "aiohttp", "frozenlist": "aiohttp", "aiosignal": "aiohttp",
}  # fmt: skip
_WAITS = re.compile(
    r"epoll_p?wait|p?poll|select|pthread_cond_(timed|clock)?wait|PyThread_acquire_lock_timed|sem_(timed|clock)?wait|\w*nanosleep"
)
_CALLS = re.compile(r"_*(writev?|send|sendto|sendmsg|readv?|recv|recvfrom|recvmsg|epoll_ctl|fdatasync|fsync|accept4?|close|open(at)?)(64)?")
_LIBC = re.compile(r"/(libc|libpthread|ld-linux|libm|libstdc)[-.+\w]*\.so")
_LOOP = ("Replica._run", "actors/cluster/replica.py")
"""The frames below it are what the loop of a replica runs."""


@dataclass(frozen=True)
class Frame:
    name: str
    layer: str
    where: str = ""
    """File, if it is informative: for ours within the package, for others the library."""


Stacks = Counter[tuple[Frame, ...]]


def stacks_of(lines: Iterable[str]) -> Stacks:
    """Samples of processes that were running, by stack; waiting ones are left out."""
    found: Stacks = Counter()
    for line in lines:
        text, _, count = line.rstrip("\n").rpartition(" ")
        frames = [_parsed(part) for part in text.split(";")]
        if text and not _waits(frames):
            found[_told(frames)] += int(count)
    return found


def shares(stacks: Stacks) -> dict[str, float]:
    """Layer → share of all samples in which the innermost frame is its own. They add up to 1."""
    total = sum(stacks.values()) or 1
    own: Counter[str] = Counter()
    for frames, count in stacks.items():
        own[frames[-1].layer] += count
    return {layer: own[layer] / total for layer in LAYERS}


def functions(stacks: Stacks) -> list[tuple[Frame, float, float]]:
    """Our functions with the share of samples that they are in, and of samples in which they are our innermost function; largest first."""
    total = sum(stacks.values()) or 1
    within: Counter[Frame] = Counter()
    innermost: Counter[Frame] = Counter()
    for frames, count in stacks.items():
        ours = [frame for frame in frames if frame.layer in OURS]
        for frame in set(ours):
            within[frame] += count
        if ours:
            innermost[ours[-1]] += count
    return [(frame, count / total, innermost[frame] / total) for frame, count in within.most_common()]


def _parsed(text: str) -> tuple[str, str]:
    """Name and path of a frame."""
    match = _FRAME.match(text)
    return (match["name"], match["path"]) if match else (text, "")


def _waits(frames: list[tuple[str, str]]) -> bool:
    """Whether the innermost frames, those of the C library and the interpreter, wait for something."""
    for name, path in reversed(frames):
        if _WAITS.fullmatch(name):
            return True
        if not _LIBC.search(path) and "/libpython" not in path:
            return False
    return False


def _told(frames: list[tuple[str, str]]) -> tuple[Frame, ...]:
    """The frames below the loop, each with its layer. Compiled code is one frame for each library, the interpreter's work its caller's."""
    roots = [index for index, (name, path) in enumerate(frames) if (name, path[-len(_LOOP[1]) :]) == _LOOP]
    inside = frames[roots[-1] + 1 :] if roots else frames
    told = [frame for frame, _ in groupby(_placed(inside))]
    if not roots:
        return (Frame("other threads", "others"), *told)
    while len(told) > 1 and told[0].layer == "asyncio, uvloop":
        del told[0]  # the frames between the loop and our code are always the same
    return tuple(told) or (Frame("the loop", "asyncio, uvloop"),)


def _placed(frames: list[tuple[str, str]]) -> Iterator[Frame]:
    for name, path in frames:
        if _LIBC.search(path):
            if _CALLS.fullmatch(name):
                yield Frame(name.strip("_"), "system calls")
        elif (match := _PACKAGE.search(path)) and match["package"] != "velella":
            yield _of_library(match["package"], name, path)
        elif match := _LAYER.search(path):
            yield Frame(name, match["layer"], match["file"])
        elif match := _WHEEL.match(path):
            yield _of_library(match["source"], name, path)
        elif path.endswith("_asynciomodule.c") or "/asyncio/" in path:
            yield _of_library("asyncio, uvloop", name, path)
        elif path.endswith(".py"):
            yield Frame(name, "standard library", PurePosixPath(path).name)


def _of_library(package: str, name: str, path: str) -> Frame:
    library = _BELONGS.get(package, package)
    layer = library if library in LAYERS else "others"
    if path.endswith(".py"):
        return Frame(name, layer, f"{library}/{PurePosixPath(path).name}")
    return Frame(f"{library} (compiled)", layer)

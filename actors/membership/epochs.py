"""Terms: which of two supervisors that both take themselves for the one in charge is right.

Ray starts a supervisor again when it takes its node for dead; the one before may only have been cut off, and go on. Each takes a term
when it starts, a number that none had before, from Ray's own store. It is the upper part of every version of a directory that the
supervisor tells, so replicas know the later one's without asking anybody: they don't listen to the one before, and it ends as soon as
one of them has told it of a higher term. (The same idea as Raft's terms: Ongaro and Ousterhout, In Search of an Understandable
Consensus Algorithm, 2014.)
"""

from __future__ import annotations

KEY = b"velella:term:"
_SHIFT = 32


def epoch_of(version: int) -> int:
    """Whose supervisor counted this version; 0 where there can be only one."""
    return version >> _SHIFT


def first_version(term: int) -> int:
    return term << _SHIFT


def take_epoch(above: int = 0) -> int:
    """A term that nobody has had, higher than `above`. Blocks; needs Ray. May be repeated: each time it is another one.

    Keys stay: without those before, one who listed them a while ago could take a term again.
    """
    from ray.experimental import internal_kv  # not before Ray's environment is set

    taken = [int(key.removeprefix(KEY)) for key in internal_kv._internal_kv_list(KEY)]
    term = max([above, *taken]) + 1
    while internal_kv._internal_kv_put(KEY + str(term).encode(), b"", overwrite=False):  # somebody else was faster
        term += 1
    return term

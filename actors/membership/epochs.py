"""Epochs: which of two supervisors that both consider themselves in charge is right.

Ray restarts a supervisor when it takes its node for dead; the earlier one may only have been cut off, and go on. Each takes an epoch
when it starts, a number that no supervisor had before, from Ray's own store. It is the upper part of every directory version that the
supervisor sends, so replicas recognise the later one without asking: they ignore the earlier one, and it ends as soon as
one of them has reported a higher epoch. (The same idea as Raft's terms: Ongaro and Ousterhout, In Search of an Understandable
Consensus Algorithm, 2014.)
"""

from __future__ import annotations

KEY = b"velella:epoch:"
_SHIFT = 32


def epoch_of(version: int) -> int:
    """The epoch of the supervisor that counted this version; 0 where there can be only one supervisor."""
    return version >> _SHIFT


def first_version(epoch: int) -> int:
    """The lowest directory version of an epoch."""
    return epoch << _SHIFT


def take_epoch(above: int = 0) -> int:
    """Take an epoch that no supervisor has had, higher than `above`. Blocks; needs Ray. May be repeated: each call takes another one.

    Keys stay in the store: if they were removed, a process that had listed them before could take an epoch again.
    """
    from ray.experimental import internal_kv  # only after Ray's environment is set

    taken = [int(key.removeprefix(KEY)) for key in internal_kv._internal_kv_list(KEY)]
    epoch = max([above, *taken]) + 1
    while internal_kv._internal_kv_put(KEY + str(epoch).encode(), b"", overwrite=False):  # another supervisor was faster
        epoch += 1
    return epoch

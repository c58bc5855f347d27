"""A maker who cheats: just before the seal he tries one last entry after another, each with another
nonce, until his puppet wins by what he knows of the chance to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from dropengine.log.draw import Entry, Sealed, order

PUPPET = "puppet"
Foresight = Callable[[bytes], bytes]
"""What he takes the randomness of a list with this root to be."""


class Ground(NamedTuple):
    """The list that he seals, and after how many tries. foreseen: he expects his puppet to win."""

    sealed: Sealed
    tries: int
    foreseen: bool


def grind(
    honest: Sequence[Entry], units: int, foresight: Foresight, *, tries_max: int, seed: int
) -> Ground:
    """Try last entries until the puppet is among the first `units`, as far as he can see."""
    chance = Random(seed)
    for tries in range(1, tries_max + 1):
        sealed = Sealed([*honest, Entry(PUPPET, 1, chance.randbytes(16))])
        if wins(sealed, foresight(sealed.root), units):
            return Ground(sealed, tries, foreseen=True)
    return Ground(sealed, tries, foreseen=False)


def wins(sealed: Sealed, randomness: bytes, units: int) -> bool:
    """Is the puppet among those who get one?"""
    return PUPPET in order(sealed, randomness)[:units]

"""A maker who cheats: just before the seal he tries one last entry after another, each with another
nonce, until his puppet wins by what he knows of the chance to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from dropengine.log.draw import Entry, Sealed, chance_of, commitment_of, order
from dropengine.randomness import CommitReveal
from tests.kit.own_beacon import OwnBeacon

PUPPET = "puppet"
Foresight = Callable[[bytes], bytes]
"""What he takes the randomness of a list with this root to be."""


class Ground(NamedTuple):
    """The list that he seals, and after how many tries. foreseen: he expects his puppet to win."""

    sealed: Sealed
    tries: int
    foreseen: bool


def knowing(secret: bytes) -> Foresight:
    """With a commitment: the very randomness of every list."""
    source = CommitReveal(commitment_of(secret))
    return lambda root: chance_of(source, root, secret, sealed_ms=0)


def hoping(beacon: OwnBeacon, number: int) -> Foresight:
    """With a beacon: that a round which is known already is the one that counts."""
    source, known = beacon.named(number), beacon.signature(number)
    return lambda root: chance_of(source, root, known, sealed_ms=0)


def grind(
    honest: Sequence[Entry],
    units: int,
    foresight: Foresight,
    *,
    tries_max: int,
    seed: int,
    puppet: str = PUPPET,
) -> Ground:
    """Try last entries until the puppet is among the first `units`, as far as he can see."""
    chance = Random(seed)
    for tries in range(1, tries_max + 1):
        sealed = Sealed([*honest, Entry(puppet, 1, chance.randbytes(16))])
        if wins(sealed, foresight(sealed.root), units, puppet):
            return Ground(sealed, tries, foreseen=True)
    return Ground(sealed, tries, foreseen=False)


def wins(sealed: Sealed, randomness: bytes, units: int, puppet: str = PUPPET) -> bool:
    """Is the puppet among those who get one?"""
    return puppet in order(sealed, randomness)[:units]

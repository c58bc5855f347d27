"""The same cheat against both kinds of chance: with a commitment he wins at will, with a beacon he
wins what one more entry would."""

from __future__ import annotations

from random import Random

from dropengine.log.draw import Entry, chance_of
from dropengine.randomness import LATE_MS
from tests.kit.chances import at_least_p
from tests.kit.grinding import grind, hoping, knowing, wins
from tests.kit.own_beacon import OwnBeacon

DRAWS = 200
SEED = 43
HONEST = 29
UNITS = 3
SHARE = UNITS / (HONEST + 1)
TRIES_MAX = 500


def honest(chance: Random) -> list[Entry]:
    return [Entry(f"e{n}", 1, chance.randbytes(16)) for n in range(1, HONEST + 1)]


def test_with_a_commitment_a_ground_puppet_always_wins() -> None:
    """He knows the secret, so what he foresees is what comes."""
    chance = Random(SEED)
    won = tries = 0
    for draw in range(DRAWS):
        foresight = knowing(chance.randbytes(32))
        ground = grind(honest(chance), UNITS, foresight, tries_max=TRIES_MAX, seed=draw)
        won += wins(ground.sealed, foresight(ground.sealed.root), UNITS)
        tries += ground.tries
    assert won == DRAWS
    # Some ten tries each, for a tenth of the places.
    assert tries < 2 * DRAWS / SHARE


def test_with_a_beacon_the_same_puppet_wins_no_more_than_its_share() -> None:
    """The best that he has at the seal is a round before the one that counts."""
    chance, beacon = Random(SEED), OwnBeacon()
    won = foreseen = 0
    for draw in range(DRAWS):
        source = beacon.named(5_000_000 + 20 * draw)
        sealed_ms = beacon.chain.due_ms(source.round) - LATE_MS
        foresight = hoping(beacon, beacon.chain.first_from(sealed_ms))
        ground = grind(honest(chance), UNITS, foresight, tries_max=TRIES_MAX, seed=draw)
        foreseen += ground.foreseen
        revealed = beacon.signature(source.round)
        root = ground.sealed.root
        drawn = chance_of(source, root, revealed, sealed_ms=sealed_ms)
        won += wins(ground.sealed, drawn, UNITS)
    assert foreseen == DRAWS
    assert won > 0
    assert at_least_p(won, DRAWS, SHARE) > 0.01

"""The order of a sealed list: a permutation, by the tickets alone, the same for everybody."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from random import Random

import pytest

from dropengine.errors import DrawFault
from dropengine.log.draw import Entry, Sealed, chance_of, commitment_of, order, tickets_of
from dropengine.randomness import CommitReveal
from tests.kit.chances import chi_square_p

SHUFFLES = 2_000
SEEDS = (7, 2026, 31_337)
EVEN = [1] * 11
WEIGHTS = [1, 1, 1, 2, 2, 3, 5, 7, 10]


def drawn(tickets: list[int], chance: Random) -> list[str]:
    """One whole draw with a fresh secret and fresh nonces."""
    sealed = Sealed(
        Entry(f"e{n}", count, chance.randbytes(16)) for n, count in enumerate(tickets, 1)
    )
    secret = chance.randbytes(32)
    source = CommitReveal(commitment_of(secret))
    return order(sealed, chance_of(source, sealed.root, secret, sealed_ms=0))


@pytest.mark.parametrize("seed", SEEDS)
def test_everybody_is_first_as_often_as_everybody_else(seed: int) -> None:
    chance = Random(seed)
    first = Counter(drawn(EVEN, chance)[0] for _ in range(SHUFFLES))
    assert chi_square_p([first[f"e{n}"] for n in range(1, 12)], EVEN) > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_an_entry_stands_at_every_place_equally_often(seed: int) -> None:
    chance = Random(seed)
    places = Counter(drawn(EVEN, chance).index("e4") for _ in range(SHUFFLES))
    assert chi_square_p([places[n] for n in range(11)], EVEN) > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_weighted_draw_first_places_go_by_tickets(seed: int) -> None:
    """w / sum of all w. The same counts rule out equal chances, so the test could fail."""
    chance = Random(seed)
    first = Counter(drawn(WEIGHTS, chance)[0] for _ in range(SHUFFLES))
    counted = [first[f"e{n}"] for n in range(1, len(WEIGHTS) + 1)]
    assert chi_square_p(counted, WEIGHTS) > 0.01
    assert chi_square_p(counted, [1] * len(WEIGHTS)) < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_among_those_who_are_left_tickets_count_again(seed: int) -> None:
    """Second places, where the entry with ten tickets of 32 was first."""
    chance = Random(seed)
    orders = [drawn([*WEIGHTS, 4], chance) for _ in range(SHUFFLES)]
    second = Counter(ids[1] for ids in orders if ids[0] == "e9")
    rest = [*WEIGHTS[:-1], 4]
    names = [*(f"e{n}" for n in range(1, 9)), "e10"]
    assert chi_square_p([second[name] for name in names], rest) > 0.01


def test_the_order_has_every_entry_once() -> None:
    ids = drawn([1] * 300, Random(1))
    assert sorted(ids) == sorted(f"e{n}" for n in range(1, 301))


@pytest.mark.parametrize("number", range(10))
def test_the_order_is_the_smallest_hash_of_each_ticket(number: int) -> None:
    """By the formula, written out."""
    listed = {"e1": 3, "e2": 1, "e10": 2, "e11": 1, "e12": 9}
    sealed = Sealed(Entry(name, tickets) for name, tickets in listed.items())
    chance = sha256(bytes([number])).digest()
    scores = {
        name: min(
            sha256(chance + sealed.root + name.encode() + i.to_bytes(4, "big")).digest()
            for i in range(1, tickets + 1)
        )
        for name, tickets in listed.items()
    }
    assert order(sealed, chance) == sorted(scores, key=lambda name: scores[name])


def test_an_empty_list_has_an_empty_order() -> None:
    assert order(Sealed([]), bytes(32)) == []


def test_randomness_has_32_bytes() -> None:
    with pytest.raises(DrawFault, match="randomness has 32 bytes, these are 31"):
        order(Sealed([Entry("e1")]), bytes(31))


@pytest.mark.parametrize(
    ("losses", "most", "tickets"), [(0, 5, 1), (2, 5, 3), (9, 5, 5), (3, 1, 1)]
)
def test_who_went_away_empty_has_more_tickets_up_to_the_most(
    losses: int, most: int, tickets: int
) -> None:
    assert tickets_of(losses, most) == tickets


@pytest.mark.parametrize(("losses", "most"), [(-1, 5), (0, 0), (0, 101)])
def test_what_is_no_rule_of_tickets_is_refused(losses: int, most: int) -> None:
    with pytest.raises(DrawFault, match="no rule of a draw"):
        tickets_of(losses, most)

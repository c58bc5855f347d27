"""Which duties come first: questions that are soon too late, and nobody's place stays empty."""

from __future__ import annotations

import pytest

from dropengine.jobs.order_of_work import PLACES, SHARES, next_duties, urgency
from dropengine.model import DutyRecord
from dropengine.truth.outbox import Outbox


def outbox(standing: int = 0, money: int = 0, ended: int = 0) -> Outbox:
    """So many of each; the first of each is owed the longest."""
    duties = {
        f"lookup:s{i}": DutyRecord("lookup", f"s{i}", "", 2400, 1000 + i) for i in range(standing)
    }
    duties |= {f"capture:c{i}": DutyRecord("capture", "h", f"c{i}", 2400, i) for i in range(money)}
    duties |= {f"lookup:e{i}": DutyRecord("lookup", f"e{i}", "", 2400, i) for i in range(ended)}
    return Outbox(duties, [], frozenset(f"lookup:s{i}" for i in range(standing)))


def shares(owed: Outbox, chosen: list[str]) -> tuple[int, ...]:
    found = [urgency(owed, duty_id) for duty_id in chosen]
    return tuple(found.count(name) for name in SHARES)


@pytest.mark.parametrize(
    ("standing", "money", "ended", "given"),
    [
        (99, 99, 99, (16, 8, 8)),
        (99, 0, 0, (32, 0, 0)),
        (0, 99, 0, (0, 32, 0)),
        (0, 0, 99, (0, 0, 32)),
        (99, 99, 0, (24, 8, 0)),
        (2, 99, 3, (2, 27, 3)),
        (0, 99, 99, (0, 24, 8)),
        (3, 4, 5, (3, 4, 5)),
        (0, 0, 0, (0, 0, 0)),
    ],
)
def test_half_of_the_places_are_for_what_is_soon_too_late_and_unused_ones_are_lent(
    standing: int, money: int, ended: int, given: tuple[int, ...]
) -> None:
    owed = outbox(standing, money, ended)
    assert shares(owed, next_duties(owed, list(owed.duties), [])) == given


def test_the_nearest_hard_stop_comes_first() -> None:
    owed = outbox(standing=99)
    assert next_duties(owed, list(owed.duties)[::-1], [])[:3] == [f"lookup:s{i}" for i in range(3)]


def test_what_is_being_done_keeps_its_place_and_no_more_than_that() -> None:
    owed = outbox(standing=20, money=99, ended=20)
    busy = [f"capture:c{i}" for i in range(PLACES - 3)]
    waiting = [each for each in owed.duties if each not in busy]
    # Places that were lent come back as they fall free, to whom they belong.
    assert shares(owed, next_duties(owed, waiting, busy)) == (3, 0, 0)
    assert next_duties(owed, waiting, [*busy, "lookup:s18", "lookup:s19", "capture:gone"]) == []

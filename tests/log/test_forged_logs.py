"""Forged logs, drawn by a seed: the referee refuses whatever no sale can have written.

Each is an honest log that was spoilt in one place, every third within one millisecond.
`FORGED_LOGS=300` draws that many; a run of everything draws fewer. `FORGED_SEED` draws others.
"""

from __future__ import annotations

import os
from functools import cache

import pytest

from dropengine import events
from dropengine.log.referee import judge
from dropengine.model import snake
from tests.kit.forger import Forged, forge
from tests.kit.handwritten_logs import Log, text
from tests.kit.played_logs import play
from tests.kit.retold import lawful
from tests.test_rules import RULES

FORGED = int(os.environ.get("FORGED_LOGS") or 90)
SEED = int(os.environ.get("FORGED_SEED") or 1)
HONEST = range(40)
KINDS = sorted(
    snake(kind.__name__)
    for kind in events.AnyEvent.__args__
    if kind is not events.Frozen  # no honest log has it
    # Sales of this kit are of one hold a payment: `test_payments_are_judged` forges these.
    and kind not in (events.Swapped, events.Reduced, events.CameBack, events.ChargedBack)
    and kind not in (events.MoreTime, events.Unpaying)
)
UNSEEN_MAX = 10 / 300
ALLOWED_BY: dict[str, dict[str, str]] = {
    "dropped": {
        "adopted": "A1",  # nobody signed in, and what he had did nothing more
        "added": "C5",  # withheld units stay withheld
        "claimed": "L8 P1",  # an offer is paid for, or given back, unclaimed
        "discharged": "P9 P12",  # the duty still stands
        "enrolled": "E1",  # nobody came in, and he began nothing
        "widened": "E5",  # it was not opened to all yet, and nobody began anything for it
        "confirmed": "K4",  # he never said that he is still there
        "pointed": "G1 L6",  # he had no such points, and nobody was called by them
        "exempted": "N4",  # nobody let that network in
        "extended": "H5 P1",  # nobody asked for more time, and it was not needed
        "corrected": "C7",  # it read as it did
        "joined": "L2",  # nobody joined, and nobody was called
        "left": "L12",  # he stands in line to the end
        "lifted": "C2",  # the older version went on, and decided all as the newer one would
        "message": "C2",  # nothing was said
        "mismatched": "P10",  # as much was captured as was told
        "cancelled": "T9",  # nobody called it off, and nothing was held or sold
        "closed": "T9",  # it went on
        "paused": "T9 C6",  # nobody paused, or took the pause over
        "paying": "H6 P1",  # a hold is paid for without "pay", and its deadline was not moved
        "realigned": "T6",  # nothing stood still
        "rescheduled": "T14",  # it kept its times
        "resumed": "T9",  # it stayed paused
        "settled": "T10",  # no script ran after the last thing ended
        "thawed": "T13",  # nothing was restored
        "rescued": "P5",  # no such payment came, and its units lay free to the end
        "voided": "P3",  # no such payment came
        "withdrawn": "C5",  # free units stay free
    },
    "doubled": {},
    "another's id": {
        "added": "C5",  # of another pool
        "adopted": "A1",  # another person signed in, and did nothing more
        "enrolled": "E1",  # another fan came in
        "joined": "L2",  # another fan stands there, and is not called
        "voided": "P4",  # the payment was begun for another hold
        "withdrawn": "C5",
    },
    "moved one place": dict.fromkeys(KINDS, "T1 T5"),  # it came a moment before the other
    "time across its neighbour's": {},
}
"""Which rules allow that an event of a kind had been forged: the log is one of another sale."""


def honest(number: int, crowded: bool) -> Log:
    return play(number, crowded=crowded)


@cache
def forged() -> list[Forged]:
    return forge(honest, KINDS, FORGED, SEED)


@pytest.mark.parametrize("crowded", [False, True])
@pytest.mark.parametrize("seed", HONEST)
def test_a_sale_that_was_played_to_its_end_is_accepted(seed: int, crowded: bool) -> None:
    assert judge(text(play(seed, crowded=crowded)), closed=True).violations == []


@pytest.mark.parametrize("seed", HONEST)
def test_an_honest_log_told_anew_is_the_same_log(seed: int) -> None:
    """So what is told anew can say which forged log is lawful after all."""
    assert lawful(play(seed))
    assert lawful(play(seed, crowded=True))


def test_sales_that_are_played_have_every_kind_of_event() -> None:
    met = {snake(type(event).__name__) for seed in HONEST for event in play(seed)}
    met |= {snake(type(event).__name__) for seed in HONEST for event in play(seed, crowded=True)}
    assert set(KINDS) <= met


def test_a_forged_log_is_refused_unless_the_rules_allow_it() -> None:
    """What is accepted is the log of another sale that could have been."""
    unseen = [str(one) for one in forged() if judge(text(one.log)).honest and not lawful(one.log)]
    assert len(unseen) <= UNSEEN_MAX * FORGED, unseen


def test_a_forged_log_that_is_accepted_is_allowed_by_numbered_rules() -> None:
    for one in forged():
        if lawful(one.log):
            numbers = ALLOWED_BY[one.forgery].get(one.kind)
            assert numbers is not None, f"no rule allows {one}"
            assert set(numbers.split()) <= RULES.keys()


def test_the_referee_refuses_nothing_that_the_rules_allow() -> None:
    wronged = [
        (str(one), judge(text(one.log)).violations[:2])
        for one in forged()
        if lawful(one.log) and not judge(text(one.log)).honest
    ]
    assert wronged == []

"""A list that chance orders is judged from the log alone: who stands in it, and in which order."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.log import replay
from dropengine.log.referee import judge
from tests.kit import handwritten_logs
from tests.kit.handwritten_logs import Log, doctor, numbered, seq_of, text, without


def found(log: Log) -> list[str]:
    return [f"{one.inv} {one.sentence}" for one in judge(text(log)).violations]


@pytest.fixture
def log() -> Log:
    return handwritten_logs.a_draw().log


def test_the_example_of_the_fairness_page_is_an_honest_draw(log: Log) -> None:
    assert found(log) == []
    truth = replay.fold(log)
    assert [truth.entries[f"e{n}"].n for n in range(1, 8)] == [4, 2, 5, 3, 1, 0, 7]


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        (events.Ordered, {"ids": ["e2", "e5", "e4"]}, "arrival 1 is given to e2"),
        (events.Ordered, {"n": 2}, "arrival 2 is given out after arrival 0"),
        (events.Ordered, {"ids": ["e5", "e2"]}, "arrival 4 is given out after arrival 2"),
        (events.Rooted, {"root": "00" * 32}, "the root of the list is 188cb08c"),
        (events.Revealed, {"value": "00" * 32}, "the secret that was revealed proves nothing"),
        (events.Sealed, {"entries": 6}, "6 entries are sealed, 5 stand there"),
        (events.LobbyOpened, {"seals": 1}, "the list is to be sealed at 1"),
        (events.Joined, {"tickets": 2}, "the root of the list is"),
        (events.Joined, {"tickets": 4}, "e1 enters with 4 of 3 tickets"),
        (events.Joined, {"nonce": "xy"}, "e1 enters with 1 of 3 tickets, 'xy'"),
        (events.Joined, {"n": 1}, "e1 joins in a drop that is lobby as arrival 1"),
        (events.Allotted, {"offers": 3}, "the first round had 2 offers, not 3"),
        (events.Offered, {"deadline": 1}, "the deadline of offer h1"),
    ],
)
def test_what_was_doctored_is_found(
    log: Log, kind: type[events.Event], fields: dict[str, object], sentence: str
) -> None:
    assert any(sentence in one for one in found(doctor(log, seq_of(log, kind), **fields)))


def test_the_clock_seals_at_its_time(log: Log) -> None:
    at = seq_of(log, events.Sealed)
    early = [
        msgspec.structs.replace(event, at=event.at - 1) if event.seq == at else event
        for event in log
    ]
    assert any("the clock sealed the list" in one for one in found(early))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (events.Rooted, "before the root of the list is told"),
        (events.Ordered, "arrival 4 is given out after arrival 0"),
        (events.Sealed, "rooted in a drop that is lobby"),
        (events.Allotted, "before the first round is over"),
        (events.Offered, "is offered pin before e5"),
    ],
)
def test_what_was_left_out_is_found(log: Log, kind: type[events.Event], sentence: str) -> None:
    rest = numbered(without(log, seq_of(log, kind)))
    assert any(sentence in one for one in found(rest)), found(rest)


def test_nobody_opens_it_before_all_have_their_arrivals(log: Log) -> None:
    rest = numbered(without(log, seq_of(log, events.Ordered, 2)))
    assert any("it opens with 3 arrivals given out, 5 entered" in one for one in found(rest))

"""A list is judged and told by its log alone: what is wrong in it is found without the scripts."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.model import DropId
from dropengine.rehearsal import launch
from tests.kit import handwritten_logs
from tests.kit.handwritten_logs import Log, doctor, seq_of, text

DROP = DropId("pins")


def draw() -> Log:
    return handwritten_logs.HONEST["a_draw"]().log


def found(log: Log) -> str:
    faults = launch.faults(DROP, text(log))
    assert {one.inv for one in faults} <= {"INV-11"}
    return " ".join(one.sentence for one in faults)


def test_an_honest_list_has_no_faults_and_is_told() -> None:
    assert found(draw()) == ""
    first, second = launch.told_of(DROP, text(draw()))
    assert "6 entered the list, 1 were gone before the seal" in first
    assert "the secret put 5 in their order" in first
    assert "The first 2 were called at the opening, up to arrival 2" in first
    assert "alternates have been called up to 3" in first
    assert "of the list 1 bought, of those who came later 0" in second


@pytest.mark.parametrize("name", ["a_rush", "a_line"])
def test_where_there_is_no_list_nothing_is_said_of_it(name: str) -> None:
    log = text(handwritten_logs.HONEST[name]().log)
    assert launch.faults(DROP, log) == []
    assert launch.told_of(DROP, log) == []


def test_another_order_than_the_seal_gives_is_found() -> None:
    log = draw()
    assert "place 4 was told to be" in found(
        doctor(log, seq_of(log, events.Ordered, 2), ids=["e3", "e1"])
    )


def test_who_is_served_before_the_order_stands_is_found() -> None:
    """The drop opens, and calls, when three of five have their arrivals."""
    log = draw()
    late = seq_of(log, events.Ordered, 2)
    last = seq_of(log, events.Allotted)
    moved = [*(e for e in log[:last] if e.seq != late), log[late - 1], *log[last:]]
    said = found([msgspec.structs.replace(e, seq=n) for n, e in enumerate(moved, 1)])
    assert "it opened with 3 arrivals given out, 5 stood in the list" in said
    assert "fan-e5 is served before the order stands" in said


def test_a_first_round_that_does_not_go_down_the_order_is_found() -> None:
    log = draw()
    assert "arrival 1 was called after arrival 2 in the first round" in found(
        doctor(
            doctor(log, seq_of(log, events.Offered, 1), n=2), seq_of(log, events.Offered, 2), n=1
        )
    )

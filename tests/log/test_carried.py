"""Places that are carried over are judged from the logs alone: who may be, in which order, by what
list."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from dropengine import events
from dropengine.errors import CarriedFault
from dropengine.log import replay
from dropengine.log.carried import carriable, fault_in_carried
from dropengine.log.referee import judge
from tests.kit import handwritten_logs
from tests.kit.handwritten_logs import Log, Pen, doctor, numbered, rules, seq_of, text, without


def found(log: Log) -> list[str]:
    return [f"{one.inv} {one.sentence}" for one in judge(text(log)).violations]


@pytest.fixture
def log() -> Log:
    return handwritten_logs.carried_over().log


def test_who_has_confirmed_is_called_and_the_other_keeps_his_place(log: Log) -> None:
    assert found(log) == []
    truth = replay.fold(log)
    assert [(one.n, one.carried, one.state) for one in truth.entries.values()] == [
        (1, 2, "offered"),
        (2, 2, "offered"),
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        (events.Joined, {"of": "x"}, "carried over from 'x'"),
        (events.Joined, {"of": "e9"}, "e9 of ben is carried over a second time"),
        (events.Joined, {"fan": "ben"}, "of ben is carried over a second time"),
        (events.Joined, {"lane": 1}, "into lane 1"),
        (events.Joined, {"qty": 9}, "carried over for 9 units"),
        (events.Joined, {"n": 2}, "joins in a drop that is scheduled as arrival 2"),
        (events.Carried, {"first": 2}, "2 to 2 follow 0 of 3"),
        (events.Carried, {"n": 1}, "1 have a place after 0, 2 joined"),
        (events.Carried, {"of": 4}, "the list has 3 entries, and had 4"),
        (events.Confirmed, {"entry": "e1"}, "entry e1 is ada's, not ben's"),
    ],
)
def test_what_was_doctored_is_found(
    log: Log, kind: type[events.Event], fields: dict[str, object], sentence: str
) -> None:
    assert any(sentence in one for one in found(doctor(log, seq_of(log, kind), **fields)))


@pytest.mark.parametrize(
    ("kind", "number", "sentence"),
    [
        (events.Carried, 2, "it opens while places of an earlier drop are to be carried over"),
        (events.Confirmed, 1, "e2 is offered pin though it is not ready for it"),
        (events.Offered, 1, "lie free while e2 is ready"),
    ],
)
def test_what_was_left_out_is_found(
    log: Log, kind: type[events.Event], number: int, sentence: str
) -> None:
    rest = numbered(without(log, seq_of(log, kind, number)))
    assert any(sentence in one for one in found(rest)), found(rest)


def waiting_line() -> Pen:
    """Ada is served, Ben let it go once and waits, Cy left, Di waits; Eve was carried over before
    and never confirmed it."""
    pen = Pen(msgspec.structs.replace(rules({"pin": (1, 0)}), id="sol-1")).opened()
    first = pen.held("first")
    for fan in ("ada", "ben", "cy", "di", "eve"):
        pen.joined(fan, qty=1 + (fan == "di"))
    eve = pen.log.pop()
    pen.log.append(msgspec.structs.replace(eve, why="carried", of="e4"))
    pen.write(events.Left, **pen._who("e3"), n=3, key=pen.key())
    pen.released(first)
    hold = pen.offered("e1")
    pen.claimed(hold)
    pen.sold(hold, capture="done")
    pen.fate(events.Served, "e1")
    pen.by_creator(events.Closed)
    pen.write(events.Settled)
    pen.by_creator(events.Message, text="what comes later does not count")
    return pen


def test_the_list_and_its_hash_are_those_of_the_page() -> None:
    listed = carriable(text(waiting_line().log))
    told = "dropengine/carried/1 sol-1\ne2 ben 2 1 pin\ne4 di 4 2 pin\n"
    assert [one.entry for one in listed.entries] == ["e2", "e4"]
    assert listed.hash == hashlib.sha256(told.encode()).hexdigest()


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda log: log[:-2], "does not tell that it is settled"),
        (lambda log: [b"x"], "line 1 of its log cannot be read"),
        (lambda log: [*log[:3], *log[4:]], "of its log cannot be read: 'e1'"),
    ],
)
def test_a_log_that_makes_no_list_is_refused(spoilt: object, why: str) -> None:
    log = text(waiting_line().log)
    with pytest.raises(CarriedFault, match=why):
        carriable(spoilt(log))  # type: ignore[operator]


def next_drop(digest: str) -> Pen:
    """Both of them have a place in it."""
    named = events.CarriedFrom("sol-1", digest, 50)
    pen = Pen(msgspec.structs.replace(rules({"pin": (2, 0)}), carried=named)).published()
    for fan, of in (("b", "e2"), ("d", "e4")):
        pen.joined(fan)
        told = pen.log.pop()
        pen.log.append(msgspec.structs.replace(told, key="", why="carried", of=of))
    pen.write(events.Carried, first=1, last=2, of=2, n=2)
    return pen


def test_one_log_is_held_against_the_other() -> None:
    old = carriable(text(waiting_line().log))
    pen = next_drop(old.hash)
    assert fault_in_carried(old, text(pen.log)) == ""
    for kind, number, fields, sentence in (
        (events.Joined, 1, {"of": "e3"}, "e3 is not in the list"),
        (events.Joined, 1, {"of": "e4"}, "e4 is not in the list, or comes out of its turn"),
        (events.Joined, 1, {"qty": 2}, "e2 is carried over for more"),
        (events.Joined, 1, {"pools": ["cup"]}, "other wishes"),
        (events.Carried, 1, {"of": 3}, "the list has 2 entries, not 3"),
        (events.Published, 1, {"rules": rules()}, "its rules do not name the list of sol-1"),
    ):
        other = doctor(pen.log, seq_of(pen.log, kind, number), **fields)
        assert sentence in fault_in_carried(old, text(other))

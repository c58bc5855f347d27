"""A rehearsal speaks of the promises that the README makes, and of no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dropengine import events
from dropengine.log import referee
from dropengine.log.referee import Measures, Violation
from dropengine.rehearsal.findings import breaks_first, seen
from dropengine.rehearsal.promises import RULES, Rule, promises
from dropengine.rehearsal.verdicts import CrowdReport, Judgement
from dropengine.rehearsal_report import Capacity, ProcessLoad, Ramp, Step
from tests.kit import played_logs
from tests.kit.handwritten_logs import text

README = Path(__file__).parent.parent.parent / "README.md"


CROWD = CrowdReport(5, 1, 0, 9, 0, 0, {"all_held": 3})


def told() -> list[str]:
    """The first column of the table of promises."""
    rows = re.findall(r"^\| (.+?) \| \[`test_", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows
    return rows


def test_each_promise_of_the_readme_is_spoken_of_in_its_own_words() -> None:
    assert [rule.says for rule in RULES] == told()


def judged(log: list[events.AnyEvent], *others: Violation) -> Judgement:
    """A night whose log is this, and of which the histories say no more."""
    lines = text(log)
    verdict = referee.judge(lines, closed=True)
    measures = Measures(operations=len(log))
    report = referee.report([verdict], measures, replay=[], others=others)
    return Judgement(report=report, crowd=CROWD, logs={"played": lines}, lines=[], remarks=[])


def states(judgement: Judgement) -> dict[str, str]:
    return {one.says: one.state for one in promises(judgement)}


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_night_breaks_no_promise(seed: int) -> None:
    found = states(judged(played_logs.play(seed)))
    assert "broken" not in found.values()
    assert found["The log alone rebuilds the state"] == "kept"
    assert found["A doctored log is refused"] == "kept"
    assert found["A press outlives the worker that was to carry it"] == "not tried"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.broken_by], ids=lambda r: r.says)
def test_a_violation_breaks_the_promises_it_is_about(rule: Rule) -> None:
    for inv in rule.broken_by:
        found = states(judged(played_logs.play(1), Violation(inv, 7, "somebody got two")))
        assert found[rule.says] == "broken"
        assert {says for says, state in found.items() if state == "broken"} == {
            other.says for other in RULES if inv in other.broken_by
        }


def test_what_fans_saw_is_what_the_log_says() -> None:
    log = played_logs.play(3)
    night = seen(judged(log), fans=20, units=10)
    orders = {one.hold: one for one in log if isinstance(one, events.Sale)}
    for event in log:
        if isinstance(event, events.Refunded):
            del orders[event.hold]
    assert night.sold == sum(one.qty for one in orders.values())
    assert night.got_one == len({one.fan for one in orders.values()})
    assert night.share == night.got_one / 20
    assert night.refused == {"all_held": 3}


def capacity(*processes: tuple[str, float], broke: str = "late") -> Capacity:
    """A ramp that broke, or did not, while its processes used so much."""
    loads = [ProcessLoad(name, cpu, 50) for name, cpu in processes]
    step = Step(
        asked=800, did=700, late_ms=90, late_p99_ms=900, errors=0, processes=loads, broke=broke
    )
    ramp = Ramp(held=400, steps=[step], bound="" if broke else "the time was over")
    return Capacity(
        seats=10,
        presses=ramp,
        presses_beside=100,
        watchers=ramp,
        socket_kib=10,
        screen_bytes_per_s=900,
    )


@pytest.mark.parametrize(
    ("processes", "words"),
    [
        ([("web", 0.97), ("server", 0.2), ("crowd", 0.4)], "the web process is the narrow place"),
        ([("web", 0.5), ("server", 0.9), ("crowd", 0.4)], "the server of the truth is the narrow"),
        ([("web", 0.6), ("server", 0.3), ("crowd", 0.97)], "own crowd has no core left"),
        ([("web", 0.8), ("server", 0.6), ("crowd", 0.5)], "2 cores of this machine are used up"),
        ([("web", 0.2), ("server", 0.1), ("crowd", 0.2)], "look at the disk"),
        ([("web", 0.9), ("crowd", 0.3), ("others", 0.7)], "other programs used 0.7 of 2 cores"),
    ],
)
def test_what_breaks_first_is_what_had_no_room_left(
    processes: list[tuple[str, float]], words: str
) -> None:
    assert words in breaks_first(capacity(*processes), 2)


def test_where_nothing_broke_nothing_is_blamed() -> None:
    said = breaks_first(capacity(("web", 0.9), broke=""), 2)
    assert said.startswith("Nothing broke: 400 presses a second")
    assert "because the time was over" in said

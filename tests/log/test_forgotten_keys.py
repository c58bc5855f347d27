"""When the referee lets a key take effect once more: a day after the end of the hold it made."""

from __future__ import annotations

import pytest

from dropengine import events
from dropengine.log.referee import judge
from dropengine.model import KEPT_MS
from tests.kit.handwritten_logs import HOLD_MS, Log, Pen, doctor, seq_of, text


def pressed_twice(pause_ms: int, *, released: bool = False) -> Log:
    """Ada presses under one key, and once more so long after her deadline."""
    pen = Pen().opened()
    first = pen.held("ada")
    if released:
        pen.released(first)
        pen.wait(HOLD_MS)
    else:
        pen.expired(first)
    pen.wait(pause_ms)
    pen.held("ada")
    log = pen.log
    held = [event for event in log if isinstance(event, events.Held)]
    return doctor(log, held[1].seq, key=held[0].key)


@pytest.mark.parametrize("released", [False, True])
def test_a_key_is_as_new_a_day_after_its_hold(released: bool) -> None:
    assert judge(text(pressed_twice(KEPT_MS, released=released))).violations == []


@pytest.mark.parametrize("pause_ms", [0, KEPT_MS - 1])
def test_before_that_it_takes_effect_once(pause_ms: int) -> None:
    log = pressed_twice(pause_ms)
    (found,) = judge(text(log)).violations
    assert (found.inv, found.seq) == ("INV-7", seq_of(log, events.Held, 2))


def test_the_key_of_a_place_in_line_is_kept() -> None:
    pen = Pen().opened()
    for fan in ("ada", "ben", "di"):
        pen.held(fan)
    pen.joined("cy")
    key = pen.log[-1].key  # type: ignore[union-attr]
    pen.write(events.Left, fan="cy", key=pen.key(), entry="e1", n=1)
    for hold in ("h1", "h2", "h3"):
        pen.expired(hold)
    pen.wait(2 * KEPT_MS)
    pen.held("cy")
    (found,) = judge(text(doctor(pen.log, len(pen.log), key=key))).violations
    assert found.inv == "INV-7"

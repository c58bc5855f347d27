"""The fold itself: which event changes the truth how, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from dropengine import events
from dropengine.log.replay import adoption, drop, early, holds, line, money, payments, refunds
from dropengine.log.replay.truth import Truth
from dropengine.model import FanRecord

_STEPS = drop.STEPS | holds.STEPS | money.STEPS | line.STEPS | adoption.STEPS
_STEPS |= early.STEPS | payments.STEPS | refunds.STEPS


def step(truth: Truth, event: events.AnyEvent) -> None:
    """One event more, in place."""
    fan = getattr(event, "fan", None)
    if fan is not None:
        if fan not in truth.fans:
            truth.fans[fan] = FanRecord(0, 0, 0, [], [], [], "")
        truth.fans[fan].seq = event.seq
    _STEPS[type(event)](truth, event)
    truth.drop["seq"], truth.drop["at"] = str(event.seq), str(event.at)


def fold(log: Iterable[events.AnyEvent], since: Truth | None = None) -> Truth:
    """The truth after these events. `since`: a snapshot before the first of them, left as it was.

    The log must be one that the scripts wrote: what no script can have written raises KeyError or
    ValueError here, while `referee.judge` says it in a sentence.
    """
    truth = Truth() if since is None else since.copy()
    for event in log:
        step(truth, event)
    return truth


def fold_lines(lines: Iterable[bytes], since: Truth | None = None) -> Truth:
    """The same from an exported log, one JSON text per line."""
    return fold(map(events.parse, lines), since)

"""An outcome as it reads in a story, and as the fan was told it."""

from __future__ import annotations

from typing import Final

import msgspec

from dropengine import model, outcomes, refusals, wire
from dropengine.live import answers, views
from tests.kit.manifests import START_MS

PAGE: Final = "https://pay.example/"


def moment(ms: int) -> str:
    """As hours, minutes, seconds and thousandths after the drop was published."""
    sign, ms = ("-" if ms < START_MS else "+"), abs(ms - START_MS)
    seconds = ms // 1000
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms % 1000:03}"


def in_words(outcome: msgspec.Struct) -> str:
    word = model.snake(type(outcome).__name__)
    match outcome:
        case outcomes.HoldGranted(id=name, hold=hold):
            until = f" until {moment(hold.deadline_ms)}" if hold.state != "released" else ""
            return f"{word} {name}, {hold.qty} of {hold.pool}{until}"
        case outcomes.EntryGranted(id=name, entry=entry):
            return f"{word} {name}, arrival {entry.n}" if word == "joined" else f"{word} {name}"
        case outcomes.Paid(payment=payment, sold=sold):
            return f"{word} {payment}, sold {' '.join(sold)}"
        case outcomes.Unpaid(payment=payment):
            return f"{word} {payment}"
        case outcomes.Voided(payment=payment, why=why, entry=entry):
            return f"voided {payment}, {why}" + (f", made good by {entry}" if entry else "")
        case outcomes.Changed(state=state):
            return state
        case refusals.Refusal():
            fields = msgspec.structs.asdict(outcome)
            # A network's name is a hash with a key that is drawn anew each time.
            fields.pop("network", None)
            return " ".join(["refused:", word, *(f"{k}={v}" for k, v in fields.items() if v)])
        case _:
            return word


def answer(
    number: int, command: wire.FanCommand, outcome: msgspec.Struct
) -> wire.Done | wire.Refused:
    """What a worker makes of an outcome for the fan who asked."""
    match outcome:
        case outcomes.Paying(id=name, holds=holds, seq=seq):
            return wire.Done(number, seq, pay={hold: PAGE + name for hold, _ in holds})
        case outcomes.HoldGranted(id=name, hold=hold, seq=seq):
            return wire.Done(number, seq, hold=views.hold_view(name, hold, PAGE))
        case outcomes.EntryGranted(id=name, seq=seq):
            return wire.Done(number, seq, entry=name)
        case refusals.Refusal():
            return answers.refused(number, 0, outcome)
        case _:
            raise AssertionError(f"{command} was answered {outcome}")

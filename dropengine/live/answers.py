"""What a fan is told of his command: done, or refused as a person reads it."""

from __future__ import annotations

from typing import Any

from dropengine import outcomes, refusals
from dropengine.live.batcher import Answer
from dropengine.live.room import Room
from dropengine.model import ID_CHARS_MAX, FanId
from dropengine.wire import Done, Pay, Refused

KEY_KEPT = ID_CHARS_MAX - 4
"""Letters of a key, so that the number of a hold still fits behind it."""


def refused(message_id: int, seq: int, outcome: refusals.Refusal) -> Refused:
    """A refusal as a person reads it."""
    match outcome:
        case refusals.AllHeld(free=free, held=held):
            more: dict[str, Any] = {"free": free, "held": held}
        case refusals.LimitReached(room=room):
            more = {"room": room}
        case refusals.HoldExpired(state=state):
            more = {"state": state}
        case refusals.Away(retry_ms=retry_ms) | refusals.TooManyRequests(retry_ms=retry_ms):
            more = {"retry_ms": retry_ms}
        case _:
            more = {}
    return Refused(message_id, seq, outcome.code, outcome.text, **more)


def one_by_one(command: Pay) -> list[Pay]:
    """`pay` for several holds as the scripts take it: a command for each, under a key of its own.
    The first one keeps the key as it came."""
    return [
        Pay(command.id, command.key if i == 0 else f"{command.key[:KEY_KEPT]}.{i}", [hold])
        for i, hold in enumerate(command.holds)
    ]


async def paid_pages(
    room: Room, fan: FanId, message_id: int, decided: list[Answer]
) -> Done | Refused:
    """The answer to `pay`: the payment page of each hold; the first refusal when there is none."""
    pages: dict[str, str] = {}
    seq, refusal = 0, None
    for outcome in decided:
        if isinstance(outcome, outcomes.Paying):
            seq = max(seq, outcome.seq)
            page = await room.pages.begin(outcome.id, outcome.hold)
            if page:
                pages[outcome.id] = page
            room.fan_states.note(fan, outcome)
        elif isinstance(outcome, refusals.Refusal) and refusal is None:
            refusal = outcome
    if pages:
        return Done(message_id, seq, pay=pages)
    view = room.view
    return refused(message_id, view.seq if view else 0, refusal or refusals.Away())

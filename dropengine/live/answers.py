"""What a fan is told of his command: done, or refused as a person reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from dropengine import outcomes, refusals
from dropengine.catalogue import ENGLISH
from dropengine.live import views
from dropengine.live.batcher import Answer
from dropengine.live.room import Room
from dropengine.model import ID_CHARS_MAX, DropState, FanId
from dropengine.wire import Done, Pay, Refused

KEY_KEPT = ID_CHARS_MAX - 4
"""Letters of a key, so that the number of a hold still fits behind it."""


def refused_in(room: Room, message_id: int, outcome: refusals.Refusal) -> Refused:
    """A refusal as a person reads it who sits in this room."""
    view = room.view
    if view is None:
        return refused(message_id, 0, outcome)
    outcome = as_it_stands(room, outcome)
    not_yet = isinstance(outcome, refusals.NotOpen)
    when_ms = views.begins_ms(room.manifest, view) if not_yet else None
    return refused(message_id, view.seq, outcome, when_ms)


def as_it_stands(room: Room, outcome: refusals.Refusal) -> refusals.Refusal:
    """A script says only that it is not open: while a list is put in its order, so it is told."""
    ordering = room.view is not None and room.view.state == DropState.ORDERING
    if ordering and isinstance(outcome, refusals.NotOpen):
        return refusals.NotOpen(ENGLISH("said.ordering"))
    return outcome


def refused(
    message_id: int, seq: int, outcome: refusals.Refusal, when_ms: int | None = None
) -> Refused:
    """A refusal as a person reads it. when_ms: from when on it would be another one."""
    match outcome:
        case refusals.NotOpen():
            more: dict[str, Any] = {"when_ms": when_ms}
        case refusals.AllHeld(free=free, held=held):
            more = {"free": free, "held": held}
        case refusals.LimitReached(room=allowed):
            more = {"room": allowed}
        case refusals.NotEligible(when_ms=int(widens_ms)):
            more = {"when_ms": widens_ms}
        case refusals.CohortFull(room=allowed, when_ms=widens_ms):
            more = {"room": allowed, "when_ms": widens_ms}
        case refusals.HoldExpired(state=state):
            more = {"state": state}
        case refusals.Away(retry_ms=retry_ms) | refusals.TooManyRequests(retry_ms=retry_ms):
            more = {"retry_ms": retry_ms}
        case (
            refusals.NetworkFull(network=network, most=most)
            | refusals.DomainFull(network=network, most=most)
        ):
            more = {"network": network, "most": most}
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
    room: Room, fan: FanId, message_id: int, decided: Mapping[str, Answer]
) -> Done | Refused:
    """The answer to `pay`: the payment page of each hold, and the code of each that has none; the
    first refusal when no hold has a page.

    decided: hold -> what the scripts answered, in the order of the command.
    """
    paying = {id_: one for id_, one in decided.items() if isinstance(one, outcomes.Paying)}
    found = await asyncio.gather(*(room.pages.begin(id_, one.hold) for id_, one in paying.items()))
    pages = {id_: page for id_, page in zip(paying, found, strict=True) if page}
    for outcome in paying.values():
        room.fan_states.note(fan, outcome)
    others = {id_: _refusal(one) for id_, one in decided.items() if id_ not in pages}
    if pages:
        codes = {id_: one.code for id_, one in others.items()}
        return Done(message_id, max(one.seq for one in paying.values()), pay=pages, refused=codes)
    return refused_in(room, message_id, first_refusal(others.values()))


def _refusal(outcome: Answer) -> refusals.Refusal:
    """Why a hold has no payment page: an honest provider is only slow, or away."""
    return outcome if isinstance(outcome, refusals.Refusal) else refusals.Away()


def first_refusal(decided: Iterable[Answer | refusals.Refusal]) -> refusals.Refusal:
    """What a command that came to nothing is refused with."""
    return next((one for one in decided if isinstance(one, refusals.Refusal)), refusals.Away())

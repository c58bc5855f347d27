"""What a fan is told of his command: done, or refused as a person reads it."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine import outcomes, refusals
from dropengine.catalogue import ENGLISH
from dropengine.live import views
from dropengine.live.room import Room
from dropengine.model import DropState
from dropengine.wire import BasketView, Done, HadView, MissingView, Refused

OF_REFUSAL = tuple(
    field.name for field in msgspec.structs.fields(MissingView) if field.name != "want"
)
"""What a want that was not had is told with, as a command that was refused."""


def refused_in(room: Room, message_id: int, outcome: refusals.Refusal) -> Refused:
    """A refusal as a person reads it who sits in this room."""
    view = room.view
    if view is None:
        return refused(message_id, 0, outcome)
    outcome = as_it_stands(room, outcome)
    not_yet = isinstance(outcome, refusals.NotOpen)
    when_ms = views.begins_ms(room.manifest, view) if not_yet else None
    told = refused(message_id, view.seq, outcome, when_ms)
    if isinstance(outcome, refusals.Paying) and (page := room.pages.page(outcome.payment)):
        return msgspec.structs.replace(told, page=page)
    return told


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
        case refusals.LimitReached(room=allowed) | refusals.HandFull(room=allowed):
            more = {"room": allowed}
        case refusals.Paying(payment=payment) | refusals.HandOpen(payment=payment):
            more = {"payment": payment}
        case refusals.HandBarred(until_ms=until_ms):
            more = {"when_ms": until_ms}
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


def done_in(
    room: Room,
    message_id: int,
    outcome: outcomes.EntryGranted | outcomes.Unpaying | outcomes.Basketed,
) -> Done:
    """What was carried out and made no single hold."""
    match outcome:
        case outcomes.Unpaying():
            payment = room.pages.payment(outcome.id, outcome.payment)
            return Done(message_id, outcome.seq, payment=payment)
        case outcomes.Basketed():
            return Done(message_id, outcome.seq, basket=_basket(room, outcome))
    return Done(message_id, outcome.seq, entry=outcome.id)


def _basket(room: Room, outcome: outcomes.Basketed) -> BasketView:
    had = [HadView(want, room.pages.view(id_, hold)) for want, id_, hold in outcome.had]
    return BasketView(outcome.number, had, [_missing(room, *one) for one in outcome.missing])


def _missing(room: Room, want: int, why: refusals.Refusal) -> MissingView:
    room.refused[why.code] += 1
    told = refused_in(room, 0, why)
    return MissingView(want, **{name: getattr(told, name) for name in OF_REFUSAL})

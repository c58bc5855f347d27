"""Begin paying: by what a fan may pay in a drop, and one answer for all that he pays at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dropengine import outcomes, refusals
from dropengine.errors import Unavailable
from dropengine.live.paid_by import BY_HAND, CASH, by_words
from dropengine.model import FanId
from dropengine.truth.command_rows import command_row
from dropengine.wire import Done, Pay

if TYPE_CHECKING:
    from dropengine.live.batcher import Answer
    from dropengine.live.room import Room


def chosen(room: Room, command: Pay) -> Pay | refusals.BadMessage:
    """The command with its provider named, or why it cannot be paid so."""
    words = by_words(room.cards, room.manifest)
    if not command.provider:
        return msgspec.structs.replace(command, provider=words[0] if words else "")
    ways = room.manifest.ways
    cash = any(way.id == command.way and way.cash for way in ways) and room.manifest.hand_ms > 0
    if command.provider in words or (command.provider == CASH and cash):
        return command
    return refusals.BadMessage("this drop is not paid so - at `$.provider`")


async def begin(room: Room, fan: FanId, message_id: int, command: Pay) -> Done | refusals.Refusal:
    """Begin one payment for some holds: what came of it, with the page where it is paid."""
    if fault := command.fault():
        return refusals.BadMessage(fault)
    named = chosen(room, command)
    if isinstance(named, refusals.Refusal):
        return named
    decided = await _decided(room, fan, named)
    if isinstance(decided, refusals.Refusal):
        return decided
    assert isinstance(decided, outcomes.Paying), decided
    return await begun(room, fan, message_id, decided)


async def begun(
    room: Room, fan: FanId, message_id: int, paying: outcomes.Paying
) -> Done | refusals.Refusal:
    """The answer once the script has begun it. An honest provider is only slow, or away."""
    page = await room.pages.begin(paying.id, paying.payment, paying.holds)
    room.fan_states.note(fan, paying)
    if not page:
        return refusals.Away()
    return Done(
        message_id,
        paying.seq,
        pay=dict.fromkeys(paying.payment.holds, page),
        payment=room.pages.payment(paying.id, paying.payment),
    )


async def _decided(room: Room, fan: FanId, command: Pay) -> Answer | refusals.Refusal:
    if command.provider not in BY_HAND:
        return await room.batcher.ask(command_row(fan, command))
    hands = room.hands
    if hands is None:
        return refusals.Away()
    try:
        refusal = await hands.take(room.drop, fan, command.key)
        if refusal is not None:
            return refusal
        decided = await room.batcher.ask(command_row(fan, command))
        if isinstance(decided, outcomes.Paying):
            if decided.payment.provider in BY_HAND:
                await hands.began(room.drop, fan, command.key, decided.id)
            else:
                await hands.free(room.drop, fan, command.key)
        elif not isinstance(decided, refusals.Away):
            await hands.free(room.drop, fan, command.key)
    except Unavailable as error:
        return refusals.Away(why=error.why)
    return decided

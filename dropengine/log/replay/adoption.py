"""A guest becomes a person: what he had is the person's from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.replay.early import in_order
from dropengine.log.replay.line import OPEN
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import FanRecord


def _number(name: str) -> int:
    return int(name[1:])


def _adopted(truth: Truth, e: events.Adopted) -> None:
    guest, person = truth.fans[e.guest], truth.fans[e.fan]
    for name in e.holds:
        truth.holds[name].fan, truth.holds[name].begun_by = e.fan, e.guest
    for name in e.orders:
        truth.orders[name].fan = e.fan
    theirs = {truth.holds[name].payment for name in e.holds}
    theirs |= {truth.orders[name].payment for name in e.orders}
    for name in theirs - {""}:
        truth.payments[name].fan = e.fan
    for name in e.entries:
        truth.entries[name].fan = e.fan
    told = [name for name in person.entries if truth.entries[name].state not in OPEN]
    also = [] if told else [name for name in guest.entries if name not in e.entries]
    truth.fans[e.fan] = FanRecord(
        seq=e.seq,
        used=person.used + guest.used,
        makegood=max(person.makegood, guest.makegood),
        holds=sorted(person.holds + e.holds, key=_number),
        entries=sorted(person.entries + e.entries + also, key=_number),
        orders=person.orders + e.orders,
        last=person.last or guest.last,
        guests=[*person.guests, e.guest],
        cohorts=in_order(truth, {*person.cohorts, *guest.cohorts}),
    )
    truth.fans[e.guest] = FanRecord(e.seq, 0, 0, [], [], [], "", person=e.fan)
    stand_all(truth, e.fan)


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {events.Adopted: _adopted}

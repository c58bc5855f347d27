"""Does somebody take part in a drop: does he hold, has he bought, does he stand in line? Out of the
few events that the books have of him."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from dropengine import events
from dropengine.model import DropId, FanId
from dropengine.sql import reasons


def takes_part(sql: Connection, drop: DropId, fan: FanId, at_ms: int) -> bool:
    """At that moment, of the drop's own time; of whom the books know nothing, he does."""
    known = [one for one in reasons.events_of(sql, drop, fan) if one.at <= at_ms]
    return not known or has_something(known)


def has_something(known: Iterable[events.AnyEvent]) -> bool:
    """known: what happened to him, in its order."""
    open_ones = set[str]()
    offers: dict[str, str] = {}
    for event in known:
        match event:
            case events.Held():
                open_ones.add(event.hold)
            case events.Joined():
                open_ones.add(event.entry)
            case events.Offered():
                offers[event.hold] = event.entry
            case events.Sold() | events.Rescued():
                open_ones -= {event.hold, offers.get(event.hold, "")}
                open_ones.add(f"order {event.hold}")
            case events.Refunded():
                open_ones.discard(f"order {event.hold}")
            case events.Released() | events.Expired():
                open_ones.discard(event.hold)
            case events.Left() | events.Removed() | events.Dormant():
                open_ones.discard(event.entry)
            case events.Adopted():
                open_ones |= {*event.holds, *event.entries}
                open_ones |= {f"order {hold}" for hold in event.orders}
    return bool(open_ones)

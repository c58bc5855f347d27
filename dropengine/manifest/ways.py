"""Ways in a creator's TOML: how what was bought comes to its buyer, and what that costs; and
paying by hand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from typing import Final

import msgspec

from dropengine.countries import NAMES
from dropengine.manifest.defaults import HAND_HOURS, HAND_SHARE, WAYS_MAX
from dropengine.manifest.toml_tables import Table
from dropengine.model import PRICE_MAX

KINDS: Final = ("ship", "pickup", "courier")
PICKUP: Final = "pickup"
OF_PICKUP: Final = ("from", "until", "cash")
OF_HAND: Final = ("hand_hours", "hand_share")
HOUR_MS: Final = 3_600_000


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kind`: of `KINDS`. `title`: what fans read. `countries`: where it goes to, `nodes`: the
    places whose units it takes; none: all. `amount`: of each payment, `off`: what each unit costs
    less, minor units. `from_ms`, `until_ms`: when it may be fetched, 0: that is not said. `cash`:
    may it be paid there."""

    id: str
    kind: str
    title: str
    countries: tuple[str, ...]
    nodes: tuple[str, ...]
    amount: int
    off: int
    from_ms: int
    until_ms: int
    cash: bool


def ways(top: Table, nodes: Collection[str], digits: int, zone: tzinfo | None) -> tuple[Way, ...]:
    """nodes: where units are. digits: decimals of the currency. zone: as of the other times of the
    drop."""
    found: list[Way] = []
    seen: dict[str, int] = {}
    for position, table in enumerate(top.tables("ways", WAYS_MAX)):
        way = _way(table, nodes, digits, zone)
        if way.id and seen.setdefault(way.id, position) != position:
            table.wrong("id", f"is the id of ways[{seen[way.id]}] too")
        table.close()
        found.append(way)
    return tuple(found)


def _way(table: Table, nodes: Collection[str], digits: int, zone: tzinfo | None) -> Way:
    kind = table.choice("kind", KINDS, None, '"ship", "pickup" or "courier"')
    made = Way(
        id=table.ident("id"),
        kind=kind,
        title=table.text("title", 80, needed=True),
        countries=table.words("countries", NAMES, "countries by their two letters, like DE"),
        nodes=table.words("nodes", nodes, "places that some pool names as its node"),
        amount=table.money("amount", digits, PRICE_MAX),
        off=table.money("off", digits, PRICE_MAX),
        from_ms=table.moment("from", zone),
        until_ms=table.moment("until", zone),
        cash=table.flag("cash"),
    )
    idle = ("countries",) if kind == PICKUP else OF_PICKUP
    for key in idle:
        if table.has(key) and table.sound("kind", key):
            table.wrong(key, f'says nothing where kind is "{kind}"')
    if kind != PICKUP or not table.sound(*OF_PICKUP):
        return made
    if (made.from_ms or made.cash) and not made.until_ms:
        table.wrong("until", "is missing: it says how long things may be fetched")
    elif made.from_ms and made.until_ms <= made.from_ms:
        table.wrong("until", "must be later than from")
    return made


def of_ways(
    top: Table,
    found: Collection[Way],
    *,
    pools: Collection[tuple[str, str]],
    dearest: int,
    opens_ms: int,
    by_hand: bool,
) -> None:
    """What ways need of the rest. pools: (id, node). dearest: the highest price of a unit."""
    if not top.sound("ways", "items", "opens_at"):
        return
    for position, way in enumerate(found):
        told = f"[{position}]"
        if way.off > dearest and top.sound("items"):
            top.wrong("ways", f"must have nothing off above the highest price, and {told} has")
        if opens_ms and 0 < way.until_ms <= opens_ms:
            top.wrong("ways", f"must be open after the drop has opened, and {told} is not")
        if way.cash and not by_hand:
            top.wrong(
                "ways",
                f"may be paid in cash where pay_by_hand = true, and {told} is: cash is paid by "
                "hand too",
            )
    for pool, node in pools:
        if found and node and not any(not way.nodes or node in way.nodes for way in found):
            top.wrong("ways", f"must have one that takes {pool}: nobody could pay for it")


def hand(top: Table, identity: str) -> tuple[int, int]:
    """How long a payment by hand may take, ms, and how many percent of a pool may wait for such
    payments; 0 and 0 where nobody pays by hand."""
    by_hand = top.flag("pay_by_hand")
    hours = top.number("hand_hours", *HAND_HOURS)
    share = top.number("hand_share", *HAND_SHARE)
    if not by_hand:
        for key in OF_HAND:
            if top.has(key) and top.sound(key, "pay_by_hand"):
                top.wrong(key, "says nothing without pay_by_hand = true")
        return 0, 0
    if identity != "verified" and top.sound("identity"):
        top.wrong(
            "identity",
            'must be "verified" where fans pay by hand: who holds units for days has confirmed an '
            "address",
        )
    return hours * HOUR_MS, share


def moved(found: Collection[Way], shift_ms: int) -> tuple[Way, ...]:
    """The same, to be fetched so much later."""
    return tuple(
        msgspec.structs.replace(
            way,
            from_ms=way.from_ms + shift_ms if way.from_ms else 0,
            until_ms=way.until_ms + shift_ms if way.until_ms else 0,
        )
        for way in found
    )

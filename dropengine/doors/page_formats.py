"""How the pages write money, moments and lengths: the same words as the scripts, exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from dropengine import wire
from dropengine.manifest import currencies
from dropengine.manifest.zones import in_zone

COUNTS = ("cap", "free", "held", "offered", "sold", "withheld", "leased", "waiting", "buying")


class Choice(msgspec.Struct, frozen=True):
    """What a fresh page has chosen for its reader. `counts`: he may choose how many. `fresh`: he is
    no watcher and has nothing of this drop."""

    pool: str
    item: wire.ItemView
    counts: bool
    fresh: bool


def total(pools: Mapping[str, wire.PoolView]) -> dict[str, int]:
    """All pools as one, by the names of their counts; `back`: not for sale at the moment."""
    sums = {name: sum(getattr(pool, name) for pool in pools.values()) for name in COUNTS}
    return {**sums, "back": sums["withheld"] + sums["leased"]}


def phase(drop: wire.DropView) -> str:
    """What people call the state: `all_held` of a live drop whose last units are in carts."""
    sums = total(drop.pools)
    carts = sums["held"] - sums["offered"]
    return "all_held" if drop.state == "live" and sums["free"] == 0 and carts else drop.state


def choice(drop: wire.DropView, you: wire.You | None) -> Choice:
    """The first pool that can be had, else the first, as the script chooses."""
    ids = [pool for item in drop.items for pool in item.pools]
    chosen = next((pool for pool in ids if drop.pools[pool].free), ids[0])
    item = next(item for item in drop.items if chosen in item.pools)
    fresh = you is not None and not (you.holds or you.entries or you.orders)
    most = min(item.most, item.limit or drop.limit, drop.limit)
    begins = drop.state in ("scheduled", "live", "paused", "sold_out")
    return Choice(chosen, item, most > 1 and begins and fresh, fresh)


def in_words(pool: wire.PoolView | Mapping[str, int], over: bool) -> str:
    """The stock of one choice, as the script writes it. over: nothing begins any more."""
    counts = pool if isinstance(pool, Mapping) else total({"": pool})
    back, free, offered = counts["withheld"] + counts["leased"], counts["free"], counts["offered"]
    carts = counts["held"] - offered
    held = [f"{carts:,} in carts"] if carts else []
    held += [f"{offered:,} offered to people in line"] if offered else []
    if free:
        first = f"{free:,} {'not sold' if over else 'left'}"
    elif held and not over:
        first = f"all {', '.join(held)}"
    else:
        first = "sold out" if counts["sold"] else "none for sale now"
    parts = [first, f"{back:,} not for sale now" if free and back else ""]
    parts.append(f"{counts['waiting']:,} in line" if counts["waiting"] else "")
    return " · ".join(part for part in parts if part)


def made_of(sums: Mapping[str, int], over: bool) -> str:
    """All that were made, by where they are: the numbers add up. over: nothing begins any more."""
    parts = [f"{sums['free']:,} {'not sold' if over else 'left'}"]
    some = {
        "in carts": sums["held"] - sums["offered"],
        "offered to people in line": sums["offered"],
        "sold": sums["sold"],
        "not for sale now": sums["back"],
    }
    parts += [f"{units:,} {name}" for name, units in some.items() if units]
    return " · ".join([*parts, f"{sums['cap']:,} made"])


def prices(drop: wire.DropView) -> str:
    """`€24.00`, or from the lowest to the highest."""
    all_of_them = sorted({item.price for item in drop.items})
    ends = all_of_them if len(all_of_them) < 2 else [all_of_them[0], all_of_them[-1]]
    return " to ".join(money(price, drop) for price in ends)


def money(amount: int, drop: wire.DropView) -> str:
    """An amount of this drop, minor units."""
    return currencies.money(amount, drop.currency, drop.minor_digits)


def american(languages: str) -> bool:
    """Whether a reader with this `Accept-Language` writes dates as in the United States."""
    first = languages.partition(",")[0].partition(";")[0].strip().lower()
    return first in ("en", "en-us")


def moment(ms: int, zone: str, us: bool = False) -> str:
    """A moment in the drop's own zone, as the script writes it: `Fri 16 Jul 2027, 18:00 UTC+2`, or
    `Fri, Jul 16, 2027, 6:00 PM UTC+2`; with seconds where it has some."""
    at = in_zone(ms, zone)
    if at is None:
        return "a time that no calendar has"
    seconds = ":%S" if at.second else ""
    style = f"%a, %b %-d, %Y, %-I:%M{seconds} %p" if us else f"%a %-d %b %Y, %H:%M{seconds}"
    return f"{at.strftime(style)} {_offset(at)}"


def lately(ms: int, now_ms: int, zone: str, us: bool = False) -> str:
    """The same, and today's by the clock alone: `18:00:09`, `6:00:09 PM`."""
    at, now = in_zone(ms, zone), in_zone(now_ms, zone)
    if at is None or now is None or at.date() != now.date():
        return moment(ms, zone, us)
    return at.strftime("%-I:%M:%S %p" if us else "%H:%M:%S")


def _offset(at: datetime) -> str:
    """`UTC`, `UTC+2`, `UTC+5:30`."""
    away = at.utcoffset() or timedelta()
    hours, minutes = divmod(abs(away) // timedelta(minutes=1), 60)
    if not hours and not minutes:
        return "UTC"
    return f"UTC{'-' if away < timedelta() else '+'}{hours}{f':{minutes:02}' if minutes else ''}"


def machine(ms: int) -> str:
    """A moment for `<time datetime>`, '' for one that no calendar has."""
    at = in_zone(ms, "UTC")
    return at.isoformat(timespec="seconds") if at else ""


def span(ms: int) -> str:
    """480000 -> `8 minutes`: a length as people say it."""
    seconds = round(ms / 1000)
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}{'s' if seconds != size else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


def paragraphs(text: str) -> list[str]:
    """A text's paragraphs: what stands between empty lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]

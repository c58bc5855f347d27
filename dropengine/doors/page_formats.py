"""How the pages write money, stock and lengths in each language: the same words as the scripts,
exact."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from markupsafe import Markup

from dropengine import wire
from dropengine.catalogue import DEFAULT, ENGLISH, Catalogue
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
    begins = drop.state in ("scheduled", "lobby", "live", "paused", "sold_out")
    return Choice(chosen, item, most > 1 and begins and fresh, fresh)


def in_words(pool: wire.PoolView | Mapping[str, int], over: bool, say: Catalogue = ENGLISH) -> str:
    """The stock of one choice, as the script writes it. over: nothing begins any more."""
    counts = pool if isinstance(pool, Mapping) else total({"": pool})
    back, free, offered = counts["withheld"] + counts["leased"], counts["free"], counts["offered"]
    some = {"held": counts["held"] - offered, "offered": offered}
    held = ", ".join(_units(say, name, units) for name, units in some.items() if units)
    if free:
        first = _units(say, "unsold" if over else "free", free)
    elif held and not over:
        first = say("none_left.held", held=held)
    else:
        first = say("none_left.sold" if counts["sold"] else "none_left.never")
    parts = [first]
    parts += [_units(say, "back", back)] if free and back else []
    parts += [_units(say, "waiting", counts["waiting"])] if counts["waiting"] else []
    return " · ".join(parts)


def made_of(sums: Mapping[str, int], over: bool, say: Catalogue = ENGLISH) -> str:
    """All that were made, by where they are: the numbers add up. over: nothing begins any more."""
    some = {
        "held": sums["held"] - sums["offered"],
        "offered": sums["offered"],
        "sold": sums["sold"],
        "back": sums["back"],
    }
    parts = [_units(say, "unsold" if over else "free", sums["free"])]
    parts += [_units(say, name, units) for name, units in some.items() if units]
    return " · ".join([*parts, _units(say, "cap", sums["cap"])])


def _units(say: Catalogue, name: str, units: int) -> str:
    return f"{say.whole(units)} {say(f'unit.{name}')}"


def prices(drop: wire.DropView, say: Catalogue = ENGLISH) -> str:
    """`€24.00`, or from the lowest to the highest."""
    all_of_them = sorted({item.price for item in drop.items})
    least, most = (money(price, drop, say) for price in (all_of_them[0], all_of_them[-1]))
    return least if least == most else say("price.range", least=least, most=most)


def money(amount: int, drop: wire.DropView, say: Catalogue = ENGLISH) -> str:
    """An amount of this drop, minor units."""
    return currencies.money(amount, drop.currency, drop.minor_digits, say)


def american(languages: str, language: str = DEFAULT) -> bool:
    """Whether a reader of this language with this `Accept-Language` writes dates as in the United
    States."""
    if language != DEFAULT:
        return False
    first = languages.partition(",")[0].partition(";")[0].strip().lower()
    return first in ("en", "en-us")


def machine(ms: int) -> str:
    """A moment for `<time datetime>`, '' for one that no calendar has."""
    at = in_zone(ms, "UTC")
    return at.isoformat(timespec="seconds") if at else ""


def span(ms: int, say: Catalogue = ENGLISH) -> str:
    """480000 -> `8 minutes`: a length as people say it."""
    seconds = round(ms / 1000)
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds and seconds % size == 0:
            return say(unit, count=seconds // size)
    return say("seconds", count=seconds)


def paragraphs(text: str) -> list[str]:
    """A text's paragraphs: what stands between empty lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def bdi(text: str) -> Markup:
    """What a maker wrote, to stand in a sentence of ours: its direction stays its own."""
    return Markup("<bdi>{}</bdi>").format(text)

"""What somebody should know before he publishes, as sentences. Pure."""

from __future__ import annotations

from typing import NamedTuple

from dropengine.asked import NO, REQUIRED, Asks
from dropengine.doors.page_formats import span
from dropengine.doors.studio import launch_modes
from dropengine.manifest import MINOR_DIGITS, Manifest
from dropengine.manifest.currencies import money
from dropengine.manifest.moments import day_time
from dropengine.manifest.zones import in_zone
from dropengine.randomness import Chain

ELSEWHERE = ("America/Los_Angeles", "America/New_York", "Europe/London", "Asia/Tokyo")
"""Where fans of small makers sit: a wrong hour shows when it is said in theirs."""
SOON_MS = 15 * 60_000
LIMIT_SHARE = 0.5
"""One person who may have so much of an edition is worth a second look."""
_MINUTE_MS = 60_000


class Check(NamedTuple):
    """`warns`: worth a second look; nothing here forbids publishing."""

    warns: bool
    sentence: str


def checks(m: Manifest, now_ms: int, *, pictures: bool, chain: Chain) -> list[Check]:
    """All of them, in the order in which a sale goes. chain: what the shop takes rounds of."""
    launch = [Check(*one) for one in launch_modes.told(m, chain)]
    found = [*_times(m, now_ms), *launch, *_stock(m), *_rules(m), *_asks(m)]
    if not pictures:
        found.append(Check(True, "There is no picture of it. Fans see a drawing in its place."))
    if m.practice:
        found.insert(0, Check(False, "A practice drop: every page says so, no list shows it."))
    return found


def in_how_long(ms: int) -> str:
    """A distance in time as people say it: `3 minutes`, `2 days and 4 hours`."""
    minutes = max(1, round(ms / _MINUTE_MS))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        hours, minutes = (0, 0) if days > 6 else (hours, 0)
    parts = [
        f"{count:,} {unit}{'' if count == 1 else 's'}"
        for count, unit in ((days, "day"), (hours, "hour"), (minutes, "minute"))
        if count
    ]
    return " and ".join(parts)


def in_places(ms: int, zone: str) -> str:
    """`at 18:00 in Madrid, 09:00 in Los Angeles`: the same moment by other clocks."""
    own = in_zone(ms, zone)
    if own is None:
        return "at a time that no calendar has"
    said = [f"{own:%H:%M} in {_city(zone)} on {own:%a %-d %b %Y}"]
    for other in ELSEWHERE:
        there = in_zone(ms, other)
        if there is None or other == zone:
            continue
        day = "" if there.date() == own.date() else f" on {there:%a}"
        said.append(f"{there:%H:%M} in {_city(other)}{day}")
    return "at " + ", ".join(said)


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _times(m: Manifest, now_ms: int) -> list[Check]:
    if not m.opens_ms:
        found = [Check(False, "Opens when you press “Open now”, and not before.")]
    elif m.opens_ms <= now_ms:
        found = [Check(True, "The opening time has passed. Choose a later one, or none.")]
    else:
        away = m.opens_ms - now_ms
        found = [
            Check(away < SOON_MS, f"Opens in {in_how_long(away)} by itself."),
            Check(False, f"That is {in_places(m.opens_ms, m.zone)}."),
        ]
    if not m.closes_ms:
        return [*found, Check(False, "Stays open until you close it.")]
    if m.closes_ms <= now_ms:
        return [*found, Check(True, "The closing time has passed: nobody could buy.")]
    after = f", {in_how_long(m.closes_ms - m.opens_ms)} after it opens" if m.opens_ms else ""
    return [*found, Check(False, f"Closes {in_places(m.closes_ms, m.zone)}{after}.")]


def _stock(m: Manifest) -> list[Check]:
    found = []
    worth = sum(item.price * item.cap for item in m.items)
    back = sum(pool.withheld for item in m.items for pool in item.pools)
    made = sum(item.cap for item in m.items)
    digits = MINOR_DIGITS[m.currency]
    kept = f", {back:,} of them kept back" if back else ""
    found.append(
        Check(False, f"{made:,} made{kept}. All sold is {money(worth, m.currency, digits)}.")
    )
    if back == made:
        found.append(Check(True, "All are kept back: there is nothing to buy when it opens."))
    for item in m.items:
        price = money(item.price, m.currency, digits)
        what = f"{price} each" if item.price else "given away for nothing"
        found.append(Check(not item.price, f"{_alone(item.title)}: {item.cap:,} made, {what}."))
        limit = min(item.limit or m.limit, m.limit)
        if item.cap > 1 and limit >= item.cap * LIMIT_SHARE:
            most = min(limit, item.cap)
            found.append(
                Check(
                    True,
                    f"One person may have {most:,} of the {item.cap:,} of {_alone(item.title)}.",
                )
            )
    return found


def _alone(title: str) -> str:
    """A title in a sentence, whose order of words it must not turn (U+2068, U+2069)."""
    return f"\N{FIRST STRONG ISOLATE}{title}\N{POP DIRECTIONAL ISOLATE}"


def asked_for(asks: Asks) -> str:
    """`a name, an address if he likes, for each unit “Name to engrave”`."""
    named = (("a name", asks.name), ("an address", asks.address), ("a phone number", asks.phone))
    note = f"for each unit “{_alone(asks.note_label)}” in up to {asks.note_chars} characters"
    all_of_them = [*named, (note, asks.note)]
    return ", ".join(
        what if wish == REQUIRED else f"{what} if he likes"
        for what, wish in all_of_them
        if wish != NO
    )


def _asks(m: Manifest) -> list[Check]:
    if m.asks is None:
        return [Check(False, "Nobody is asked for a name or an address.")]
    return [Check(False, f"Whoever buys is asked for {asked_for(m.asks)}.")]


def _rules(m: Manifest) -> list[Check]:
    return [
        Check(False, f"At most {m.limit:,} to a person."),
        Check(
            False,
            f"A press holds for {span(m.hold_ms)}; an offer to the line stands {span(m.offer_ms)}.",
        ),
        Check(False, _hours(m)),
    ]


def _hours(m: Manifest) -> str:
    if m.calls_from_ms == m.calls_to_ms:
        return "The line calls at all hours, at night too."
    first, last = day_time(m.calls_from_ms), day_time(m.calls_to_ms)
    return (
        f"The line calls from {first} to {last} in {_city(m.zone)}, and in the first three hours; "
        "at other times what comes back waits for it."
    )

"""A creator's TOML becomes a manifest, or every mistake in it at once, each with line and path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple

import msgspec

from dropengine.asked import LABEL_CHARS_MAX, NO, NOTE_CHARS_MAX, WISHES, Asks
from dropengine.catalogue import LANGUAGES
from dropengine.errors import ManifestError
from dropengine.manifest import zones
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.defaults import (
    ABOUT_CHARS_MAX,
    CALLS,
    CARRIED_SHARE,
    DOMAIN,
    FIRST_OFFER,
    FIRST_OFFERS,
    IDENTITIES,
    ITEMS_MAX,
    MODES,
    NETWORK_LEAST,
    NETWORK_SHARE,
    NOTE_CHARS_DEFAULT,
    PACE,
    POOLS_MAX,
    SECONDS,
    STORY_CHARS_MAX,
    TICKETS,
    WINDOWS,
    Bounds,
    K,
)
from dropengine.manifest.early import early, of_early
from dropengine.manifest.game import game, of_game
from dropengine.manifest.manifest import Item, Manifest, Pool
from dropengine.manifest.toml_tables import Table, fault_in_drop_id, given, nearest, read
from dropengine.manifest.ways import hand, of_ways, ways
from dropengine.manifest.zones import known_zone
from dropengine.model import CAP_MAX, ID_CHARS_MAX, PRICE_MAX, QTY_MAX
from dropengine.randomness import WHOLE_MAX

CALLED = ("calls_from", "calls_to")


def parse(text: bytes, source: str) -> Manifest:
    """The creator's TOML -> a manifest. `source`: its name, for the report.

    Raises ManifestError with every mistake, in the order of the lines.
    """
    try:
        top, notes = read(text)
    except ValueError as error:
        raise ManifestError(source, [str(error)]) from None
    manifest = _drop(top)
    if mistakes := notes.sentences():
        raise ManifestError(source, mistakes)
    return manifest


def network_most(items: Sequence[Item]) -> int:
    """What one network may have, where the drop does not say it."""
    return max(NETWORK_LEAST, sum(item.cap for item in items) // NETWORK_SHARE)


def judged(values: dict[str, object]) -> tuple[Manifest, list[tuple[str, str]]]:
    """The values of a form -> what they make, with something harmless for each mistake, and the
    mistakes: the path of the value, and the same sentence as a file gets."""
    top, notes = given(values)
    return _drop(top), notes.fields()


def _drop(top: Table) -> Manifest:
    practice = top.flag("practice")
    # A rehearsal with holds of seconds must never pass for a sale.
    short = "" if practice else "; only a drop with practice = true may go below"

    def ms(what: str) -> int:
        least, most, default = SECONDS[what]
        least = min(least, 1) if practice else least
        return top.seconds(f"{what}_seconds", least, most, default, short) * 1000

    limit = top.number("limit", 1, CAP_MAX)
    pace, pace_ms = top.number("pace", *PACE), ms("pace")
    if pace == 0 and top.sound("pace", "pace_seconds") and top.has("pace_seconds"):
        top.wrong("pace_seconds", "says nothing where pace is 0")
    calls_from_ms, calls_to_ms = _calls(top, practice=practice)
    mode = top.choice("mode", MODES, MODES[0], '"rush", "lobby", "collect" or "draw"')
    chance = _chance(top, mode, short, practice=practice)
    zone = _zone(top)
    # Where no zone is said any offset may be: UTC is only how the times are shown then.
    own = known_zone(zone) if top.has("zone") and top.sound("zone") else None
    items = _items(top, limit)
    drop = _drop_id(top)
    before = early(top, items, own, drop)
    carried_from, carried_hash, carried_share = _carried(top)
    manifest = Manifest(
        id=drop,
        title=top.text("title", 120, needed=True),
        maker=top.text("maker", 80, needed=True),
        story=top.text("story", STORY_CHARS_MAX, paragraphs=True),
        mode=mode,
        identity=top.choice("identity", IDENTITIES, IDENTITIES[0], '"guest" or "verified"'),
        opens_ms=top.moment("opens_at", own),
        closes_ms=top.moment("closes_at", own),
        zone=zone,
        currency=top.choice("currency", MINOR_DIGITS, None, "a currency of ISO 4217 like EUR"),
        limit=limit,
        k=top.number("k", *K),
        hold_ms=ms("hold"),
        offer_ms=ms("offer"),
        extend_ms=ms("extend"),
        pay_ms=ms("pay"),
        cool_ms=ms("cool"),
        lookup_ms=ms("lookup"),
        pace=pace,
        pace_ms=pace_ms if pace else 0,
        calls_from_ms=calls_from_ms,
        calls_to_ms=calls_to_ms,
        practice=practice,
        items=items,
        network_most=top.number("network_most", 0, CAP_MAX, network_most(items)),
        domain_most=top.number("domain_most", *DOMAIN),
        asks=_asks(top),
        language=top.choice("language", LANGUAGES, "", f"one of {', '.join(LANGUAGES)}"),
        window_ms=chance.window_ms,
        first_offer_ms=chance.first_offer_ms,
        tickets_most=chance.tickets_most,
        guests_may_enter=chance.guests_may_enter,
        beacon_round=chance.beacon_round,
        cohorts=before.cohorts,
        public_ms=before.public_ms,
        carried_from=carried_from,
        carried_hash=carried_hash,
        carried_share=carried_share,
        game=game(top, own),
    )
    manifest = _with_ways(top, manifest, own)
    _of_carried(top, manifest)
    _of_chance(top, manifest)
    of_early(top, manifest)
    of_game(
        top,
        manifest.game,
        mode=mode,
        identity=manifest.identity,
        free=any(not item.price for item in items),
        closes_ms=manifest.closes_ms,
    )
    if manifest.opens_ms and 0 < manifest.closes_ms <= manifest.opens_ms:
        top.wrong("closes_at", "must be later than the opening")
    top.close()
    return manifest


def _with_ways(top: Table, manifest: Manifest, zone: tzinfo | None) -> Manifest:
    """With how what was bought comes to its buyer, and what is paid by hand."""
    pools = [(pool.id, pool.node) for item in manifest.items for pool in item.pools]
    digits = MINOR_DIGITS.get(manifest.currency, 2)
    hand_ms, hand_share = hand(top, manifest.identity)
    found = ways(top, [node for _, node in pools if node], digits, zone)
    of_ways(
        top,
        found,
        pools=pools,
        dearest=max((item.price for item in manifest.items), default=0),
        opens_ms=manifest.opens_ms,
        by_hand=hand_ms > 0,
    )
    return msgspec.structs.replace(manifest, ways=found, hand_ms=hand_ms, hand_share=hand_share)


OF_CARRIED = ("carried_hash", "carried_share")


def _carried(top: Table) -> tuple[str, str, int]:
    """Whose places are carried over: the drop, the hash of its list, their share."""
    if top.has("carried_from"):
        share = top.number("carried_share", *CARRIED_SHARE)
        return top.ident("carried_from"), top.digest("carried_hash"), share
    top.text("carried_from", 0)
    top.text("carried_hash", len("00") * 32)
    top.number("carried_share", *CARRIED_SHARE)
    for key in OF_CARRIED:
        if top.has(key) and top.sound(key):
            top.wrong(key, "says nothing without carried_from")
    return "", "", 0


def _of_carried(top: Table, manifest: Manifest) -> None:
    """Who is carried over is a person: a guest is another one in each drop."""
    if not manifest.carried_from or not top.sound("carried_from"):
        return
    if top.sound("identity") and manifest.identity != "verified":
        top.wrong("identity", 'must be "verified" where places are carried over')
    if top.sound("id") and manifest.carried_from == manifest.id:
        top.wrong("carried_from", "must be another drop than this one")


class _Chance(NamedTuple):
    """What a manifest says of chance; nothing where arrivals are given out by time."""

    window_ms: int = 0
    first_offer_ms: int = 0
    tickets_most: int = 0
    guests_may_enter: bool = False
    beacon_round: int = 0


NUMBERS_OF_CHANCE = ("window_seconds", "first_offer_seconds", "tickets_most", "beacon_round")


def _chance(top: Table, mode: str, short: str, *, practice: bool) -> _Chance:
    if mode not in WINDOWS:
        for key in NUMBERS_OF_CHANCE:
            read = top.seconds if key.endswith("_seconds") else top.number
            read(key, 0, WHOLE_MAX, 0)
        top.flag("guests_may_enter")
        for key in (*NUMBERS_OF_CHANCE, "guests_may_enter"):
            if top.has(key) and top.sound(key, "mode"):
                top.wrong(key, f'says nothing where mode is "{mode}"')
        return _Chance()

    def ms(key: str, bounds: Bounds, default: int) -> int:
        least = min(bounds.least, 1) if practice else bounds.least
        return top.seconds(key, least, bounds.most, default, short) * 1000

    window = WINDOWS[mode]
    most = top.number("tickets_most", *TICKETS)
    if mode != "draw":
        most = 1
    if mode != "draw" and top.has("tickets_most") and top.sound("tickets_most"):
        top.wrong("tickets_most", f'says nothing where mode is "{mode}": everybody has one ticket')
    return _Chance(
        window_ms=ms("window_seconds", window, window.default),
        first_offer_ms=ms("first_offer_seconds", FIRST_OFFER, FIRST_OFFERS[mode]),
        tickets_most=most,
        guests_may_enter=top.flag("guests_may_enter"),
        beacon_round=top.number("beacon_round", 1, WHOLE_MAX, 0),
    )


def _of_chance(top: Table, manifest: Manifest) -> None:
    """What chance needs of the rest: persons."""
    if manifest.mode not in WINDOWS:
        return
    if top.sound("identity", "guests_may_enter"):
        if manifest.identity != "verified" and not manifest.guests_may_enter:
            top.wrong(
                "identity",
                f'must be "verified" where mode is "{manifest.mode}", or one person enters a '
                "thousand times; guests_may_enter = true lets them",
            )
        if manifest.identity == "verified" and manifest.guests_may_enter:
            top.wrong("guests_may_enter", 'says nothing where identity is "verified"')


def _calls(top: Table, *, practice: bool) -> tuple[int, int]:
    """When the line calls, ms since midnight; 0 and 0 at all hours."""
    between = tuple(top.clock(key, usual) for key, usual in zip(CALLED, CALLS, strict=True))
    if practice:
        # It is over before any night, and its holds are short: whoever rehearses waits for none.
        for key in CALLED:
            if top.has(key) and top.sound(key):
                top.wrong(key, "says nothing where practice is true: it calls at all hours")
    if practice or between[0] == between[1]:
        return 0, 0
    return between[0], between[1]


def _drop_id(top: Table) -> str:
    drop = top.ident("id")
    if drop and (why := fault_in_drop_id(drop)):
        top.wrong("id", why)
    return drop


def _zone(top: Table) -> str:
    zone = top.text("zone", 64) or "UTC"
    if not top.sound("zone"):
        return zone
    if zone not in zones.names():
        top.wrong("zone", f"must be a time zone like Europe/Madrid{nearest(zone, zones.names())}")
    return zone


def _asks(top: Table) -> Asks | None:
    table = top.table("asks")
    if table is None:
        return None
    what = '"no", "optional" or "required"'
    wish = {one: table.choice(one, WISHES, NO, what) for one in ("name", "address", "phone")}
    note = table.choice("note", WISHES, NO, what)
    label = table.text("note_label", LABEL_CHARS_MAX, needed=note != NO)
    chars = table.number("note_chars", 1, NOTE_CHARS_MAX, NOTE_CHARS_DEFAULT)
    for key in ("note_label", "note_chars"):
        if note == NO and table.has(key) and table.sound("note", key):
            table.wrong(key, "says nothing where no note is asked")
    table.close()
    if note == NO:
        label, chars = "", 0
    made = Asks(**wish, note=note, note_label=label, note_chars=chars)
    return None if made == Asks() else made


def _items(top: Table, limit: int) -> tuple[Item, ...]:
    items: list[Item] = []
    seen: dict[str, int] = {}
    for position, table in enumerate(top.tables("items", ITEMS_MAX, needed=True)):
        item = _item(table, limit if top.sound("limit") else CAP_MAX)
        if item.id and seen.setdefault(item.id, position) != position:
            table.wrong("id", f"is the id of items[{seen[item.id]}] too")
        table.close()
        items.append(item)
    if top.sound("items") and (pools := sum(len(item.pools) for item in items)) > POOLS_MAX:
        top.wrong("items", f"must have at most {POOLS_MAX} pools together, and have {pools}")
    return tuple(items)


def _item(table: Table, drop_limit: int) -> Item:
    ident = table.ident("id")
    cap = table.number("cap", 1, CAP_MAX)
    own = table.number("limit", 1, CAP_MAX, 0)
    limit = min(own or drop_limit, drop_limit)
    if table.sound("limit") and own > drop_limit:
        table.wrong("limit", f"must not be above the drop's limit of {drop_limit}")
    most = table.number("most", 1, QTY_MAX, min(limit, QTY_MAX))
    if table.sound("most", "limit") and most > limit:
        table.wrong("most", f"must not be above the {limit} that one fan may have")
    return Item(
        id=ident,
        title=table.text("title", 80, needed=True),
        about=table.text("about", ABOUT_CHARS_MAX, paragraphs=True),
        price=table.number("price", 0, PRICE_MAX),
        cap=cap,
        limit=own,
        most=most,
        pools=_pools(table, ident, cap),
    )


def _pools(table: Table, item: str, cap: int) -> tuple[Pool, ...]:
    if not table.has("pools"):
        withheld = table.number("withheld", 0, CAP_MAX, 0)
        table.tables("pools", POOLS_MAX)
        _spare(table, cap, withheld)
        return (Pool(id=item, node="", cap=cap, withheld=withheld),)
    if table.has("withheld"):
        table.wrong("withheld", "must stand at the pools of an item that has pools")
    table.number("withheld", 0, CAP_MAX, 0)
    pools: list[Pool] = []
    seen: dict[str, int] = {}
    sound = True
    for position, member in enumerate(table.tables("pools", POOLS_MAX)):
        node = member.ident("node")
        pool = Pool(
            id=f"{item}@{node}",
            node=node,
            cap=member.number("cap", 1, CAP_MAX),
            withheld=member.number("withheld", 0, CAP_MAX, 0),
        )
        if node and seen.setdefault(node, position) != position:
            member.wrong("node", f"is the node of pools[{seen[node]}] too")
        if len(pool.id) > ID_CHARS_MAX:
            member.wrong("node", f"makes {pool.id}, which is longer than {ID_CHARS_MAX} characters")
        _spare(member, pool.cap, pool.withheld)
        sound = sound and member.sound("cap")
        member.close()
        pools.append(pool)
    total = sum(pool.cap for pool in pools)
    if sound and table.sound("cap", "pools") and total != cap:
        table.wrong("cap", f"is {cap}, but the caps of the item's pools add up to {total}")
    return tuple(pools)


def _spare(table: Table, cap: int, withheld: int) -> None:
    if table.sound("cap", "withheld") and withheld > cap:
        table.wrong("withheld", f"must not be above the cap of {cap}")

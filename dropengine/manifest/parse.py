"""A creator's TOML becomes a manifest, or every mistake in it at once, each with line and path."""

from __future__ import annotations

from collections.abc import Sequence

from dropengine.asked import LABEL_CHARS_MAX, NO, NOTE_CHARS_MAX, WISHES, Asks
from dropengine.catalogue import LANGUAGES
from dropengine.errors import ManifestError
from dropengine.manifest import zones
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.defaults import (
    ABOUT_CHARS_MAX,
    CALLS,
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
    K,
)
from dropengine.manifest.manifest import Item, Manifest, Pool
from dropengine.manifest.toml_tables import Table, fault_in_drop_id, given, nearest, read
from dropengine.manifest.zones import known_zone
from dropengine.model import CAP_MAX, ID_CHARS_MAX, PRICE_MAX, QTY_MAX

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
        return top.number(f"{what}_seconds", least, most, default, short) * 1000

    limit = top.number("limit", 1, CAP_MAX)
    pace, pace_ms = top.number("pace", *PACE), ms("pace")
    if pace == 0 and top.sound("pace", "pace_seconds") and top.has("pace_seconds"):
        top.wrong("pace_seconds", "says nothing where pace is 0")
    calls_from_ms, calls_to_ms = _calls(top, practice=practice)
    zone = _zone(top)
    # Where no zone is said any offset may be: UTC is only how the times are shown then.
    own = known_zone(zone) if top.has("zone") and top.sound("zone") else None
    items = _items(top, limit)
    manifest = Manifest(
        id=_drop_id(top),
        title=top.text("title", 120, needed=True),
        maker=top.text("maker", 80, needed=True),
        story=top.text("story", STORY_CHARS_MAX, paragraphs=True),
        mode=top.choice("mode", MODES, MODES[0], '"rush"'),
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
        asks=_asks(top),
        language=top.choice("language", LANGUAGES, "", f"one of {', '.join(LANGUAGES)}"),
    )
    if manifest.opens_ms and 0 < manifest.closes_ms <= manifest.opens_ms:
        top.wrong("closes_at", "must be later than the opening")
    top.close()
    return manifest


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

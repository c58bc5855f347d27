"""The manifest of a drop: the rules that are published, hashed and never changed afterwards.

`parse` reads the creator's TOML and reports every mistake at once, each with its line and path.
`canonical` is the form that is hashed and kept: JSON with sorted keys, no spaces, UTF-8, times as
whole milliseconds, in which every default is spelled out. Equal rules have equal bytes.
"""

from __future__ import annotations

import hashlib
import re
import zoneinfo
from typing import Final

import msgspec

from dropengine.errors import ManifestError
from dropengine.events import PublishedItem, PublishedPool, Rules
from dropengine.reader import ID, ID_RULE, Table, nearest, read, short

ITEMS_MAX: Final = 64
POOLS_MAX: Final = 64
"""Of the whole drop: every pool has two lines, and every screen is told about each of them."""
CAP_MAX: Final = 100_000
PRICE_MAX: Final = 10**9
QTY_MAX: Final = 100
"""Units of one press, as the messages allow them."""
POOL_ID_MAX: Final = 64

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")

_NO_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_MINOR = "BHD IQD JOD KWD LYD OMR TND"
_TWO_MINOR = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)
MINOR_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_MINOR.split(), 2),
    **dict.fromkeys(_NO_MINOR.split(), 0),
    **dict.fromkeys(_THREE_MINOR.split(), 3),
}
"""ISO 4217: the decimals of each currency. A price of 2400 is EUR 24.00, JPY 2400 or KWD 2.400."""


class Pool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`id`: `item@node`, or the item's id where it has no nodes (then `node` is '')."""

    id: str
    node: str
    cap: int
    withheld: int


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`price` in minor units. `limit`: units per fan, 0 for the drop's alone. `most`: per press."""

    id: str
    title: str
    about: str
    price: int
    cap: int
    limit: int
    most: int
    pools: tuple[Pool, ...]


class Manifest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="manifest",
    tag=1,
):
    """One drop's words and rules. Times in ms (UTC); `opens_ms` and `closes_ms` 0 mean by hand.

    `zone`: the IANA time zone that the drop's times are shown in. `limit`: units per fan. The tag
    is the number of this form: a reader that meets a higher one must refuse it.
    """

    id: str
    title: str
    maker: str
    story: str
    mode: str
    opens_ms: int
    closes_ms: int
    zone: str
    currency: str
    limit: int
    k: int
    hold_ms: int
    offer_ms: int
    extend_ms: int
    pay_ms: int
    cool_ms: int
    lookup_ms: int
    practice: bool
    items: tuple[Item, ...]


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


def _drop(top: Table) -> Manifest:
    practice = top.flag("practice")
    # A rehearsal with holds of seconds must never pass for a sale.
    short = "" if practice else "; only a drop with practice = true may go below"

    def seconds(key: str, low: int, high: int, default: int) -> int:
        return top.number(key, min(low, 1) if practice else low, high, default, short) * 1000

    limit = top.number("limit", 1, CAP_MAX)
    manifest = Manifest(
        id=top.ident("id"),
        title=top.text("title", 120, needed=True),
        maker=top.text("maker", 80, needed=True),
        story=top.text("story", 8000, paragraphs=True),
        mode=top.choice("mode", ("rush",), "rush", '"rush"'),
        opens_ms=top.moment("opens_at"),
        closes_ms=top.moment("closes_at"),
        zone=_zone(top),
        currency=top.choice("currency", MINOR_DIGITS, None, "a currency of ISO 4217 like EUR"),
        limit=limit,
        k=top.number("k", 2, 100, 5),
        hold_ms=seconds("hold_seconds", 120, 1800, 480),
        offer_ms=seconds("offer_seconds", 120, 172_800, 1800),
        extend_ms=seconds("extend_seconds", 0, 1800, 120),
        pay_ms=seconds("pay_seconds", 30, 1800, 180),
        cool_ms=seconds("cool_seconds", 0, 3600, 60),
        lookup_ms=seconds("lookup_seconds", 10, 1800, 120),
        practice=practice,
        items=_items(top, limit),
    )
    if manifest.opens_ms and 0 < manifest.closes_ms <= manifest.opens_ms:
        top.wrong("closes_at", "must be later than opens_at")
    top.close()
    return manifest


def _zone(top: Table) -> str:
    zone = top.text("zone", 64) or "UTC"
    if not top.sound("zone"):
        return zone
    try:
        if _ZONE.fullmatch(zone):
            zoneinfo.ZoneInfo(zone)
            return zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    # A bare machine may have no list of zones. Browsers have one, so the shape alone must do there.
    known = zoneinfo.available_timezones()
    if known or not _ZONE.fullmatch(zone):
        top.wrong("zone", f"must be a time zone like Europe/Madrid{nearest(zone, known)}")
    return zone


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
        about=table.text("about", 2000, paragraphs=True),
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
        if len(pool.id) > POOL_ID_MAX:
            member.wrong("node", f"makes {pool.id}, which is longer than {POOL_ID_MAX} characters")
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


def canonical(manifest: Manifest) -> bytes:
    """The bytes that are hashed and kept."""
    return msgspec.json.encode(manifest, order="sorted")


def digest(manifest: Manifest) -> str:
    """SHA-256 of the canonical form, 64 hex digits: what the log's first event carries."""
    return hashlib.sha256(canonical(manifest)).hexdigest()


def from_canonical(kept: bytes) -> Manifest:
    """What `canonical` made -> the manifest. Raises ManifestError for any other bytes."""
    try:
        manifest = msgspec.json.decode(kept, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError("kept manifest", [str(error)]) from None
    if canonical(manifest) != kept:
        raise ManifestError("kept manifest", ["these bytes are not in the canonical form"])
    return manifest


def rules(manifest: Manifest) -> Rules:
    """What the scripts need of it. Pools keep the manifest's order, which numbers the lines."""
    return Rules(
        id=manifest.id,
        mode=manifest.mode,
        currency=manifest.currency,
        opens_ms=manifest.opens_ms,
        closes_ms=manifest.closes_ms,
        limit=manifest.limit,
        k=manifest.k,
        hold_ms=manifest.hold_ms,
        offer_ms=manifest.offer_ms,
        extend_ms=manifest.extend_ms,
        pay_ms=manifest.pay_ms,
        cool_ms=manifest.cool_ms,
        lookup_ms=manifest.lookup_ms,
        practice=int(manifest.practice),
        items=[
            PublishedItem(item.id, item.cap, item.price, item.limit, item.most)
            for item in manifest.items
        ],
        pools=[
            PublishedPool(pool.id, item.id, pool.cap, pool.withheld)
            for item in manifest.items
            for pool in item.pools
        ],
    )


def with_opening(manifest: Manifest, drop: str, opens_ms: int) -> Manifest:
    """The same drop under another id, opening at `opens_ms` (UTC); it stays open as long as before.

    Raises ManifestError when `drop` is not one.
    """
    if not ID.fullmatch(drop):
        raise ManifestError(f"drop {short(drop)}", [f"id: {ID_RULE}"])
    closes_ms = manifest.closes_ms
    if closes_ms and manifest.opens_ms:
        closes_ms += opens_ms - manifest.opens_ms
    elif closes_ms <= opens_ms:
        closes_ms = 0
    return msgspec.structs.replace(manifest, id=drop, opens_ms=opens_ms, closes_ms=closes_ms)

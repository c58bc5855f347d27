"""What a manifest says, as types: a drop's words and rules, its items, their pools."""

from __future__ import annotations

import msgspec

from dropengine.asked import Asks
from dropengine.errors import ManifestError
from dropengine.manifest.game import GameRules
from dropengine.manifest.toml_tables import SENSIBLE, fault_in_drop_id, sensible, short
from dropengine.manifest.ways import Way, moved


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


class Cohort(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may buy before the drop is open to all. `title`: what fans call it. `most`: units of each
    pool, in their order, that may count against it until then.

    Who is in it: `listed`: addresses that its maker lists; `codes`: who has one; `bought`: who
    bought in one of these drops; `missed`: who stood in the line of one of these and got none.
    """

    id: str
    title: str
    most: tuple[int, ...]
    listed: bool
    codes: bool
    bought: tuple[str, ...]
    missed: tuple[str, ...]


class Manifest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="manifest",
    tag=1,
):
    """One drop's words and rules. Times in ms (UTC); `opens_ms` and `closes_ms` 0 mean by hand.

    `identity`: who may act, guest or verified; '' in drops of before there was such a rule, which
    go on as guest, and in which a guest goes on under the one id that he had everywhere.
    `zone`: the IANA time zone that the drop's times are shown in. `limit`: units per fan. `pace`:
    what one fan may begin at once, 0 for as often as he likes; `pace_ms`: then one more in each.
    `language`: what its maker writes in, for who asks for no language that the shop speaks; '': the
    shop's. `asks`: what an order has to know; None: nothing. `calls_from_ms`, `calls_to_ms`:
    between which times of the zone's day the line calls, ms since midnight; two equal ones: at all
    hours. `network_most`: how many unpaid holds and open entries one network may have; 0: as many
    as its people like. `domain_most`: how many persons of one mail domain that is no public
    provider may take part; 0: as many as come.

    Where chance gives out the arrivals, `window_ms`: how long its list is open,
    `first_offer_ms`: what stands in for `offer_ms` in the first round, `tickets_most`: of one
    entry, `guests_may_enter`: may people enter who are not verified, `beacon_round`: which round of
    the beacon orders it, 0: a secret that the shop commits to. `cohorts`: who may buy before the
    drop is open to all, which is at `public_ms`, 0: when its maker says so. `carried_from`: the
    drop whose fans who waited in vain stand first in this one's line, '' for none; `carried_hash`:
    of the list of them, `carried_share`: how many percent of each pool they may have while it has a
    free unit. `game`: what gives points in the line; None: nothing. `ways`: how what was bought
    comes to its buyer, none: nobody says. `hand_ms`: how long a payment by hand may take, 0: there
    is none; `hand_share`: how many percent of a pool may wait for such payments. The tag is
    the number of this form: a reader that meets a higher one must refuse it. What has a default
    here came later, and stands in the form only where it says something.
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
    pace: int = 0
    pace_ms: int = 0
    language: str = ""
    asks: Asks | None = None
    identity: str = ""
    calls_from_ms: int = 0
    calls_to_ms: int = 0
    window_ms: int = 0
    first_offer_ms: int = 0
    tickets_most: int = 0
    guests_may_enter: bool = False
    beacon_round: int = 0
    network_most: int = 0
    cohorts: tuple[Cohort, ...] = ()
    public_ms: int = 0
    carried_from: str = ""
    carried_hash: str = ""
    carried_share: int = 0
    domain_most: int = 0
    game: GameRules | None = None
    ways: tuple[Way, ...] = ()
    hand_ms: int = 0
    hand_share: int = 0


def with_opening(manifest: Manifest, drop: str, opens_ms: int) -> Manifest:
    """The same drop under another id, opening at `opens_ms` (UTC); it stays open as long as before.

    Raises ManifestError when `drop` is not one, or a time is none that a drop may have.
    """
    if why := fault_in_drop_id(drop):
        raise ManifestError(f"drop {short(drop)}", [f"id: {why}"])
    closes_ms = manifest.closes_ms
    if closes_ms and manifest.opens_ms and opens_ms:
        closes_ms += opens_ms - manifest.opens_ms
    elif closes_ms <= opens_ms or manifest.opens_ms:
        # Opened by hand, it has no beginning that a closing could be counted from.
        closes_ms = 0
    public_ms = manifest.public_ms
    if public_ms and manifest.opens_ms and opens_ms:
        public_ms += opens_ms - manifest.opens_ms
    elif public_ms <= opens_ms or (closes_ms and public_ms >= closes_ms):
        public_ms = 0
    shift_ms = opens_ms - manifest.opens_ms if manifest.opens_ms and opens_ms else 0
    game = _moved(manifest.game, shift_ms, opens_ms)
    ways = moved(manifest.ways, shift_ms)
    times = [("opens_at", opens_ms), ("closes_at", closes_ms), ("public_at", public_ms)]
    times += [("ways", ms) for way in ways for ms in (way.from_ms, way.until_ms)]
    for name, ms in times:
        if ms and not sensible(ms):
            raise ManifestError(f"drop {drop}", [f"{name}: {SENSIBLE}"])
    return msgspec.structs.replace(
        manifest,
        id=drop,
        opens_ms=opens_ms,
        closes_ms=closes_ms,
        public_ms=public_ms,
        game=game,
        ways=ways,
    )


def _moved(game: GameRules | None, shift_ms: int, opens_ms: int) -> GameRules | None:
    """Missions end as long after the opening as before; where that cannot be told, none ends
    before it."""
    if game is None:
        return None
    ends = [
        one.ends_ms + shift_ms if one.ends_ms and (shift_ms or one.ends_ms > opens_ms) else 0
        for one in game.missions
    ]
    missions = tuple(
        msgspec.structs.replace(one, ends_ms=ends_ms)
        for one, ends_ms in zip(game.missions, ends, strict=True)
    )
    return msgspec.structs.replace(game, missions=missions)


def to_open_at_once(manifest: Manifest) -> Manifest:
    """The same drop, which opens in the breath in which it is published. Raises ManifestError where
    it says when it opens."""
    if manifest.opens_ms:
        why = "opens_at: says another time than now, where it opens as it is published"
        raise ManifestError(f"drop {manifest.id}", [why])
    return manifest


def showable(manifest: Manifest) -> bool:
    """Can every page tell its times? Drops of earlier versions may have one that no calendar
    has."""
    times = (manifest.opens_ms, manifest.closes_ms, manifest.public_ms)
    return all(ms == 0 or sensible(ms) for ms in times)

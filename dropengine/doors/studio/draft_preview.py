"""The fan's page of a draft, in every state that a fan may come to. Pure: nothing is for sale."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from dropengine import manifest, wire
from dropengine.live import views
from dropengine.log.replay.hours import calls_at
from dropengine.manifest import Item, Manifest, Pool
from dropengine.manifest.defaults import MODES
from dropengine.order_number import number_of
from dropengine.randomness import Chain, CommitReveal, Source
from dropengine.truth.replies import EarlyRow, ListRow, PoolRow, ViewReply

NOBODY: Final = "preview"
PLACE: Final = 3
POINTS: Final = 3
"""Of a drop in which something gives some."""
ENTRIES: Final = 3_000
SEALS_IN_MS: Final = 754_000
ROOT: Final = "5f" * 32
"""Of a list that nobody stands in yet."""
WAITING: Final = 12
CLOSED_AGO_MS: Final = 60_000
SIGN_IN: Final = "sign-in"
"""Of a drop for those who are known: what all others see. Of one for everybody as any other."""


class Stage(NamedTuple):
    """A state to look at. sold, held: percent of what is for sale; `mine`: what the fan has.
    `listed`: only of a drop with a list that chance orders."""

    name: str
    state: str
    sold: int = 0
    held: int = 0
    mine: str = ""
    listed: bool = False


STAGES: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        "soon": Stage("Before it opens", "scheduled"),
        SIGN_IN: Stage("Before they sign in", "live", 35, 15),
        "list": Stage("The list is open", "lobby", listed=True),
        "entered": Stage("Entered", "lobby", mine="listed", listed=True),
        "sealed": Stage("Being ordered", "ordering", mine="listed", listed=True),
        "won": Stage("Won", "live", 0, 100, "offer", listed=True),
        "alternate": Stage("An alternate", "live", 20, 80, "entry", listed=True),
        "open": Stage("Open", "live", 35, 15),
        "held": Stage("Held for somebody", "live", 35, 15, "hold"),
        "all-held": Stage("All in carts", "live", 70, 30),
        "line": Stage("In line", "live", 70, 30, "entry"),
        "night": Stage("Their turn, at night", "live", 70, 20, "entry"),
        "turn": Stage("Their turn", "live", 70, 30, "offer"),
        "bought": Stage("Bought", "live", 50, 10, "order"),
        "paused": Stage("Paused", "paused", 35, 5),
        "sold-out": Stage("Sold out", "live", 100),
        "over": Stage("Over", "settled", 80),
        "cancelled": Stage("Cancelled", "cancelled"),
    }
)


def snapshot(m: Manifest, stage: str, now_ms: int, chain: Chain) -> wire.Snapshot:
    """What a fan's page would be told. chain: what the shop takes rounds of."""
    chosen = STAGES[stage]
    whole = _whole(m)
    opens_ms = whole.opens_ms if chosen.state == "scheduled" else 0
    calls_ms = _calls_again(whole, now_ms) if stage == "night" else 0
    view = ViewReply(
        now_ms=now_ms,
        seq=1,
        state=chosen.state,
        revision=1,
        opens_ms=opens_ms if opens_ms > now_ms else 0,
        closes_ms=whole.closes_ms if whole.closes_ms > now_ms else 0,
        pools=[
            _row(pool, chosen, PLACE if calls_ms else 0)
            for item in whole.items
            for pool in item.pools
        ],
        moves_end=0,
        moves=[],
        mail_end=0,
        mail=[],
        news=[],
        why="",
        leads=[],
        hash=manifest.digest(whole),
        calls_ms=calls_ms,
        entering=_entering(whole, chosen, now_ms),
        # Who looks at it is shown what is for everybody.
        early=EarlyRow(chosen.state == "scheduled", whole.public_ms, 0) if whole.cohorts else None,
    )
    lines = {pool.id: 0 for item in whole.items for pool in item.pools}
    drop = views.drop_view(
        whole,
        view,
        lines,
        digest=view.hash,
        epoch=NOBODY,
        durable=True,
        beat_ms=0,
        chance=_chance(whole, chain),
    )
    known = m.identity != "verified" or stage != SIGN_IN
    return wire.Snapshot(1, drop, _you(whole, chosen, now_ms) if known else None)


def stages(m: Manifest) -> dict[str, Stage]:
    """Those that a drop comes to."""
    return {name: one for name, one in STAGES.items() if m.mode != MODES[0] or not one.listed}


def _entering(m: Manifest, stage: Stage, now_ms: int) -> ListRow:
    """The list, of a drop that has one."""
    if m.mode == MODES[0] or stage.state == "scheduled":
        return ListRow()
    if stage.state == "lobby":
        return ListRow(entries=ENTRIES, seals_ms=now_ms + SEALS_IN_MS)
    sealed_ms = now_ms - CLOSED_AGO_MS
    if stage.state == "ordering":
        return ListRow(entries=ENTRIES, sealed_ms=sealed_ms, root=ROOT)
    won = min(ENTRIES, sum(pool.cap - pool.withheld for item in m.items for pool in item.pools))
    return ListRow(
        entries=ENTRIES,
        placed=ENTRIES,
        sealed_ms=sealed_ms,
        root=ROOT,
        revealed=ROOT,
        won=won,
        called=won + PLACE,
    )


def _chance(m: Manifest, chain: Chain) -> Source | None:
    """By what its list would be ordered; nobody has committed to anything yet."""
    if m.mode == MODES[0]:
        return None
    return chain.named(m.beacon_round) if m.beacon_round else CommitReveal("")


def _whole(m: Manifest) -> Manifest:
    """With something in the place of what is not written yet."""
    items = tuple(_item(item, place) for place, item in enumerate(m.items or (_NOTHING,), 1))
    return msgspec.structs.replace(
        m,
        id=m.id or NOBODY,
        title=m.title or "Your title",
        maker=m.maker or "You",
        currency=m.currency or "EUR",
        items=items,
    )


_NOTHING = Item(
    id="item",
    title="",
    about="",
    price=0,
    cap=10,
    limit=0,
    most=1,
    pools=(Pool(id="item", node="", cap=10, withheld=0),),
)


def _item(item: Item, place: int) -> Item:
    ident = item.id or f"item-{place}"
    pools = tuple(
        msgspec.structs.replace(
            pool, id=f"{ident}@{pool.node or n}" if len(item.pools) > 1 or pool.node else ident
        )
        for n, pool in enumerate(item.pools)
    )
    return msgspec.structs.replace(item, id=ident, title=item.title or f"Item {place}", pools=pools)


def _calls_again(m: Manifest, now_ms: int) -> int:
    """When its line calls again after the next quiet hours; 0: it has none."""
    hours = manifest.rules(m, now_ms).calls
    if hours is None:
        return 0
    calls, until_ms = calls_at(hours, 0, now_ms)
    return calls_at(hours, 0, until_ms)[1] if calls else until_ms


def _row(pool: Pool, stage: Stage, first: int) -> PoolRow:
    """first: the arrival that may press for what is free."""
    for_sale = max(0, pool.cap - pool.withheld)
    sold = for_sale * stage.sold // 100
    held = for_sale - sold if stage.sold + stage.held == 100 else for_sale * stage.held // 100
    waiting = WAITING if stage.mine in ("entry", "offer") else 0
    offered = 1 if stage.mine == "offer" and held else 0
    if stage.listed and waiting:
        waiting, offered = ENTRIES, held
    free = for_sale - sold - held
    return PoolRow(
        *(pool.id, free, held, sold, pool.cap - for_sale, 0, waiting, offered, 0, 0, offered),
        first if free else 0,
    )


def _you(m: Manifest, stage: Stage, now_ms: int) -> wire.You:
    mine = stage.mine
    item = m.items[0]
    pool = item.pools[0].id
    holds, entries, orders = [], [], []
    if mine in ("hold", "offer"):
        length_ms = m.hold_ms if mine == "hold" else m.offer_ms
        if stage.listed:
            length_ms = m.first_offer_ms
        holds.append(
            wire.HoldView(
                id="h1",
                key=NOBODY,
                pool=pool,
                qty=1,
                price=item.price,
                origin="press" if mine == "hold" else "line",
                state="active",
                start_ms=now_ms,
                deadline_ms=now_ms + length_ms,
                claimed=mine == "hold",
                extended=False,
                checking=False,
            )
        )
    if mine == "entry":
        place = wire.LinePlace(pool, PLACE, 0, 1, views.latest_turn(PLACE, m.k))
        number = PLACE + (_entering(m, stage, now_ms).called if stage.listed else 0)
        entry = wire.EntryView("e1", NOBODY, number, 1, "base", 0, "waiting", 0, 0, "", [place])
        if m.game is not None:
            points = min(POINTS, m.game.most)
            first = wire.LinePlace(pool, 1, 0, 0, 0)
            entry = msgspec.structs.replace(entry, points=points, rank=points, boost=[first])
        entries.append(entry)
    if mine == "listed":
        entry = wire.EntryView("e1", NOBODY, 0, 1, "base", 0, "waiting", 0, 0, "", [], 1, [pool])
        entries.append(entry)
    if mine == "order":
        orders.append(
            wire.OrderView(
                "h0", pool, 1, item.price, [1], "done", now_ms - CLOSED_AGO_MS, number_of("h0")
            )
        )
    return wire.You(1, NOBODY, len(holds) + len(orders), holds, entries, orders)

"""Records as screens read them: from what the scripts answer to the messages of `wire`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from dropengine import model, wire
from dropengine.catalogue import ENGLISH
from dropengine.live.places import Move
from dropengine.manifest import MINOR_DIGITS, Item, Manifest, Way
from dropengine.manifest.defaults import IDENTITIES, MODES
from dropengine.model import HoldRecord, Lane
from dropengine.order_number import number_of
from dropengine.randomness import BeaconRound, CommitReveal, Source
from dropengine.truth.replies import PlaceRow, ViewReply, YouRow
from dropengine.wire_game import CollectorsView, FriendsView, GameRulesView, MissionRuleView

WHY_ENDED = {
    model.EntryState.DORMANT: "lapses",
    model.EntryState.LEFT: "left",
    model.EntryState.REMOVED: "limit",
}
"""What a place ended by, other than a sale."""
CARRIED = ("", "asked", "confirmed")
"""Over from an earlier drop, as a record counts it."""


def drop_view(
    m: Manifest,
    view: ViewReply,
    lines: dict[str, int],
    *,
    digest: str,
    epoch: str,
    durable: bool,
    beat_ms: int,
    chance: Source | None = None,
    pays: Sequence[str] = (),
) -> wire.DropView:
    """The whole public drop as it stands in a view. lines: pool -> r that the screens know.
    beat_ms: within which screens hear of it again. chance: by what its list is ordered. pays: what
    a fan may pay by."""
    return wire.DropView(
        id=m.id,
        title=m.title,
        maker=m.maker,
        story=m.story,
        state=shown_state(view),
        revision=view.revision,
        mode=m.mode,
        currency=m.currency,
        minor_digits=MINOR_DIGITS[m.currency],
        zone=m.zone,
        opens_ms=view.opens_ms,
        closes_ms=view.closes_ms,
        now=view.now_ms,
        limit=m.limit,
        k=m.k,
        hold_ms=m.hold_ms,
        offer_ms=m.offer_ms,
        extend_ms=m.extend_ms,
        cool_ms=m.cool_ms,
        practice=m.practice,
        pace=m.pace,
        pace_ms=m.pace_ms,
        hash=digest,
        epoch=epoch,
        durable=durable,
        items=[_item(item) for item in m.items],
        pools=pool_views(m, view),
        lines=lines,
        news=[wire.News(seq, at, text) for seq, at, text in view.news],
        why=why_stopped(view),
        beat_ms=beat_ms,
        language=m.language,
        asks=m.asks,
        identity=m.identity or IDENTITIES[0],
        calls_from_ms=m.calls_from_ms,
        calls_to_ms=m.calls_to_ms,
        calls_ms=view.calls_ms,
        network_most=m.network_most,
        domain_most=m.domain_most,
        chance=None if chance is None else chance_view(m, chance, view.entering.sealed_ms),
        listed=list_view(m, view),
        exempt=view.exempt,
        early=early_view(view),
        cohorts=cohort_views(m),
        carried_share=m.carried_share if m.carried_from else 0,
        game=game_view(m),
        ways=[way_view(way) for way in m.ways],
        hand_ms=m.hand_ms,
        hand_share=m.hand_share,
        pays=[*pays],
    )


def way_view(way: Way) -> wire.WayView:
    """How what was bought comes to its buyer."""
    return wire.WayView(
        id=way.id,
        kind=way.kind,
        title=way.title,
        amount=way.amount,
        off=way.off,
        nodes=[*way.nodes],
        countries=[*way.countries],
        from_ms=way.from_ms,
        until_ms=way.until_ms,
        cash=way.cash,
    )


def game_view(m: Manifest) -> GameRulesView | None:
    """What gives points in its line."""
    if m.game is None:
        return None
    friends, collectors = m.game.friends, m.game.collectors
    return GameRulesView(
        points_until=m.game.points_until,
        most=m.game.most,
        friends=None
        if friends is None
        else FriendsView(
            friends.worth,
            friends.most,
            friends.delay_ms,
            friends.network_most,
            friends.domain_most,
            paid=m.identity != "verified",
        ),
        collectors=None
        if collectors is None
        else CollectorsView(collectors.bought, collectors.missed, collectors.most),
        missions=[
            MissionRuleView(one.id, one.title, one.kind, one.worth, one.ends_ms)
            for one in m.game.missions
        ],
    )


def chance_view(m: Manifest, chance: Source, sealed_ms: int) -> wire.ChanceView:
    """The rules of its list. sealed_ms: when it was sealed, 0: it was not."""
    named: dict[str, Any]
    match chance:
        case CommitReveal(commitment=commitment):
            named = {"commitment": commitment}
        case BeaconRound(chain=chain, round=number):
            named = {"chain": chain, "round": number}
            if known := chance.known():
                counts = known.round_for(number, sealed_ms) if sealed_ms else number
                due_ms = known.due_ms(counts)
                named |= {"round": counts, "beacon": known.beacon_id, "due_ms": due_ms}
                named |= {"own": chance.own is not None}
    return wire.ChanceView(
        m.window_ms, m.first_offer_ms, m.tickets_most, guests=m.guests_may_enter, **named
    )


def begins_ms(m: Manifest, view: ViewReply) -> int | None:
    """From when on something can be had that cannot be yet, where that is known: the opening, while
    a list is open its seal, before it the moment when it opens."""
    match view.state:
        case model.DropState.SCHEDULED if m.mode == "lobby" and view.opens_ms:
            return view.opens_ms - m.window_ms
        case model.DropState.SCHEDULED:
            return view.opens_ms or None
        case model.DropState.LOBBY:
            return view.entering.seals_ms or None
    return None


def list_view(m: Manifest, view: ViewReply) -> wire.ListView | None:
    """How far the list has come that chance orders."""
    if m.mode == MODES[0]:
        return None
    row = view.entering
    return wire.ListView(
        row.entries,
        row.placed,
        row.seals_ms,
        row.sealed_ms,
        row.root,
        row.revealed,
        row.won,
        row.called,
        row.behind,
    )


def early_view(view: ViewReply) -> wire.EarlyView | None:
    """Does early access last; None where there are no cohorts."""
    if view.early is None:
        return None
    early = view.early
    return wire.EarlyView(early.lasts, early.widened_ms or early.public_ms)


def cohort_views(m: Manifest) -> list[wire.CohortView]:
    """What the manifest says of each."""
    pools = [pool.id for item in m.items for pool in item.pools]
    return [
        wire.CohortView(
            id=one.id,
            title=one.title,
            most=dict(zip(pools, one.most, strict=True)),
            listed=one.listed,
            codes=one.codes,
            bought=one.bought,
            missed=one.missed,
        )
        for one in m.cohorts
    ]


def _item(item: Item) -> wire.ItemView:
    return wire.ItemView(
        id=item.id,
        title=item.title,
        cap=item.cap,
        price=item.price,
        limit=item.limit,
        most=item.most,
        about=item.about,
        pools=[pool.id for pool in item.pools],
    )


def pool_views(m: Manifest, view: ViewReply) -> dict[str, wire.PoolView]:
    """pool -> its counts, with what the manifest says of it."""
    caps = {pool.id: (item.id, pool.cap) for item in m.items for pool in item.pools}
    return {
        row.id: wire.PoolView(
            *caps[row.id],
            row.free,
            row.held,
            row.sold,
            row.withheld,
            row.leased,
            row.waiting,
            row.buying,
            row.offered,
            row.next,
        )
        for row in view.pools
    }


def you(
    row: YouRow,
    seq: int,
    k: int,
    shown: Mapping[str, Any],
    payments: Sequence[wire.PaymentView] = (),
) -> wire.You:
    """A fan's records. k: of the lane rule. shown: his holds and the one that ended last, which
    the row itself may be older than: views, or the JSON of each as `msgspec.Raw`. payments: those
    that he is told of."""
    record = row.record
    boosts = dict(row.boosts)
    return wire.You(
        seq=seq,
        fan=row.person or row.fan,
        used=record.used,
        holds=[shown[hold_id] for hold_id in record.holds],
        entries=[_entry(*one, boosts.get(one[0], []), k) for one in row.entries]
        if row.entries
        else [],
        orders=[_order(*one) for one in row.orders] if row.orders else [],
        ended=shown.get(record.last),
        ended_entry=_ended(*row.ended[0]) if row.ended else None,
        cohorts=record.cohorts or UNSET,
        payments=[*payments] or UNSET,
    )


def told_payments(
    payments: Sequence[tuple[str, model.PaymentRecord]],
) -> list[tuple[str, model.PaymentRecord]]:
    """Of a fan's payments those that he is told of: the open ones, and the newest that is over."""
    over = [one for one in payments if one[1].state != model.PaymentState.OPEN]
    return [one for one in payments if one in over[-1:] or one not in over]


def payment_view(
    payment_id: str, payment: model.PaymentRecord, page: str, reference: str = ""
) -> wire.PaymentView:
    """A payment; `page` is where it is paid, told only while that makes sense. reference: what a
    payment by hand is told by."""
    is_open = payment.state == model.PaymentState.OPEN
    return wire.PaymentView(
        id=payment_id,
        holds=payment.holds,
        way=payment.way,
        amount=payment.amount,
        currency=payment.currency,
        provider=payment.provider,
        state=payment.state,
        deadline_ms=payment.deadline_ms,
        page=page if is_open else "",
        all=bool(payment.all),
        leaving=bool(payment.leaving),
        asking=payment.looked if is_open else 0,
        reference=reference if is_open else "",
    )


def _entry(
    entry_id: str,
    entry: model.EntryRecord,
    lines: list[PlaceRow],
    boost: list[PlaceRow],
    k: int,
) -> wire.EntryView:
    return wire.EntryView(
        id=entry_id,
        key=entry.key,
        n=entry.n,
        qty=entry.qty,
        lane=Lane(entry.lane).name.lower(),
        points=entry.points,
        state=entry.state,
        lapses=entry.lapses,
        cool_ms=entry.cool_ms,
        hold=entry.hold,
        lines=[
            wire.LinePlace(line.pool, line.place, line.r, line.buying, latest_turn(line.place, k))
            for line in lines
        ],
        tickets=entry.tickets,
        pools=[] if entry.n else entry.pools,
        carried=CARRIED[entry.carried],
        rank=entry.rank,
        boost=[wire.LinePlace(at.pool, at.place, at.r, at.buying, 0) for at in boost],
    )


def _ended(entry_id: str, entry: model.EntryRecord) -> wire.EndedEntry:
    return wire.EndedEntry(
        id=entry_id,
        key=entry.key,
        n=entry.n,
        qty=entry.qty,
        pools=entry.pools,
        why=WHY_ENDED[model.EntryState(entry.state)],
    )


def _order(order_id: str, order: model.OrderRecord) -> wire.OrderView:
    return wire.OrderView(
        id=order_id,
        pool=order.pool,
        qty=order.qty,
        amount=order.amount,
        serials=order.serials,
        state=order.state,
        at=order.at_ms,
        number=number_of(order_id),
        why=order.why,
        payment=order.payment,
    )


def hold_view(hold_id: str, hold: HoldRecord, page: str) -> wire.HoldView:
    """A hold; `page` is where it is paid, told only while that makes sense."""
    return wire.HoldView(
        id=hold_id,
        key=hold.key,
        pool=hold.pool,
        qty=hold.qty,
        price=hold.price,
        origin=hold.origin,
        state=hold.state,
        start_ms=hold.start_ms,
        deadline_ms=hold.deadline_ms,
        claimed=bool(hold.claimed),
        extended=bool(hold.extended),
        checking=bool(hold.looked) and hold.state == "paying",
        pay=page if hold.state == "paying" else "",
        asking=hold.looked if hold.state == "paying" else 0,
        payment=hold.payment,
    )


def latest_turn(place: int, k: int) -> int:
    """Calls up to yours, lapsed ones not counted, are at most ceil(place x k / (k - 1))."""
    return -(-place * k // (k - 1)) if k > 1 else place


def why_stopped(view: ViewReply) -> str:
    """The reason that fans read: the maker's, or of a drop that stopped itself."""
    if view.state != model.DropState.FROZEN:
        return view.why
    return str(ENGLISH.sentences["stopped"].get(view.why, ""))


def shown_state(view: ViewReply) -> str:
    """`live` without a free or a held unit anywhere is what people call sold out."""
    if view.state == "live" and all(row.free == 0 and row.held == 0 for row in view.pools):
        return model.DropState.SOLD_OUT
    return view.state


def tick(
    m: Manifest,
    view: ViewReply,
    moved: Mapping[str, tuple[int, list[int]]] | None = None,
    boosts: Mapping[str, tuple[int, list[Move]]] | None = None,
    *,
    away: bool = False,
) -> wire.Tick:
    """The frame for everybody. moved: pool -> (r0, arrivals); boosts: the same of its boost lane.
    away: these are the last known."""
    return wire.Tick(
        seq=view.seq,
        now=view.now_ms,
        state=shown_state(view),
        revision=view.revision,
        pools=pool_views(m, view),
        opens_ms=view.opens_ms,
        closes_ms=view.closes_ms,
        lines={pool: wire.Moves(r0, left) for pool, (r0, left) in (moved or {}).items()},
        away=away,
        why=why_stopped(view),
        calls_ms=view.calls_ms,
        listed=list_view(m, view),
        exempt=view.exempt,
        early=early_view(view),
        boosts={pool: wire.BoostMoves(r0, moves) for pool, (r0, moves) in (boosts or {}).items()},
    )

"""The doors at which creators read their drops: the list, one drop, its log, its rows."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from dropengine import model, refusals
from dropengine.asked import NOTE, ORDER, Asks, name_of
from dropengine.doors.studio.drop_messages import (
    AnswersPage,
    AnswersRow,
    Counts,
    DropsPage,
    DutyView,
    EntriesPage,
    EntryRow,
    HoldRow,
    HoldsPage,
    LogPage,
    OrderRow,
    OrdersPage,
    ReceiverRow,
    StudioDrop,
    StudioDropLine,
)
from dropengine.doors.studio.entering import Caller
from dropengine.doors.studio.studio_answers import refused, told
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.errors import ManifestError, NewerSchema
from dropengine.model import DropId
from dropengine.order_number import number_of
from dropengine.people import answers, makers
from dropengine.people.answers import Told
from dropengine.sql.database import Database
from dropengine.truth.record_pages import page
from dropengine.truth.replies import BEYOND, Shown, ViewReply
from dropengine.truth.store import Store

DROPS_PAGE_MAX = 50
LOG_PAGE_MAX = 500
NUMBER_MAX = 2**53 - 1

R = TypeVar("R", model.HoldRecord, model.OrderRecord, model.EntryRecord)


class DropDoors:
    """One method a door. origin: the address people type."""

    def __init__(self, store: Store, database: Database, origin: str) -> None:
        self._store = store
        self._database = database
        self._origin = origin

    def routes(self, doors: Doors) -> list[Route]:
        """What is read."""
        return [
            doors.route("GET", "/drops", self.drops),
            doors.route("GET", "/drops/{drop}", self.drop),
            doors.route("GET", "/drops/{drop}/log", self.log),
            doors.route("GET", "/drops/{drop}/holds", self.holds),
            doors.route("GET", "/drops/{drop}/orders", self.orders),
            doors.route("GET", "/drops/{drop}/answers", self.answers),
            doors.route("GET", "/drops/{drop}/entries", self.entries),
        ]

    async def drops(self, call: Call) -> Response:
        """The drops of my makers, the newest first."""
        query = call.request.query_params
        return told(await self.mine(call.caller, query.get("after", ""), query.get("maker", "")))

    async def mine(self, caller: Caller, after: str = "", wanted: str = "") -> DropsPage:
        """A page of somebody's drops. wanted: of this maker alone."""
        every = await self._store.every_drop()
        if after:
            every = every[every.index(DropId(after)) + 1 :] if DropId(after) in every else []
        whose = await self._database.read(lambda sql: makers.owners_of(sql, [*every]))
        belongs = caller.makers.keys() & ({wanted} if wanted else caller.makers.keys())
        mine = [drop for drop in every if whose.get(drop) in belongs]
        shown = mine[:DROPS_PAGE_MAX]
        lines = [await self._line(drop, whose[drop]) for drop in shown]
        more = len(mine) > len(shown)
        return DropsPage([one for one in lines if one is not None], shown[-1] if more else "")

    async def _line(self, drop: DropId, maker: str) -> StudioDropLine | None:
        try:
            shown = await self._store.show(drop)
        except (NewerSchema, ManifestError):
            # One that cannot be read takes no list down.
            return None
        if shown is None:
            return None
        view = await self._store.view(drop, BEYOND, BEYOND)
        counts = _counts(view) if isinstance(view, ViewReply) else []
        m = shown.manifest
        times = (view.opens_ms, view.closes_ms) if isinstance(view, ViewReply) else (0, 0)
        return StudioDropLine(
            drop,
            maker,
            m.title,
            shown.state,
            shown.revision,
            *times,
            shown.froze,
            counts,
            m.zone,
            m.practice,
        )

    async def drop(self, call: Call) -> Response:
        """Everything about a drop but its rows. The tag is its revision."""
        drop = DropId(call.named("drop"))
        shown = await self._store.show(drop)
        if shown is None:
            return refused(refusals.NotFound())
        view = await self._store.view(drop, BEYOND, BEYOND)
        known = view if isinstance(view, ViewReply) else None
        response = told(await self._shown(call, drop, shown, known))
        response.headers["ETag"] = f'"{known.revision if known else shown.revision}"'
        return response

    async def _shown(
        self, call: Call, drop: DropId, shown: Shown, view: ViewReply | None
    ) -> StudioDrop:
        outbox = await self._store.outbox(drop)
        duties = sorted(outbox.duties.items(), key=lambda row: row[1].at_ms)
        m = shown.manifest
        return StudioDrop(
            id=drop,
            maker=call.maker.id,
            state=view.state if view else shown.state,
            revision=view.revision if view else shown.revision,
            seq=view.seq if view else shown.seq,
            now=view.now_ms if view else call.now_ms,
            opens_ms=view.opens_ms if view else m.opens_ms,
            closes_ms=view.closes_ms if view else m.closes_ms,
            why=view.why if view else "",
            why_frozen=shown.froze,
            paused_by=await self._store.operators.name(shown.paused_by),
            hash=shown.hash,
            address=f"{self._origin}/drops/{drop}",
            manifest=m,
            counts=_counts(view) if view else [],
            duties=[
                DutyView(
                    name,
                    duty.kind,
                    duty.hold,
                    duty.amount,
                    duty.currency or m.currency,
                    duty.at_ms,
                )
                for name, duty in duties
            ],
            set_aside=outbox.set_aside,
        )

    async def log(self, call: Call) -> Response:
        """The events after a number, as the log has them."""
        drop, after = DropId(call.named("drop")), _after(call)
        if await self._store.show(drop) is None:
            return refused(refusals.NotFound())
        events: list[msgspec.Raw] = []
        async for line in self._store.log(drop, after):
            if len(events) == LOG_PAGE_MAX:
                return told(LogPage(events, after + len(events)))
            events.append(msgspec.Raw(line))
        return told(LogPage(events, 0))

    async def holds(self, call: Call) -> Response:
        """Holds and offers, ended ones too, in the order in which they were granted."""
        found = await page(self._store, *_asked(call, model.HoldRecord))
        rows = [
            HoldRow(
                name,
                one.fan,
                one.pool,
                one.qty,
                one.price,
                one.origin,
                one.state,
                one.start_ms,
                one.deadline_ms,
                one.entry,
            )
            for name, one in found.rows
        ]
        return told(HoldsPage(rows, found.after))

    async def orders(self, call: Call) -> Response:
        """What was bought, refunded orders too."""
        drop, kind, after = _asked(call, model.OrderRecord)
        found = await page(self._store, drop, kind, after)
        ids = await self._store.charge_ids.of(drop, [one.charge for _, one in found.rows])
        rows = [
            OrderRow(
                name,
                number_of(name),
                one.fan,
                one.pool,
                one.qty,
                one.amount,
                one.serials,
                one.charge,
                ids.get(one.charge, ""),
                one.state,
                one.at_ms,
            )
            for name, one in found.rows
        ]
        return told(OrdersPage(rows, found.after))

    async def answers(self, call: Call) -> Response:
        """What fans said of their orders, and who receives them."""
        drop, kind, after = _asked(call, model.OrderRecord)
        found = await page(self._store, drop, kind, after)
        shown = await self._store.show(drop)
        asks = (shown.manifest.asks if shown is not None else None) or Asks()
        names = [name for name, _ in found.rows]
        known = await self._database.read(lambda sql: answers.of_orders(sql, drop, names))
        rows = [_answers(name, one, known.get(name, Told()), asks) for name, one in found.rows]
        return told(AnswersPage(rows, found.after))

    async def entries(self, call: Call) -> Response:
        """Who stands or stood in the line, in the order of arrival."""
        found = await page(self._store, *_asked(call, model.EntryRecord))
        rows = [
            EntryRow(
                name,
                one.fan,
                one.n,
                one.qty,
                one.pools,
                model.Lane(one.lane).name.lower(),
                one.points,
                one.state,
                one.lapses,
                one.hold,
                one.cool_ms,
            )
            for name, one in found.rows
        ]
        return told(EntriesPage(rows, found.after))


def _answers(name: str, one: model.OrderRecord, told: Told, asks: Asks) -> AnswersRow:
    notes = [told.answers.get((unit, NOTE), "") for unit in range(1, one.qty + 1)]
    kept = one.state not in model.GIVEN_BACK
    return AnswersRow(
        id=name,
        number=number_of(name),
        state=one.state,
        qty=one.qty,
        serials=one.serials,
        answers=answers.as_fields(told.answers, ORDER),
        notes=notes if any(notes) else [],
        missing=[name_of(one) for one in asks.missing(one.qty, told.answers)] if kept else [],
        locked_ms=told.locked_ms,
        locked_by=told.locked_by,
        receivers=[
            ReceiverRow(
                unit=link.unit,
                serial=link.serial,
                kind=link.kind,
                label=link.label,
                made_ms=link.made_ms,
                revoked_ms=link.revoked_ms,
                taken_ms=link.taken_ms,
                answers=link.answers,
            )
            for link in told.receivers
        ],
    )


def _asked(call: Call, kind: type[R]) -> tuple[DropId, type[R], int]:
    return DropId(call.named("drop")), kind, _after(call)


def _after(call: Call) -> int:
    """`?after=`. Raises Unfit."""
    text = call.request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= NUMBER_MAX):
        raise Unfit("after is a whole number")
    return int(text)


def _counts(view: ViewReply) -> list[Counts]:
    return [
        Counts(
            pool.id,
            pool.free,
            pool.held,
            pool.sold,
            pool.withheld,
            pool.leased,
            pool.waiting,
            pool.buying,
            pool.offered,
        )
        for pool in view.pools
    ]

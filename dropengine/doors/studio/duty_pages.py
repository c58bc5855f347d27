"""What a drop owes outside: captures, refunds and questions that are under way, those that a person
has to try again or to end because the provider does not do them, and where the provider and the
drop say different things about money."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from dropengine import plain_text
from dropengine.creator_commands import WHY_CHARS_MAX
from dropengine.doors.access import DUTIES
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import standing
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.jobs import duties, reconciling
from dropengine.jobs.duties import AGE_MS_MAX, SetAside
from dropengine.jobs.reconciling import Amiss
from dropengine.model import DropId
from dropengine.order_number import number_of
from dropengine.payments.reconciliation import Then
from dropengine.people.roles import May
from dropengine.truth.store import Store

WHAT = {
    "capture": "Collect the money of order {number}",
    "refund": "Send the money of order {number} back",
    "void": "Let a payment go that buys nothing",
    "cancel": "Ask to cancel the payment of order {number}, or whether it was paid",
    "lookup": "Ask whether order {number} was paid",
}
LISTED_MAX = 200


class Owed(NamedTuple):
    """One duty. `charge`: as the provider calls it, '' where that is not known. `late`: the
    provider had a whole day for it. `aside`: why the shop has ceased to try, where it has."""

    id: str
    what: str
    charge: str
    amount: int
    since_ms: int
    late: bool
    aside: SetAside | None


class Found(NamedTuple):
    """What the provider and the drop say differently. `then`: what to do about it."""

    amiss: Amiss
    order: str
    then: str


NO_MONEY = (
    "The provider keeps nothing for this order. Look there; if nothing came, do not hand it over, "
    "and refund it: then its units are free."
)
TOLD = "The shop tells it to the drop by itself, and looks again in a minute. Nothing to do yet."
BACK = "The shop sends it back by itself, and looks again in a minute. Nothing to do yet."
ANOTHER = (
    "Look at the provider what became of it. If the money went back there, ask whoever runs the "
    "machine for `dropengine reconcile`; if it should go back, send it back there."
)


class DutyPages:
    """One page, and its form. origin: the address people type."""

    def __init__(self, store: Store, commands: CommandDoors, origin: str) -> None:
        self._store = store
        self._commands = commands
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """Reading, ending and trying again."""
        self._panel = panel
        return [
            panel.route("GET", DUTIES, self.owed),
            panel.route("POST", DUTIES, self.end),
            panel.route("POST", f"{DUTIES}/again", self.again),
        ]

    async def owed(self, call: PanelCall) -> Response:
        """GET .../payments: the oldest first."""
        return await self._owed(call)

    async def end(self, call: PanelCall) -> Response:
        """POST .../payments: somebody did it by hand, or nobody will."""
        said = {name: call.fields.get(name, "").strip() for name in ("id", "as", "why")}
        if len(said["why"]) > WHY_CHARS_MAX or plain_text.unfit(said["why"]):
            return await self._owed(call, f"The reason may have {WHY_CHARS_MAX} characters.", 400)
        if said["as"] not in ("by_hand", "given_up"):
            return await self._owed(call, "Say how it ended.", 400)
        problem = problem_of(await self._commands.duty(call.asking(**said)))
        if problem is not None:
            told = f"{problem.title} {problem.detail}".strip()
            return await self._owed(call, told, problem.status)
        return self._panel.then(call, DUTIES.format(drop=call.named("drop")), "It is ended.")

    async def again(self, call: PanelCall) -> Response:
        """POST .../payments/again: one that the shop has ceased to try."""
        drop, duty = DropId(call.named("drop")), call.fields.get("id", "")
        if not await duties.try_again(self._store, drop, duty, call.now_ms):
            return await self._owed(call, "It is not set aside any more.", 409)
        here = DUTIES.format(drop=drop)
        return self._panel.then(call, here, "It is tried again within some seconds.")

    async def _owed(self, call: PanelCall, wrong: str = "", status: int = 200) -> Response:
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        outbox = await self._store.outbox(drop)
        charges = [duty.charge for duty in outbox.duties.values() if duty.charge]
        ids = await self._store.charge_ids.of(drop, charges)
        aside = {one.id: one for one in await duties.shown(self._store, drop)}
        differences = await reconciling.shown(self._store, drop)
        rows = [
            Owed(
                name,
                WHAT[duty.kind].format(number=number_of(duty.hold)),
                ids.get(duty.charge, ""),
                duty.amount,
                duty.at_ms,
                call.now_ms - duty.at_ms >= AGE_MS_MAX,
                aside.get(name),
            )
            for name, duty in sorted(outbox.duties.items(), key=lambda row: row[1].at_ms)
        ]
        return self._panel.page(
            call,
            "studio-duties.html",
            status,
            **words(s, self._origin),
            rows=rows[:LISTED_MAX],
            found=[_found(one) for one in differences[:LISTED_MAX]],
            more=len(rows) - LISTED_MAX,
            unread=outbox.set_aside,
            waits=outbox.waits,
            wrong=wrong,
            may_run=call.may >= May.RUN,
            duties=DUTIES.format(drop=drop),
            number_of=number_of,
            most=WHY_CHARS_MAX,
        )


def _found(one: Amiss) -> Found:
    """With what to do about it."""
    then = NO_MONEY if not one.at else ANOTHER
    if one.log.endswith(f": {Then.TOLD}"):
        then = TOLD
    elif one.log.endswith(f": {Then.BACK}"):
        then = BACK
    order = one.payment if one.payment.startswith("h") else ""
    return Found(one, order, then)

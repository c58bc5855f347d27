"""Payments by hand of a drop, in the panel: who has to pay what until when, what came, and what the
maker has to send back.

What is entered is the maker's word, as a provider's is: the scripts judge it, and it leaves a row
in the audit trail.
"""

from __future__ import annotations

import hashlib
import logging
from typing import NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import outcomes, refusals
from dropengine.doors.access import HANDS
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import standing
from dropengine.doors.studio.studio_answers import problem_of, refused
from dropengine.doors.studio.studio_messages import Gone
from dropengine.manifest.amounts import amount as written
from dropengine.manifest.amounts import minor
from dropengine.manifest.currencies import MINOR_DIGITS, money
from dropengine.model import DropId, PaymentState
from dropengine.payments import duties
from dropengine.payments.configured import BY_HAND, Configured
from dropengine.payments.hands import bills, charges, references
from dropengine.payments.hands.bills import Bill, Entered
from dropengine.payments.hands.charges import Tick
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Failed, Unknown
from dropengine.people import bank_accounts, order_notes
from dropengine.people.bank_accounts import BankAccount
from dropengine.people.one_after_another import change
from dropengine.people.roles import May
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

CASH = "cash"
SENT_MAX = 50
NO_REFERENCE = (
    "There is no payment with this reference in this drop. It has eight letters and digits."
)
NO_SUM = "Say how much came: the sum {why}."
WHY = {
    "refund": "a refund",
    "void": "came for what could not be had any more",
    "rest": "a part could not be had",
    "over": "more came than was asked for",
    "short": "too little came, and the time is over",
    "late": "came after the time was over",
}


class Deps(Protocol):
    """What these pages need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def database(self) -> Database: ...
    @property
    def payments(self) -> Configured: ...
    @property
    def intents(self) -> IntentIds: ...


class Open(NamedTuple):
    """A payment that may be paid still. `more`: there may be more time for it, once. `form`: tells
    its forms from others of the page."""

    payment: str
    reference: str
    asked: str
    received: str
    missing: str
    missing_typed: str
    deadline_ms: int
    cash: bool
    short: bool
    more: bool
    form: str


class Back(NamedTuple):
    """What is to be sent back, or was."""

    id: str
    reference: str
    why: str
    amount: str
    asked_ms: int
    sent_ms: int
    by: str
    form: str


class HandPages:
    """One page, and its forms. origin: the address people type."""

    def __init__(self, deps: Deps, commands: CommandDoors, changes: Changes, origin: str) -> None:
        self._deps = deps
        self._commands = commands
        self._changes = changes
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """Reading and entering."""
        self._panel = panel
        return [
            panel.route("GET", HANDS, self.listed),
            panel.route("POST", f"{HANDS}/received", self.received),
            panel.route("POST", f"{HANDS}/handed-over", self.handed_over),
            panel.route("POST", f"{HANDS}/more-time", self.more_time),
            panel.route("POST", f"{HANDS}/sent", self.sent),
        ]

    async def listed(self, call: PanelCall) -> Response:
        """GET .../by-hand: the most urgent first."""
        return await self._page(call)

    async def received(self, call: PanelCall) -> Response:
        """POST .../by-hand/received: a sum came under a reference."""
        drop = DropId(call.named("drop"))
        bill = await self._bill(drop, call.fields.get("reference", ""))
        if bill is None:
            return await self._page(call, NO_REFERENCE, 404)
        try:
            amount = minor(call.fields.get("sum", "").strip(), bill.intent.minor_digits)
        except ValueError as fault:
            return await self._page(call, NO_SUM.format(why=fault), 400)
        return await self._entered(call, bill, amount, hand_over=False)

    async def handed_over(self, call: PanelCall) -> Response:
        """POST .../by-hand/handed-over: its fan paid what was missing, and has it."""
        drop = DropId(call.named("drop"))
        bill = await self._bill(drop, call.fields.get("reference", ""))
        if bill is None:
            return await self._page(call, NO_REFERENCE, 404)
        return await self._entered(call, bill, bill.missing, hand_over=True)

    async def _entered(
        self, call: PanelCall, bill: Bill, amount: int, *, hand_over: bool
    ) -> Response:
        deps, intent = self._deps, bill.intent
        key = hashlib.sha256(f"{call.caller.id} {call.key}".encode()).hexdigest()
        entered: list[Entered] = []
        judged: list[object] = []

        async def given() -> Response | Gone:
            found = await change(
                deps.database,
                lambda sql: bills.receive(sql, intent.id, amount, key, call.caller.by, call.now_ms),
            )
            if found is None:
                return refused(refusals.NotFound())
            entered.append(found)
            outcome = await self._judged(found.bill)
            judged.append(outcome)
            if hand_over and isinstance(outcome, outcomes.Paid):
                await deps.database.write(lambda sql: _hand_over(sql, call, intent.drop, outcome))
            return Gone(intent.payment)

        asked = call.asking(reference=bill.reference, amount=amount)
        what = "hand over for cash" if hand_over else "received"
        answer = await self._changes.noted(
            asked, what, given, of=f"{intent.drop} {intent.payment}", why=self._money(bill, amount)
        )
        problem = problem_of(answer)
        if problem is not None:
            return await self._page(call, f"{problem.title} {problem.detail}".strip(), 409)
        sentence = self._sentence(entered[0], judged[0])
        return self._panel.then(call, HANDS.format(drop=intent.drop), sentence)

    async def _judged(self, bill: Bill) -> outcomes.PaymentOutcome | Unknown | Failed | None:
        """What the scripts say, where it is paid: whoever dies before that is found by the
        reconciler within a minute."""
        provider = self._deps.payments.of(BY_HAND)
        if bill.paid is None or provider is None:
            return None
        store, intents, intent = self._deps.store, self._deps.intents, bill.intent
        ours = intent.id in await intents.all(intent.drop, intent.payment)
        # One of another life of the drop is for none of its payments.
        payment = intent.payment if ours else ""
        told = (provider, intents, intent.drop, payment, bill.paid)
        return await duties.report(store, self._deps.payments, *told)

    def _sentence(self, entered: Entered, judged: object) -> str:
        bill = entered.bill
        over = ""
        if entered.over:
            over = f" {self._money(bill, entered.over)} is to be sent back: it stands below."
        match judged:
            case outcomes.Paid():
                return f"{bill.reference} is paid: it is sold.{over}"
            case outcomes.Voided():
                return f"{bill.reference} was paid for what cannot be had any more: send it back."
            case None if bill.missing:
                return (
                    f"Entered. {self._money(bill, bill.missing)} is missing still at "
                    f"{bill.reference}, and it stays open."
                )
            case None:
                return f"Entered.{over}"
            case _:
                return f"Entered. What it buys is decided within a minute.{over}"

    async def more_time(self, call: PanelCall) -> Response:
        """POST .../by-hand/more-time: as much time again, once."""
        drop, payment = DropId(call.named("drop")), call.fields.get("payment", "")
        answer = await self._commands.more_time(call.asking(payment=payment))
        problem = problem_of(answer)
        if problem is not None:
            told = f"{problem.title} {problem.detail}".strip()
            return await self._page(call, told, problem.status)
        record = await self._deps.store.payment(drop, payment)
        if record is not None:
            deadline_ms = record.deadline_ms
            await change(
                self._deps.database, lambda sql: bills.later(sql, drop, payment, deadline_ms)
            )
        return self._panel.then(call, HANDS.format(drop=drop), "There is more time for it.")

    async def sent(self, call: PanelCall) -> Response:
        """POST .../by-hand/sent: the money of a tick is on its way back."""
        drop, tick = DropId(call.named("drop")), call.fields.get("id", "")

        async def given() -> Response | Gone:
            def ticked(sql: Connection) -> Tick | None:
                if all(one.id != tick for one in charges.owed(sql, drop)):
                    return None
                return charges.send(sql, tick, call.caller.by, call.now_ms)

            found = await change(self._deps.database, ticked)
            if found is None:
                return refused(refusals.NotFound())
            await self._ticked_off(drop, found)
            return Gone(tick)

        answer = await self._changes.noted(call.asking(id=tick), "sent back", given, of=drop)
        problem = problem_of(answer)
        if problem is not None:
            told = f"{problem.title} {problem.detail}".strip()
            return await self._page(call, told, problem.status)
        return self._panel.then(call, HANDS.format(drop=drop), "It is ticked as sent.")

    async def _ticked_off(self, drop: DropId, tick: Tick) -> None:
        """What the drop owed is done by that: at once, also where it waits for a person already."""
        deps = self._deps
        for name, duty in (await deps.store.duties(drop)).items():
            if duty.payment == tick.payment and duty.kind in ("refund", "void"):
                await duties.perform(deps.store, deps.payments, deps.intents, drop, name, duty)

    async def _bill(self, drop: DropId, typed: str) -> Bill | None:
        reference = references.read(typed)
        found = await self._deps.database.read(lambda sql: bills.by_reference(sql, reference))
        return found if found is not None and found.intent.drop == drop else None

    async def _page(self, call: PanelCall, wrong: str = "", status: int = 200) -> Response:
        drop = DropId(call.named("drop"))
        s = await standing(self._deps.store, drop)
        if s is None:
            return self._panel.missing(call)

        def asked(
            sql: Connection,
        ) -> tuple[list[Bill], list[Tick], list[Tick], BankAccount | None]:
            return (
                [bill for bill in bills.of_drop(sql, drop) if bill.open],
                charges.owed(sql, drop),
                charges.sent(sql, drop, SENT_MAX),
                bank_accounts.of(sql, call.maker.id),
            )

        found, owed, sent, account = await self._deps.database.read(asked)
        rows = [row for bill in found if (row := await self._open(bill)) is not None]
        digits = MINOR_DIGITS[s.manifest.currency]
        return self._panel.page(
            call,
            "studio-by-hand.html",
            status,
            **words(s, self._origin),
            rows=sorted(rows, key=lambda row: row.deadline_ms),
            owed=[_back(one, digits) for one in owed],
            sent=[_back(one, digits) for one in sent],
            account=account,
            bank=f"/studio/makers/{call.maker.id}/bank",
            offered=s.manifest.hand_ms > 0,
            wrong=wrong,
            may_run=call.may >= May.RUN,
            may_manage=call.may >= May.MANAGE,
            hands=HANDS.format(drop=drop),
        )

    async def _open(self, bill: Bill) -> Open | None:
        intent = bill.intent
        record = await self._deps.store.payment(intent.drop, intent.payment)
        if record is None or record.state != PaymentState.OPEN:
            return None
        if intent.id not in await self._deps.intents.all(intent.drop, intent.payment):
            return None
        return Open(
            intent.payment,
            bill.reference,
            self._money(bill, intent.amount),
            self._money(bill, bill.received),
            self._money(bill, bill.missing),
            written(bill.missing, intent.minor_digits),
            record.deadline_ms,
            record.provider == CASH,
            bill.received > 0,
            not record.more and not record.looked,
            bill.reference,
        )

    def _money(self, bill: Bill, amount: int) -> str:
        return money(amount, bill.intent.currency, bill.intent.minor_digits)


def _back(tick: Tick, digits: int) -> Back:
    amount = money(tick.amount, tick.currency, digits)
    form = hashlib.sha256(tick.id.encode()).hexdigest()[:12]
    why = WHY.get(tick.why, tick.why)
    return Back(tick.id, tick.reference, why, amount, tick.asked_ms, tick.sent_ms, tick.by, form)


def _hand_over(sql: Connection, call: PanelCall, drop: str, paid: outcomes.Paid) -> None:
    for hold in paid.sold:
        order_notes.hand_over(sql, drop, hold, call.caller.by, call.now_ms)

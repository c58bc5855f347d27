"""One drop of a test with its clock in hand: short verbs, fresh keys, the answers of the store."""

from __future__ import annotations

from itertools import count
from typing import Any, Literal

from dropengine import events, model, outcomes, refusals, wire
from dropengine.creator_commands import COMMANDS, EndDuty
from dropengine.log import draw
from dropengine.log.replay import Truth
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.randomness import CommitReveal, Source
from dropengine.truth.command_rows import join_row
from dropengine.truth.networks import NetworkNames, Whence
from dropengine.truth.replies import Pointed, Sealed, Settled, Started, YouRow
from dropengine.truth.store import CarriedRow, CarryReply, Pointing, Store, Whences
from tests.kit.manifests import START_MS

SECRET = bytes(range(32))
"""What the drops of tests commit to whose arrivals chance gives out."""

HASH = "ab" * 32
"""Of the list that the drops of tests carry over."""

Answer = outcomes.PressOutcome | refusals.Away


class Sale:
    """`now` is the clock of every command; `revision` follows the creator's commands."""

    def __init__(self, store: Store, drop: str, now: int = START_MS) -> None:
        self.store = store
        self.drop = DropId(drop)
        self.now = now
        self.revision = 0
        self.chance: Source = CommitReveal(draw.commitment_of(SECRET))
        self.whence: dict[str, Whence] = {}
        """Fan -> where he is; who is not in it is nowhere that is counted."""
        self.names = NetworkNames()
        self._keys = count(1)

    def key(self) -> str:
        return f"k{next(self._keys)}"

    async def batch(self, *commands: tuple[str, wire.FanCommand]) -> list[Answer]:
        rows = [(FanId(fan), command) for fan, command in commands]
        from_where = None
        if self.whence:
            from_where = Whences(self.names, [self.whence.get(fan) for fan, _ in commands])
        return list(await self.store.press(self.drop, rows, whence=from_where, clock_ms=self.now))

    async def press(self, fan: str, command: wire.FanCommand) -> Answer:
        (outcome,) = await self.batch((fan, command))
        return outcome

    async def hold(
        self, fan: str, pool: str = "pin", qty: int = 1, *, fewer: bool = False, key: str = ""
    ) -> Answer:
        command = wire.Hold(id=0, key=key or self.key(), pool=pool, qty=qty, fewer=fewer)
        return await self.press(fan, command)

    async def held(self, fan: str, pool: str = "pin", qty: int = 1) -> str:
        """A press that must be granted; the id of its hold."""
        outcome = await self.hold(fan, pool, qty)
        assert isinstance(outcome, outcomes.Held), outcome
        return outcome.id

    async def basket(
        self, fan: str, *wants: wire.Want | str, all_of: bool = False, key: str = ""
    ) -> outcomes.Basketed:
        """A basket that must be answered; a word wants one unit of that pool."""
        each = [wire.Want([want]) if isinstance(want, str) else want for want in wants]
        outcome = await self.press(fan, wire.Basket(0, key or self.key(), each, all_of))
        assert isinstance(outcome, outcomes.Basketed), outcome
        return outcome

    async def swap(self, fan: str, hold: str, pool: str, key: str = "") -> Answer:
        return await self.press(fan, wire.Swap(0, key or self.key(), hold, pool))

    async def join(self, fan: str, *pools: str, qty: int = 1, key: str = "") -> Answer:
        command = wire.Join(id=0, key=key or self.key(), pools=list(pools or ("pin",)), qty=qty)
        return await self.press(fan, command)

    async def joined(self, fan: str, *pools: str, qty: int = 1) -> str:
        outcome = await self.join(fan, *pools, qty=qty)
        assert isinstance(outcome, outcomes.Joined), outcome
        return outcome.id

    async def called(self, fan: str, *pools: str, qty: int = 1) -> str:
        """An entry that has an offer: it joins in a pause, when nothing can be had at once."""
        await self.creator("pause")
        entry = await self.joined(fan, *pools, qty=qty)
        await self.creator("resume")
        return entry

    async def claim(self, fan: str, hold: str) -> Answer:
        return await self.press(fan, wire.Claim(id=0, key=self.key(), hold=hold))

    async def release(self, fan: str, hold: str) -> Answer:
        return await self.press(fan, wire.Release(id=0, key=self.key(), hold=hold))

    async def extend(self, fan: str, hold: str) -> Answer:
        return await self.press(fan, wire.Extend(id=0, key=self.key(), hold=hold))

    async def pay(
        self, fan: str, *holds: str, way: str = "", provider: str = "", all_: bool = False
    ) -> Answer:
        command = wire.Pay(
            id=0, key=self.key(), holds=list(holds), way=way, provider=provider, all=all_
        )
        return await self.press(fan, command)

    async def unpay(self, fan: str, payment: str) -> Answer:
        return await self.press(fan, wire.Unpay(id=0, key=self.key(), payment=payment))

    async def payment(self, payment: str = "p1") -> model.PaymentRecord:
        found = await self.store.payment(self.drop, payment)
        assert found is not None, payment
        return found

    async def more_time(self, payment: str, *, key: str = "") -> outcomes.MoreTimeOutcome:
        return await self.store.more_time(
            self.drop, payment, by="o1", key=key or self.key(), clock_ms=self.now
        )

    async def leave(self, fan: str, entry: str) -> Answer:
        return await self.press(fan, wire.Leave(id=0, key=self.key(), entry=entry))

    async def confirm(self, fan: str, entry: str) -> Answer:
        return await self.press(fan, wire.Confirm(id=0, key=self.key(), entry=entry))

    async def carry(
        self, *rows: CarriedRow, first: int = 1, of: int = 0, digest: str = HASH
    ) -> CarryReply:
        """Some of an earlier drop's list of so many; of these, where nothing is said."""
        return await self.store.carry(
            self.drop, digest, first, of or len(rows), rows, clock_ms=self.now
        )

    async def succeeded(
        self,
        hold: str,
        charge: str = "",
        *,
        amount: int | None = None,
        currency: str = "EUR",
        captured: bool = False,
        card: str = "",
    ) -> outcomes.PaymentOutcome:
        """The provider's word for a payment or a hold, by default over what it costs. charge,
        card: as the provider calls them."""
        if amount is None:
            paying = await self.store.payment(self.drop, hold)
            record = await self.store.hold(self.drop, hold)
            amount = paying.amount if paying else record.price * record.qty if record else 0
        return await self.store.succeeded(
            self.drop,
            hold,
            charge or f"c-{hold}",
            amount,
            currency,
            captured,
            card=card,
            clock_ms=self.now,
        )

    async def bought(self, fan: str, pool: str = "pin", qty: int = 1) -> str:
        hold = await self.held(fan, pool, qty)
        outcome = await self.succeeded(hold)
        assert isinstance(outcome, outcomes.Paid), outcome
        return hold

    async def adopt(self, guest: str, person: str) -> outcomes.AdoptOutcome | refusals.Closed:
        return await self.store.adopt(self.drop, FanId(guest), FanId(person), clock_ms=self.now)

    async def enroll(self, fan: str, *cohorts: str) -> outcomes.EnrollOutcome:
        return await self.store.enroll(self.drop, FanId(fan), cohorts, clock_ms=self.now)

    async def point(self, fan: str, at: int, points: int, why: str = "friend") -> str:
        """What becomes of one row."""
        rows = [Pointing(FanId(fan), at, points, why)]
        reply = await self.store.point(self.drop, rows, clock_ms=self.now)
        assert isinstance(reply, Pointed), reply
        return reply.results[0]

    async def unpaid(self, hold: str) -> outcomes.UnpaidOutcome:
        return await self.store.unpaid(self.drop, hold, clock_ms=self.now)

    async def refund(
        self,
        order: str,
        *serials: int,
        by: str = "o1",
        key: str = "",
        why: str = "",
        back: Literal["line", "withheld", ""] = "line",
        amount: int | None = None,
    ) -> outcomes.RefundOutcome:
        return await self.store.refund(
            self.drop,
            order,
            by=by,
            key=key or self.key(),
            why=why,
            serials=serials,
            back=back,
            amount=amount,
            clock_ms=self.now,
        )

    async def came_back(
        self, order: str, *serials: int, by: str = "o1", key: str = ""
    ) -> outcomes.CameBackOutcome:
        return await self.store.came_back(
            self.drop, order, by=by, key=key or self.key(), serials=serials, clock_ms=self.now
        )

    async def charged_back(
        self, payment: str, amount: int, *, by: str = "provider", key: str = ""
    ) -> outcomes.ChargedBackOutcome:
        return await self.store.charged_back(
            self.drop, payment, amount, by=by, key=key or self.key(), clock_ms=self.now
        )

    async def discharge(self, duty: str, result: str = "done") -> outcomes.DischargeOutcome:
        return await self.store.discharge(self.drop, duty, result, clock_ms=self.now)

    async def end_duty(
        self, duty: str, how: Literal["by_hand", "given_up"], why: str = "", key: str = ""
    ) -> outcomes.EndDutyOutcome:
        ending = EndDuty(duty, how, why)
        key = key or self.key()
        return await self.store.end_duty(self.drop, ending, by="o1", key=key, clock_ms=self.now)

    async def entered(self, *fans: str, tickets: int = 1, nonce: str = "") -> list[str]:
        """Entries in the list of a lobby, one a fan."""
        rows = [
            join_row(
                FanId(fan),
                wire.Join(id=0, key=self.key(), pools=["pin"], qty=1, nonce=nonce),
                tickets,
            )
            for fan in fans
        ]
        told = await self.store.press_rows(self.drop, rows, clock_ms=self.now)
        return [answer.id for answer in told if isinstance(answer, outcomes.Joined)]

    async def sealed(self) -> draw.Sealed:
        """The list as the server tells it, and what it is made of."""
        entries: list[draw.Entry] = []
        part = 1
        while part:
            reply = await self.store.sealed(self.drop, part, 3)
            assert isinstance(reply, Sealed), reply
            entries += [
                draw.Entry(name, entry.tickets, bytes.fromhex(entry.nonce))
                for name, entry in reply.rows
            ]
            part = reply.next
        return draw.Sealed(entries)

    async def in_order(self, *, size: int = 100, start: bool = True) -> list[str]:
        """Order the sealed list, and open the drop with it: the ids in their order."""
        listed = await self.sealed()
        reply = await self.store.sealed(self.drop)
        assert isinstance(reply, Sealed)
        chance = draw.chance_of(reply.randomness, listed.root, SECRET, sealed_ms=reply.sealed_ms)
        right, root = draw.order(listed, chance), listed.root.hex()
        await self.store.root(self.drop, root, clock_ms=self.now)
        await self.store.reveal(self.drop, SECRET.hex(), clock_ms=self.now)
        for first in range(0, len(right), size):
            ids = right[first : first + size]
            n = reply.carried + first + 1
            await self.store.order(self.drop, root, n, ids, clock_ms=self.now)
        if start:
            started = await self.store.start(self.drop, clock_ms=self.now)
            assert isinstance(started, Started), started
        return right

    async def publish(self, manifest: Manifest, key: str = "publish") -> outcomes.PublishOutcome:
        chance = self.chance if manifest.mode != "rush" else None
        outcome = await self.store.publish(
            manifest, by="o1", key=key, chance=chance, test=True, clock_ms=self.now
        )
        self._note(outcome)
        return outcome

    async def creator(
        self,
        verb: str,
        *,
        key: str = "",
        by: str = "o1",
        revision: int | None = None,
        **more: Any,
    ) -> outcomes.CreatorOutcome:
        """verb: one of `creator_commands.COMMANDS`; more: its fields."""
        outcome = await self.store.command(
            self.drop,
            COMMANDS[verb](**more),
            revision=self.revision if revision is None else revision,
            by=by,
            key=key or self.key(),
            clock_ms=self.now,
        )
        self._note(outcome)
        return outcome

    def _note(self, outcome: outcomes.CreatorOutcome | outcomes.PublishOutcome) -> None:
        if isinstance(outcome, outcomes.Changed):
            self.revision = outcome.revision

    async def settle(self) -> Settled:
        outcome = await self.store.settle(self.drop, clock_ms=self.now)
        assert isinstance(outcome, Settled), outcome
        return outcome

    async def truth(self) -> Truth:
        truth = await self.store.truth(self.drop)
        assert truth is not None, "no such drop"
        return truth

    async def log(self) -> list[events.AnyEvent]:
        return [events.parse(line) async for line in self.store.log(self.drop)]

    async def words(self) -> list[str]:
        """The events of the log by name."""
        return [model.snake(type(event).__name__) for event in await self.log()]

    async def you(self, fan: str) -> YouRow:
        reply = await self.store.you(self.drop, [FanId(fan)], clock_ms=self.now)
        assert not isinstance(reply, refusals.Frozen | refusals.NotFound), reply
        (row,) = reply.rows
        return row

    async def counts(self, pool: str = "pin") -> tuple[int, int, int, int]:
        """free, held, sold, withheld."""
        record = (await self.truth()).pools[pool]
        return record.free, record.held, record.sold, record.withheld

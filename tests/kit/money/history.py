"""One history of a drop's money, drawn from a seed, and what must be true at its end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

import msgspec

from dropengine import outcomes, wire
from dropengine.creator_commands import Cancel, Open
from dropengine.errors import Unavailable
from dropengine.log.replay import Truth
from dropengine.manifest import Way
from dropengine.model import DropId, FanId, PaymentRecord
from dropengine.payments import duties, reconciliation
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import Do
from dropengine.payments.port import Charged, Intent, Kept, Line, Unknown
from dropengine.payments.reconciliation import Comparison
from dropengine.truth.store import Store
from tests.kit.local_provider import SHOP
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, PAY_MS, item, manifest
from tests.kit.money import killed
from tests.kit.money.killed import Fate, Killed
from tests.kit.money.tills import Till
from tests.kit.webhook_receiver import Clock

FANS = ("ana", "bo", "cy", "di")
POOLS = ("cup", "pin", "map")
POST = Way(
    id="post",
    kind="ship",
    title="Post",
    countries=("DE",),
    nodes=(),
    amount=690,
    off=0,
    from_ms=0,
    until_ms=0,
    cash=False,
)
STALL = msgspec.structs.replace(POST, id="stall", kind="pickup", countries=(), amount=0, off=500)
LOST = "p999"
STEPS = (20, 45)
ROUNDS_MAX = 12
"""Of duties, until nothing is owed any more."""
Back = Literal["line", "withheld", ""]
DOES: Sequence[Do] = ("pay", "pay", "pay", "decline", "delay", "late", "twice")


class Parts(TypedDict):
    """What of an order is given back, and how."""

    serials: Sequence[int]
    back: Back
    amount: int | None


class History:
    """store, clock: in test time. till: the provider and its payers. word: how the drop calls
    it."""

    def __init__(
        self, store: Store, clock: Clock, till: Till, drop: DropId, seed: int, word: str = "local"
    ) -> None:
        self.store, self.clock, self.till, self.drop = store, clock, till, drop
        self.chance = random.Random(seed)
        self.fate = Fate(self.chance)
        self.met: Counter[str] = self.fate.met
        self.word = word
        self.began_ms = clock.ms
        self.intents = IntentIds(SHOP, store)
        self.real = Configured({word: till.payments}, word, local_anywhere=True)
        self.faulty = Configured(
            {word: killed.provider(till.payments, self.fate)}, word, local_anywhere=True
        )
        self.heard: list[tuple[str, Charged]] = []
        """Words of the provider that are on their way, or came and come again."""
        self.keys = 0

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    async def play(self) -> list[str]:
        """The whole history; what was wrong at its end."""
        await self.publish()
        for _ in range(self.chance.randint(*STEPS)):
            step = self.chance.choices(
                (self.buys, self.goes_to_pay, self.leaves, self.hears, self.works, self.waits,
                 self.gives_back, self.cancels),
                (6, 8, 2, 5, 6, 3, 2, 0.05),
            )[0]  # fmt: skip
            await step()
        return await self.end()

    async def publish(self) -> None:
        ways = self.chance.choice(((), (POST,), (POST, STALL)))
        items = [item(name, {name: self.chance.randint(1, 3)}, price=2400) for name in POOLS]
        text = manifest(str(self.drop), *items, limit=6)
        text = msgspec.structs.replace(text, ways=ways)
        self.ways = [way.id for way in ways] or [""]
        at = self.clock.ms
        await self.store.publish(text, by="o1", key="publish", test=True, clock_ms=at)
        await self.store.command(self.drop, Open(), revision=1, by="o1", key=self.key())

    async def press(self, fan: str, command: wire.FanCommand) -> object:
        (answer,) = await self.store.press(self.drop, [(FanId(fan), command)])
        return answer

    async def buys(self) -> None:
        """A basket of what he likes, and a payment over some of what he has."""
        fan, chance = self.chance.choice(FANS), self.chance
        named = chance.sample(POOLS, chance.randint(1, 3))
        wants = [wire.Want(pools=[pool], qty=chance.randint(1, 2), fewer=True) for pool in named]
        basket = wire.Basket(id=0, key=self.key(), wants=wants, all=chance.random() < 0.2)
        await self.press(fan, basket)
        if chance.random() < 0.8:
            await self.pays(fan)

    async def pays(self, fan: str) -> None:
        truth = await self.truth()
        mine = [h for h, one in truth.holds.items() if one.fan == fan and one.state == "active"]
        other = [h for h, one in truth.holds.items() if one.fan == fan and one.state == "paying"]
        if not mine:
            return
        some = self.chance.sample(mine, self.chance.randint(1, len(mine)))
        if other and self.chance.random() < 0.2:
            some.append(self.chance.choice(other))
        pay = wire.Pay(
            id=0,
            key=self.key(),
            holds=some,
            way=self.chance.choice(self.ways),
            provider=self.word,
            all=self.chance.random() < 0.4,
        )
        answer = await self.press(fan, pay)
        if not isinstance(answer, outcomes.Paying):
            self.met["an overlap is refused"] += 1
        elif len(answer.payment.holds) > 1:
            self.met["several holds in one payment"] += 1

    async def goes_to_pay(self) -> None:
        """Some payer goes to the page of some payment, whatever became of it since."""
        named = await self.a_payment()
        if named is None:
            return
        if self.chance.random() < 0.03:
            await self.pays_for_nobody(*named)
            return
        name, record = named
        if record.state != "open":
            self.met["paid after its end"] += 1
        do = self.chance.choice(DOES)
        card = self.chance.choice(("", "4242", "4000"))
        await self.till.pays(await self.intent(name, record), do, self.after(), card)
        if self.chance.random() < 0.6:
            await self.listens(name)

    async def pays_for_nobody(self, name: str, record: PaymentRecord) -> None:
        """For a payment of this drop that it does not know, as after a restore."""
        like = await self.intent(name, record)
        lost = f"{self.drop}.{LOST}.{self.keys:032x}"
        intent = msgspec.structs.replace(like, id=lost, payment=LOST)
        await self.till.pays(intent, "pay", 0, "")
        self.met["paid for a payment that is not known"] += 1

    def after(self) -> int:
        return self.chance.choice((0, 0, 0, 5_000, PAY_MS, HOLD_MS))

    async def intent(self, name: str, record: PaymentRecord) -> Intent:
        intent = await self.intents.now(self.drop, name)
        assert intent is not None
        return Intent(
            id=intent,
            drop=self.drop,
            payment=name,
            title="Test drop",
            lines=(Line("Things", 1, record.amount, record.amount),),
            amount=record.amount,
            currency=record.currency,
            minor_digits=2,
            deadline_ms=record.deadline_ms,
            zone="UTC",
            back=f"/drops/{self.drop}",
        )

    async def listens(self, name: str) -> None:
        """The provider's word as it is now is on its way: it comes when it comes, or never."""
        for intent in await self.intents.all(self.drop, name):
            answer = await self.till.payments.lookup(intent)
            if isinstance(answer, Charged):
                self.heard += [(name, one) for one in (answer, *answer.also)]

    async def hears(self) -> None:
        """One of the words comes: in whatever order, late, perhaps once more, perhaps never."""
        if not self.heard:
            return
        word = self.chance.choice(self.heard)
        if self.chance.random() < 0.6:
            self.heard.remove(word)
        else:
            self.met["a word comes again"] += 1
        if self.chance.random() < 0.2:
            self.met["a word never comes"] += 1
            return
        await self.worker(self.tells(*word))

    async def tells(self, name: str, paid: Charged) -> None:
        store = killed.store(self.store, self.fate)
        (at,) = self.faulty
        await duties.report(store, self.faulty, at, self.intents, self.drop, name, paid)

    async def works(self) -> None:
        """A worker does some of what is owed, and may die over it."""
        owed = list((await self.store.duties(self.drop)).items())
        self.chance.shuffle(owed)
        for name, duty in owed[: self.chance.randint(1, 3)]:
            store = killed.store(self.store, self.fate)
            did = duties.perform(store, self.faulty, self.intents, self.drop, name, duty)
            await self.worker(did)

    async def worker(self, work: object) -> None:
        self.fate.dies_after(self.chance.choice((None, None, 0, 1, 2, 3)))
        try:
            await work  # type: ignore[misc]
        except (Killed, Unavailable):
            self.met["a worker stopped half-way"] += 1
        finally:
            self.fate.dies_after(None)

    async def leaves(self) -> None:
        """A fan pays no more, at the very deadline now and then."""
        named = await self.a_payment(still=True)
        if named is None:
            return
        name, record = named
        if self.chance.random() < 0.3:
            self.clock.ms = max(self.clock.ms, record.deadline_ms + self.chance.choice((-1, 0, 1)))
            self.met["unpay at the deadline"] += 1
        await self.press(record.fan, wire.Unpay(id=0, key=self.key(), payment=name))

    async def waits(self) -> None:
        """To the next deadline, a little, or long."""
        named = await self.a_payment(still=True)
        until = max(0, named[1].deadline_ms - self.clock.ms) if named else HOLD_MS
        self.clock.ms += self.chance.choice((1, 5_000, until, until, LOOKUP_MS, HOLD_MS))
        await self.store.settle(self.drop)

    async def gives_back(self) -> None:
        truth = await self.truth()
        if not truth.orders:
            return
        name, order = self.chance.choice(list(truth.orders.items()))
        share = self.chance.choice((None, None, order.amount // 2))
        backs: tuple[Back, ...] = ("line", "withheld", "" if share is not None else "line")
        back = self.chance.choice(backs)
        serials = order.serials[:1] if back and self.chance.random() < 0.5 else ()
        parts: Parts = {"serials": serials, "back": back, "amount": share}
        await self.store.refund(self.drop, name, by="o1", key=self.key(), **parts)
        self.met["given back"] += 1
        if order.away and self.chance.random() < 0.5:
            await self.store.came_back(self.drop, name, by="o1", key=self.key())

    async def cancels(self) -> None:
        shown = await self.store.show(self.drop)
        assert shown is not None
        at, rain = shown.revision, Cancel("rain")
        await self.store.command(self.drop, rain, revision=at, by="o1", key=self.key())
        self.met["cancelled"] += 1

    async def truth(self) -> Truth:
        found = await self.store.truth(self.drop)
        assert found is not None
        return found

    async def a_payment(self, *, still: bool = False) -> tuple[str, PaymentRecord] | None:
        """Mostly one that is open. still: of those alone."""
        found = (await self.truth()).payments
        standing = [one for one in found.items() if one[1].state == "open"]
        if standing and (still or self.chance.random() < 0.7):
            return self.chance.choice(standing)
        return None if still or not found else self.chance.choice(list(found.items()))

    async def end(self) -> list[str]:
        """Everything is over and nothing goes wrong any more: what is not as promised."""
        self.fate.calm = True
        self.clock.ms += 4 * (HOLD_MS + PAY_MS + LOOKUP_MS)
        for _ in range(ROUNDS_MAX):
            await self.store.settle(self.drop)
            self.clock.ms += LOOKUP_MS
            owed = (await self.store.duties(self.drop)).items()
            for name, duty in owed:
                store = self.store
                await duties.perform(store, self.real, self.intents, self.drop, name, duty)
            if not owed:
                break
        left = [f"still owed: {name}" for name in await self.store.duties(self.drop)]
        found = await self.compared()
        if found.differences:
            self.met["the reconciler found something"] += 1
            await self.reconciled(found)
            found = await self.compared()
        failed = [f"after two rounds: {one}" for one in found.differences]
        return left + failed + self.wrong(await self.truth(), await self.kept())

    async def reconciled(self, found: Comparison) -> None:
        told = (self.store, self.real, self.intents, self.drop)
        await reconciliation.tell(*told, found)
        await reconciliation.give_back(self.real, self.drop, found)
        for name, duty in (await self.store.duties(self.drop)).items():
            await duties.perform(*told, name, duty)

    async def kept(self) -> list[Kept]:
        answer = await self.till.payments.kept(self.began_ms - 1)
        assert not isinstance(answer, Unknown)
        return [one for one in answer if one.drop == self.drop]

    async def compared(self) -> Comparison:
        kept = {self.till.payments.name: await self.kept()}
        providers = Configured(
            {self.till.payments.name: self.till.payments}, self.till.payments.name
        )
        return await reconciliation.compare(self.store, providers, self.intents, self.drop, kept)

    def wrong(self, truth: Truth, kept: Sequence[Kept]) -> list[str]:
        """What is not as promised, in the books of the provider beside those of the drop."""
        at_provider = money_of(kept)
        wrong = [f"{one.payment} is only authorised" for one in kept if not one.paid.captured]
        for name, record in truth.payments.items():
            orders = {h: o for h, o in truth.orders.items() if o.payment == name}
            charges = at_provider.get(name, [])
            had = sum(charges)
            if len(charges) > 1:
                wrong.append(f"{name} is charged twice: {charges}")
            if had and not orders:
                wrong.append(f"{name} is paid for nothing: {charges}")
            failed = any(one.state in ("capture_failed", "charged_back") for one in orders.values())
            if had != record.kept and not failed:
                wrong.append(f"INV-10: {name} has {had} at the provider, {record.kept} are kept")
            standing = [o for o in orders.values() if o.state in ("capture_pending", "done")]
            if any(one.state == "capture_pending" for one in standing):
                wrong.append(f"{name}: nobody captures what its orders cost")
            if any(one.amount for one in standing) and not had and not failed:
                wrong.append(f"{name}: units are sold without money")
            shares = sum(one.amount for one in standing) + record.way_kept
            if standing and not failed and shares > record.kept:
                wrong.append(f"{name}: shares and way are {shares}, {record.kept} are kept")
        return wrong + [f"{name} is no payment" for name in at_provider.keys() - truth.payments]


def money_of(kept: Sequence[Kept]) -> Mapping[str, list[int]]:
    """Payment -> what of each of its charges the shop has, or has a hand on."""
    found: dict[str, list[int]] = {}
    for one in kept:
        paid = one.paid
        left = paid.taken - paid.returned if paid.captured else paid.amount
        if left:
            found.setdefault(one.payment, []).append(left)
    return found

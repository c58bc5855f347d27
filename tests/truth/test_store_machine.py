"""The state machine: the real scripts against the oracle, command for command and key for key.

Whatever fans, creators, providers and the clock do in whatever order, the answers, the log and
every truth key are those of `tests.model`; the log alone folds into the same truth, and the
referee finds nothing in it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from itertools import combinations, count
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dropengine import events, outcomes, refusals, wire
from dropengine.creator_commands import (
    Add,
    Cancel,
    Close,
    CreatorCommand,
    EndDuty,
    Exempt,
    Message,
    Open,
    Pause,
    Realign,
    Reschedule,
    Restrict,
    Resume,
    Thaw,
    Withdraw,
)
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.manifest import Manifest, Way, correction, digest, rules
from dropengine.model import CAP_MAX, KEPT_MS, PRICE_MAX, DropId, FanId
from dropengine.randomness import Source
from dropengine.truth import connections, keys, repair
from dropengine.truth.networks import AROUND, DOMAIN, NetworkNames, Whence, card_name, counts_in
from dropengine.truth.past import Past
from dropengine.truth.replies import ListRow, PartOut, Pointed, Settled, ViewReply, YouReply
from dropengine.truth.scripts import Script
from dropengine.truth.store import Pointing, Store, Whences
from tests.kit import expected_truth, older_layouts
from tests.kit.kept_books import KeptBooks
from tests.kit.manifests import COOL_MS, HOUR_MS, START_MS, TIMES, item, manifest, playing
from tests.kit.oracle import Oracle
from tests.kit.private_server import Server
from tests.kit.sale import Answer
from tests.kit.two_lanes_in_log import TwoLanes

T = TypeVar("T")

FANS = ("ana", "bo", "cy", "di")
PERSONS = ("pia", "pia", "quin")
"""Whom nobody knew before a guest became one of them."""
POOLS = ("cup-hill", "cup-port", "pin")
HOURS = ("open", "close", "lobby", "seal", "calls", "quiet", "widen")
GRANTED = (outcomes.HoldGranted, outcomes.EntryGranted)
TOGETHER = ("hold", "hold", "fewer", "join", "release", "claim", "pay", "extend", "leave")
OPERATORS = ("o1", "o2", "disk", "durability")
"""Two people, and two watches whose pauses end by themselves."""
PACE_MS = 1500
PLACES: tuple[Whence, ...] = (
    *((f"10.0.0.{i}", "10.0.0.0/24") for i in range(5)),
    ("10.0.9.1", "10.0.9.0/24"),
)
"""Five networks in one around them, and one far away."""
FIRM = "firm"
COLLEAGUES = ("bo", "cy", "pia")
"""Whose addresses are at one mail domain."""
WAYS = (
    Way(
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
    ),
    Way(
        id="stall",
        kind="pickup",
        title="At our stall",
        countries=(),
        nodes=(),
        amount=0,
        off=200,
        from_ms=START_MS,
        until_ms=START_MS + 30 * HOUR_MS,
        cash=True,
    ),
)
HAND_MS = (0, 24 * HOUR_MS)
PROVIDERS = ("local",) * 4 + ("stripe", "by_hand", "by_hand", "cash")
USUAL_ORDER = ("cool_ms", "lookup_ms", "extend_ms", "pay_ms", "hold_ms", "offer_ms")
CROWD = 80
"""Units more, for more fans than one script settles or serves at once."""
CLOSES = {"open and close": 30_000_000, "close as it opens": 1_000, "close before it opens": 500}
"""After so many ms; it opens after 1,000 where it does so by its clock."""

HALF_HOUR_MS = 1_800_000
CALLS = (
    *(("UTC", 0, 0),) * 3,
    ("UTC", 8 * HOUR_MS, 22 * HOUR_MS),
    ("Europe/Madrid", 12 * HOUR_MS, 12 * HOUR_MS + HALF_HOUR_MS),
    ("Asia/Kathmandu", 17 * HOUR_MS, 16 * HOUR_MS),
)
"""In which zone the line calls from when to when: at all hours, as most drops, a short while, all
but an hour. A drop begins at 08:00 of UTC, and calls for three hours whatever the clocks show."""

_drops = count(1)

fans = st.sampled_from(FANS)
pools = st.sampled_from(POOLS)
quantities = st.integers(1, 3)
nth = st.integers(0, 30)
"""Chooses one of the things that exist by then; see `pick`."""


class Hands:
    """The loop, the client and the store that all runs of the machine share."""

    def __init__(self, server: Server, loaded: dict[str, Script] | None = None) -> None:
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.client = self.run(self._client(server))
        self.store = Store(self.client, loaded)
        self.books = KeptBooks(self.store)

    @staticmethod
    async def _client(server: Server) -> Any:
        return connections.client(server.url)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.books.close())
        self.run(self.client.aclose(close_connection_pool=True))
        self.runner.close()


@pytest.fixture
def hands(server: Server) -> Iterator[Hands]:
    pair = Hands(server)
    yield pair
    pair.close()


def is_offer(event: events.AnyEvent) -> bool:
    return isinstance(event, events.Offered)


class Machine(RuleBasedStateMachine):
    """One drop, driven twice."""

    hands: ClassVar[Hands]

    def __init__(self) -> None:
        super().__init__()
        self.run = self.hands.run
        self.store = self.hands.store
        self.drop = DropId(f"machine-{next(_drops)}")
        self.now = START_MS
        self.numbers = count(1)
        self.checked = 0
        self.lowered = False
        self.pressed: list[tuple[str, wire.FanCommand, Answer]] = []
        self.ordered: list[tuple[CreatorCommand, int, str, str]] = []
        self.paid: list[tuple[str, str, int, str, bool]] = []
        self.refunds: list[tuple[str, str, str, dict[str, Any]]] = []
        self.met: set[str] = set()
        self.names = NetworkNames()
        self.books_of_points: dict[str, int] = {}
        """Fan -> the last number in it."""
        self.places = dict.fromkeys(FANS, PLACES[0])
        """Fan -> where he is; whoever is not among them is nowhere that is counted."""

    @initialize(
        caps=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
        limit=st.sampled_from((1, 2, 3, 4, CAP_MAX)),
        cup_limit=st.integers(0, 2),
        cup_price=st.sampled_from((2400, 2400, 1, PRICE_MAX)),
        k=st.sampled_from((1, 2, 3, 100)),
        spare=st.integers(0, 1),
        price=st.sampled_from((900, 900, 0)),
        pace=st.sampled_from((0, 0, 3)),
        hours=st.sampled_from(("by hand",) * 4 + ("open", "open and close", *CLOSES)),
        marked=st.booleans(),
        times=st.fixed_dictionaries({name: st.sampled_from(ms) for name, ms in TIMES.items()}),
        crowd=st.sampled_from((0, CROWD)),
        calls=st.sampled_from(CALLS),
        network_most=st.sampled_from((0, 0, 1, 2)),
        domain_most=st.sampled_from((0, 0, 1)),
        points=st.sampled_from(("", "", "close", "close", "seal")),
        ways=st.integers(0, 2),
        hand=st.sampled_from((0, 0, 1, 50, 100)),
    )
    def publish(
        self,
        caps: tuple[int, int, int],
        limit: int,
        cup_limit: int,
        cup_price: int,
        k: int,
        spare: int,
        price: int,
        pace: int,
        hours: str,
        marked: bool,
        times: dict[str, int],
        crowd: int,
        calls: tuple[str, int, int],
        network_most: int,
        domain_most: int,
        points: str,
        ways: int,
        hand: int,
    ) -> None:
        self.names = NetworkNames(networks=network_most > 0, domains=domain_most > 0)
        self.crowd = crowd
        text = manifest(
            self.drop,
            item(
                "cup",
                {"cup-hill": caps[0], "cup-port": caps[1]},
                price=cup_price,
                limit=cup_limit,
                most=2,
            ),
            item("pin", {"pin": caps[2] + crowd + spare}, price=price, withheld={"pin": spare}),
            limit=limit,
            k=k,
            opens_ms=0 if hours == "by hand" else START_MS + 1000,
            closes_ms=START_MS + CLOSES[hours] if hours in CLOSES else 0,
            pace=pace,
            pace_ms=PACE_MS if pace else 0,
            network_most=network_most,
            domain_most=domain_most,
        )
        zone, calls_from_ms, calls_to_ms = calls
        text = msgspec.structs.replace(
            text, zone=zone, calls_from_ms=calls_from_ms, calls_to_ms=calls_to_ms, **times
        )
        text = msgspec.structs.replace(
            text, ways=WAYS[:ways], hand_ms=HAND_MS[hand > 0], hand_share=hand
        )
        if points:
            text = playing(text, "guest", points)
        text, chance = self.shaped(text)
        self.note_rules(text)
        self.run(
            self.store.publish(
                text, by="o1", key="publish", chance=chance, test=True, clock_ms=self.now
            )
        )
        self.text = text
        self.oracle = Oracle(rules(text, self.now, chance), digest(text), "o1", "publish", self.now)
        if marked:
            self.oracle.ran = self.now
            self.somebody_asks()
        if hours == "by hand":
            self.command(Open(), 1, "o1", self.key())
        else:
            self.now = START_MS + 1000

    def shaped(self, text: Manifest) -> tuple[Manifest, Source | None]:
        """What is published, and where chance comes from in it."""
        return text, None

    def note_rules(self, text: Manifest) -> None:
        """Which times stand in another order than the usual one."""
        ms = msgspec.structs.asdict(text)
        for shorter, longer in combinations(USUAL_ORDER, 2):
            if ms[longer] < ms[shorter]:
                self.meets(f"{longer} below {shorter}")
        if 0 < text.closes_ms <= text.opens_ms:
            self.meets("closes no later than it opens")

    def meets(self, what: str) -> None:
        """Something that this run is to make now and then happened in it."""
        self.met.add(what)

    def somebody_asks(self) -> None:
        """The settler, or anybody, ran a script a moment ago: it is no outage that goes on."""
        if self.oracle.ran is not None:
            self.oracle.ran = self.now
            ran = self.hands.client.hset(keys.one(self.drop, "wake"), "ran", self.now)
            self.run(ran)

    def move(self, now: int) -> None:
        self.now = now
        self.somebody_asks()

    def own(self, ms: int) -> int:
        """The server's clock when the drop's own time is this."""
        return ms - self.oracle.lead

    def key(self) -> str:
        return f"k{next(self.numbers)}"

    @rule(which=nth, off=st.integers(-1, 1))
    def move_to_a_deadline(self, which: int, off: int) -> None:
        """One ms before, at, and one ms after what is due next or later."""
        due = sorted({when for when, member in self.oracle.due() if member not in HOURS})
        if due:
            self.move(max(self.now, self.own(due[min(which // 4, len(due) - 1)]) + off))

    @precondition(lambda self: self.oracle.hours)
    @rule(off=st.integers(-1, 1), sure=st.integers(0, 5))
    def move_to_an_hour_of_the_drop(self, off: int, sure: int) -> None:
        if sure == 0:
            self.move(max(self.now, self.own(min(self.oracle.hours.values())) + off))

    @precondition(lambda self: {"calls", "quiet"} & self.oracle.hours.keys())
    @rule(off=st.integers(-1, 1), sure=st.integers(0, 2))
    def move_to_an_hour_of_the_line(self, off: int, sure: int) -> None:
        if sure == 0:
            (turns,) = (self.oracle.hours[w] for w in ("calls", "quiet") if w in self.oracle.hours)
            self.move(max(self.now, self.own(turns) + off))
            self.meets("the hours of the line turn")

    @rule(ms=st.integers(-5, 1000))
    def move_a_little(self, ms: int) -> None:
        """A clock may also step back; the scripts' time does not."""
        self.now += ms

    @rule(ms=st.sampled_from((9_000, 10_000, 61_000, 3_600_000)))
    def nobody_asks_for_a_while(self, ms: int) -> None:
        """Where marks are kept, it is an outage from ten seconds on."""
        self.now += ms

    @rule(ms=st.sampled_from((-7_200_000, -3_000, 7_200_000)), sure=st.integers(0, 3))
    def the_servers_clock_leaps(self, ms: int, sure: int) -> None:
        if sure == 0:
            self.now += ms
            self.run(self.store.doubt_clock(self.drop, clock_ms=self.now))
            waits = self.oracle.state in ("scheduled", "lobby")
            if waits and {"open", "lobby", "seal"} & self.oracle.hours.keys():
                self.oracle.doubted = True
            if self.oracle.state in ("live", "paused") and "widen" in self.oracle.hours:
                self.oracle.doubted = True

    @rule(by=st.sampled_from(("clock", *OPERATORS)))
    def realign(self, by: str) -> None:
        self.command(Realign(), self.oracle.revision, by, self.key())

    @precondition(lambda self: len(self.oracle.log) > 6 and not self.oracle.froze)
    @rule(
        why=st.sampled_from(("half", "half", "restore")),
        sure=st.booleans(),
        soon=st.sampled_from((None, 0, 5_000, 3_600_000)),
        spoiled=st.sets(st.sampled_from(keys.TRUTH[1:])),
    )
    def it_freezes(self, why: str, sure: bool, soon: int | None, spoiled: set[str]) -> None:
        """A commit ended half-way, or somebody brought the drop back from a backup. soon: when
        somebody looks at it; or others come before him."""
        over = self.oracle.state in ("settled", "cancelled")
        if not sure or (over and why == "restore"):
            return
        was = self.oracle.state
        self.oracle.freeze(why, self.now)
        left: dict[str, str | int] = {"mark": self.oracle.changed_at}
        if why == "restore":
            left = {"state": "frozen", "was": was, "froze": "restore"}
        self.run(self.hands.client.hset(keys.one(self.drop, "drop"), mapping=left))
        self.settle()
        if soon is not None:
            self.now += soon
            self.look_and_thaw(spoiled, "o2")

    @precondition(lambda self: self.oracle.froze)
    @rule(spoiled=st.sets(st.sampled_from(keys.TRUTH[1:])), by=st.sampled_from(OPERATORS))
    def it_thaws(self, spoiled: set[str], by: str) -> None:
        self.look_and_thaw(spoiled, by)

    def look_and_thaw(self, spoiled: set[str], by: str) -> None:
        """Whatever became of its records meanwhile, they are rewritten from the log first."""
        lost = self.run(self.spoil(sorted(spoiled)))
        found = self.run(repair.audit(self.store, self.drop))
        assert found is not None
        # That a cooling had not been looked at, though its time was over, no event tells.
        cooling = {row for key, row in lost if key == "entries" and ("due", f"e:{row}") in lost}
        if cooling:
            self.oracle.cool_off(cooling)
            spoiled = spoiled | {"ready"}
        assert {row.key for row in found.rows} <= spoiled
        self.run(repair.rewrite(self.store, found))
        self.run(self.miscount_a_network())
        self.run(repair.recount_networks(self.store, self.drop))
        self.audit()
        self.command(Thaw(len(found.rows)), self.oracle.revision, by, self.key())

    async def miscount_a_network(self) -> None:
        """As a commit that ended half-way may."""
        counted = sorted(self.oracle.counted())
        if counted:
            key = keys.one(self.drop, "networks")
            spoiled = {counted[-1]: f"{counted[0]}99", "h99999": counted[0]}
            await self.hands.client.hset(key, mapping=spoiled)

    async def spoil(self, names: list[str]) -> set[tuple[str, str]]:
        """A row of each of these keys is lost; which. The hours of a drop also pass without an
        event."""
        client, gone = self.hands.client, set[tuple[str, str]]()
        for name in names:
            key = keys.one(self.drop, name)
            is_hash = (await client.type(key)) == b"hash"
            if (await client.type(key)) == b"zset":
                rows = [row for row in await client.zrange(key, 0, 1) if row.decode() not in HOURS]
            elif fields := sorted(await client.hkeys(key)):
                rows = [row for row in fields if name != "holds" or self.is_missed(row.decode())]
            else:
                continue
            for row in rows[:1]:
                await (client.hdel if is_hash else client.zrem)(key, row)
                gone.add((name, row.decode()))
        return gone

    def is_missed(self, hold: str) -> bool:
        """Nobody asks for one that may have been taken out."""
        return not self.oracle.came_to_nothing(self.oracle.holds[hold], self.oracle.at - KEPT_MS)

    @rule()
    def settle(self) -> None:
        answer = self.run(self.store.settle(self.drop, clock_ms=self.now))
        self.oracle.settle(self.now)
        oracle = self.oracle
        due = min((self.own(when) for when, _ in oracle.due()), default=0)
        now = self.own(oracle.at)
        owed = len(oracle.outbox)
        to_carry = int(oracle.state == "scheduled" and oracle.to_carry())
        wanted = Settled(now, oracle.seq, oracle.state, due, owed, oracle.froze, to_carry)
        assert answer == wanted

    @rule(fan=fans, pool=pools, qty=quantities, fewer=st.booleans())
    def hold(self, fan: str, pool: str, qty: int, fewer: bool) -> None:
        self.press((fan, wire.Hold(id=0, key=self.key(), pool=pool, qty=qty, fewer=fewer)))

    @rule(fan=fans, wanted=st.lists(pools, min_size=1, max_size=3, unique=True), qty=quantities)
    def join(self, fan: str, wanted: list[str], qty: int) -> None:
        self.press((fan, wire.Join(id=0, key=self.key(), pools=wanted, qty=qty)))

    @rule(fan=fans, place=st.sampled_from(PLACES))
    def somebody_moves(self, fan: str, place: Whence) -> None:
        self.places[fan] = place

    @precondition(lambda self: self.oracle.crowded)
    @rule(
        place=st.sampled_from(PLACES),
        kind=st.sampled_from((Exempt, Exempt, Restrict)),
        which=st.sampled_from((0, 1, 2)),
    )
    def a_network_is_let_in(
        self, place: Whence, kind: type[Exempt] | type[Restrict], which: int
    ) -> None:
        name = (*self.names.of(place), self.names.domain(("", "", FIRM)))[which]
        was = len(self.oracle.log)
        self.command(kind(name), self.oracle.revision, "o1", self.key())
        if isinstance(self.oracle.log[-1], events.Exempted) and len(self.oracle.log) > was:
            self.meets("a domain is exempt" if which > 1 else "a network is exempt")

    @rule(which=nth, verb=st.sampled_from((wire.Claim, wire.Release, wire.Extend)))
    def touch(
        self, which: int, verb: type[wire.Claim] | type[wire.Release] | type[wire.Extend]
    ) -> None:
        hold = self.pick_hold(which)
        self.press((self.owner(hold), verb(id=0, key=self.key(), hold=hold)))

    @precondition(lambda self: self.offers())
    @rule(which=nth)
    def claim(self, which: int) -> None:
        hold = pick(self.offers(), which)
        self.press((self.owner(hold), wire.Claim(id=0, key=self.key(), hold=hold)))

    @rule(which=nth)
    def pay(self, which: int) -> None:
        hold = self.pick_hold(which)
        self.press((self.owner(hold), self.paying([hold])))

    def paying(
        self, holds: list[str], *, way: int = 0, provider: str = "local", whole: bool = False
    ) -> wire.Pay:
        """Now and then by a way that there is not, or by none where there are some."""
        ways = [one.id for one in self.oracle.rules.ways] or [""]
        named = [*ways * 3, "", "boat"][way % (3 * len(ways) + 2)] if way else ways[0]
        return wire.Pay(id=0, key=self.key(), holds=holds, way=named, provider=provider, all=whole)

    @rule(
        which=st.lists(nth, min_size=1, max_size=3),
        way=nth,
        provider=st.sampled_from(PROVIDERS),
        whole=st.booleans(),
    )
    def pay_for_several(self, which: list[int], way: int, provider: str, whole: bool) -> None:
        """Of one fan mostly; what is in another payment, ended or an offer is among it."""
        first = self.pick_hold(which[0])
        fan = self.owner(first)
        mine = [h.id for h in self.oracle.holds.values() if h.fan == fan and h.open][::-1]
        holds = dict.fromkeys([first, *(pick(mine or [first], one) for one in which[1:])])
        pay = self.paying([*holds], way=way, provider=provider, whole=whole)
        (answer,) = self.press((fan, pay))
        if isinstance(answer, outcomes.Paying):
            many = "several holds" if len(holds) > 1 else "one hold"
            self.meets(f"pay: {many}, {provider}")
            if len({hold.deadline_ms for _, hold in answer.holds}) > 1:
                self.meets("pay: several deadlines")
        else:
            self.meets(f"pay: {type(answer).__name__}")

    @rule(
        fan=fans,
        pools=st.lists(pools, min_size=2, max_size=3),
        qty=st.integers(1, 2),
        lost=st.lists(st.booleans(), min_size=3, max_size=3),
        whole=st.booleans(),
        captured=st.booleans(),
        others=st.integers(0, 2),
        provider=st.sampled_from(("local", "stripe", "by_hand")),
    )
    def a_basket_is_paid_late(
        self,
        fan: str,
        pools: list[str],
        qty: int,
        lost: list[bool],
        whole: bool,
        captured: bool,
        others: int,
        provider: str,
    ) -> None:
        """It is silent past the hard stop; by then others have had some of it, and perhaps all."""
        wants = [wire.Want(pools=[pool], qty=qty, fewer=True) for pool in pools]
        self.press((fan, wire.Basket(id=0, key=self.key(), wants=wants)))
        person = self.oracle.owner(fan)
        mine = [h.id for h in self.oracle.open_holds(person) if not h.payment]
        if not mine:
            return
        (answer,) = self.press((fan, self.paying(mine, whole=whole, provider=provider)))
        if not isinstance(answer, outcomes.Paying):
            return
        payment = self.oracle.payments[answer.id]
        while payment.open and not (payment.looked and others == 2):
            until = [hold.until for hold in self.oracle.standing_in(payment)]
            self.move(max(self.now, self.own(min(until))))
            self.settle()
        taken = {
            self.oracle.holds[name].pool for name, gone in zip(mine, lost, strict=False) if gone
        }
        for other in [one for one in FANS if one != fan][: others + 1]:
            for pool in sorted(taken):
                self.hold(other, pool, 3, fewer=True)
        self.pays(payment.id, captured=captured)
        self.tell_of(payment.id, len(mine))

    def tell_of(self, name: str, holds: int) -> None:
        """What became of a payment that came late."""
        payment = self.oracle.payments[name]
        if payment.all and payment.state == "ended" and holds > 1:
            self.meets("late: all or nothing lost")
        if payment.state == "paid" and 0 < len(payment.sold) < holds:
            self.meets("late: a part of a payment is bought")

    def pays(self, name: str, *, captured: bool) -> None:
        payment = self.oracle.payments[name]
        told = (name, f"c{len(self.paid) + 1}", payment.amount, "EUR", captured)
        self.paid.append(told)
        self.succeeded(*told)

    @precondition(lambda self: self.oracle.payments)
    @rule(which=nth, fan=fans, others=st.integers(0, 5), then=st.sampled_from(("", "", "unpaid")))
    def unpay(self, which: int, fan: str, others: int, then: str) -> None:
        payment = self.pick_payment(which)
        known = self.oracle.payments[payment]
        who = fan if others == 0 else self.oracle.owner(known.fan)
        (answer,) = self.press((who, wire.Unpay(id=0, key=self.key(), payment=payment)))
        if isinstance(answer, outcomes.Unpaying) and known.open and then:
            until = [hold.deadline for hold in self.oracle.standing_in(known)]
            self.move(max(self.now, self.own(min(until))))
            self.unpaid(payment)
            self.meets("unpaid at the deadline")

    @rule(
        fan=fans,
        wants=st.lists(
            st.tuples(
                st.lists(pools, min_size=1, max_size=3, unique=True), quantities, st.booleans()
            ),
            min_size=1,
            max_size=4,
        ),
        whole=st.booleans(),
        with_others=st.booleans(),
    )
    def basket(
        self,
        fan: str,
        wants: list[tuple[list[str], int, bool]],
        whole: bool,
        with_others: bool,
    ) -> None:
        named = [wire.Want(pools=liked, qty=qty, fewer=fewer) for liked, qty, fewer in wants]
        basket = (fan, wire.Basket(id=0, key=self.key(), wants=named, all=whole))
        other = (FANS[0], wire.Hold(id=0, key=self.key(), pool=wants[0][0][0], qty=1))
        batch = [other, basket] if with_others else [basket]
        answer = self.press(*batch)[-1]
        if isinstance(answer, outcomes.Basketed):
            had = "all" if not answer.missing else "some" if answer.had else "nothing"
            self.meets(f"basket: {had} was had{', all or nothing' if whole else ''}")
        else:
            self.meets(f"basket: {type(answer).__name__}")

    @rule(which=nth, pool=st.sampled_from((*POOLS, *POOLS, "mug")), others=st.booleans())
    def swap(self, which: int, pool: str, others: bool) -> None:
        hold = self.pick_hold(which)
        kept = self.oracle.holds.get(hold)
        if kept is not None and kept.pool == "cup-hill" and others:
            pool = "cup-port"
        (answer,) = self.press(
            (self.owner(hold), wire.Swap(id=0, key=self.key(), hold=hold, pool=pool))
        )
        self.meets(f"swap: {type(answer).__name__}")

    @rule(fan=fans, joining=fans)
    def swap_where_somebody_is_ready(self, fan: str, joining: str) -> None:
        """In a pause others join, so they are ready the moment before they are called."""
        self.hold(fan, "cup-hill", 1, fewer=True)
        self.command(Pause(), self.oracle.revision, "mia", self.key())
        self.join(joining, ["cup-port"], 1)
        mine = [h for h in self.oracle.open_holds(self.oracle.owner(fan)) if h.pool == "cup-hill"]
        self.now += 1
        if not mine:
            return
        resume = (Resume(), self.oracle.revision, "mia", self.key())
        swap = (fan, wire.Swap(id=0, key=self.key(), hold=mine[0].id, pool="cup-port"))
        self.command(*resume)
        (answer,) = self.press(swap)
        self.meets(f"swap among others: {type(answer).__name__}")

    @rule(which=nth)
    def begin_paying_and_fall_silent(self, which: int) -> None:
        """Past the deadline the provider is asked; past the hard stop the hold is over."""
        self.pay(which)
        for _ in ("deadline", "hard stop"):
            paying = [h.until for h in self.oracle.holds.values() if h.state == "paying"]
            self.move(max([self.now, *map(self.own, paying)]))
            self.settle()

    @rule(which=nth)
    def leave(self, which: int) -> None:
        if self.oracle.entries:
            entry = pick(list(self.oracle.entries.values()), which)
            self.press((entry.fan, wire.Leave(id=0, key=self.key(), entry=entry.id)))

    @rule(which=nth, fan=fans)
    def reach_for_what_may_be_anothers(self, which: int, fan: str) -> None:
        hold = self.pick_hold(which)
        entry = f"e{which + 1}"
        self.press(
            (fan, wire.Release(id=0, key=self.key(), hold=hold)),
            (fan, wire.Leave(id=0, key=self.key(), entry=entry)),
        )

    @rule(
        presses=st.lists(
            st.tuples(fans, st.sampled_from(TOGETHER), pools, quantities, nth),
            min_size=2,
            max_size=7,
        )
    )
    def press_together(self, presses: list[tuple[str, str, str, int, int]]) -> None:
        """One batch: as if they came one by one, the line called at its end."""
        batch = [self.one_of_many(*one) for one in presses]
        for (_, verb, *_), answer in zip(presses, self.press(*batch), strict=True):
            if isinstance(answer, outcomes.Granted):
                self.meets(f"in a batch: {verb}")

    @precondition(lambda self: {"calls", "quiet"} & self.oracle.hours.keys())
    @rule(
        pool=st.sampled_from(POOLS),
        presses=st.lists(
            st.tuples(st.sampled_from(FANS), st.sampled_from(TOGETHER), st.integers(1, 3), nth),
            max_size=5,
        ),
        morning=st.booleans(),
    )
    def a_unit_is_free_at_night(
        self, pool: str, presses: list[tuple[str, str, int, int]], *, morning: bool
    ) -> None:
        """What is held ends, some join in a pause, and whoever likes presses; then it may dawn."""
        if "quiet" in self.oracle.hours:
            self.move(max(self.now, self.own(self.oracle.hours["quiet"])))
            self.settle()
        self.command(Pause(), self.oracle.revision, "mia", self.key())
        for fan in ("ana", "bo"):
            self.join(fan, [pool, *POOLS[:1]][: 1 + (pool != POOLS[0])], 2)
        self.command(Resume(), self.oracle.revision, "mia", self.key())
        first = self.may_call_himself(pool)
        if first:
            self.meets("in quiet hours: waits")
            fan = self.oracle.entries[f"e{first}"].fan
            presses = [*presses, (fan, "hold", 1, 0)]
        told = self.oracle.seq
        batch = [self.one_of_many(fan, verb, pool, qty, which) for fan, verb, qty, which in presses]
        if batch:
            answers = self.press(*batch)
            if first and any(isinstance(answer, refusals.AllHeld) for answer in answers):
                self.meets("in quiet hours: refused")
        if any(getattr(e, "key", "") for e in self.oracle.log[told:] if is_offer(e)):
            self.meets("in quiet hours: called himself")
        if morning and "calls" in self.oracle.hours:
            told = self.oracle.seq
            self.move(max(self.now, self.own(self.oracle.hours["calls"])))
            self.settle()
            if any(is_offer(event) for event in self.oracle.log[told:]):
                self.meets("in quiet hours: served after")

    def one_of_many(
        self, fan: str, verb: str, pool: str, qty: int, which: int
    ) -> tuple[str, wire.FanCommand]:
        key, hold = self.key(), self.pick_hold(which)
        match verb:
            case "hold" | "fewer":
                fewer = verb == "fewer"
                return fan, wire.Hold(id=0, key=key, pool=pool, qty=qty, fewer=fewer)
            case "join":
                return fan, wire.Join(id=0, key=key, pools=[pool], qty=qty)
            case "leave":
                entries = [e for e in self.oracle.entries.values() if e.open]
                entry = pick(entries, which) if entries else None
                named = entry.id if entry else "e1"
                return entry.fan if entry else fan, wire.Leave(id=0, key=key, entry=named)
            case "claim":
                hold = pick(self.offers() or [hold], which)
                return self.owner(hold), wire.Claim(id=0, key=key, hold=hold)
            case "pay":
                return self.owner(hold), self.paying([hold])
            case "extend":
                return self.owner(hold), wire.Extend(id=0, key=key, hold=hold)
            case _:
                return self.owner(hold), wire.Release(id=0, key=key, hold=hold)

    @precondition(lambda self: self.pressed)
    @rule(which=nth)
    def repeat_any_earlier_request(self, which: int) -> None:
        """What was granted is answered again with the same thing, whatever became of it, as long as
        its key is remembered."""
        fan, command, first = pick(self.pressed, which)
        under = self.oracle.kept_under(fan, command.key)
        _, made = self.oracle.answers.get(under, ("", ""))
        (again,) = self.press((fan, command))
        if not isinstance(command, wire.Hold | wire.Join) or not isinstance(first, GRANTED):
            return
        if made == first.id and (made in self.oracle.holds or made in self.oracle.entries):
            assert isinstance(again, type(first))
            assert again.id == first.id

    @rule(
        guests=st.one_of(fans.map(lambda fan: [fan]), st.permutations(FANS)),
        person=st.sampled_from((*FANS, *PERSONS)),
        before=st.lists(
            st.tuples(st.booleans(), st.sampled_from(("hold", "join")), pools, quantities),
            max_size=4,
        ),
        sure=st.integers(0, 2),
    )
    def guests_become_a_person(
        self, guests: list[str], person: str, before: list[tuple[bool, str, str, int]], sure: int
    ) -> None:
        """before: what is done first, by the person himself or as the first guest."""
        if sure:
            return
        for himself, verb, pool, qty in before:
            fan = person if himself else guests[0]
            self.press(self.one_of_many(fan, verb, pool, qty, 0))
        for guest in guests:
            self.adopt(guest, person)

    @rule(
        rows=st.lists(
            st.tuples(
                st.sampled_from((*FANS, "pia", "nobody")),
                st.integers(-1, 3),
                st.sampled_from((0, 1, 1, 2, 1000)),
                st.sampled_from(("friend", "mission", "collector")),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def some_have_points(self, rows: list[tuple[str, int, int, str]]) -> None:
        """By what stands in their books then: the next, or what was told before."""
        told = []
        for fan, more, points, why in rows:
            book = max(self.books_of_points.get(fan, 0) + more, 1)
            self.books_of_points[fan] = max(self.books_of_points.get(fan, 0), book)
            told.append(Pointing(FanId(fan), book, points, why if points else "taken_back"))
        self.point(told)

    @rule(which=nth, points=st.sampled_from((0, 1, 2, 3)))
    def somebody_in_line_has_points(self, which: int, points: int) -> None:
        waiting = [entry for entry in self.oracle.entries.values() if entry.open]
        if waiting:
            entry = pick(waiting, which)
            self.point([Pointing(FanId(entry.fan), entry.book + 1, points, "mission")])

    def point(self, rows: list[Pointing]) -> None:
        answer = self.run(self.store.point(self.drop, rows, clock_ms=self.now))
        assert answer == self.oracle.point(rows, self.now)
        if isinstance(answer, Pointed):
            for row, result in zip(rows, answer.results, strict=True):
                self.meets(f"points: {result}")
                entry = self.oracle.open_entry(self.oracle.person_of.get(row.fan, row.fan))
                if result == "pointed" and entry is not None:
                    cools = ", cooling" if entry.cool else ""
                    what = "some" if row.points else "none any more"
                    self.meets(f"points: {what} while {entry.state}{cools}")
                    if entry.rank and len(entry.pools) > 1:
                        self.meets("a second place in the lines of several pools")

    def adopt(self, guest: str, person: str) -> outcomes.AdoptOutcome | refusals.Closed:
        before = self.oracle.seq
        answer = self.run(
            self.store.adopt(self.drop, FanId(guest), FanId(person), clock_ms=self.now)
        )
        assert answer == self.oracle.adopt(guest, person, self.now)
        self.meets(f"adopt: {type(answer).__name__}")
        for event in self.oracle.log[before:]:
            match event:
                case events.Claimed(key=""):
                    self.meets("adopt: an offer became a hold")
                case events.Removed(why=why):
                    self.meets(f"adopt: a place ends, {why}")
                case events.Adopted() if any(self.oracle.holds[h].began for h in event.holds):
                    self.meets("adopt: a hold that is being paid")
                case _:
                    pass
        return answer

    @precondition(lambda self: self.pressed)
    @rule(which=nth, pool=pools, qty=quantities)
    def use_a_key_for_another_command(self, which: int, pool: str, qty: int) -> None:
        fan, command, _ = pick(self.pressed, which)
        self.press((fan, wire.Hold(id=0, key=command.key, pool=pool, qty=qty)))

    @precondition(lambda self: self.late())
    @rule(which=nth, captured=st.booleans())
    def payment_comes_late(self, which: int, captured: bool) -> None:
        payment = pick(self.late(), which)
        self.pays(payment, captured=captured)
        self.tell_of(payment, len(self.oracle.payments[payment].holds))

    @rule(
        which=nth,
        of_the_line=st.booleans(),
        captured=st.booleans(),
        then=st.sampled_from((None, Pause(), Pause(), Close())),
        joining=st.lists(fans, max_size=2),
    )
    def a_payment_comes_long_after_its_hold(
        self,
        which: int,
        of_the_line: bool,
        captured: bool,
        then: CreatorCommand | None,
        joining: list[str],
    ) -> None:
        """The drop may stand still by then, and others be ready for the unit; a place of the line
        that the hold came from cools, or is called again."""
        offers = self.offers() if of_the_line else []
        hold = self.oracle.holds.get(pick(offers, which) if offers else self.pick_hold(which))
        if hold is None:
            return
        for verb in (
            wire.Claim(id=0, key=self.key(), hold=hold.id),
            self.paying([hold.id]),
        ):
            self.press((hold.fan, verb))
        if then is not None:
            self.command(then, self.oracle.revision, "o1", self.key())
        for fan in joining:
            self.press((fan, wire.Join(id=0, key=self.key(), pools=[hold.pool], qty=1)))
        for _ in ("deadline", "hard stop", "cooled"):
            ends = hold.deadline if hold.open else self.oracle.at + COOL_MS
            self.move(max(self.now, self.own(ends)))
            self.settle()
        if hold.payment in self.late():
            self.payment_comes_late(self.late().index(hold.payment), captured)

    @rule(
        which=nth,
        captured=st.booleans(),
        wrong=st.sampled_from(("",) * 10 + ("amount", "currency")),
    )
    def payment_succeeds(self, which: int, captured: bool, wrong: str) -> None:
        name = self.pick_payment(which)
        payment = self.oracle.payments.get(name)
        price = payment.amount if payment else 900
        amount = price + (1 if wrong == "amount" else 0)
        currency = "USD" if wrong == "currency" else "EUR"
        was = payment.state if payment else "unknown"
        self.paid.append((name, f"c{len(self.paid) + 1}", amount, currency, captured))
        self.succeeded(*self.paid[-1])
        if payment and payment.state == "paid":
            self.meets(f"paid by {payment.provider}" if was == "open" else "paid once more")

    @precondition(lambda self: self.paid)
    @rule(which=nth)
    def payment_is_told_again(self, which: int) -> None:
        self.succeeded(*pick(self.paid, which))

    @precondition(lambda self: self.paid)
    @rule(which=nth, less=st.sampled_from((-1, 1, 2, 10_000)))
    def a_charge_is_captured_for_another_amount(self, which: int, less: int) -> None:
        hold, charge, amount, currency, _ = pick(self.paid, which)
        self.succeeded(hold, charge, max(amount - less, 0), currency, captured=True)

    @rule(which=nth)
    def nobody_paid(self, which: int) -> None:
        self.unpaid(self.pick_payment(which))

    def unpaid(self, payment: str) -> None:
        answer = self.run(self.store.unpaid(self.drop, payment, clock_ms=self.now))
        assert answer == self.oracle.unpaid(payment, self.now)

    @rule(which=nth, done=st.booleans())
    def discharge(self, which: int, *, done: bool) -> None:
        self.discharge_one(pick([*sorted(self.oracle.outbox), "capture:none"], which), done=done)

    def discharge_one(self, duty: str, *, done: bool) -> None:
        result = "done" if done else "failed"
        answer = self.run(self.store.discharge(self.drop, duty, result, clock_ms=self.now))
        assert answer == self.oracle.discharge(duty, result, self.now)
        if not isinstance(answer, refusals.NotFound):
            self.meets(f"{result}: {duty.partition(':')[0]}")

    @rule(which=nth, how=st.sampled_from(("by_hand", "given_up")), again=st.booleans())
    def a_duty_is_ended_by_hand(
        self, which: int, how: Literal["by_hand", "given_up"], again: bool
    ) -> None:
        duty = pick([*sorted(self.oracle.outbox), "refund:none"], which)
        self.end_by_hand(duty, how, again=again)

    def end_by_hand(
        self, duty: str, how: Literal["by_hand", "given_up"], *, again: bool = False
    ) -> None:
        ending = EndDuty(duty, how, "seen to")
        key = self.key()
        for _ in range(1 + again):
            answer = self.run(
                self.store.end_duty(self.drop, ending, by="o1", key=key, clock_ms=self.now)
            )
            assert answer == self.oracle.end_by_hand(ending, "o1", key, self.now)
            if isinstance(answer, outcomes.Discharged):
                self.meets(f"{how}: {ending.id.partition(':')[0]}")

    @precondition(lambda self: self.oracle.orders)
    @rule(
        which=nth,
        again=st.integers(0, 30),
        by=st.sampled_from(("o1", "o1", "o2")),
        why=st.sampled_from(("", "", 'it "broke" \\ \u00e9')),
        back=st.sampled_from(("line", "line", "withheld", "withheld", "")),
        part=st.integers(0, 4),
        share=st.sampled_from((None, None, None, 0, 50, 100, 101)),
    )
    def refund(
        self,
        which: int,
        again: int,
        by: str,
        why: str,
        back: Literal["line", "withheld", ""],
        part: int,
        share: int | None,
    ) -> None:
        """Mostly under a fresh key, else under one that commanded something before."""
        order = pick([*self.oracle.orders, "h999"], which)
        more: dict[str, Any] = {"why": why, "back": back}
        known = self.oracle.orders.get(order)
        if known is not None:
            if part:
                more["serials"] = known.serials[: 1 + part // 2] if part < 4 else [part, part]
            if share is not None:
                more["amount"] = max(0, known.amount * share // 100)
        if back == "" and share is not None and known is not None and part < 4:
            more["serials"] = ()
        key = self.key()
        if again % 3 == 0:
            by, key = pick(list(self.oracle.by_creator), again // 3)
        elif again % 3 == 1 and self.refunds:
            order, by, key, more = pick(self.refunds, again // 3)
        used = (by, key) in self.oracle.by_creator
        duties = set(self.oracle.outbox)
        answer = self.run(
            self.store.refund(self.drop, order, by=by, key=key, clock_ms=self.now, **more)
        )
        assert answer == self.oracle.refund(order, by, key, self.now, **more)
        self.refunds.append((order, by, key, more))
        self.meets(f"refund: {type(answer).__name__}, key {'used' if used else 'fresh'}")
        if isinstance(answer, outcomes.Refunded) and answer.n and not used:
            left = "some left" if answer.state in ("done", "capture_pending") else "none left"
            self.meets(f"refund: back {more['back'] or 'as money alone'}, {left}")
            if f"capture:{self.oracle.orders[order].payment}" in duties:
                self.meets("refund: before the capture")

    @precondition(lambda self: any(order.away for order in self.oracle.orders.values()))
    @rule(which=nth, some=st.booleans(), adding=st.booleans())
    def it_came_back(self, which: int, some: bool, adding: bool) -> None:
        away = [order for order in self.oracle.orders.values() if order.away]
        order, key = pick(away, which), self.key()
        if adding:
            # What is out in the world cannot be added.
            withheld = self.oracle.pools[order.pool].withheld
            self.command(Add(order.pool, withheld), self.oracle.revision, "o1", self.key())
            self.meets("add: what is away")
        serials = order.away[:1] if some else ()
        told: dict[str, Any] = {"by": "o1", "key": key, "serials": tuple(serials)}
        answer = self.run(self.store.came_back(self.drop, order.id, clock_ms=self.now, **told))
        assert answer == self.oracle.came_back(order.id, clock=self.now, **told)
        if isinstance(answer, outcomes.CameBack):
            self.meets("came back")

    @precondition(lambda self: self.oracle.payments)
    @rule(which=nth, sure=st.integers(0, 2))
    def it_is_charged_back(self, which: int, sure: int) -> None:
        paid = [one.id for one in self.oracle.payments.values() if one.state == "paid"]
        if sure:
            return
        payment = pick([*paid, "p1"], which)
        told = (payment, 2400, "o1", self.key())
        answer = self.run(
            self.store.charged_back(
                self.drop, payment, 2400, by="o1", key=told[3], clock_ms=self.now
            )
        )
        assert answer == self.oracle.charged_back(*told, self.now)
        self.meets(f"charged back: {type(answer).__name__}")

    @precondition(lambda self: self.oracle.payments)
    @rule(which=nth)
    def the_maker_gives_more_time(self, which: int) -> None:
        by_hand = [p.id for p in self.oracle.payments.values() if p.by_hand and p.open]
        payment, key = pick([*by_hand, *by_hand, self.pick_payment(which)], which), self.key()
        answer = self.run(
            self.store.more_time(self.drop, payment, by="o1", key=key, clock_ms=self.now)
        )
        assert answer == self.oracle.more_time(payment, "o1", key, self.now)
        self.meets(f"more time: {type(answer).__name__}")

    @rule(
        command=st.sampled_from(
            (Open(), Pause(why="a word"), Resume(), Message('so "near" \\ \u00e9'))
        ),
        behind=st.sampled_from((0, 0, 0, 1)),
        by=st.sampled_from(OPERATORS),
    )
    def steer(self, command: CreatorCommand, behind: int, by: str) -> None:
        self.command(command, self.oracle.revision - behind, by, self.key())

    @precondition(lambda self: self.oracle.state == "paused")
    @rule()
    def resume(self) -> None:
        self.command(Resume(), self.oracle.revision, "o2", self.key())

    @rule(kind=st.sampled_from((Add, Add, Withdraw)), pool=pools, qty=st.integers(1, 2))
    def move_stock(self, kind: type[Add] | type[Withdraw], pool: str, qty: int) -> None:
        self.command(kind(pool, qty), self.oracle.revision, "o1", self.key())

    @rule(
        opens=st.sampled_from((None, None, 0, -1, 1_000, 60_000)),
        closes=st.sampled_from((None, 0, -1, 500, 30_000, 3_600_000)),
    )
    def reschedule(self, opens: int | None, closes: int | None) -> None:
        """To times from now on, or as they are."""
        rules, now = self.oracle.rules, self.now
        was, before = self.oracle.state, self.oracle.seq
        told = [
            was if ms is None else ms and now + ms
            for ms, was in ((opens, rules.opens_ms), (closes, rules.closes_ms))
        ]
        self.command(Reschedule(*told), self.oracle.revision, "o2", self.key())
        heard = {type(event) for event in self.oracle.log[before:]}
        done = "done" if events.Rescheduled in heard else "refused"
        by_clock = ", the clock came first" if heard & {events.Opened, events.Closed} else ""
        self.meets(f"reschedule: {done} while {was}{by_clock}")

    @rule(story=st.sampled_from(("", "one word", "two words")), behind=st.sampled_from((0, 0, 1)))
    def correct(self, story: str, behind: int) -> None:
        wanted = correction(msgspec.structs.replace(self.text, story=story))
        self.command(wanted, self.oracle.revision - behind, "o1", self.key())

    @precondition(lambda self: len(self.oracle.log) > 15)
    @rule(command=st.sampled_from((Close(), Cancel(), Cancel("lost"))), sure=st.integers(0, 4))
    def end(self, command: CreatorCommand, sure: int) -> None:
        if sure == 0:
            self.command(command, self.oracle.revision, "o1", self.key())

    @precondition(lambda self: self.ordered)
    @rule(which=nth)
    def repeat_an_order(self, which: int) -> None:
        self.command(*pick(self.ordered, which))

    @precondition(lambda self: len(self.oracle.log) > 10 and not self.lowered)
    @rule(sure=st.integers(0, 2), layout=st.sampled_from(older_layouts.ALL))
    def it_was_an_older_engine_that_sold_until_now(self, sure: int, layout: int) -> None:
        """The next script lifts the drop, whatever state it is in."""
        if sure == 0 and self.oracle.could_be_of(layout):
            self.lowered = True
            self.run(older_layouts.lowered(self.hands.client, self.drop, layout))
            self.oracle.lower(layout)

    @rule(kept=st.sampled_from((0, 0, 5)))
    def rows_are_taken_out(self, kept: int) -> None:
        """Those of the log, when the books have them: whoever reads it sees them all the same."""
        left = self.run(self.hands.books.take_rows(self.drop, kept))
        if left:
            self.meets("taken out: rows")

    @rule(
        what=st.sampled_from(("answers", "holds", "both")),
        days=st.sampled_from((0, 0, 1, 1, 3)),
        sure=st.booleans(),
    )
    def what_ended_a_day_ago_is_taken_out(self, what: str, days: int, sure: bool) -> None:
        """Before and after a day in which nothing more was asked for."""
        if days and not sure:
            return
        for passed in sorted({0, days}):
            self.move(self.now + passed * KEPT_MS)
            if what != "holds":
                keys_out = self.run(self.taken("take_answers"))
                assert keys_out == self.oracle.take_answers(self.now)
                if keys_out:
                    self.meets("taken out: keys")
            if what != "answers":
                holds_out = self.run(self.taken("take_holds"))
                assert holds_out == self.oracle.take_holds(self.now)
                if holds_out:
                    self.meets("taken out: holds")

    async def taken(self, verb: Literal["take_answers", "take_holds"]) -> int:
        """By all parts of it together."""
        past: Past = self.store.past
        charges = await past.charges_for_nothing(self.drop)
        count, cursor = 0, "0"
        while True:
            if verb == "take_answers":
                reply: object = await past.take_answers(self.drop, cursor, clock_ms=self.now)
            else:
                reply = await past.take_holds(self.drop, charges, cursor, clock_ms=self.now)
            if not isinstance(reply, PartOut):
                assert isinstance(reply, refusals.Frozen), reply
                return count
            count += reply.count
            if reply.cursor == "0":
                return count
            cursor = reply.cursor

    def pick_hold(self, which: int) -> str:
        """Mostly a hold that is open, else any, the newest first; h1 when there is none yet."""
        holds = list(self.oracle.holds.values())[::-1]
        if not holds:
            self.hold(FANS[which % len(FANS)], POOLS[which % len(POOLS)], 1, fewer=False)
        still = [hold.id for hold in holds if hold.open]
        if still and which % 4:
            return pick(still, which // 4)
        return pick([hold.id for hold in holds], which // 4) if holds else "h1"

    def offers(self) -> list[str]:
        return [hold.id for hold in self.oracle.holds.values() if hold.open and hold.offer]

    def late(self) -> list[str]:
        """Payments of which a hold ended before they were paid, the newest first."""
        holds = self.oracle.holds
        return [
            payment.id
            for payment in reversed(self.oracle.payments.values())
            if payment.state == "ended"
            and any(holds[name].state == "expired" for name in payment.holds)
        ]

    def pick_payment(self, which: int) -> str:
        """Mostly one that is open, else any, the newest first; p1 when there is none yet."""
        payments = list(self.oracle.payments.values())[::-1]
        still = [payment.id for payment in payments if payment.open]
        if still and which % 4:
            return pick(still, which // 4)
        return pick([payment.id for payment in payments] or ["p1"], which // 4)

    def owner(self, hold: str) -> str:
        known = self.oracle.holds.get(hold)
        return known.fan if known else FANS[0]

    def place_of(self, fan: str) -> Whence | None:
        """Where somebody is, and whether his address is at the firm's."""
        place = self.places.get(fan)
        return (*place, FIRM) if place is not None and fan in COLLEAGUES else place

    def press(self, *batch: tuple[str, wire.FanCommand]) -> list[Answer]:
        rows = [(FanId(fan), command) for fan, command in batch]
        places = [self.place_of(fan) for fan, _ in batch]
        whence = Whences(self.names, places)
        answers = list(
            self.run(self.store.press(self.drop, rows, whence=whence, clock_ms=self.now))
        )
        named = [place and (*self.names.of(place), self.names.domain(place)) for place in places]
        predicted = self.oracle.press(batch, self.now, named)
        assert answers == predicted
        for answer in answers:
            if isinstance(answer, refusals.DomainFull):
                self.meets("a domain is full")
            if isinstance(answer, refusals.NetworkFull):
                self.meets(f"a network is full: {answer.network[0]}")
        self.pressed += [(fan, c, a) for (fan, c), a in zip(batch, answers, strict=True)]
        return answers

    def succeeded(self, hold: str, charge: str, amount: int, currency: str, captured: bool) -> None:
        # Two of three pay by the same few cards.
        number = int("".join(filter(str.isdigit, charge)) or 0)
        card = ("", "visa", "visa", "other")[number % 4]
        rows = self.run(self.store.fields(self.drop, "networks"))
        key = rows["key"].decode() if "key" in rows else f"key {self.now} {charge}"
        told = (hold, charge, amount, currency, captured)
        answer = self.run(
            self.store.succeeded(self.drop, *told, card=card, key=key, clock_ms=self.now)
        )
        known_as = card_name(key, card) if card else ""
        assert answer == self.oracle.succeeded(*told, self.now, known_as)
        if isinstance(answer, outcomes.Voided):
            self.meets(f"a payment is voided: {answer.why}")

    def command(self, command: CreatorCommand, revision: int, by: str, key: str) -> None:
        self.ordered.append((command, revision, by, key))
        answer = self.run(
            self.store.command(
                self.drop, command, revision=revision, by=by, key=key, clock_ms=self.now
            )
        )
        assert answer == self.oracle.creator(command, revision, key, by, self.now)

    @invariant()
    def the_log_is_the_predicted_one(self) -> None:
        assert self.run(self.tail()) == self.oracle.log[self.checked :]
        self.checked = self.oracle.seq

    async def tail(self) -> list[events.AnyEvent]:
        return [events.parse(line) async for line in self.store.log(self.drop, self.checked)]

    @rule()
    def every_key_is_the_predicted_one(self) -> None:
        self.audit()

    @rule()
    def screens_show_the_predicted_state(self) -> None:
        """Public counts, and each fan's exact places."""
        if self.crowd:
            # A view shows the mass of what is due step by step.
            self.settle()
        view = self.run(self.store.view(self.drop, clock_ms=self.now))
        you = self.run(self.store.you(self.drop, [FanId(f) for f in FANS], clock_ms=self.now))
        self.oracle.settle(self.now)
        assert isinstance(view, ViewReply)
        assert isinstance(you, YouReply)
        assert view.now_ms == self.own(self.oracle.at)
        assert view.leads == you.leads == self.oracle.leads
        assert (view.seq, view.state, view.revision) == (
            self.oracle.seq,
            self.oracle.state,
            self.oracle.revision,
        )
        again = self.oracle.hours.get("calls") if self.oracle.state in ("live", "paused") else None
        assert view.entering == self.listed()
        assert view.calls_ms == (0 if again is None else self.own(again))
        for row in view.pools:
            assert row.next == self.may_call_himself(row.id)
            assert (row.free, row.held, row.offered, row.sold, row.withheld) == (
                self.oracle.free(row.id),
                self.oracle.held(row.id),
                self.oracle.offered(row.id),
                self.oracle.sold(row.id),
                self.oracle.pools[row.id].withheld,
            )
            standing = self.oracle.line(row.id, 0)
            assert row.waiting == len(standing)
            assert row.buying == sum(e.state == "offered" for e in standing)
        for fan in you.rows:
            lost = [hold for hold, _ in fan.holds if hold == fan.record.last]
            assert all(hold not in self.oracle.orders for hold in lost)
            person = self.oracle.person_of.get(fan.fan, fan.fan)
            assert fan.person == ("" if person == fan.fan else person)
            ended = self.oracle.ended_entry.get(person)
            told = ended is not None and self.oracle.state != "settled"
            assert [name for name, _ in fan.ended] == ([ended] if told else [])
            for entry, _, lines in fan.entries:
                for line in lines:
                    assert line.place == self.oracle.place(entry, line.pool)
                    assert line.r == self.oracle.pools[line.pool].removed[0]
            ranked = [name for name, e, _ in fan.entries if e.n and self.oracle.entries[name].rank]
            assert [name for name, _ in fan.boosts] == ranked
            for entry, lines in fan.boosts:
                for line in lines:
                    assert line.place == self.oracle.place(entry, line.pool, 1)
                    assert line.r == self.oracle.pools[line.pool].removed[1]

    def listed(self) -> ListRow:
        """What screens are told of a list that chance orders (D10)."""
        oracle = self.oracle
        if oracle.rules.mode == "rush":
            return ListRow()
        seal = oracle.hours.get("seal")
        return ListRow(
            entries=len(oracle.listed()),
            placed=oracle.placed and oracle.placed - oracle.carried,
            seals_ms=0 if seal is None else self.own(seal),
            sealed_ms=oracle.sealed_ms,
            root=oracle.root,
            revealed=oracle.value,
            won=(oracle.first or 0) if oracle.won is None else oracle.won,
            called=oracle.called_up,
            behind=oracle.carried,
        )

    def may_call_himself(self, pool: str) -> int:
        """The arrival of who is first in the line of a pool that waits in quiet hours, or 0."""
        oracle = self.oracle
        if oracle.state != "live" or oracle.calls() or oracle.free(pool) == 0:
            return 0
        named = oracle.named(oracle.pools[pool])
        return named[0].n if named else 0

    def audit(self) -> None:
        truth = self.run(self.store.truth(self.drop))
        assert truth is not None
        wanted = expected_truth.truth(self.oracle)
        for name in truth.__struct_fields__:
            have, want = getattr(truth, name), getattr(wanted, name)
            if name == "drop":
                have = {field: have.get(field) for field in want}
            assert msgspec.to_builtins(have) == msgspec.to_builtins(want), name

        self.count_networks()
        assert difference(fold(self.oracle.log), truth) == []
        if not self.oracle.outbox:
            captured, refunded, by_hand, given_up = self.oracle.money()
            assert captured - refunded - by_hand - given_up == self.oracle.kept()

    def count_networks(self) -> None:
        rows = self.run(self.store.fields(self.drop, "networks"))
        kept = {name: at.decode() for name, at in rows.items() if name not in ("key", "exempt")}
        of_cards = {name: kept.pop(name) for name in [*kept] if name[0] in "ko"}
        assert of_cards == self.oracle.by_card()
        persons = {name: kept.pop(name) for name in [*kept] if name.startswith("p:")}
        domains = {name: int(kept.pop(name)) for name in [*kept] if name[0] == DOMAIN}
        if self.oracle.state not in ("settled", "cancelled"):
            assert persons == {f"p:{fan}": at for fan, at in self.oracle.at_domain.items()}
        assert domains == dict(Counter(persons.values()))
        wide = {name: counts_in(at) for name, at in kept.items() if name[0] == AROUND}
        assert {name: at for name, at in kept.items() if name not in wide} == {
            name: near for name, (near, _) in self.oracle.counting().items()
        }
        counts = {name: count for row in wide.values() for name, count in row.items()}
        counts |= {name: sum(row.values()) for name, row in wide.items()}
        assert counts == self.oracle.counted()
        over = self.oracle.state in ("settled", "cancelled")
        refused = self.run(self.store.fields(self.drop, "crowded"))
        told = {name: int(times) for name, times in refused.items()}
        assert told == ({} if over else dict(self.oracle.crowded))

    def teardown(self) -> None:
        if hasattr(self, "oracle"):
            self.audit()
            halves = [
                e
                for e in self.oracle.log
                if (isinstance(e, events.Thawed) and e.why == "half")
                or (isinstance(e, events.Cancelled) and e.froze == "half")
            ]
            found = judge(self.run(self.lines())).violations
            assert [one.inv for one in found] == ["INV-3"] * len(halves), found
            self.judge_the_line()

    def judge_the_line(self) -> None:
        """Every promise of it, by somebody who knows nothing but the log."""
        lanes = TwoLanes(self.oracle.log)
        assert lanes.over() == []
        for line in lanes.lines.values():
            if line.boosts:
                self.meets("the boost lane calls")
        if lanes.judged:
            self.meets("a promise of the line is judged")
        for name, entry in self.oracle.entries.items():
            if entry.made_good and entry.points:
                self.meets("made good beside his points")
            if entry.lapses and lanes.boosted & {name}:
                self.meets("a boost call lapses")

    async def lines(self) -> list[bytes]:
        return [line async for line in self.store.log(self.drop)]


def pick(things: list[T], which: int) -> T:
    return things[which % len(things)]


def test_the_scripts_do_what_the_oracle_says(hands: Hands) -> None:
    Machine.hands = hands
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=60,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Stories of the page of rules as short text, told to the scripts and the oracle at once.

A line is `time  who does what -> what comes out`: the events that it made, and its answer where
that is a refusal or nothing was made. A line with `=` tells every pool (free, held, sold,
withheld) and every duty; `kept` tells what was captured less what went back, which is what the
orders are worth. In the end log, truth, referee and a retelling must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, cast

import msgspec

from dropengine import events, model, outcomes, refusals, wire
from dropengine.creator_commands import COMMANDS, CreatorCommand
from dropengine.log.referee import judge
from dropengine.log.replay import Truth, difference, fold_lines
from dropengine.manifest import Manifest, digest, rules
from dropengine.model import DropId, FanId
from dropengine.truth import keys
from dropengine.truth.outbox import QUESTIONS
from dropengine.truth.store import Store
from tests.kit import expected_truth
from tests.kit.manifests import START_MS, item, manifest
from tests.kit.oracle import Oracle
from tests.kit.retold import lawful

MIN = 60_000
OPENS = 13 * 60 * MIN
"""One o'clock, when the drop of the page is live."""
FIELDS = {
    "held": "hold fan qty deadline",
    "offered": "hold fan qty deadline",
    "claimed": "hold deadline",
    "extended": "hold deadline why",
    "payment_begun": "payment holds",
    "paying": "hold deadline",
    "asked": "payment deadline",
    "unpaid": "payment",
    "paid": "payment",
    "released": "hold by",
    "expired": "hold",
    "declined": "hold cool",
    "lapsed": "hold cool",
    "cooled": "entry cool",
    "joined": "entry fan qty lane why",
    "pointed": "entry fan points why",
    "sold": "hold intent serials capture",
    "rescued": "hold serials",
    "voided": "hold why how amount",
    "refunded": "hold serials amount",
    "opened": "revision",
    "realigned": "why lead",
    "closed": "at",
    "adopted": "guest holds orders entries",
    "calling": "until",
    "quiet": "until",
}
"""What a story tells of an event; of others the entry alone, where they have one."""
Both = tuple[object, object]
"""What the scripts answer, and the oracle."""


def page_drop(
    drop: str,
    *,
    cap: int = 2,
    places: int = 1,
    limit: int = 2,
    closes_ms: int = 0,
    pace: int = 0,
    quiet: int = 0,
) -> Manifest:
    """The drop of the page's examples. places=2: a pool of one unit at each, instead. `pace`: as
    many at once, then one more every ten seconds. quiet=1: it has hours, from 08:00 to 22:00 of its
    day."""
    pools = {"pin": cap} if places == 1 else {"port": 1, "hill": 1}
    made = manifest(drop, item("pin", pools, most=2), limit=limit, k=5, closes_ms=closes_ms)
    pace_ms = 10_000 if pace else 0
    # It is one o'clock there when tests begin.
    hours = {"calls_from_ms": 3 * 60 * MIN, "calls_to_ms": 17 * 60 * MIN} if quiet else {}
    return msgspec.structs.replace(made, lookup_ms=2 * MIN, pace=pace, pace_ms=pace_ms, **hours)


def ms(time: str) -> int:
    hours, minutes, *rest = time.split(":")
    return (int(hours) * 60 + int(minutes)) * MIN + round(float(rest[0] if rest else 0) * 1000)


def moment(time: str) -> int:
    return START_MS + ms(time) - OPENS


def shown(name: str, value: object) -> str:
    """As a story writes it; what did not happen or is usual is left out."""
    if name in ("deadline", "cool", "at", "until") and isinstance(value, int):
        return clock(value) if value else "ended"
    if name in ("holds", "orders", "entries") and isinstance(value, list):
        return "+".join(value)
    if name == "serials" and isinstance(value, list):
        return "".join(f"#{serial}" for serial in value)
    if name == "lead" and isinstance(value, int):
        return f"{value // 1000}s"
    return "" if value in ("fan", "done") or (name == "lane" and value == 0) else str(value)


def clock(at: int) -> str:
    minutes, rest = divmod(at - START_MS + OPENS, MIN)
    return f"{minutes // 60}:{minutes % 60:02}" + (f":{rest / 1000:06.3f}" if rest else "")


def short(event: events.AnyEvent) -> str:
    word = model.snake(type(event).__name__)
    names = FIELDS.get(word, "entry").split()
    told = [shown(name, getattr(event, name, "fan")) for name in names]
    if word == "sold" and told[0] == told[1]:
        del told[1]
    return " ".join([word, *filter(None, told)])


def answered(outcome: object) -> str:
    match outcome:
        case outcomes.HoldGranted(id=name, hold=hold):
            until = [clock(hold.deadline_ms)] if hold.state in ("active", "paying") else []
            return " ".join([type(outcome).__name__.lower(), name, hold.state, *until])
        case outcomes.EntryGranted(id=name, entry=entry):
            return f"{type(outcome).__name__.lower()} {name} {entry.state}"
        case outcomes.Changed(revision=revision, state=state):
            return f"changed {revision} {state}"
        case outcomes.Paying(id=name, payment=payment):
            return f"paying {name} {payment.state} {clock(payment.deadline_ms)}"
        case outcomes.Paid(payment=name):
            return f"paid {name}"
        case outcomes.Unpaid(payment=name):
            return f"unpaid {name}"
        case refusals.Refusal():
            return outcome.code
        case _:
            return "nothing"


FANS_COMMANDS: dict[str, Callable[[str, str], wire.FanCommand]] = {
    "claim": lambda key, name: wire.Claim(id=0, key=key, hold=name),
    "release": lambda key, name: wire.Release(id=0, key=key, hold=name),
    "extend": lambda key, name: wire.Extend(id=0, key=key, hold=name),
    "pay": lambda key, name: wire.Pay(id=0, key=key, holds=[name]),
    "leave": lambda key, name: wire.Leave(id=0, key=key, entry=name),
}


def fans_command(verb: str, key: str, words: list[str]) -> wire.FanCommand | None:
    match verb, words:
        case "press", [qty, *rest]:
            pool = next((word for word in rest if word != "fewer"), "pin")
            return wire.Hold(id=0, key=key, pool=pool, qty=int(qty), fewer="fewer" in rest)
        case "join", [qty, *pools]:
            return wire.Join(id=0, key=key, pools=pools or ["pin"], qty=int(qty))
        case _, [name] if verb in FANS_COMMANDS:
            return FANS_COMMANDS[verb](key, name)
        case _:
            return None


def makers_command(verb: str, words: list[str]) -> CreatorCommand:
    more: dict[str, Any] = {"pool": "pin", "qty": int(words[0])} if words else {}
    return COMMANDS[verb](**more)


def standing(truth: Truth) -> str:
    """Every pool and every duty."""
    pools = [
        f"{name} {pool.free} {pool.held} {pool.sold} {pool.withheld}"
        for name, pool in truth.pools.items()
    ]
    owed = [
        name if duty.kind in QUESTIONS else f"{name} {duty.amount}"
        for name, duty in sorted(truth.outbox.items())
    ]
    return ", ".join(sorted(pools) + owed)


OPERATORS = {"mia": "o1", "noa": "o2"}
"""How the log calls those of a story who command."""


class Twice:
    """One drop of the page, in the store and in the oracle."""

    def __init__(self, store: Store, text: Manifest) -> None:
        self.store, self.text, self.drop = store, text, DropId(text.id)
        self.now = START_MS
        self.numbers = count(1)
        self.told = 0
        self.oracle = Oracle(rules(text, self.now), digest(text), "o1", "publish", self.now)

    async def tell(self, story: str) -> None:
        await self.store.publish(self.text, by="o1", key="publish", test=True, clock_ms=self.now)
        await self.line("mia open", "opened 2")
        for line in filter(None, map(str.strip, story.splitlines())):
            if line.startswith("="):
                await self.stands(line.removeprefix("= "))
                continue
            if line.startswith("kept"):
                await self.kept(int(line.removeprefix("kept ")))
                continue
            does, _, out = line.partition("->")
            time, _, does = does.strip().partition(" ")
            self.now = moment(time)
            await self.line(does.strip(), out.strip())
        await self.agree()

    async def line(self, does: str, out: str) -> None:
        """A word with `=` is an option: `key`, or the revision that a maker saw."""
        who, verb, *words = does.split()
        more = dict(word.split("=") for word in words if "=" in word)
        plain = [word for word in words if "=" not in word]
        self.told = self.oracle.seq
        who = OPERATORS.get(who, who)
        key = more.get("key") or f"k{next(self.numbers)}"
        command = fans_command(verb, key, plain)
        if command is not None:
            true, expected = await self.fan(who, command)
        elif verb in COMMANDS:
            revision = int(more.get("revision", self.oracle.revision))
            true, expected = await self.maker(who, makers_command(verb, plain), revision, key)
        elif verb in ("captured", "authorises"):
            true, expected = await self.paid(plain, captured=verb == "captured")
        else:
            true, expected = await self.other(verb, plain, who, key)
        made = [short(event) for event in self.oracle.log[self.told :]]
        if not made or isinstance(expected, refusals.Refusal):
            made.append(answered(expected))
        assert "; ".join(made) == out, f"{does}: {'; '.join(made)}"
        assert true == expected, f"{does}: {true}, not {expected}"

    async def fan(self, who: str, command: wire.FanCommand) -> Both:
        (true,) = await self.store.press(self.drop, [(FanId(who), command)], clock_ms=self.now)
        return true, self.oracle.press([(who, command)], self.now)[0]

    async def maker(self, who: str, command: CreatorCommand, revision: int, key: str) -> Both:
        true = await self.store.command(
            self.drop, command, revision=revision, by=who, key=key, clock_ms=self.now
        )
        return true, self.oracle.creator(command, revision, key, who, self.now)

    async def paid(self, words: list[str], *, captured: bool) -> Both:
        """Whoever paid had begun to: just now, where the story has not told of it."""
        hold, charge, amount, currency = [*words, "EUR"][:4]
        oracle = self.oracle
        one = oracle.holds[hold]
        if one.state == "active":
            begins = wire.Pay(id=0, key=f"k{next(self.numbers)}", holds=[hold])
            true, expected = await self.fan(one.fan, begins)
            assert true == expected, f"{hold}: {true}, not {expected}"
            self.told = oracle.seq
        told = (one.payment, charge, int(amount), currency, captured)
        true = await self.store.succeeded(self.drop, *told, clock_ms=self.now)
        return true, oracle.succeeded(*told, self.now)

    async def other(self, verb: str, words: list[str], who: str, key: str) -> Both:
        store, oracle, drop, now = self.store, self.oracle, self.drop, self.now
        match verb, words:
            case "says-unpaid", [hold]:
                return await store.unpaid(drop, hold, clock_ms=now), oracle.unpaid(hold, now)
            case "discharge", [duty]:
                done = await store.discharge(drop, duty, "done", clock_ms=now)
                return done, oracle.discharge(duty, "done", now)
            case "refund", [order]:
                true = await store.refund(drop, order, by=who, key=key, clock_ms=now)
                return true, oracle.refund(order, who, key, now)
            case "signs-in", [person]:
                answer = await store.adopt(drop, FanId(who), FanId(person), clock_ms=now)
                return answer, oracle.adopt(who, person, now)
            case "settles", []:
                await store.settle(drop, clock_ms=now)
                oracle.settle(now)
            case "runs", []:
                # Where this is told, ten seconds without it are an outage.
                await cast("Any", store.client).hset(keys.one(drop, "wake"), "ran", now)
                oracle.ran = now
            case _:
                raise AssertionError(f"{who} {verb} {words}")
        return None, None

    async def truth(self) -> Truth:
        truth = await self.store.truth(self.drop)
        assert truth is not None
        return truth

    async def stands(self, told: str) -> None:
        for truth in (await self.truth(), expected_truth.truth(self.oracle)):
            assert standing(truth) == told, standing(truth)

    async def kept(self, told: int) -> None:
        verdict = judge([line async for line in self.store.log(self.drop)])
        captured, refunded, by_hand, given_up = self.oracle.money()
        assert told == captured - refunded - by_hand - given_up
        assert told == verdict.captured_minus_refunded == verdict.orders_total

    async def agree(self) -> None:
        """Scripts, oracle, replay, referee and a retelling have the same history."""
        told = [line async for line in self.store.log(self.drop)]
        log = [events.parse(line) for line in told]
        assert log == self.oracle.log
        assert difference(fold_lines(told), await self.truth()) == []
        violations = judge(told).violations
        assert violations == [], violations
        assert lawful(log)

"""Small honest logs, written by hand: a few words say what happened, events come out.

The pen only fills in what follows from the words: seq, ids, prices, deadlines. What happens, and in
which order, is the writer's. `doctor` and its friends then spoil a log in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from dropengine import events
from dropengine.log.layouts import PAYS_TOGETHER
from dropengine.randomness import CommitReveal

START_MS = 1_800_000_000_000
HOLD_MS = 480_000
OFFER_MS = 1_800_000
EXTEND_MS = 120_000
PAY_MS = 180_000
COOL_MS = 60_000
LOOKUP_MS = 90_000
PRICE = 2400
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

Log = list[events.AnyEvent]

ALONE = PAYS_TOGETHER - 1
"""The last layout in which each hold was paid for alone, as most of these logs have it."""


def rules(
    pools: dict[str, tuple[int, int]] | None = None, *, limit: int = 2, k: int = 3, most: int = 2
) -> events.Rules:
    """`pools`: id -> (cap, withheld); pools of one item are written `item@node`."""
    pools = pools or {"pin": (3, 0)}
    caps: dict[str, int] = {}
    for name, (cap, _) in pools.items():
        item = name.partition("@")[0]
        caps[item] = caps.get(item, 0) + cap
    return events.Rules(
        id="pins",
        mode="rush",
        currency="EUR",
        opens_ms=0,
        closes_ms=0,
        limit=limit,
        k=k,
        hold_ms=HOLD_MS,
        offer_ms=OFFER_MS,
        extend_ms=EXTEND_MS,
        pay_ms=PAY_MS,
        cool_ms=COOL_MS,
        lookup_ms=LOOKUP_MS,
        practice=0,
        items=[
            events.PublishedItem(id=item, cap=cap, price=PRICE, limit=0, most=most)
            for item, cap in caps.items()
        ],
        pools=[
            events.PublishedPool(id=name, item=name.partition("@")[0], cap=cap, withheld=withheld)
            for name, (cap, withheld) in pools.items()
        ],
    )


class Pen:
    """Writes one log. `now` is the time of the next event; `wait` moves it."""

    def __init__(self, published: events.Rules | None = None) -> None:
        self.rules = published or rules()
        self.now = START_MS
        self.log: Log = []
        self.revision = 0
        self.holds: dict[str, events.Held | events.Offered] = {}
        self.ends: dict[str, int] = {}
        self.entries: dict[str, events.Joined] = {}
        self.sales: dict[str, events.Sale] = {}
        self.serials: dict[str, int] = {}
        self.back: dict[str, list[int]] = {}
        self.corrected: dict[str, int] = {}
        self.keys = 0

    def charge(self) -> str:
        """The next charge that the log tells of."""
        told = (e for e in self.log if isinstance(e, events.Sale | events.Voided))
        return f"c{sum(1 for _ in told) + 1}"

    def wait(self, ms: int) -> None:
        self.now += ms

    def until(self, ms: int) -> None:
        self.now = max(self.now, ms)

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def write(self, kind: type[events.Event], /, **fields: object) -> None:
        event = kind(seq=len(self.log) + 1, at=self.now, **fields)
        assert isinstance(event, events.AnyEvent)
        self.log.append(event)

    def by_creator(self, kind: type[events.Event], *, by: str = "o1", **fields: object) -> None:
        self.revision += 1
        self.write(kind, by=by, key=self.key(), revision=self.revision, **fields)

    def thawed(self, why: str, lost_ms: int) -> None:
        """A drop that was live comes back after so long."""
        more = {"state": "paused", "found": 2, "lost_ms": lost_ms, "lead": -lost_ms}
        self.by_creator(events.Thawed, by="o1", why=why, **more)

    def published(self, schema: int = ALONE) -> Pen:
        """schema: the layout of the engine that published it."""
        self.by_creator(events.Published, schema=schema, test=1, hash="0" * 64, rules=self.rules)
        return self

    def opened(self, schema: int = ALONE) -> Pen:
        self.published(schema).by_creator(events.Opened)
        return self

    def _hold(self, kind: type[events.Event], window_ms: int, **fields: object) -> str:
        name = f"h{len(self.holds) + 1}"
        deadline = self.now + window_ms
        self.write(kind, hold=name, price=PRICE, deadline=deadline, **fields)
        event = self.log[-1]
        assert isinstance(event, events.Held | events.Offered)
        self.holds[name], self.ends[name] = event, deadline
        return name

    def held(self, fan: str, pool: str = "pin", qty: int = 1, cohort: str = "") -> str:
        more = {"fan": fan, "key": self.key(), "pool": pool, "qty": qty, "cohort": cohort}
        return self._hold(events.Held, HOLD_MS, **more)

    def _until(self, kind: type[events.Event], hold: str, deadline: int, **more: object) -> None:
        self.ends[hold] = deadline
        fields = {"fan": self.holds[hold].fan, "hold": hold, "deadline": deadline, **more}
        self.write(kind, **{"key": self.key(), **fields})

    def claimed(self, hold: str) -> None:
        self._until(events.Claimed, hold, self.now + HOLD_MS)

    def extended(self, hold: str) -> None:
        self._until(events.Extended, hold, self.ends[hold] + EXTEND_MS, why="fan")

    def looked_up(self, hold: str) -> None:
        self.until(self.ends[hold])
        self._until(events.Extended, hold, self.ends[hold] + LOOKUP_MS, key="", why="lookup")

    def paying(self, hold: str) -> None:
        self._until(events.Paying, hold, max(self.ends[hold], self.now + PAY_MS))

    def _units(self, hold: str) -> dict[str, object]:
        held = self.holds[hold]
        return {"fan": held.fan, "hold": hold, "pool": held.pool, "qty": held.qty}

    def released(self, hold: str, by: str = "fan") -> None:
        key = self.key() if by == "fan" else ""
        self.write(events.Released, **self._units(hold), key=key, by=by)

    def expired(self, hold: str) -> None:
        self.until(self.ends[hold])
        self.write(events.Expired, **self._units(hold))

    def _sale(self, kind: type[events.Event], hold: str, intent: str, capture: str) -> str:
        held = self.holds[hold]
        item = held.pool.partition("@")[0]
        back = sorted(self.back.get(item, []))
        serials = back[: held.qty]
        self.back[item] = back[held.qty :]
        while len(serials) < held.qty:
            self.serials[item] = self.serials.get(item, 0) + 1
            serials.append(self.serials[item])
        charge = self.charge()
        fields = self._units(hold)
        self.write(
            kind,
            **fields,
            intent=intent or hold,
            serials=serials,
            amount=PRICE * held.qty,
            charge=charge,
            capture=capture,
        )
        event = self.log[-1]
        assert isinstance(event, events.Sale)
        self.sales[hold] = event
        return charge

    def sold(self, hold: str, *, intent: str = "", capture: str = "pending") -> str:
        return self._sale(events.Sold, hold, intent, capture)

    def rescued(self, hold: str, *, capture: str = "pending") -> str:
        return self._sale(events.Rescued, hold, "", capture)

    def voided(self, hold: str, why: str, how: str = "void", currency: str = "EUR") -> str:
        held, charge = self.holds[hold], self.charge()
        self.write(
            events.Voided,
            fan=held.fan,
            hold=hold,
            charge=charge,
            amount=PRICE * held.qty,
            currency=currency,
            how=how,
            why=why,
        )
        return charge

    def mismatched(self, hold: str, charge: str, amount: int) -> None:
        """The provider captured another amount of a charge; the order of it is worth that."""
        fan = self.holds[hold].fan
        self.write(events.Mismatched, fan=fan, hold=hold, charge=charge, amount=amount)
        sale = self.sales.get(hold)
        if sale is not None and sale.charge == charge:
            self.sales[hold] = msgspec.structs.replace(sale, amount=amount)
        self.corrected[charge] = amount

    def refunded(self, hold: str, by: str = "o1") -> None:
        """by: a creator under a key, or `creator` when the drop was cancelled."""
        sale = self.sales[hold]
        item = sale.pool.partition("@")[0]
        self.back.setdefault(item, []).extend(sale.serials)
        self.write(
            events.Refunded,
            **self._units(hold),
            serials=sale.serials,
            amount=sale.amount,
            charge=sale.charge,
            by=by,
            key="" if by == "creator" else self.key(),
        )

    def discharged(self, kind: str, hold: str, charge: str = "", result: str = "done") -> None:
        held = self.holds[hold]
        self.write(
            events.Discharged,
            fan=held.fan,
            duty=f"{kind}:{charge or hold}",
            kind=kind,
            hold=hold,
            charge=charge,
            amount=self.corrected.get(charge, PRICE * held.qty),
            result=result,
        )

    def joined(self, fan: str, *pools: str, qty: int = 1, makegood: bool = False) -> str:
        name = f"e{len(self.entries) + 1}"
        self.write(
            events.Joined,
            fan=fan,
            key="" if makegood else self.key(),
            entry=name,
            n=len(self.entries) + 1,
            qty=qty,
            pools=list(pools or ("pin",)),
            lane=0,
            points=0,
            why="makegood" if makegood else "fan",
        )
        event = self.log[-1]
        assert isinstance(event, events.Joined)
        self.entries[name] = event
        return name

    def entered(self, fan: str, tickets: int, nonce: str) -> str:
        """Into the list of a lobby."""
        name = self.joined(fan)
        told = self.log.pop()
        assert isinstance(told, events.Joined)
        told = msgspec.structs.replace(told, n=0, tickets=tickets, nonce=nonce)
        self.log.append(told)
        self.entries[name] = told
        return name

    def pointed(self, entry: str, points: int, book: int, why: str = "friend") -> None:
        self.write(events.Pointed, **self._who(entry), points=points, book=book, why=why)

    def _who(self, entry: str) -> dict[str, object]:
        return {"fan": self.entries[entry].fan, "entry": entry}

    def offered(
        self,
        entry: str,
        pool: str = "pin",
        qty: int = 1,
        window_ms: int = OFFER_MS,
        cohort: str = "",
        call: int = 0,
    ) -> str:
        joined = self.entries[entry]
        return self._hold(
            events.Offered,
            window_ms,
            **self._who(entry),
            n=joined.n,
            call=call,
            pool=pool,
            qty=qty,
            cohort=cohort,
        )

    def calls_himself(self, entry: str, pool: str = "pin", qty: int = 1) -> str:
        """The press of a fan in quiet hours whose call it would be."""
        joined, key = self.entries[entry], self.key()
        place = {"n": joined.n, "call": 0, "pool": pool, "qty": qty, "key": key}
        hold = self._hold(events.Offered, OFFER_MS, **self._who(entry), **place)
        self._until(events.Claimed, hold, self.now + HOLD_MS, key=key)
        return hold

    def lapsed(self, hold: str, entry: str, *, last: bool = False) -> None:
        self.until(self.ends[hold])
        cool = 0 if last else self.now + COOL_MS
        self.write(events.Lapsed, **self._units(hold), entry=entry, cool=cool)

    def declined(self, hold: str, entry: str, *, key: str = "") -> None:
        """`key`: that of the leaving which this is a part of; nothing cools then."""
        cool = 0 if key else self.now + COOL_MS
        key = key or self.key()
        self.write(events.Declined, **self._units(hold), entry=entry, cool=cool, key=key)

    def cooled(self, entry: str) -> None:
        self.write(events.Cooled, **self._who(entry), cool=self.now + COOL_MS)

    def fate(self, kind: type[events.Event], entry: str, **more: object) -> None:
        self.write(kind, **self._who(entry), n=self.entries[entry].n, **more)

    def adopted(
        self,
        guest: str,
        person: str,
        holds: Sequence[str] = (),
        orders: Sequence[str] = (),
        entries: Sequence[str] = (),
    ) -> None:
        lists = {"holds": [*holds], "orders": [*orders], "entries": [*entries]}
        self.write(events.Adopted, fan=person, guest=guest, **lists)
        for name in holds:
            self.holds[name] = msgspec.structs.replace(self.holds[name], fan=person)
        for name in entries:
            self.entries[name] = msgspec.structs.replace(self.entries[name], fan=person)

    def limit_freed(self, entry: str) -> None:
        self.write(events.LimitFreed, **self._who(entry))


def a_rush() -> Pen:
    """Three pins: ada buys two, ben lets his lapse, cy gives hers back and dora buys; settled."""
    pen = Pen().opened()
    pen.wait(5)
    ada, ben = pen.held("ada", qty=2), pen.held("ben")
    pen.wait(1000)
    pen.paying(ada)
    charge = pen.sold(ada)
    pen.discharged("capture", ada, charge)
    pen.extended(ben)
    pen.expired(ben)
    cy = pen.held("cy")
    pen.wait(10)
    pen.released(cy)
    pen.wait(10)
    dora = pen.held("dora")
    pen.paying(dora)
    pen.sold(dora, capture="done")
    pen.by_creator(events.Message, text="Thank you.")
    pen.by_creator(events.Closed)
    pen.wait(1)
    pen.write(events.Settled)
    pen.discharged("lookup", ada)
    pen.discharged("lookup", dora)
    return pen


def a_line() -> Pen:
    """One pin, three in line: one lapses twice, one claims twice and pays, one leaves."""
    pen = Pen(rules({"pin": (1, 0)})).opened()
    first = pen.held("ada")
    pen.wait(5)
    one, two, three = pen.joined("ben"), pen.joined("cy"), pen.joined("dora")
    pen.wait(5)
    pen.released(first)
    offer = pen.offered(one)
    pen.lapsed(offer, one)
    second = pen.offered(two)
    pen.wait(5)
    pen.claimed(second)
    pen.wait(5)
    pen.released(second)
    pen.cooled(two)
    third = pen.offered(three)
    pen.wait(COOL_MS + 10)
    key = pen.key()
    pen.declined(third, three, key=key)
    pen.fate(events.Left, three, key=key)
    again = pen.offered(one)
    pen.lapsed(again, one, last=True)
    pen.fate(events.Dormant, one)
    last = pen.offered(two)
    pen.claimed(last)
    pen.paying(last)
    pen.wait(5)
    charge = pen.sold(last)
    pen.fate(events.Served, two)
    pen.discharged("capture", last, charge)
    pen.by_creator(events.Closed)
    pen.wait(1)
    pen.write(events.Settled)
    pen.discharged("lookup", last)
    return pen


def a_late_payment() -> Pen:
    """Two pins. ada pays late and a unit is left for her; ben pays late and none is left, so he is
    made good for it and gets ada's serial when she is refunded; then the maker cancels."""
    pen = Pen(rules({"pin": (2, 0)}, limit=1)).opened()
    pen.wait(5)
    ada = pen.held("ada")
    pen.paying(ada)
    pen.looked_up(ada)
    pen.expired(ada)
    pen.discharged("lookup", ada)
    pen.wait(5)
    charge = pen.rescued(ada)
    pen.discharged("capture", ada, charge)
    ben = pen.held("ben")
    pen.paying(ben)
    pen.looked_up(ben)
    pen.wait(LOOKUP_MS - 1)
    pen.expired(ben)
    pen.discharged("lookup", ben)
    cy = pen.held("cy")
    pen.wait(5)
    late = pen.voided(ben, "late")
    good = pen.joined("ben", makegood=True)
    pen.discharged("void", ben, late)
    pen.wait(5)
    twice = pen.voided(ada, "second", how="refund")
    pen.discharged("refund", ada, twice)
    pen.wait(5)
    pen.refunded(ada)
    offer = pen.offered(good)
    pen.discharged("refund", ada, charge)
    pen.wait(5)
    pen.claimed(offer)
    pen.paying(offer)
    pen.wait(5)
    again = pen.sold(offer, intent=offer)
    pen.fate(events.Served, good)
    pen.discharged("capture", offer, again, result="failed")
    pen.wait(5)
    pen.by_creator(events.Cancelled)
    pen.released(cy, by="creator")
    pen.wait(1)
    pen.refunded(offer, by="creator")
    pen.discharged("refund", offer, again)
    pen.discharged("lookup", offer)
    return pen


def captured_for_less() -> Pen:
    """One pin, sold to ada; her second payment and then her first are captured for less than they
    were authorised for; the maker gives her back what was taken, and closes."""
    pen = Pen(rules({"pin": (1, 0)}, limit=1)).opened()
    pen.wait(5)
    ada = pen.held("ada")
    pen.paying(ada)
    charge = pen.sold(ada)
    twice = pen.voided(ada, "second")
    pen.wait(5)
    pen.mismatched(ada, twice, PRICE - 1)
    pen.discharged("refund", ada, twice)
    pen.mismatched(ada, charge, PRICE // 2)
    pen.wait(5)
    pen.refunded(ada)
    pen.discharged("refund", ada, charge)
    pen.by_creator(events.Closed)
    pen.write(events.Settled)
    pen.discharged("lookup", ada)
    return pen


def two_pools() -> Pen:
    """Two pools of one item, preferences, a full limit, stock added and withdrawn, a pause that
    the maker takes over."""
    pen = Pen(rules({"pin@north": (2, 0), "pin@south": (2, 2)}, limit=2)).opened()
    pen.wait(5)
    north = pen.held("ada", "pin@north", qty=2)
    pen.wait(5)
    ada = pen.joined("ada", "pin@north")
    ben = pen.joined("ben", "pin@south", "pin@north", qty=2)
    cy = pen.joined("cy", "pin@north")
    pen.by_creator(events.Paused, why="the disk is nearly full", by="disk")
    pen.by_creator(events.Paused, why="a word with the printer")
    pen.by_creator(events.Added, pool="pin@south", qty=2)
    pen.by_creator(events.Withdrawn, pool="pin@south", qty=1)
    pen.wait(5)
    pen.by_creator(events.Resumed)
    first = pen.offered(ben, "pin@south")
    pen.wait(5)
    pen.released(north)
    pen.limit_freed(ada)
    mine = pen.offered(ada, "pin@north")
    second = pen.offered(cy, "pin@north")
    pen.wait(5)
    for entry, hold in ((ada, mine), (ben, first), (cy, second)):
        pen.claimed(hold)
        pen.paying(hold)
        pen.wait(5)
        pen.sold(hold, capture="done")
        pen.fate(events.Served, entry)
    return pen


def filled_limit() -> Pen:
    """An order that fills the limit ends the fan's other entry; a closed run."""
    pen = Pen(rules({"pin": (1, 0)}, limit=1)).opened()
    pen.wait(5)
    ada = pen.held("ada")
    entry = pen.joined("ada")
    pen.paying(ada)
    pen.wait(5)
    pen.sold(ada, capture="done")
    pen.fate(events.Removed, entry, why="limit")
    pen.by_creator(events.Closed)
    pen.wait(1)
    pen.write(events.Settled)
    pen.discharged("lookup", ada)
    return pen


def a_guest_signs_in() -> Pen:
    """Two places become one, the offer of the later is held, and is paid for by the person."""
    pen = Pen(rules({"pin": (1, 0)}, limit=2)).opened()
    pen.wait(5)
    cy = pen.held("cy")
    pia, ada = pen.joined("pia"), pen.joined("ada")
    pen.wait(5)
    pen.released(cy)
    first = pen.offered(pia)
    pen.lapsed(first, pia)
    offer = pen.offered(ada)
    pen.wait(5)
    pen.adopted("ada", "pia", holds=[offer], entries=[ada])
    pen._until(events.Claimed, offer, pen.ends[offer], key="")
    pen.fate(events.Removed, ada, why="merged")
    pen.wait(5)
    pen.paying(offer)
    pen.wait(5)
    pen.sold(offer, capture="done")
    pen.by_creator(events.Closed)
    pen.wait(1)
    pen.write(events.Settled)
    pen.discharged("lookup", offer)
    return pen


def taken_over() -> Pen:
    """A newer engine takes the drop over between an offer and its claim; one is paid unclaimed."""
    pen = Pen(rules({"pin": (2, 0)})).opened(schema=1)
    pen.wait(5)
    first = pen.held("ada", qty=2)
    ben, cy = pen.joined("ben"), pen.joined("cy")
    pen.wait(5)
    pen.released(first)
    offers = [pen.offered(ben, "pin"), pen.offered(cy, "pin")]
    pen.wait(5)
    pen.write(events.Lifted, was=1, schema=ALONE)
    pen.claimed(offers[0])
    pen.revision += 1
    fields = {"by": "clock", "key": "", "revision": pen.revision, "why": "outage"}
    pen.write(events.Realigned, lead=-60_000, **fields)
    pen.wait(5)
    pen.sold(offers[1], capture="done")
    pen.fate(events.Served, cy)
    return pen


def a_restored_drop() -> Pen:
    """Restored from a backup in mid-sale: an hour is lost to nobody; ada's hold goes on."""
    pen = Pen(rules({"pin": (2, 0)})).opened()
    pen.wait(5)
    ada = pen.held("ada")
    pen.wait(5)
    pen.thawed("restore", 3_600_000)
    pen.wait(5)
    pen.by_creator(events.Resumed, lead=-3_600_000)
    pen.wait(5)
    pen.paying(ada)
    pen.sold(ada, capture="done")
    pen.held("ben")
    return pen


def another_time() -> Pen:
    """Planned, planned anew while it waits, opened by hand before that, put right, closed by the
    clock."""
    pen = Pen(rules({"pin": (2, 0)})).published()
    pen.by_creator(events.Rescheduled, opens_ms=pen.now + 500, closes_ms=pen.now + 900)
    pen.wait(5)
    pen.by_creator(events.Rescheduled, opens_ms=pen.now + 400, closes_ms=0)
    opens_ms = pen.now + 400
    pen.by_creator(events.Opened)
    pen.wait(5)
    pen.held("ada")
    pen.by_creator(events.Corrected, hash="1" * 64)
    pen.by_creator(events.Rescheduled, opens_ms=opens_ms, closes_ms=pen.now + 300)
    pen.wait(300)
    pen.revision += 1
    pen.write(events.Closed, by="clock", key="", revision=pen.revision)
    return pen


def a_quiet_night() -> Pen:
    """It calls from 08:00 to 10:00 of UTC, and opened at 08:00: it calls until 11:00 on that day.
    At night two units come back, ben calls himself, and cy is called in the morning."""
    calls = events.CallingHours("UTC", 8 * HOUR_MS, 10 * HOUR_MS, [(0, 0)])
    pen = Pen(msgspec.structs.replace(rules({"pin": (2, 0)}), calls=calls))
    pen.opened()
    morning = pen.now + DAY_MS
    pen.wait(3 * HOUR_MS - 1000)
    ada = pen.held("ada", qty=2)
    ben, cy = pen.joined("ben"), pen.joined("cy")
    pen.wait(1000)
    pen.write(events.Quiet, until=morning)
    pen.expired(ada)
    pen.wait(5)
    called = pen.calls_himself(ben)
    pen.sold(called, capture="done")
    pen.fate(events.Served, ben)
    pen.until(morning)
    pen.write(events.Calling, until=morning + 2 * HOUR_MS)
    pen.offered(cy)
    return pen


def early_access() -> Pen:
    """The club has one pin, friends have one. Ada of the club holds it, ben of both the other; di
    waits at the club's ceiling and is called when ada gives hers back; at last it is open to
    all."""
    cohorts = [events.PublishedCohort("club", [1]), events.PublishedCohort("friends", [1])]
    public_ms = START_MS + HOUR_MS
    told = msgspec.structs.replace(rules({"pin": (3, 0)}), cohorts=cohorts, public_ms=public_ms)
    pen = Pen(told).opened()
    for fan, of in (("ada", ["club"]), ("ben", ["club", "friends"]), ("di", ["club"])):
        pen.write(events.Enrolled, fan=fan, cohorts=of)
    pen.wait(5)
    ada = pen.held("ada", cohort="club")
    ben = pen.held("ben", cohort="friends")
    pen.sold(ben, capture="done")
    pen.wait(5)
    di = pen.joined("di")
    pen.released(ada)
    pen.sold(pen.offered(di, cohort="club"), capture="done")
    pen.fate(events.Served, di)
    pen.until(public_ms)
    pen.revision += 1
    pen.write(events.Widened, by="clock", key="", revision=pen.revision)
    pen.held("cy")
    return pen


DRAWN = {"e1": (1, "a1" * 16), "e2": (3, ""), "e3": (1, "c3" * 16), "e4": (2, "d4" * 16)}
DRAWN |= {"e5": (1, "e5" * 16)}
"""The list, the commitment, the root and the order of the example on the page of a fair order."""
COMMITMENT = "fce90971f534fc77521126af061819d49bcab0d6854f9c2236ed02553d1d65a9"
ROOT = "188cb08c9ee45f2f2363737508ce038be0abaa94d3132456960f09d08cde45a2"
SECRET = bytes(range(32)).hex()
FIRST_OFFER_MS = 86_400_000


def a_draw() -> Pen:
    """Five enter, e6 leaves before the seal; two pins, and one of the two is given back. In between
    the maker takes a network for a venue's, and then not."""
    drawn = msgspec.structs.replace(
        rules({"pin": (2, 0)}),
        mode="draw",
        window_ms=HOUR_MS,
        first_offer_ms=FIRST_OFFER_MS,
        tickets_most=3,
        network_most=20,
        randomness=CommitReveal(COMMITMENT),
    )
    pen = Pen(drawn).published()
    pen.by_creator(events.LobbyOpened, seals=pen.now + HOUR_MS)
    for name, (tickets, nonce) in (*DRAWN.items(), ("e6", (1, ""))):
        pen.wait(1000)
        pen.entered(f"fan-{name}", tickets, nonce)
    for kind in (events.Exempted, events.Restricted):
        pen.by_creator(kind, network="nAbCdEfGhIjKl")
    pen.write(events.Left, **pen._who("e6"), n=0, key=pen.key())
    pen.until(START_MS + HOUR_MS)
    pen.revision += 1
    pen.write(events.Sealed, by="clock", key="", revision=pen.revision, entries=5)
    pen.write(events.Rooted, root=ROOT)
    pen.write(events.Revealed, value=SECRET)
    for n, ids in ((1, ["e5", "e2", "e4"]), (4, ["e1", "e3"])):
        pen.wait(5)
        pen.write(events.Ordered, n=n, ids=ids)
        for place, name in enumerate(ids, n):
            pen.entries[name] = msgspec.structs.replace(pen.entries[name], n=place)
    pen.revision += 1
    pen.write(events.Opened, by="clock", key="", revision=pen.revision)
    first, second = (pen.offered(name, window_ms=FIRST_OFFER_MS) for name in ("e5", "e2"))
    pen.write(events.Allotted, offers=2)
    pen.wait(1000)
    pen.declined(first, "e5")
    pen.offered("e4")
    pen.claimed(second)
    pen.sold(second, capture="done")
    pen.fate(events.Served, "e2")
    pen.joined("late")
    return pen


def carried_over() -> Pen:
    """Ada and Ben waited in vain for a pin in an earlier drop; a third place is nobody's any more.
    Ben says that he is still there before the opening, Ada when a unit comes back."""
    named = events.CarriedFrom("pins-1", "ab" * 32, 50)
    pen = Pen(msgspec.structs.replace(rules({"pin": (2, 0)}), carried=named)).published()
    for fan, of in (("ada", "e5"), ("ben", "e9")):
        entry = pen.joined(fan)
        told = pen.log.pop()
        assert isinstance(told, events.Joined)
        told = msgspec.structs.replace(told, key="", why="carried", of=of)
        pen.log.append(told)
        pen.entries[entry] = told
    pen.write(events.Carried, first=1, last=2, of=3, n=2)
    pen.wait(5)
    pen.write(events.Carried, first=3, last=3, of=3, n=2)
    pen.write(events.Confirmed, **pen._who("e2"), key=pen.key())
    pen.wait(1000)
    pen.by_creator(events.Opened)
    pen.offered("e2")
    pen.wait(1000)
    cy = pen.held("cy")
    pen.wait(1000)
    pen.write(events.Confirmed, **pen._who("e1"), key=pen.key())
    pen.released(cy)
    pen.offered("e1")
    return pen


def with_friends() -> Pen:
    """Three pins, all held, and four in line; cy has a friend, di did something that was taken back
    in part. What comes back goes to ada, to cy by his friend, to ben; ada lets hers go, and di is
    called as any other: the base lane has one call less."""
    pen = Pen(msgspec.structs.replace(rules(k=2), points_until="close")).opened()
    holds = [pen.held(fan) for fan in ("hal", "ida", "jon")]
    ada, ben, cy, di = (pen.joined(fan) for fan in ("ada", "ben", "cy", "di"))
    pen.wait(5)
    pen.pointed(cy, 2, 1)
    pen.pointed(di, 3, 1, "mission")
    pen.pointed(di, 1, 2, "taken_back")
    offers = []
    for hold, entry in zip(holds, (ada, cy, ben), strict=True):
        pen.wait(5)
        pen.released(hold)
        offers.append(pen.offered(entry, call=int(entry == cy)))
    pen.wait(5)
    pen.declined(offers[0], ada)
    pen.offered(di)
    pen.pointed(di, 0, 3, "taken_back")
    return pen


HONEST: dict[str, Callable[[], Pen]] = {
    story.__name__: story
    for story in (
        a_rush,
        a_line,
        a_late_payment,
        captured_for_less,
        two_pools,
        filled_limit,
        a_guest_signs_in,
        taken_over,
        a_restored_drop,
        another_time,
        a_quiet_night,
        early_access,
        a_draw,
        carried_over,
        with_friends,
    )
}


def text(log: Iterable[events.AnyEvent]) -> list[bytes]:
    """As an exported log: one JSON text a line."""
    return [msgspec.json.encode(event) + b"\n" for event in log]


def numbered(log: Iterable[events.AnyEvent]) -> Log:
    """seq made gapless again, so that nothing but the doctor's mistake is left to find."""
    return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(log, 1)]


def seq_of(log: Log, kind: type[events.Event], number: int = 1) -> int:
    """The seq of the `number`th event of a kind."""
    return [event.seq for event in log if isinstance(event, kind)][number - 1]


def doctor(log: Log, seq: int, **fields: object) -> Log:
    """The same log with other fields in one event."""
    return [
        msgspec.structs.replace(event, **fields) if event.seq == seq else event for event in log
    ]


def without(log: Log, seq: int) -> Log:
    return numbered(event for event in log if event.seq != seq)


def with_after(log: Log, seq: int, *more: events.AnyEvent) -> Log:
    """The same log with events put in after one; they get its time unless it is later."""
    out: Log = []
    for event in log:
        out.append(event)
        if event.seq == seq:
            out += [msgspec.structs.replace(one, at=event.at) for one in more]
    return numbered(out)

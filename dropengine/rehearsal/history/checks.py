"""Hold what clients saw against the log: nothing lost, nothing twice, nothing before its time.

INV-8 acknowledged is in the log; INV-11 arrivals; INV-12 real time; INV-14 screens; INV-16 unknown
is 0 or 1 times.
The log is judged by the referee; here it is taken as the one order of everything that happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from dropengine import events, wire
from dropengine.log.referee.report import Measures, Violation
from dropengine.rehearsal.history.counts import Counts
from dropengine.rehearsal.history.record import (
    AnyLine,
    Fail,
    Info,
    Invoke,
    Ok,
    Owned,
    Placed,
    Shown,
    Viewer,
)

GAVE_BACK = (events.Released, events.Declined)


class Operation(msgspec.Struct):
    """One command of one fan, from its first sending to its answer. `fan` '' until it is known."""

    fan: str
    command: wire.FanCommand
    begun_us: int
    ended_us: int = 0
    done: wire.Done | None = None
    refused: wire.Refused | None = None


class Effect(msgspec.Struct, frozen=True):
    """What a key of a fan made: the event and where it stands in the log."""

    seq: int
    event: events.AnyEvent


def operations(lines: Iterable[AnyLine], drop: str) -> dict[int, Operation]:
    """The operations on one drop by their number; one that never ended is unknown."""
    found: dict[int, Operation] = {}
    for line in lines:
        if line.drop != drop:
            continue
        match line:
            case Invoke():
                found[line.op] = Operation(line.fan, line.command, line.mono_us)
            case Ok():
                found[line.op].ended_us, found[line.op].done = line.mono_us, line.reply
            case Fail():
                found[line.op].ended_us, found[line.op].refused = line.mono_us, line.reply
            case Info() | Owned() | Placed() | Shown() | Viewer():
                pass
    return found


class Log:
    """One log, looked at from the side of clients. `wanted`: seqs at which screens showed pools."""

    def __init__(self, log: Iterable[events.AnyEvent], wanted: Collection[int]) -> None:
        self.last_seq = 0
        self.by_key: dict[tuple[str, str], list[Effect]] = {}
        self.holds: dict[str, events.Held | events.Offered] = {}
        self.entries: dict[str, events.Joined] = {}
        self.arrivals: dict[str, int] = {}
        self.sales: dict[str, events.Sale] = {}
        self.worth: dict[str, set[int]] = {}
        """Order -> what it was sold for, and what was captured where that was another amount."""
        self.of_hold: dict[tuple[type[events.Event], str], int] = {}
        self.looked: dict[str, int] = {}
        """Hold -> since when its payment is asked about."""
        self.payments: dict[str, events.PaymentBegun] = {}
        self.given_up: dict[str, int] = {}
        """Payment -> when its fan asked for its end."""
        self.left: dict[str, int] = {}
        self.confirmed: dict[str, int] = {}
        self.person_of: dict[str, str] = {}
        """Guest -> the person who adopted him: his is from then on whatever was the guest's."""
        self.counts = Counts(wanted)
        for event in log:
            self._take(event)
        by_key, self.by_key = self.by_key, {}
        for (fan, key), effects in by_key.items():
            self.by_key.setdefault((self.who(fan), key), []).extend(effects)

    def who(self, fan: str) -> str:
        """Under which name all of a fan's is looked for."""
        return self.person_of.get(fan, fan)

    def _take(self, event: events.AnyEvent) -> None:
        self.last_seq = event.seq
        self.counts.take(event)
        key = getattr(event, "key", "")
        fan = getattr(event, "fan", "")
        if key and fan and not isinstance(event, events.Refunded):
            self.by_key.setdefault((fan, key), []).append(Effect(event.seq, event))
        match event:
            case events.Held() | events.Offered():
                self.holds[event.hold] = event
            case events.Joined():
                self.entries[event.entry] = event
                self.arrivals[event.entry] = event.n
            case events.Ordered():
                self.arrivals |= {name: n for n, name in enumerate(event.ids, event.n)}
            case events.Sale():
                self.sales[event.hold] = event
                self.worth[event.hold] = {event.amount}
            case events.Mismatched():
                sale = self.sales.get(event.hold)
                if sale is not None and sale.charge == event.charge:
                    self.worth[event.hold].add(event.amount)
            case events.PaymentBegun():
                self.payments[event.payment] = event
            case events.Asked():
                begun = self.payments.get(event.payment)
                self.looked |= dict.fromkeys(begun.holds if begun else (), event.seq)
            case events.Unpaying():
                self.given_up[event.payment] = event.seq
            case (
                events.Claimed()
                | events.Paying()
                | events.Released()
                | events.Declined()
                | events.Swapped()
            ):
                self.of_hold[(type(event), event.hold)] = event.seq
            case events.Extended(why="fan"):
                self.of_hold[(type(event), event.hold)] = event.seq
            case events.Extended():
                self.looked[event.hold] = event.seq
            case events.Left():
                self.left[event.entry] = event.seq
            case events.Confirmed():
                self.confirmed[event.entry] = event.seq
            case events.Adopted():
                self.person_of[event.guest] = event.fan
            case _:
                pass

    def last_of(self, hold: str, kinds: Iterable[type[events.Event]]) -> int:
        return max((self.of_hold.get((kind, hold), 0) for kind in kinds), default=0)


def lost(log: Log, operation: Operation) -> Iterator[str]:
    """INV-8: what a client saw done is in the log, no later than the answer says."""
    done, fan, command = operation.done, operation.fan, operation.command
    if done is None:
        return

    def found(seq: int, what: str) -> Iterator[str]:
        if not seq:
            yield f"{fan} was told that {what}, and the log does not have it"
        elif seq > done.seq:
            yield f"{fan} was told at seq {done.seq} that {what}, the log has it at {seq}"

    match command:
        case wire.Hold():
            hold = done.hold.id if done.hold is not None else ""
            event = log.holds.get(hold)
            mine = event is not None and (log.who(event.fan), event.pool) == (fan, command.pool)
            yield from found(event.seq if event and mine else 0, f"hold {hold!r} is theirs")
        case wire.Claim(hold=hold):
            yield from found(log.last_of(hold, [events.Claimed]), f"{hold} is claimed")
        case wire.Extend(hold=hold) if done.hold is not None and done.hold.asking:
            # There is no more time to give: the bank is being asked.
            yield from found(log.looked.get(hold, 0), f"the bank is asked about {hold}")
        case wire.Extend(hold=hold):
            yield from found(log.last_of(hold, [events.Extended]), f"{hold} is extended")
        case wire.Release(hold=hold):
            yield from found(log.last_of(hold, GAVE_BACK), f"{hold} is given back")
        case wire.Pay(holds=holds) if done.payment is not None:
            begun = log.payments.get(done.payment.id)
            mine = begun is not None and log.who(begun.fan) == fan
            same = begun is not None and {*begun.holds} == {*holds} == {*done.payment.holds}
            yield from found(
                begun.seq if begun and mine and same else 0, f"{done.payment.id} is for {holds}"
            )
        case wire.Pay():
            for hold in done.pay:
                yield from found(log.last_of(hold, [events.Paying]), f"{hold} may be paid")
            for hold in set(command.holds) - done.pay.keys() - done.refused.keys():
                yield f"{fan} was told nothing of {hold}, which was to be paid"
        case wire.Unpay(payment=payment):
            begun = log.payments.get(payment)
            mine = begun is not None and log.who(begun.fan) == fan
            # One that is over is answered as it is.
            asked = done.payment is None or done.payment.leaving
            seq = log.given_up.get(payment, 0) if asked else begun.seq if begun else 0
            yield from found(seq if mine else 0, f"{payment} is given up")
        case wire.Swap(hold=hold):
            yield from found(log.last_of(hold, [events.Swapped]), f"{hold} is swapped")
        case wire.Basket(wants=wants) if done.basket is not None:
            told = [one.want for one in done.basket.had]
            told += [one.want for one in done.basket.missing]
            if sorted(told) != [*range(len(wants))]:
                yield f"{fan} was told of the wants {told} of {len(wants)}"
            for had in done.basket.had:
                event = log.holds.get(had.hold.id)
                mine = event is not None and log.who(event.fan) == fan
                yield from found(
                    event.seq if event and mine else 0, f"hold {had.hold.id!r} is theirs"
                )
        case wire.Join() if done.hold is not None:
            held = log.holds.get(done.hold.id)
            mine = held is not None and log.who(held.fan) == fan and held.pool in command.pools
            yield from found(held.seq if held and mine else 0, f"hold {done.hold.id!r} is theirs")
        case wire.Join():
            joined = log.entries.get(done.entry)
            mine = joined is not None and log.who(joined.fan) == fan
            yield from found(joined.seq if joined and mine else 0, f"{done.entry!r} is in line")
            # Who is in the list already is answered with what he entered with first.
            listed = joined if joined and joined.key == command.key and joined.tickets else None
            if listed and listed.nonce != command.nonce:
                yield f"{fan} entered with the nonce {command.nonce!r}, not {listed.nonce!r}"
        case wire.Leave(entry=entry):
            yield from found(log.left.get(entry, 0), f"{entry} left the line")
        case wire.Confirm(entry=entry):
            yield from found(log.confirmed.get(entry, 0), f"{entry} is confirmed")


def disowned(log: Log, line: Owned) -> Iterator[str]:
    """INV-8: an order that a fan was shown is a sale to this fan, with these serials."""
    sale, order = log.sales.get(line.order.id), line.order
    if sale is None or log.who(sale.fan) != log.who(line.fan):
        yield f"{line.fan} was shown order {order.id}, and the log never sold it to them"
    elif (sale.pool, sale.serials) != (order.pool, order.serials) or (
        order.amount not in log.worth[order.id]
    ):
        yield f"{line.fan} was shown order {order.id} with serials {order.serials}"


def displaced(log: Log, line: Placed) -> Iterator[str]:
    """INV-11: the arrival that a fan was shown is the one that his entry got, once and for all."""
    n = log.arrivals.get(line.entry)
    if n != line.n:
        yield f"{line.fan} was shown arrival {line.n} for {line.entry}, the log has {n}"


def unknown(log: Log, found: Iterable[Operation]) -> Iterator[tuple[int, str]]:
    """INV-16: a key makes a hold or a place at most once, and nothing when it was only refused."""
    invoked: dict[tuple[str, str], list[Operation]] = {}
    for one in found:
        invoked.setdefault((one.fan, one.command.key), []).append(one)
    fans = {fan for fan, _ in invoked}
    for (fan, key), effects in log.by_key.items():
        if fan not in fans:
            continue
        asked = invoked.get((fan, key), [])
        # The line's own offers carry no key; one that does was pressed for.
        kinds = events.Held | events.Joined | events.Offered
        makes = _things([e for e in effects if isinstance(e.event, kinds)])
        if not asked:
            yield effects[0].seq, f"key {key} of {fan} made something that {fan} never asked for"
        elif len(makes) > 1:
            yield makes[1].seq, f"key {key} of {fan} made something a second time"
        # What was granted is answered with what it made for ever, so a refusal says: not made.
        elif makes and all(one.refused is not None for one in asked):
            yield makes[0].seq, f"{fan} was refused, but key {key} took effect"


def _things(makes: list[Effect]) -> list[Effect]:
    """What was made, where the holds of one basket are one thing: the first effect of each."""
    seen: dict[object, Effect] = {}
    for one in makes:
        seen.setdefault(getattr(one.event, "basket", 0) or f"alone at {one.seq}", one)
    return [*seen.values()]


def untimely(log: Log, found: Sequence[Operation]) -> Iterator[tuple[int, str]]:
    """INV-12: what was answered before something else was sent comes before it in the log.

    The log is one order already, so each operation is held against the newest answer before it
    only: O(m log m).
    """
    begun: dict[tuple[str, str], int] = {}
    for one in found:
        name = (one.fan, one.command.key)
        begun[name] = min(begun.get(name, one.begun_us), one.begun_us)
    # An answer at the very same microsecond is not before a sending: sendings go first.
    moments: list[tuple[int, int, int, Operation]] = []
    for number, one in enumerate(found):
        moments.append((begun[(one.fan, one.command.key)], 0, number, one))
        if one.done is not None:
            moments.append((one.ended_us, 1, number, one))
    newest = 0
    floor: dict[int, int] = {}

    def known(number: int) -> str:
        return f"but {floor[number]} was known before key {found[number].command.key} was sent"

    for _, answered, number, one in sorted(moments, key=lambda moment: moment[:3]):
        if not answered:
            floor[number] = newest
            continue
        assert one.done is not None
        if one.done.seq < floor[number]:
            yield one.done.seq, f"{one.fan} was answered with seq {one.done.seq}, {known(number)}"
        newest = max(newest, one.done.seq)
    for number, one in enumerate(found):
        for effect in log.by_key.get((one.fan, one.command.key), ()):
            if effect.seq <= floor[number]:
                yield effect.seq, f"{one.fan} got seq {effect.seq}, {known(number)}"


def misshown(log: Log, line: Shown) -> Iterator[str]:
    """INV-14: what a screen showed at seq is what the log makes of its first seq events."""
    for name, view in line.pools.items():
        counts = (view.free, view.held, view.sold, view.withheld, view.leased)
        if min(counts) < 0 or sum(counts) != view.cap or not 0 <= view.offered <= view.held:
            yield f"{name} was shown as {view}: its counts do not add up to the cap"
            return
    if line.seq > log.last_seq:
        yield f"seq {line.seq} was shown, the log ends at {log.last_seq}"
    # Whose turn it would be in quiet hours is no count, and may change without an event.
    shown = {name: msgspec.structs.replace(view, next=0) for name, view in line.pools.items()}
    if line.seq <= log.last_seq and shown != log.counts.at.get(line.seq):
        yield f"{line.pools} was shown, the log makes it {log.counts.at.get(line.seq)}"


def check(
    lines: Sequence[AnyLine],
    drop: str,
    log: Iterable[events.AnyEvent],
    *,
    quiet_seq: int = 0,
) -> list[Violation]:
    """Everything that clients saw of one drop against its log, which the referee has accepted.

    quiet_seq: what every viewer's last socket must have shown in the end; 0: nobody waited for it.
    """
    shown = {line.seq for line in lines if isinstance(line, Shown) and line.drop == drop}
    whole = Log(log, shown)
    found = list(operations(lines, drop).values())
    for one in found:
        one.fan = whole.who(one.fan)
    violations: list[Violation] = []

    def blame(inv: str, seq: int, sentence: str) -> None:
        violations.append(Violation(inv=inv, seq=seq, sentence=sentence, drop=drop))

    for one in found:
        for sentence in lost(whole, one):
            blame("INV-8", one.done.seq if one.done else 0, sentence)
    for seq, sentence in unknown(whole, found):
        blame("INV-16", seq, sentence)
    for seq, sentence in untimely(whole, found):
        blame("INV-12", seq, sentence)
    for inv, seq, sentence in on_screens(
        whole, [line for line in lines if line.drop == drop], quiet_seq
    ):
        blame(inv, seq, sentence)
    return violations


def on_screens(
    log: Log, lines: Iterable[AnyLine], quiet_seq: int
) -> Iterator[tuple[str, int, str]]:
    """What the screens of one drop showed that is not so: (invariant, seq, sentence)."""
    newest: dict[int, Viewer] = {}
    for line in lines:
        match line:
            case Owned():
                for sentence in disowned(log, line):
                    yield "INV-8", 0, sentence
            case Placed():
                for sentence in displaced(log, line):
                    yield "INV-11", 0, sentence
            case Shown():
                for sentence in misshown(log, line):
                    yield "INV-14", line.seq, sentence
            case Viewer():
                for sentence in line.faults:
                    yield "INV-14", line.last_seq, f"viewer {line.viewer}: {sentence}"
                if line.viewer not in newest or newest[line.viewer].socket < line.socket:
                    newest[line.viewer] = line
            case _:
                pass
    for viewer in newest.values():
        seq = viewer.last_seq
        if seq < quiet_seq:
            yield (
                "INV-14",
                seq,
                f"viewer {viewer.viewer} still shows seq {seq}, {quiet_seq} is known",
            )


def measure(lines: Sequence[AnyLine]) -> Measures:
    """Latencies of answered commands, and presses granted in the busiest second, over all drops."""
    drops = {line.drop for line in lines}
    found = [one for drop in drops for one in operations(lines, drop).values()]
    took = sorted(one.ended_us - one.begun_us for one in found if one.ended_us)
    granted: dict[int, int] = {}
    for one in found:
        if one.done is not None and isinstance(one.command, wire.Hold):
            second = one.ended_us // 1_000_000
            granted[second] = granted.get(second, 0) + 1
    return Measures(
        p50_ms=percentile(took, 50) / 1000,
        p99_ms=percentile(took, 99) / 1000,
        holds_per_s=float(max(granted.values(), default=0)),
        operations=len(found),
        unknown=sum(1 for one in found if not one.ended_us),
        refused=sum(1 for one in found if one.refused is not None),
    )


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The smallest ordered value that at least `percent` of them do not exceed; 0 of none."""
    if not ordered:
        return 0
    return ordered[-(-len(ordered) * percent // 100) - 1]

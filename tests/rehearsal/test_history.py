"""What clients saw is held against the log: each kind of lie is found, the truth is accepted."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, wire
from dropengine.log.referee import Violation
from dropengine.rehearsal import history
from dropengine.rehearsal.history.counts import Counts
from dropengine.rehearsal.history.record import AnyLine, Invoke, Ok, Shown
from tests.kit import handwritten_logs
from tests.kit.handwritten_logs import HOLD_MS, START_MS, Log, Pen, seq_of

DROP = "pins"


def hold_view(event: events.Held | events.Offered) -> wire.HoldView:
    return wire.HoldView(
        id=event.hold,
        key="",
        pool=event.pool,
        qty=event.qty,
        price=event.price,
        origin="press",
        state="active",
        start_ms=event.at,
        deadline_ms=event.deadline,
        claimed=False,
        extended=False,
        checking=False,
    )


class Client:
    """Writes an honest history beside a log: each command that it shows, answered in order."""

    def __init__(self, log: Log) -> None:
        self.recorder = history.Recorder()
        self.log = log
        self.ops: dict[int, int] = {}

    def tell(self, event: events.AnyEvent) -> None:
        """The command that this event answers, if a fan asked for it, and the answer."""
        match event:
            case events.Held():
                command: wire.FanCommand = wire.Hold(
                    id=0, key=event.key, pool=event.pool, qty=event.qty
                )
                reply = wire.Done(id=0, seq=event.seq, hold=hold_view(event))
            case events.Joined(why="fan"):
                command = wire.Join(
                    id=0, key=event.key, pools=event.pools, qty=event.qty, nonce=event.nonce
                )
                reply = wire.Done(id=0, seq=event.seq, entry=event.entry)
            case events.Claimed() if event.key:
                command = wire.Claim(id=0, key=event.key, hold=event.hold)
                reply = wire.Done(id=0, seq=event.seq)
            case events.Paying():
                command = wire.Pay(id=0, key=event.key, holds=[event.hold])
                reply = wire.Done(id=0, seq=event.seq, pay={event.hold: "/pay"})
            case events.Extended(why="fan"):
                command = wire.Extend(id=0, key=event.key, hold=event.hold)
                reply = wire.Done(id=0, seq=event.seq)
            case events.Released(by="fan") | events.Declined():
                command = wire.Release(id=0, key=event.key, hold=event.hold)
                reply = wire.Done(id=0, seq=event.seq)
            case events.Left():
                command = wire.Leave(id=0, key=event.key, entry=event.entry)
                reply = wire.Done(id=0, seq=event.seq)
            case _:
                return
        op = self.recorder.invoke(DROP, event.fan, command)
        self.recorder.ok(op, reply)
        self.ops[event.seq] = op

    def lines(self) -> list[AnyLine]:
        """The history with a clock that ticks once a line: nothing is at the same moment."""
        lines = self.recorder.lines()
        return [msgspec.structs.replace(line, mono_us=at) for at, line in enumerate(lines)]


def told(name: str) -> Client:
    client = Client(handwritten_logs.HONEST[name]().log)
    for event in client.log:
        client.tell(event)
        if isinstance(event, events.Sale):
            order = wire.OrderView(
                id=event.hold,
                pool=event.pool,
                qty=event.qty,
                amount=event.amount,
                serials=event.serials,
                state="done",
                at=event.at,
            )
            client.recorder.order(DROP, event.fan, order)
        if isinstance(event, events.Ordered):
            for n, entry in enumerate(event.ids, event.n):
                client.recorder.placed(DROP, f"fan-{entry}", entry, n)
    return client


class Joiner(Client):
    """Got each of his holds by joining: no press of his is in the history."""

    def tell(self, event: events.AnyEvent) -> None:
        if not isinstance(event, events.Held):
            super().tell(event)
            return
        self.join(event, ["another", event.pool], hold_view(event))

    def join(self, event: events.Held, pools: list[str], told: wire.HoldView) -> None:
        join = wire.Join(id=0, key=event.key, pools=pools, qty=event.qty + 1)
        op = self.recorder.invoke(DROP, event.fan, join)
        self.recorder.ok(op, wire.Done(id=0, seq=event.seq, hold=told))
        self.ops[event.seq] = op


def only(found: list[Violation]) -> tuple[str, int]:
    (one,) = found
    return one.inv, one.seq


@pytest.mark.parametrize("name", handwritten_logs.HONEST)
def test_an_honest_history_agrees_with_its_log(name: str) -> None:
    client = told(name)
    assert history.check(client.lines(), DROP, client.log) == []


def test_a_join_that_was_told_of_units_is_held_against_the_log() -> None:
    log = handwritten_logs.HONEST["a_rush"]().log
    client = Joiner(log)
    for event in log:
        client.tell(event)
    assert history.check(client.lines(), DROP, log) == []


@pytest.mark.parametrize("wrong", ["of another fan", "of another pool", "that nobody granted"])
def test_a_join_that_was_told_of_units_it_has_not_is_found(wrong: str) -> None:
    log = handwritten_logs.HONEST["a_rush"]().log
    first, second, *_ = (event for event in log if isinstance(event, events.Held))
    assert first.fan != second.fan
    view = hold_view(second if wrong == "of another fan" else first)
    if wrong == "that nobody granted":
        view = msgspec.structs.replace(view, id="h999")
    pools = ["another"] if wrong == "of another pool" else [first.pool]
    client = Joiner(log)
    client.join(first, pools, view)
    found = history.check(client.lines(), DROP, log)
    assert "INV-8" in {violation.inv for violation in found}


@pytest.mark.parametrize("name", handwritten_logs.HONEST)
def test_a_history_is_the_same_after_it_was_written_and_read(name: str) -> None:
    lines = told(name).lines()
    assert history.read(list(history.write(lines))) == lines


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a_rush", events.Held),
        ("a_rush", events.Paying),
        ("a_rush", events.Extended),
        ("a_rush", events.Released),
        ("a_line", events.Joined),
        ("a_line", events.Claimed),
        ("a_line", events.Left),
    ],
)
def test_what_was_acknowledged_and_is_not_in_the_log_is_found(
    name: str, kind: type[events.Event]
) -> None:
    client = told(name)
    lost = handwritten_logs.doctor(client.log, seq_of(client.log, kind, 1))
    shorter = [event for event in lost if event.seq < seq_of(client.log, kind, 1)]
    found = {violation.inv for violation in history.check(client.lines(), DROP, shorter)}
    assert "INV-8" in found


def test_another_arrival_than_a_fan_was_shown_is_found() -> None:
    client = told("a_draw")
    seq = seq_of(client.log, events.Ordered, 2)
    log = handwritten_logs.doctor(client.log, seq, ids=["e3", "e1"])
    found = history.check(client.lines(), DROP, log)
    assert [violation.inv for violation in found] == ["INV-11", "INV-11"]


def test_a_list_with_another_nonce_than_a_fan_chose_is_found() -> None:
    client = told("a_draw")
    seq = seq_of(client.log, events.Joined, 1)
    log = handwritten_logs.doctor(client.log, seq, nonce="ff" * 16)
    assert only(history.check(client.lines(), DROP, log)) == ("INV-8", seq)


def test_who_stands_in_a_list_stands_in_no_line_before_it_is_ordered() -> None:
    log = handwritten_logs.HONEST["a_draw"]().log
    counts = Counts({event.seq for event in log})
    for event in log:
        counts.take(event)
    waiting = {seq: pools["pin"].waiting for seq, pools in counts.at.items()}
    assert waiting[seq_of(log, events.Sealed)] == 0
    first, second = (seq_of(log, events.Ordered, nth) for nth in (1, 2))
    assert (waiting[first], waiting[second]) == (3, 5)


def test_an_order_that_nobody_sold_is_found() -> None:
    client = told("a_rush")
    log = [event for event in client.log if not isinstance(event, events.Sold)]
    found = history.check(client.lines(), DROP, log)
    assert [violation.inv for violation in found] == ["INV-8", "INV-8"]


def test_an_order_with_another_serial_is_found() -> None:
    client = told("a_rush")
    log = handwritten_logs.doctor(client.log, seq_of(client.log, events.Sold), serials=[2, 3])
    assert only(history.check(client.lines(), DROP, log)) == ("INV-8", 0)


def test_a_hold_of_somebody_else_was_not_acknowledged_to_this_fan() -> None:
    client = told("a_rush")
    seq = seq_of(client.log, events.Held, 2)
    log = handwritten_logs.doctor(client.log, seq, fan="eva")
    assert ("INV-8", seq) in {(v.inv, v.seq) for v in history.check(client.lines(), DROP, log)}


def a_press_without_an_answer(press: events.Held) -> list[AnyLine]:
    recorder = history.Recorder()
    op = recorder.invoke(DROP, press.fan, wire.Hold(id=0, key=press.key, pool="pin", qty=press.qty))
    recorder.info(op)
    return recorder.lines()


def a_press() -> tuple[Log, events.Held]:
    """A log that ends with the press that it is about."""
    log = handwritten_logs.a_rush().log
    seq = seq_of(log, events.Held, 2)
    press = log[seq - 1]
    assert isinstance(press, events.Held)
    return log[:seq], press


def test_an_unknown_press_may_have_happened_or_not() -> None:
    log, press = a_press()
    lines = a_press_without_an_answer(press)
    assert history.check(lines, DROP, log) == []
    assert history.check(lines, DROP, log[:-1]) == []


def test_an_unknown_press_that_happened_twice_is_found() -> None:
    log, press = a_press()
    log.append(msgspec.structs.replace(press, seq=press.seq + 1, hold="h9"))
    found = history.check(a_press_without_an_answer(press), DROP, log)
    assert only(found) == ("INV-16", press.seq + 1)


def test_a_press_that_nobody_made_is_found() -> None:
    client = told("a_rush")
    seq = seq_of(client.log, events.Held, 2)
    lines = [
        line
        for line in client.lines()
        if not (isinstance(line, Invoke | Ok) and line.op == client.ops[seq])
    ]
    assert only(history.check(lines, DROP, client.log)) == ("INV-16", seq)


def test_a_press_that_was_refused_and_yet_took_effect_is_found() -> None:
    log, press = a_press()
    recorder = history.Recorder()
    op = recorder.invoke(DROP, press.fan, wire.Hold(id=0, key=press.key, pool="pin", qty=1))
    recorder.fail(op, wire.Refused(id=0, seq=3, code="all_held", text=""))
    assert only(history.check(recorder.lines(), DROP, log)) == ("INV-16", press.seq)


def test_an_effect_before_an_answer_that_was_known_is_found() -> None:
    """The second press was sent after the first was answered, yet the log has it first."""
    pen = Pen().opened()
    pen.wait(5)
    pen.held("ada")
    pen.held("ben")
    client = Client(pen.log)
    client.tell(pen.log[3])
    client.tell(pen.log[2])
    found = history.check(client.lines(), DROP, pen.log)
    assert ("INV-12", 3) in {(v.inv, v.seq) for v in found}


def test_an_answer_older_than_one_that_was_known_is_found() -> None:
    client = told("a_rush")
    seq = seq_of(client.log, events.Held, 2)
    lines = [
        msgspec.structs.replace(line, reply=msgspec.structs.replace(line.reply, seq=1))
        if isinstance(line, Ok) and line.op == client.ops[seq]
        else line
        for line in client.lines()
    ]
    found = {v.inv for v in history.check(lines, DROP, client.log)}
    assert found == {"INV-8", "INV-12"}


def tick(seq: int, free: int = 3, held: int = 0) -> wire.Tick:
    view = wire.PoolView("pin", 3, free, held, 3 - free - held, 0, 0, 0, 0, 0)
    return wire.Tick(seq=seq, now=0, state="live", revision=2, pools={"pin": view})


def screens(*ticks: tuple[int, wire.Tick], log: Log | None = None) -> list[Violation]:
    """(socket, tick) of one viewer, held against a rush."""
    recorder = history.Recorder()
    for socket, one in ticks:
        recorder.tick(DROP, 1, socket, one)
    return history.check(recorder.lines(), DROP, log or handwritten_logs.a_rush().log)


def test_screens_that_show_what_the_log_makes_are_accepted() -> None:
    assert screens((1, tick(2)), (1, tick(3, 1, 2)), (1, tick(3, 1, 2)), (2, tick(2))) == []


def test_a_screen_that_shows_other_counts_is_found() -> None:
    assert only(screens((1, tick(3, 2, 1)))) == ("INV-14", 3)


def test_a_screen_that_goes_back_is_found() -> None:
    assert only(screens((1, tick(3, 1, 2)), (1, tick(2)))) == ("INV-14", 2)


def test_two_screens_that_show_different_pools_at_one_seq_are_found() -> None:
    assert only(screens((1, tick(2)), (2, tick(2, 2, 1)))) == ("INV-14", 2)


def test_counts_that_do_not_add_up_are_found() -> None:
    assert only(screens((1, tick(2, 4)))) == ("INV-14", 2)


def test_a_seq_that_the_log_has_not_reached_is_found() -> None:
    assert only(screens((1, tick(99)))) == ("INV-14", 99)


def test_a_screen_that_stays_behind_when_all_is_quiet_is_found() -> None:
    recorder = history.Recorder()
    recorder.tick(DROP, 1, 1, tick(3, 1, 2))
    recorder.tick(DROP, 1, 2, tick(2))
    recorder.tick(DROP, 2, 1, tick(3, 1, 2))
    lines, log = recorder.lines(), handwritten_logs.a_rush().log
    assert history.check(lines, DROP, log) == []
    assert only(history.check(lines, DROP, log, quiet_seq=3)) == ("INV-14", 2)


@pytest.mark.parametrize("name", handwritten_logs.HONEST)
def test_waiting_and_buying_are_counted_as_screens_show_them(name: str) -> None:
    """The counts that the checks fold are those of the truth's own lines."""
    from dropengine.log import replay

    log = handwritten_logs.HONEST[name]().log
    truth = replay.fold(log)
    lines: list[AnyLine] = [
        Shown(
            drop=DROP,
            wall_ms=START_MS,
            mono_us=HOLD_MS,
            seq=len(log),
            pools={
                pool: wire.PoolView(
                    record.item,
                    record.cap,
                    record.free,
                    record.held,
                    record.sold,
                    record.withheld,
                    record.leased,
                    sum(member.endswith(f"@{record.index}") for member in truth.places),
                    sum(member.endswith(f"@{record.index}") for member in truth.buying),
                    record.offered,
                )
                for pool, record in truth.pools.items()
            },
        )
    ]
    assert history.check(lines, DROP, log) == []


def test_measures_come_from_what_clients_saw() -> None:
    client = told("a_rush")
    measures = history.measure(client.lines())
    commands = len(client.ops)
    assert (measures.operations, measures.unknown, measures.refused) == (commands, 0, 0)
    # Each answer comes one microsecond after its sending.
    assert measures.p50_ms == measures.p99_ms == 0.001
    assert measures.holds_per_s == 4


def test_nothing_measured_is_nothing() -> None:
    assert history.measure([]) == history.measure(history.Recorder().lines())


def in_a_basket() -> tuple[Log, events.Held, events.Held]:
    """A log in which one command of a fan made two holds."""
    log = handwritten_logs.HONEST["a_rush"]().log
    first = next(event for event in log if isinstance(event, events.Held))
    one = msgspec.structs.replace(first, basket=1)
    two = msgspec.structs.replace(one, hold="h9")
    at = log.index(first)
    rest = [msgspec.structs.replace(event, seq=event.seq + 1) for event in log[at + 1 :]]
    two = msgspec.structs.replace(two, seq=one.seq + 1)
    return [*log[:at], one, two, *rest], one, two


def told_of_basket(
    log: Log, held: events.Held, had: list[events.Held], seq: int
) -> list[Violation]:
    client = Client(log)
    wants = [wire.Want([held.pool]), wire.Want([held.pool])]
    basket = wire.Basket(id=0, key=held.key, wants=wants)
    op = client.recorder.invoke(DROP, held.fan, basket)
    rows = [wire.HadView(i, hold_view(event)) for i, event in enumerate(had)]
    client.recorder.ok(op, wire.Done(id=0, seq=seq, basket=wire.BasketView(1, rows, [])))
    for event in log:
        if not (isinstance(event, events.Held) and event.key == held.key):
            client.tell(event)
    return history.check(client.lines(), DROP, log)


def test_the_holds_of_a_basket_are_one_thing_that_its_key_made() -> None:
    log, one, two = in_a_basket()
    found = told_of_basket(log, one, [one, two], two.seq)
    assert {violation.inv for violation in found} <= {"INV-12"}


def test_a_basket_that_was_told_of_what_it_has_not_is_found() -> None:
    log, one, two = in_a_basket()
    gone = msgspec.structs.replace(two, hold="h999")
    assert "INV-8" in {v.inv for v in told_of_basket(log, one, [one, gone], two.seq)}
    assert "INV-8" in {v.inv for v in told_of_basket(log, one, [one], two.seq)}


def test_units_that_come_and_go_by_swaps_and_returns_are_counted() -> None:
    counts = Counts(())
    for pool in ("pin", "cap"):
        counts.pools[pool] = wire.PoolView(pool, 5, 5, 0, 0, 0, 0, 0, 0, 0)
    counts.take(events.Held(1, 0, "ada", "k", "h1", "pin", 2, 100, 9))
    counts.take(events.Swapped(2, 0, "ada", "s", "h1", "pin", "cap", 2))
    assert (counts.pools["pin"].free, counts.pools["cap"].held) == (5, 2)
    counts.take(events.Sold(3, 0, "ada", "h1", "h1", "cap", 2, [1, 2], 200, "c1", "done"))
    refund = events.Refunded(4, 0, "ada", "h1", "cap", 1, [2], 100, "c1", "mara", "r")
    counts.take(msgspec.structs.replace(refund, back="withheld"))
    assert (counts.pools["cap"].sold, counts.pools["cap"].withheld) == (1, 1)
    counts.take(events.CameBack(5, 0, "ada", "h1", "cap", 1, [2], "mara", "b"))
    assert (counts.pools["cap"].withheld, counts.pools["cap"].free) == (0, 4)


def test_a_payment_that_was_told_is_held_against_the_log() -> None:
    log = handwritten_logs.HONEST["a_rush"]().log
    first = next(event for event in log if isinstance(event, events.Held))

    def told_of_payment(paid: list[str], payment: str = "p1", **of_log: object) -> list[Violation]:
        begun = events.PaymentBegun(
            log[-1].seq + 1, log[-1].at, first.fan, "pay", "p1", [first.hold], "", 2400, 0, ""
        )
        whole = [*log, msgspec.structs.replace(begun, **of_log)]
        client = Client(whole)
        for event in whole:
            client.tell(event)
        view = wire.PaymentView(
            payment, paid, "", 2400, "EUR", "", "open", 0, "/pay", all=False, leaving=False
        )
        op = client.recorder.invoke(DROP, first.fan, wire.Pay(0, "pay", paid))
        pages = dict.fromkeys(paid, "/pay")
        done = wire.Done(id=0, seq=whole[-1].seq, pay=pages, payment=view)
        client.recorder.ok(op, done)
        return history.check(client.lines(), DROP, whole)

    assert told_of_payment([first.hold]) == []
    assert "INV-8" in {one.inv for one in told_of_payment([first.hold], "p2")}
    assert "INV-8" in {one.inv for one in told_of_payment(["h9"])}
    assert "INV-8" in {one.inv for one in told_of_payment([first.hold], fan="nobody")}

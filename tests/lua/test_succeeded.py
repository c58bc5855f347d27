"""Rows of `succeeded`: what a payment buys, and when it buys nothing."""

from __future__ import annotations

import pytest

from dropengine import events, model, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, OFFER_MS, item
from tests.kit.sale import Sale


async def expired_while_paying(sale: Sale, fan: str, pool: str = "pin", qty: int = 1) -> str:
    """A hold whose payment was begun in time and stayed silent until the hard stop."""
    hold = await sale.held(fan, pool, qty)
    await sale.pay(fan, hold)
    sale.now += HOLD_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert (await sale.truth()).holds[hold].state == "expired"
    return hold


async def test_a_payment_buys_its_hold(sale: Sale) -> None:
    hold = await sale.held("ana", qty=2)
    await sale.pay("ana", hold)
    assert await sale.succeeded("p1", "c1") == outcomes.Paid("p1", 7, [hold], 4800)
    truth = await sale.truth()
    assert truth.orders[hold] == model.OrderRecord(
        fan="ana",
        pool="pin",
        qty=2,
        amount=4800,
        serials=[1, 2],
        charge="c1",
        state="capture_pending",
        at_ms=sale.now,
        payment="p1",
    )
    assert truth.outbox == {
        "capture:p1": model.DutyRecord("capture", hold, "c1", 4800, sale.now, "", "p1"),
        "cancel:p1": model.DutyRecord("cancel", hold, "", 4800, sale.now, "", "p1"),
    }
    assert truth.charges == {"c1": "paid|p1|h1|4800"}
    payment = truth.payments["p1"]
    assert (payment.state, payment.charge, payment.kept, payment.judged) == ("paid", "c1", 4800, 1)
    assert await sale.counts() == (1, 0, 2, 0)


async def test_captured_money_needs_no_duty(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.succeeded(hold, "c1", captured=True)
    truth = await sale.truth()
    assert set(truth.outbox) == {"cancel:p1"}, "nobody is to pay it once more"
    assert truth.orders[hold].state == "done"


async def test_a_payment_that_was_told_before_begin_returned_counts(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)


async def test_a_webhook_told_again_buys_nothing_more(sale: Sale) -> None:
    hold = await sale.held("ana")
    first = await sale.succeeded(hold, "c1")
    for _ in range(50):
        assert await sale.succeeded(hold, "c1") == first
    assert await sale.counts() == (2, 0, 1, 0)


async def test_a_second_payment_of_one_hold_is_given_back(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.succeeded(hold, "c1")
    assert await sale.succeeded(hold, "c2") == outcomes.Voided("p1", 7, "second", "")
    truth = await sale.truth()
    assert truth.outbox["void:c2"].kind == "void"
    assert truth.orders[hold].charge == "c1"


@pytest.mark.parametrize(("amount", "currency"), [(2399, "EUR"), (2400, "USD"), (1, "EUR")])
async def test_a_payment_of_something_else_is_given_back(
    sale: Sale, amount: int, currency: str
) -> None:
    hold = await sale.held("ana")
    outcome = await sale.succeeded(hold, "c1", amount=amount, currency=currency, captured=True)
    assert outcome == outcomes.Voided("p1", 5, "mismatch", "")
    told = (await sale.log())[-1]
    assert isinstance(told, events.Voided)
    assert (told.amount, told.currency) == (amount, currency), "whoever gives it back must know"
    owed = (await sale.truth()).outbox["refund:c1"]
    # In which money, where it is another than the drop's.
    assert (owed.amount, owed.currency) == (amount, currency.replace("EUR", ""))
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_payment_at_the_last_moment_buys(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS - 1
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)


async def test_a_payment_that_never_began_buys_nothing_after_the_deadline(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS
    assert await sale.succeeded(hold) == outcomes.Voided("p1", 6, "ended", "")


async def test_a_payment_for_a_released_hold_is_given_back(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.release("ana", hold)
    assert await sale.succeeded(hold) == outcomes.Voided("p1", 7, "ended", "")


async def test_a_late_payment_gets_a_unit_that_is_left(sale: Sale) -> None:
    hold = await expired_while_paying(sale, "ana")
    outcome = await sale.succeeded(hold, "c1")
    assert isinstance(outcome, outcomes.Paid)
    truth = await sale.truth()
    assert (truth.holds[hold].state, truth.orders[hold].serials) == ("expired", [1])
    assert await sale.counts() == (2, 0, 1, 0)
    assert await sale.succeeded(hold, "c1") == outcome


async def test_a_rescued_hold_is_not_sold_twice(sale: Sale) -> None:
    hold = await expired_while_paying(sale, "ana")
    await sale.succeeded(hold, "c1")
    outcome = await sale.succeeded(hold, "c2")
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "second"
    assert await sale.counts() == (2, 0, 1, 0)


async def test_a_late_payment_pays_an_equal_hold_of_the_same_fan(sale: Sale) -> None:
    hold = await expired_while_paying(sale, "ana")
    other = await sale.held("ana")
    outcome = await sale.succeeded(hold, "c1")
    assert isinstance(outcome, outcomes.Paid)
    assert outcome.sold == [other]
    sold = (await sale.log())[-2]
    assert isinstance(sold, events.Sold)
    assert (sold.hold, sold.intent) == (other, hold)


async def test_a_late_payment_never_passes_somebody_who_is_ready(make_sale: MakeSale) -> None:
    """A unit is free because the drop is paused, but it is the line's."""
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    hold = await expired_while_paying(sale, "ana")
    await sale.creator("pause")
    await sale.joined("bo")
    outcome = await sale.succeeded(hold, "c1")
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "late"


async def test_a_late_payment_over_the_limit_is_given_back(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=2)
    hold = await expired_while_paying(sale, "ana")
    await sale.bought("ana", qty=2)
    outcome = await sale.succeeded(hold, "c1")
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "late"


async def test_who_paid_too_late_gets_a_place_in_the_boost_lane_once(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await expired_while_paying(sale, "ana")
    await sale.bought("bo")
    outcome = await sale.succeeded(hold, "c1", captured=True)
    assert isinstance(outcome, outcomes.Voided)
    entry = (await sale.truth()).entries[outcome.entry]
    assert (entry.lane, entry.rank, entry.pools, entry.fan) == (0, 1022, ["pin"], "ana")
    joined = (await sale.log())[-1]
    assert isinstance(joined, events.Joined)
    assert joined.why == "makegood"
    again = await sale.succeeded(hold, "c2")
    assert isinstance(again, outcomes.Voided)
    assert (again.why, again.entry) == ("second", "")


async def test_who_stands_in_line_is_made_good_there_and_gets_no_other_place(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await expired_while_paying(sale, "ana")
    await sale.bought("bo")
    await sale.joined("cy")
    entry = await sale.joined("ana")
    outcome = await sale.succeeded(hold, "c1", captured=True)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.entry == entry
    pointed = (await sale.log())[-1]
    assert isinstance(pointed, events.Pointed)
    assert (pointed.entry, pointed.points, pointed.why) == (entry, 0, "makegood")
    row = await sale.you("ana")
    assert [row.entries[0][2][0].place, row.boosts[0][1][0].place] == [2, 1]


async def test_a_makegood_is_called_every_kth_time(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), k=2)
    hold = await expired_while_paying(sale, "ana")
    order = await sale.bought("bo")
    for fan in ("cy", "di", "eva"):
        await sale.joined(fan)
    await sale.succeeded(hold, "c1")
    called = []
    for _ in range(3):
        await sale.refund(order)
        offered = (await sale.log())[-1]
        assert isinstance(offered, events.Offered)
        called.append((offered.fan, offered.call))
        await sale.succeeded(offered.hold)
        order = offered.hold
    assert called == [("cy", 0), ("ana", 1), ("di", 0)]


async def test_a_payment_serves_the_entry(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("di")
    entry = await sale.joined("ana")
    await sale.release("di", hold)
    await sale.succeeded((await sale.truth()).entries[entry].hold)
    assert (await sale.words())[-4:] == ["payment_begun", "sold", "served", "paid"]
    assert (await sale.truth()).places == {}


async def test_orders_that_fill_the_limit_end_the_fans_other_entries(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(limit=1)
    hold = await sale.held("ana")
    entry = await sale.joined("ana")
    await sale.succeeded(hold)
    removed = (await sale.log())[-2]
    assert isinstance(removed, events.Removed)
    assert (removed.entry, removed.why) == (entry, "limit")


async def test_an_offer_that_lapsed_unpaid_is_no_debt(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("di")
    entry = await sale.joined("ana")
    await sale.release("di", hold)
    offer = (await sale.truth()).entries[entry].hold
    sale.now += OFFER_MS
    outcome = await sale.succeeded(offer)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "ended"


async def test_a_cancelled_drop_gives_every_payment_back(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.creator("cancel")
    outcome = await sale.succeeded(hold)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "ended"


async def test_an_unknown_hold_is_not_found(sale: Sale) -> None:
    assert await sale.succeeded("h999", "c1") == refusals.NotFound()
    assert (await sale.truth()).charges == {}


async def test_one_intent_buys_one_thing_however_often_it_is_paid_late(sale: Sale) -> None:
    """A second late success goes back though a unit is free, also when an equal hold was bought."""
    rescued = await expired_while_paying(sale, "ana")
    assert isinstance(await sale.succeeded(rescued, "c1"), outcomes.Paid)
    again = await sale.succeeded(rescued, "c2")
    assert isinstance(again, outcomes.Voided)
    assert again.why == "second"
    lost = await expired_while_paying(sale, "bo")
    equal = await sale.held("bo")
    bought = await sale.succeeded(lost, "c3")
    assert isinstance(bought, outcomes.Paid)
    assert bought.sold == [equal]
    last = await sale.succeeded(lost, "c4")
    assert isinstance(last, outcomes.Voided)
    assert last.why == "second"


BEYOND = [-1, model.AMOUNT_MAX + 1, 10**14, 2**53 + 1, 2**63, 10**400]
CHARGES = ["a b", 'c","seq":1', "c\n", "c\x00", "\u00e4", "c" * (model.CHARGE_CHARS_MAX + 1), "|"]


@pytest.mark.parametrize("currency", ["", "EU", "EURO", "eur", 'E"R'])
async def test_a_currency_that_is_none_is_not_written_down(sale: Sale, currency: str) -> None:
    await sale.held("ana")
    before = await sale.truth()
    assert await sale.succeeded("h1", currency=currency) == refusals.BadMessage("currency")
    assert await sale.truth() == before


@pytest.mark.parametrize("amount", BEYOND)
async def test_an_amount_beyond_all_bounds_is_written_nowhere(sale: Sale, amount: int) -> None:
    hold = await sale.held("ana")
    before = await sale.truth()
    outcome = await sale.succeeded(hold, "c1", amount=amount, captured=True)
    assert outcome == refusals.BadMessage("amount")
    assert await sale.truth() == before
    # What it would have stopped goes on.
    assert await sale.succeeded(hold, "c1") == outcomes.Paid("p1", 6, [hold], 2400)


@pytest.mark.parametrize("charge", CHARGES)
async def test_a_charge_that_is_no_id_is_written_nowhere(sale: Sale, charge: str) -> None:
    hold = await sale.held("ana")
    before = await sale.truth()
    assert await sale.succeeded(hold, charge) == refusals.BadMessage("charge")
    assert await sale.truth() == before
    # The store cannot be asked with '' by `sale`: it stands for its own default.
    nothing = await sale.store.succeeded(sale.drop, hold, "", 2400, "EUR", False)
    assert nothing == refusals.BadMessage("charge")


@pytest.mark.parametrize("amount", [1, 10**11 + 1, model.AMOUNT_MAX - 1, model.AMOUNT_MAX])
async def test_every_amount_within_bounds_stands_in_the_log_as_it_is(
    sale: Sale, amount: int
) -> None:
    hold = await sale.held("ana")
    await sale.succeeded(hold, "c1", amount=amount, captured=True)
    lines = [line async for line in sale.store.log(sale.drop)]
    assert any(b'"amount":%d,' % amount in line for line in lines)
    assert (await sale.store.duties(sale.drop))["refund:c1"].amount == amount
    await sale.discharge("refund:c1")
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []


async def worth(sale: Sale, order: str) -> tuple[int, str]:
    found = (await sale.truth()).orders[order]
    return found.amount, found.state


@pytest.mark.parametrize("first", ["told only", "captured by us", "captured at once"])
async def test_an_order_is_worth_what_was_captured_of_its_charge(sale: Sale, first: str) -> None:
    hold = await sale.held("ana", qty=2)
    sold = await sale.succeeded(hold, "c1", captured=first == "captured at once")
    if first == "captured by us":
        await sale.discharge("capture:p1")
    outcome = await sale.succeeded(hold, "c1", amount=1200, captured=True)
    # What the charge bought stays decided.
    assert isinstance(sold, outcomes.Paid)
    seq = sold.seq + (2 if first == "captured by us" else 1)
    assert outcome == outcomes.Paid("p1", seq, [hold], 1200)
    told = (await sale.log())[-1]
    assert isinstance(told, events.Mismatched)
    assert (told.fan, told.hold, told.charge, told.amount) == ("ana", hold, "c1", 1200)
    assert await worth(sale, hold) == (1200, "capture_failed")
    await sale.discharge("cancel:p1")
    assert await sale.store.duties(sale.drop) == {}
    assert await sale.counts() == (1, 0, 2, 0)
    # As much goes back as was taken.
    await sale.refund(hold)
    assert (await sale.store.duties(sale.drop))["refund:p1:1"].amount == 1200
    await sale.discharge("refund:p1:1")
    assert await worth(sale, hold) == (1200, "refunded")
    assert await consistent(sale) == []


@pytest.mark.parametrize("amount", [0, 1199, 2399, 2401, model.AMOUNT_MAX])
async def test_any_other_amount_is_told_once_whatever_is_told_after_it(
    sale: Sale, amount: int
) -> None:
    hold = await sale.bought("ana")
    for again in (amount, 2400, amount, 7):
        await sale.succeeded(hold, amount=again, captured=True)
        await sale.succeeded(hold, amount=again, captured=False)
    assert await worth(sale, hold) == (amount, "capture_failed")
    assert (await sale.words()).count("mismatched") == 1
    assert await consistent(sale) == []


async def test_the_same_amount_captured_changes_nothing(sale: Sale) -> None:
    hold = await sale.bought("ana")
    before = await sale.truth()
    for captured in (True, False, True):
        await sale.succeeded(hold, captured=captured)
    assert await sale.truth() == before


async def test_what_goes_back_is_what_was_captured_of_it(sale: Sale) -> None:
    """A second payment was to be let go, an order was refunded: both were captured for less."""
    order = await sale.bought("ana")
    await sale.succeeded(order, "c2")
    await sale.refund(order)
    for charge in ("c2", f"c-{order}"):
        await sale.succeeded(order, charge, amount=900, captured=True)
    duties = await sale.store.duties(sale.drop)
    assert {name: duty.amount for name, duty in duties.items()} == {
        "refund:c2": 900,
        "refund:p1:late": 900,
        "cancel:p1": 2400,
    }
    for duty in duties:
        await sale.discharge(duty)
    before = await sale.truth()
    assert (await worth(sale, order))[1] == "refunded"
    # The money is back: there is nothing to correct any more.
    for charge in ("c2", f"c-{order}"):
        await sale.succeeded(order, charge, amount=800, captured=True)
    assert await sale.truth() == before
    assert await consistent(sale) == []


async def consistent(sale: Sale) -> list[object]:
    """What the referee and the replay have to say of the log as it stands."""
    lines = [line async for line in sale.store.log(sale.drop)]
    differs = difference(fold(map(events.parse, lines)), await sale.truth())
    return [*judge(lines).violations, *differs]


async def test_while_an_id_is_lost_a_charge_that_is_not_known_is_not_judged(sale: Sale) -> None:
    """UNNAMED: it may be the one that was lost, and would go back as a second payment."""
    hold = await sale.held("ana")
    await sale.succeeded(hold, "c1")
    await sale.store.client.delete(keys.one(sale.drop, "charge_ids"))
    before = await sale.truth()
    assert await sale.succeeded(hold, "c2") == outcomes.Unnamed()
    assert await sale.truth() == before

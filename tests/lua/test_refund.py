"""Rows of `refund`."""

from __future__ import annotations

from hashlib import sha1

import pytest

from dropengine import events, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.model import OrderState
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale

REFUNDED = OrderState.REFUNDED
"""At once, where nothing was captured yet."""


async def test_a_refunded_unit_comes_back_with_its_serial(sale: Sale) -> None:
    first, second = await sale.bought("ana", qty=2), await sale.bought("bo")
    assert await sale.refund(first) == outcomes.Refunded(first, 11, REFUNDED, n=1, amount=4800)
    truth = await sale.truth()
    assert truth.orders[first].state == "refunded"
    assert truth.returned == {"pin/00000001": 0, "pin/00000002": 0}
    assert await sale.counts() == (2, 0, 1, 0)
    again = await sale.bought("cy")
    truth = await sale.truth()
    assert truth.orders[again].serials == [1]
    assert truth.orders[second].serials == [3]


async def test_a_capture_that_did_not_happen_yet_is_not_asked_for(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order)
    assert set((await sale.truth()).outbox) == {"cancel:p1", "void:c1"}


async def test_what_was_captured_is_owed(sale: Sale) -> None:
    order = await sale.held("ana")
    await sale.succeeded(order, captured=True)
    answer = await sale.refund(order)
    assert isinstance(answer, outcomes.Refunded)
    assert answer.state == OrderState.REFUND_PENDING
    assert set((await sale.truth()).outbox) == {"cancel:p1", "refund:p1:1"}


async def test_refunding_again_moves_nothing(sale: Sale) -> None:
    order = await sale.bought("ana")
    first = await sale.refund(order)
    assert isinstance(first, outcomes.Refunded)
    again = await sale.refund(order)
    assert again == outcomes.Refunded(order, first.seq, REFUNDED)
    assert await sale.counts() == (3, 0, 0, 0)


async def test_a_refunded_unit_goes_to_the_line(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    order = await sale.bought("ana")
    await sale.joined("bo")
    await sale.refund(order)
    assert (await sale.words())[-2:] == ["refunded", "offered"]


async def test_a_refund_makes_room_in_the_limit(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=2)
    order = await sale.bought("ana")
    await sale.held("ana")
    entry = await sale.joined("ana")
    assert (await sale.truth()).entries[entry].ready == [0]
    await sale.refund(order)
    assert (await sale.words())[-3:] == ["refunded", "limit_freed", "offered"]


async def test_an_order_of_a_settled_drop_can_be_refunded(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.creator("close")
    await sale.settle()
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    refunded = (await sale.log())[-1]
    assert isinstance(refunded, events.Refunded)
    assert refunded.by == "o1"


async def test_a_hold_that_was_not_paid_is_no_order(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.refund(hold) == refusals.NotFound()
    assert await sale.refund("h999") == refusals.NotFound()


async def test_a_refund_is_done_once_under_its_key(sale: Sale) -> None:
    order = await sale.bought("ana")
    first = await sale.refund(order, key="back")
    await sale.creator("message", text="It is on its way.")
    again = await sale.refund(order, key="back")
    assert isinstance(first, outcomes.Refunded)
    assert again == outcomes.Refunded(order, first.seq + 1, REFUNDED, n=1, amount=2400)
    assert (await sale.words()).count("refunded") == 1


async def test_a_refunds_key_is_for_its_order_alone(sale: Sale) -> None:
    first, second = await sale.bought("ana"), await sale.bought("bo")
    await sale.refund(first, key="back")
    assert await sale.refund(second, key="back") == refusals.KeyReused()
    answer = await sale.refund(second, key="back", by="o2")
    assert answer == outcomes.Refunded(second, 12, REFUNDED, n=1, amount=2400)
    assert (await sale.truth()).orders[second].state == "refunded"


async def test_a_key_is_for_one_command_whichever(sale: Sale) -> None:
    """A pause, and what publishes, are commands like a refund."""
    order = await sale.bought("ana")
    await sale.creator("pause", key="word")
    assert await sale.refund(order, key="word") == refusals.KeyReused()
    assert await sale.refund(order, key="publish") == refusals.KeyReused()
    await sale.refund(order, key="back")
    assert await sale.creator("resume", key="back") == refusals.KeyReused()
    assert await sale.publish(manifest(sale.drop), key="back") == refusals.KeyReused()


async def test_the_key_of_a_refund_that_had_nothing_to_do_is_kept_too(sale: Sale) -> None:
    first, second = await sale.bought("ana"), await sale.bought("bo")
    await sale.refund(first, key="a")
    await sale.refund(first, key="b")
    assert await sale.refund(second, key="b") == refusals.KeyReused()


async def test_a_refund_that_was_refused_leaves_its_key_free(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.refund(hold, key="back") == refusals.NotFound()
    await sale.succeeded(hold)
    assert isinstance(await sale.refund(hold, key="back"), outcomes.Refunded)


async def test_a_refund_asks_for_no_revision_and_raises_none(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order)
    assert isinstance(await sale.creator("pause"), outcomes.Changed)


async def test_a_refund_is_found_again_when_the_drop_is_over(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order, key="back")
    await sale.creator("cancel")
    await sale.settle()
    assert isinstance(await sale.refund(order, key="back"), outcomes.Refunded)
    assert (await sale.words()).count("refunded") == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(("oa", "b:c"), ("oab", "c")), (("o1", "1:d"), ("o11", "d")), (("o1", "k"), ("o2", "k"))],
)
async def test_nobody_is_answered_by_anothers_command(
    sale: Sale, one: tuple[str, str], other: tuple[str, str]
) -> None:
    """A key may have letters that stand between words and keys."""
    first, second = await sale.bought("ana"), await sale.bought("bo")
    assert isinstance(await sale.creator("pause", by=one[0], key=one[1]), outcomes.Changed)
    revision = sale.revision
    assert isinstance(await sale.creator("resume", by=other[0], key=other[1]), outcomes.Changed)
    assert sale.revision == revision + 1
    assert (await sale.words())[-2:] == ["paused", "resumed"]
    for i, ((by, key), order) in enumerate(((one, first), (other, second))):
        assert isinstance(await sale.refund(order, by=by, key=f"{i}{key}"), outcomes.Refunded)


async def test_a_fan_is_not_answered_by_a_creators_command(sale: Sale) -> None:
    await sale.creator("pause", by="o1", key="k")
    await sale.creator("resume", by="o1")
    for fan in ("o1", "@o1", "creator"):
        assert isinstance(await sale.hold(fan, key="k"), outcomes.Held)
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []


async def test_what_an_older_engine_answered_is_answered_still(sale: Sale) -> None:
    """Its answers stand where a colon is between name and key."""
    said = sha1(b"Hello", usedforsecurity=False).hexdigest()
    answers = keys.one(sale.drop, "answers")
    await sale.store.client.hset(answers, "@o1:older", f"2|message|{said}")
    assert isinstance(await sale.creator("message", key="older", text="Hello"), outcomes.Changed)
    assert await sale.creator("pause", key="older") == refusals.KeyReused()
    assert await sale.words() == ["published", "opened"]


async def test_a_refund_says_why_to_its_fan_alone_and_in_the_log(sale: Sale) -> None:
    order = await sale.bought("ana")
    why = 'the "blue" one \\ is chipped, sorry \u00e9'
    assert isinstance(await sale.refund(order, key="k", why=why), outcomes.Refunded)
    event = next(e for e in await sale.log() if isinstance(e, events.Refunded))
    assert event.why == why
    assert (await sale.truth()).orders[order].why == why
    shown = (await sale.you("ana")).orders[0][1]
    assert shown.why == why


async def test_another_reason_under_a_key_is_another_command(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order, key="k", why="chipped")
    assert isinstance(await sale.refund(order, key="k", why="chipped"), outcomes.Refunded)
    for other in ("", "lost"):
        assert await sale.refund(order, key="k", why=other) == refusals.KeyReused()


@pytest.mark.parametrize("why", ["two\nlines", "\u202e", "x" * 501, "\x00"])
async def test_a_reason_is_a_line_that_shows_what_it_says(sale: Sale, why: str) -> None:
    order = await sale.bought("ana")
    refused = await sale.refund(order, why=why)
    assert isinstance(refused, refusals.BadMessage)
    assert refused.why.startswith("why ")
    assert (await sale.truth()).orders[order].state != "refunded"


async def test_what_was_refunded_keeps_its_first_reason(sale: Sale) -> None:
    order = await sale.bought("ana")
    first = await sale.refund(order, why="chipped")
    again = await sale.refund(order, why="never mind")
    # Whoever comes second is told what stands.
    for answer in (first, again):
        assert isinstance(answer, outcomes.Refunded)
        assert answer.why == "chipped"
    assert (await sale.truth()).orders[order].why == "chipped"

"""Rows of `cancel`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, item
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale


async def test_a_cancelled_drop_ends_holds_and_refunds_orders(sale: Sale) -> None:
    sold = await sale.bought("ana")
    held = await sale.held("bo")
    outcome = await sale.creator("cancel")
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == "cancelled"
    await sale.settle()
    truth = await sale.truth()
    assert truth.holds[held].state == "cancelled"
    # Nothing was captured yet: its provider lets go of it.
    assert truth.orders[sold].state == "refunded"
    assert set(truth.outbox) == {"cancel:p1", "void:c1"}
    assert await sale.counts() == (3, 0, 0, 0)
    released, refunded = (await sale.log())[-2:]
    assert isinstance(released, events.Released)
    assert isinstance(refunded, events.Refunded)
    assert (released.by, refunded.by) == ("creator", "creator")


async def test_many_holds_end_by_and_by(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 150}))
    for i in range(150):
        await sale.held(f"fan-{i}")
    await sale.creator("cancel")
    await sale.settle()
    assert await sale.counts() == (150, 0, 0, 0)


async def sold_and_held(make_sale: MakeSale, sold: int, held: int) -> Sale:
    """So many orders and holds."""
    sale = await make_sale(item("pin", {"pin": 300}))
    for i in range(sold):
        await sale.bought(f"buyer-{i}")
    for i in range(held):
        await sale.held(f"fan-{i}")
    return sale


@pytest.mark.parametrize(
    ("sold", "held"), [(70, 64), (64, 64), (70, 1), (1, 63), (140, 0), (3, 140)]
)
async def test_a_cancelled_drop_does_at_most_64_things_a_script(
    make_sale: MakeSale, sold: int, held: int
) -> None:
    """Holds and refunds together."""
    sale = await sold_and_held(make_sale, sold, held)
    await sale.creator("cancel")
    done, scripts = len(await sale.log()), 0
    word = "AGAIN"
    while word == "AGAIN":
        (word, *_), scripts = await raw(sale, "settle"), scripts + 1
        before, done = done, len(await sale.log())
        assert done - before <= 64
    assert scripts == max(1, -(-(sold + held) // 64))
    assert await sale.counts() == (300, 0, 0, 0)


async def test_a_scheduled_drop_may_be_cancelled_and_never_opens(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=1_800_000_060_000)
    await sale.creator("cancel")
    sale.now = 1_800_000_060_000
    assert (await sale.settle()).state == "cancelled"


async def test_a_cancelled_drop_says_why_to_everybody(sale: Sale) -> None:
    await sale.creator("pause", why="We look for the box")
    await sale.creator("cancel", why="The box is lost")
    cancelled = (await sale.log())[-1]
    assert isinstance(cancelled, events.Cancelled)
    assert cancelled.why == "The box is lost"
    view = await sale.store.view(sale.drop, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    assert view.why == "The box is lost"


async def test_an_older_command_line_cancels_without_a_reason(sale: Sale) -> None:
    assert (await raw(sale, "cancel", 2, "o1", "k"))[0] == "CHANGED"
    assert (await sale.truth()).drop["why"] == ""


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        ("close", refusals.Closed()),
        ("cancel", refusals.Already("cancelled", "cancelled", "o1", START_MS)),
    ],
)
async def test_what_is_over_cannot_be_cancelled(
    sale: Sale, verb: str, refusal: refusals.Refusal
) -> None:
    await sale.creator(verb)
    assert await sale.creator("cancel") == refusal

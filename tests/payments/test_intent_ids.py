"""The ids of intents: one attempt of one life of the truth, whoever asks and whenever."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis
from msgspec import structs

from dropengine import outcomes
from dropengine.log.layouts import INTENTS_NAME_HOLDS
from dropengine.model import DropId, HoldId, HoldRecord, PaymentRecord, ShopId
from dropengine.payments.intent_ids import IntentIds, intent_id, intent_id_of_hold
from dropengine.payments.port import INTENT_CHARS_MAX
from dropengine.truth import keys
from dropengine.truth.store import Store
from tests.kit import older_layouts
from tests.kit.local_provider import SHOP, local_pay
from tests.kit.manifests import HOLD_MS
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale

DROP = DropId("eclipse")
RECORD = HoldRecord(
    fan="ada",
    pool="pin",
    qty=2,
    price=1500,
    origin="press",
    state="paying",
    start_ms=1_800_000_000_000,
    deadline_ms=1_800_000_480_000,
    entry="",
    claimed=0,
    extended=0,
    began=1,
    looked=0,
    key="k",
)


PAYMENT = PaymentRecord(
    fan="ada",
    holds=["h7"],
    way="post",
    amount=3690,
    currency="EUR",
    all=0,
    provider="local",
    state="open",
    at_ms=1_800_000_000_500,
    deadline_ms=1_800_000_480_000,
    looked=0,
    leaving=0,
    more=0,
    judged=0,
    charge="",
    kept=0,
    way_kept=0,
    backs=0,
)


def _id(
    shop: ShopId = SHOP,
    drop: DropId = DROP,
    name: str = "p1",
    payment: PaymentRecord = PAYMENT,
    hold: HoldRecord = RECORD,
) -> str:
    return intent_id(shop, drop, name, payment, [hold])


def test_an_id_is_what_the_documents_say() -> None:
    said = (
        f'["{SHOP}","eclipse","p1",[["h7","ada",1800000000000,2,1500]],'
        '["post",3690,"EUR",0,"local"]]'
    )
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    assert _id() == f"eclipse.p1.{digest}"
    assert len(_id(drop=DropId("d" * 64), name="p" * 64)) == INTENT_CHARS_MAX
    said = f'["{SHOP}","eclipse","h7","ada",1800000000000,2,1500]'
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    assert intent_id_of_hold(SHOP, DROP, HoldId("h7"), RECORD) == f"eclipse.h7.{digest}"


@pytest.mark.parametrize(
    "other", [{"fan": "ben"}, {"start_ms": 1_800_000_000_001}, {"qty": 1}, {"price": 3000}]
)
def test_another_life_of_a_hold_is_another_intent(other: dict[str, object]) -> None:
    assert _id(hold=structs.replace(RECORD, **other)) != _id()


@pytest.mark.parametrize(
    "other",
    [
        {"holds": ["h8"]},
        {"way": "stall"},
        {"amount": 3000},
        {"currency": "USD"},
        {"all": 1},
        {"provider": "stripe"},
    ],
)
def test_another_payment_of_the_same_name_is_another_intent(other: dict[str, object]) -> None:
    assert _id(payment=structs.replace(PAYMENT, **other)) != _id()


def test_shops_drops_and_payments_share_no_intent() -> None:
    ids = [_id(), _id(shop=ShopId("6" * 32)), _id(drop=DropId("eclipse2")), _id(name="p2")]
    assert len(set(ids)) == len(ids)


def test_what_changes_of_a_payment_while_it_is_paid_changes_no_id() -> None:
    later = structs.replace(
        RECORD, state="expired", deadline_ms=RECORD.deadline_ms + 1, extended=1, began=2, looked=1
    )
    adopted = structs.replace(RECORD, fan="somebody", begun_by="ada")
    over = structs.replace(PAYMENT, fan="somebody", state="paid", charge="c1", kept=3690, judged=1)
    assert _id(hold=later) == _id(hold=adopted) == _id(payment=over) == _id()


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    async with local_pay(tmp_path / "book", clock=SaleClock(sale)) as local:
        yield PaidSale(sale, local, tmp_path / "book")


async def test_an_offer_paid_just_before_an_outage_keeps_its_id(counter: PaidSale) -> None:
    """The drop's own time goes on from the very moment at which the hold began."""
    sale = counter.sale
    for fan in ("ben", "cleo", "dan"):
        await sale.held(fan)
    entry = await sale.joined("ada")
    sale.now += HOLD_MS
    await sale.settle()
    offer = (await sale.truth()).entries[entry].hold
    server = sale.store.client
    await server.hset(keys.one(sale.drop, "wake"), "ran", sale.now)
    assert isinstance(await sale.pay("ada", offer), outcomes.Paying)
    before = await counter.intent(offer)
    sale.now += 60_000
    await sale.settle()
    assert "realigned" in await sale.words()
    assert await counter.intent(offer) == before


@pytest.mark.parametrize("layout", range(1, INTENTS_NAME_HOLDS))
async def test_a_drop_that_was_published_before_is_asked_for_under_the_older_id_too(
    client: redis.Redis, counter: PaidSale, layout: int
) -> None:
    sale = counter.sale
    hold = await counter.begun("ada")
    await older_layouts.lowered(client, sale.drop, layout)
    for _ in ("before it is lifted", "after"):
        intents = await counter.intents.all(sale.drop, HoldId(hold))
        assert intents == [await counter.intent(hold), f"{sale.drop}.{hold}"]
        await sale.settle()
    assert "lifted" in await sale.words()
    assert await counter.intents.all(sale.drop, HoldId("h999")) == []


async def test_a_new_drop_has_no_older_ids(counter: PaidSale, store: Store) -> None:
    hold = await counter.begun("ada")
    payment = await counter.payment(hold)
    intents = await IntentIds(SHOP, store).all(counter.sale.drop, payment)
    assert await IntentIds(SHOP, store).all(counter.sale.drop, hold) == []
    assert intents == [await counter.intent(hold)]


@pytest.mark.parametrize("older_first", [False, True])
async def test_money_under_each_of_two_ids_is_found(
    client: redis.Redis, counter: PaidSale, *, older_first: bool
) -> None:
    """A page that was begun before the upgrade and one from after it: both payers are silent."""
    sale = counter.sale
    hold = await counter.begun("ada")
    await older_layouts.lowered(client, sale.drop, 2)
    old, new = f"{sale.drop}.{hold}", await counter.intent(hold)
    for intent in (old, new) if older_first else (new, old):
        await counter.choose(hold, "pay", intent=intent)
    await counter.over()
    await counter.work()
    await counter.work()
    assert await counter.order(hold) == "done"
    assert sorted((await counter.charges()).values()) == ["captured", "voided"]
    assert await counter.duties() == set()

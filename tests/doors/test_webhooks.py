"""The webhook doors over real HTTP: a provider's word becomes an order, once, or comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from dropengine import refusals
from dropengine.doors import webhooks
from dropengine.log.layouts import INTENTS_NAME_HOLDS
from dropengine.model import AMOUNT_MAX, CHARGE_CHARS_MAX, ShopId
from dropengine.payments.intent_ids import intent_id
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import older_layouts
from tests.kit.local_provider import SHOP, page_of, until_idle
from tests.kit.manifests import LOOKUP_MS
from tests.kit.payment_doors import PaymentDoors, payment_doors
from tests.kit.sale import Sale
from tests.lua.test_common_rows import tamper


@pytest.fixture
async def doors(sale: Sale, tmp_path: Path) -> AsyncIterator[PaymentDoors]:
    async with payment_doors(sale, tmp_path / "book") as opened:
        yield opened


async def test_a_payment_on_the_page_becomes_an_order_by_way_of_the_public_door(
    doors: PaymentDoors,
) -> None:
    hold = await doors.begun("ada")
    await doors.choose(hold, "pay")
    await until_idle(doors.local)
    order = (await doors.sale.truth()).orders[hold]
    assert (order.fan, order.amount, order.serials) == ("ada", 2400, [1])
    await doors.work()
    assert await doors.order(hold) == "done"


async def test_fifty_copies_of_one_webhook_at_once_are_one_order(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    delivery = await doors.delivery_of(hold, charge="ch_1")
    answers = await asyncio.gather(*(doors.post(*delivery) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {'{"outcome":"paid"}'}
    assert await doors.sale.counts() == (2, 0, 1, 0)


async def test_a_webhook_twice_and_slow_and_late_is_answered_every_time(
    doors: PaymentDoors,
) -> None:
    twice, slow = await doors.begun("ada"), await doors.begun("ben")
    await doors.choose(twice, "twice")
    await doors.choose(slow, "delay", 700)
    await until_idle(doors.local)
    doors.sale.now += 700
    await until_idle(doors.local)
    assert await doors.sale.counts() == (1, 0, 2, 0)
    late = await doors.begun("cleo")
    await doors.choose(late, "late", LOOKUP_MS)
    await doors.over()
    await doors.work()
    doors.sale.now += LOOKUP_MS
    await doors.sale.settle()
    assert await doors.sale.counts() == (1, 0, 2, 0)
    await until_idle(doors.local)
    assert await doors.sale.counts() == (0, 0, 3, 0)
    assert "rescued" in await doors.sale.words()


async def test_a_forged_webhook_is_refused_and_changes_nothing(
    doors: PaymentDoors, caplog: pytest.LogCaptureFixture
) -> None:
    hold = await doors.begun("ada")
    headers, body = await doors.delivery_of(hold, charge="ch_1")
    seq = (await doors.sale.settle()).seq
    other = body.replace(b"2400", b"0024")
    assert (await doors.post(headers, other)).status_code == 400
    assert (await doors.post({}, body)).status_code == 400
    answer = await doors.http.post(
        "/api/pay/webhooks/local", content=body, headers=[*headers.items(), *headers.items()]
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_message"
    assert (await doors.sale.settle()).seq == seq
    assert [one for one in caplog.records if one.levelname == "ERROR"] == [], (
        "strangers alarm nobody"
    )


async def test_a_webhook_over_the_wrong_amount_buys_nothing(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    paid = await doors.paid(hold)
    _, body = await doors.delivery_of(hold, charge=paid.charge)
    wrong = doors.signed(body.replace(b'"amount":2400', b'"amount":1'))
    assert (await doors.post(*wrong)).json() == {"outcome": "voided"}
    assert await doors.sale.counts() == (2, 1, 0, 0)
    await doors.work()
    assert await doors.at_provider(paid.charge) == "voided"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 2**63),
        ("amount", 10**14),
        ("amount", AMOUNT_MAX + 1),
        ("amount", -1),
        ("amount", 24.5),
        ("charge", ""),
        ("charge", "c" * (CHARGE_CHARS_MAX + 1)),
        ("charge", 'c","e":"sold'),
        ("charge", "c 1\n"),
        ("currency", "EUR\n"),
        ("currency", "E" * 10_000),
        ("event", "e" * (CHARGE_CHARS_MAX + 1)),
        ("payment", "p" * 65),
        ("drop", "../x"),
    ],
)
async def test_a_signed_notice_beyond_all_bounds_is_refused_told_and_stops_nothing(
    doors: PaymentDoors, field: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    hold, other = await doors.begun("ada"), await doors.begun("ben")
    await doors.choose(other, "pay")
    await until_idle(doors.local)
    seq = (await doors.sale.settle()).seq
    notice = msgspec.json.decode((await doors.delivery_of(hold, charge="ch_1"))[1]) | {field: value}
    if field in ("payment", "drop"):
        notice["intent"] = f"{notice['drop']}.{notice['payment']}"
    answer = await doors.post(*doors.signed(msgspec.json.encode(notice)))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
    (told,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert "\n" not in told
    assert (await doors.sale.settle()).seq == seq
    await doors.work()
    assert await doors.order(other) == "done"
    assert await doors.duties() == set()


async def test_a_notice_of_less_than_was_authorised_is_not_forgotten(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    assert (await doors.post(*await doors.delivery_of(hold, charge="ch_1"))).status_code == 200
    _, body = await doors.delivery_of(hold, charge="ch_1")
    less = body.replace(b"2400", b"1200").replace(b'"captured":false', b'"captured":true')
    for _ in range(3):
        answer = await doors.post(*doors.signed(less.replace(b"authorized", b"captured")))
        assert answer.json() == {"outcome": "paid"}
    assert await doors.order(hold) == "capture_failed"
    assert (await doors.sale.words()).count("mismatched") == 1


async def test_a_webhook_for_no_hold_of_ours_is_given_back_and_answered(
    doors: PaymentDoors,
) -> None:
    address = await doors.page("p999")
    await doors.local.act(page_of(address), "pay")
    await until_idle(doors.local)
    assert set((await doors.charges()).values()) == {"voided"}


@pytest.mark.parametrize("shop", ["another life", "another shop", "an older engine"])
async def test_money_under_an_id_that_is_not_the_payments_goes_back(
    doors: PaymentDoors, shop: str
) -> None:
    """Payments are counted: after a restore another one has the name of the one that was paid."""
    drop, hold = doors.sale.drop, await doors.begun("ada")
    payment = await doors.payment(hold)
    record = await doors.sale.payment(payment)
    held = await doors.sale.store.hold(drop, hold)
    assert held is not None
    reborn = structs.replace(held, fan="ben")
    intent = {
        "another life": intent_id(SHOP, drop, payment, record, [reborn]),
        "another shop": intent_id(ShopId("6" * 32), drop, payment, record, [held]),
        "an older engine": f"{drop}.{payment}",
    }[shop]
    await doors.choose(hold, "pay", intent=intent)
    await until_idle(doors.local)
    assert await doors.sale.counts() == (2, 1, 0, 0)
    assert set((await doors.charges()).values()) == {"voided"}
    # Nothing is decided in the drop; the hold is paid as before.
    await doors.choose(hold, "pay")
    await until_idle(doors.local)
    await doors.work()
    assert await doors.order(hold) == "done"


@pytest.mark.parametrize("captured", [True, False])
@pytest.mark.parametrize("told_of", ["p1", "p2", "p999"])
async def test_money_that_bought_an_order_is_kept_under_whatever_id_it_is_told_again(
    doors: PaymentDoors, told_of: str, captured: bool
) -> None:
    """A shop that got another id hears the deliveries of before once more."""
    hold, _ = await doors.begun("ada"), await doors.begun("ben")
    await doors.choose(hold, "pay")
    await until_idle(doors.local)
    await doors.work()
    ((charge, state),) = (await doors.charges()).items()
    seq = (await doors.sale.settle()).seq
    _, body = await doors.delivery(payment=told_of, charge=charge)
    notice = msgspec.json.decode(body) | {
        "intent": f"{doors.sale.drop}.{told_of}.{'0' * 32}",
        "captured": captured,
    }
    answer = await doors.post(*doors.signed(msgspec.json.encode(notice)))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "paid"})
    assert await doors.charges() == {charge: state}
    assert (await doors.sale.settle()).seq == seq


@pytest.mark.parametrize("layout", range(1, INTENTS_NAME_HOLDS))
async def test_a_page_that_an_older_engine_began_is_paid_after_the_upgrade(
    doors: PaymentDoors, layout: int
) -> None:
    sale, hold = doors.sale, await doors.begun("ada")
    await doors.choose(hold, "delay", 10, intent=f"{sale.drop}.{hold}")
    await older_layouts.lowered(sale.store.client, sale.drop, layout)
    await sale.settle()
    sale.now += 10
    await until_idle(doors.local)
    await doors.work()
    assert await doors.order(hold) == "done"
    assert await doors.duties() == set()


async def test_money_that_cannot_be_given_back_yet_keeps_the_webhook_coming(
    doors: PaymentDoors,
) -> None:
    answer = await doors.post(*await doors.delivery(payment="p999", charge="ch_nobody_knows"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_a_webhook_for_a_frozen_drop_comes_again(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    await tamper(doors.sale)
    assert await doors.sale.hold("bob") == refusals.Frozen()
    answer = await doors.post(*await doors.delivery_of(hold, charge="ch_1"))
    assert answer.status_code == 503
    assert answer.json()["code"] == "away"


async def test_a_declined_payment_is_heard_and_changes_nothing(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    await doors.choose(hold, "decline")
    await until_idle(doors.local)
    assert await doors.sale.counts() == (2, 1, 0, 0)
    assert await doors.local.step() > 0


async def test_while_the_store_is_away_a_webhook_waits_and_is_not_lost(doors: PaymentDoors) -> None:
    hold = await doors.begun("ada")
    near = doors.deps.store
    async with connections.client("unix:///nowhere/at/all.sock") as nowhere:
        doors.deps.store = Store(nowhere)
        await doors.choose(hold, "pay")
        await until_idle(doors.local)
        answer = await doors.post(*await doors.delivery_of(hold, charge="ch_1"))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["code"] == "away"
    doors.deps.store = near
    doors.sale.now += 1_000
    await until_idle(doors.local)
    assert await doors.sale.counts() == (2, 0, 1, 0)


async def test_a_webhook_that_is_too_large_is_refused_before_it_is_read(
    doors: PaymentDoors,
) -> None:
    answer = await doors.post({}, b" " * (webhooks.BODY_BYTES_MAX + 1))
    assert answer.status_code == 413


async def test_every_provider_has_a_door_and_a_name_that_nobody_bears_has_none(
    doors: PaymentDoors,
) -> None:
    headers, body = await doors.delivery(payment="p999", charge="ch_1")
    for name in doors.deps.payments.built:
        answer = await doors.http.post(f"/api/pay/webhooks/{name}", content=body)
        assert answer.status_code == 400
        assert answer.json()["detail"] == "not the provider's word: missing_header"
        assert (await doors.http.get(f"/api/pay/webhooks/{name}")).status_code == 405
    for name in ("stripe", "", "LOCAL", "local/"):
        answer = await doors.http.post(
            f"/api/pay/webhooks/{name}", content=body, headers=headers, follow_redirects=False
        )
        assert answer.status_code in (307, 404), name

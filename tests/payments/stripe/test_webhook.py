"""Stripe's word: proven by its bytes, its signature and its time, before anything is read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.payments.port import Ignored, Notice, Unproven
from dropengine.payments.stripe.webhook import TOLERANCE_S
from tests.kit.manifests import START_MS
from tests.kit.till import StripeTill, stripe_till
from tests.kit.webhook_receiver import Delivery

NOW_S = START_MS // 1000


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[StripeTill]:
    async with stripe_till(tmp_path) as one:
        assert isinstance(one, StripeTill)
        yield one


async def a_word(till: StripeTill) -> bytes:
    await till.charged()
    (delivery,) = await till.deliveries()
    return delivery.body


async def test_it_is_believed_for_five_minutes_and_from_no_other_time(till: StripeTill) -> None:
    body = await a_word(till)
    for late_s, believed in ((0, True), (TOLERANCE_S, True), (TOLERANCE_S + 1, False)):
        for at_s in (NOW_S - late_s, NOW_S + late_s):
            told = till.provider.parse_webhook(*till.fake.sign(body, at_s))
            assert isinstance(told, Notice) if believed else told == Unproven("stale")


async def test_only_the_shops_own_secret_signs(till: StripeTill) -> None:
    body = await a_word(till)
    other = till.fake.sign(body, NOW_S, "whsec_anothers")
    assert till.provider.parse_webhook(*other) == Unproven("bad_signature")


async def test_one_signature_is_wanted(till: StripeTill) -> None:
    (header,), body = till.fake.sign(await a_word(till), NOW_S)
    parse = till.provider.parse_webhook
    assert parse([], body) == Unproven("missing_header")
    assert parse([header, header], body) == Unproven("duplicate_header")
    assert parse([(header[0], b"v1=00")], body) == Unproven("bad_timestamp")
    assert parse([(header[0], b"t=%d,v1=\xff" % NOW_S)], body) == Unproven("bad_signature")


@pytest.mark.parametrize(
    "kind",
    [
        "checkout.session.completed",
        "payment_intent.created",
        "a.word.of.next.year",
    ],
)
async def test_what_is_not_about_money_is_taken_and_ignored(till: StripeTill, kind: str) -> None:
    event = json.loads(await a_word(till)) | {"type": kind}
    delivery = till.fake.sign(json.dumps(event).encode(), NOW_S)
    assert till.provider.parse_webhook(*delivery) == Ignored()


async def test_what_another_shop_of_the_account_was_paid_is_ignored(till: StripeTill) -> None:
    event = json.loads(await a_word(till))
    event["data"]["object"]["metadata"]["shop"] = "0" * 16
    delivery = till.fake.sign(json.dumps(event).encode(), NOW_S)
    assert till.provider.parse_webhook(*delivery) == Ignored()


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", -1), ("amount", "2400"), ("currency", "euro"), ("id", "a b"), ("id", "x" * 300)],
)
async def test_a_signed_word_out_of_all_bounds_is_a_persons(
    till: StripeTill, field: str, value: object
) -> None:
    event = json.loads(await a_word(till))
    event["data"]["object"][field] = value
    delivery = till.fake.sign(json.dumps(event).encode(), NOW_S)
    assert till.provider.parse_webhook(*delivery) == Unproven("bad_body", signed=True)


async def test_what_is_captured_and_what_is_declined_are_told(till: StripeTill) -> None:
    paid = await till.captured(amount=5000)
    word = await told_last(till)
    assert (word.kind, word.captured, word.charge, word.amount) == (
        "captured",
        True,
        paid.charge,
        5000,
    )
    await till.choose("decline", "p2")
    notice = till.provider.parse_webhook(*till.fake.told[-1])
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.charge) == ("declined", "")


async def told_last(till: StripeTill) -> Notice:
    deliveries: list[Delivery] = await till.deliveries()
    notice = till.provider.parse_webhook(*deliveries[-1])
    assert isinstance(notice, Notice)
    return notice

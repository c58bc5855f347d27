"""The webhook's signature: only the shop's own secret over the same bytes, and only for minutes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.model import DropId, HoldId
from dropengine.payments.local import LocalPay
from dropengine.payments.local.webhook_signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE_S,
    prove,
    sign,
    webhook_key,
)
from dropengine.payments.port import Notice, Unproven
from tests.kit.local_provider import SECRET, chosen, until_idle
from tests.kit.webhook_receiver import Clock, Delivery, WebhookReceiver


async def delivered(pay: LocalPay, shop: WebhookReceiver) -> Delivery:
    """A webhook as the shop got it."""
    await chosen(pay, "pay")
    await until_idle(pay)
    (delivery,) = shop.taken
    return delivery


async def test_a_webhook_with_any_bit_changed_is_refused(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    headers, body = await delivered(pay, shop)
    parse = pay.parse_webhook
    assert isinstance(parse(headers, body), Notice)
    for at in range(len(body)):
        assert parse(headers, _flip(body, at)) == Unproven("bad_signature")
    for name in (TIMESTAMP_HEADER, SIGNATURE_HEADER):
        value = dict(headers)[name]
        for at in range(len(value)):
            bad = [(n, _flip(v, at) if n == name else v) for n, v in headers]
            assert isinstance(parse(bad, body), Unproven)
        assert parse([row for row in headers if row[0] != name], body) == Unproven("missing_header")
        assert parse([*headers, (name, value)], body) == Unproven("duplicate_header")
        assert parse([*headers, (name.upper(), b"0")], body) == Unproven("duplicate_header")
    assert parse([], body) == Unproven("missing_header")


async def test_a_webhook_is_believed_for_five_minutes_either_way(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    delivery = await delivered(pay, shop)
    start = clock.ms
    for seconds, believed in [
        (TOLERANCE_S, True),
        (TOLERANCE_S + 1, False),
        (-TOLERANCE_S, True),
        (-TOLERANCE_S - 1, False),
    ]:
        clock.ms = start + seconds * 1000
        notice = pay.parse_webhook(*delivery)
        assert isinstance(notice, Notice) == believed, seconds
        assert believed or notice == Unproven("stale")


async def test_a_webhook_signed_by_another_shop_is_refused(
    pay: LocalPay, shop: WebhookReceiver, tmp_path: Path
) -> None:
    delivery = await delivered(pay, shop)
    other = LocalPay(tmp_path / "other", b"another secret", "http://127.0.0.1:9", clock=Clock())
    assert other.parse_webhook(*delivery) == Unproven("bad_signature")
    await other.close()


def _flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@given(st.binary(), st.binary(), st.integers(0, 10**11), st.binary(), st.integers(-600, 600))
def test_only_the_same_bytes_under_the_same_secret_are_proven(
    secret: bytes, body: bytes, at_s: int, other: bytes, skew_s: int
) -> None:
    headers = sign(secret, at_s, body)
    fresh = prove(secret, headers, body, at_s + skew_s)
    assert fresh == (None if abs(skew_s) <= TOLERANCE_S else Unproven("stale"))
    if other != body:
        assert prove(secret, headers, other, at_s) == Unproven("bad_signature")
    if other != secret and other.rstrip(b"\0") != secret.rstrip(b"\0"):
        assert prove(other, headers, body, at_s) == Unproven("bad_signature")


@pytest.mark.parametrize("stamp", [b"", b"-1", b"1e9", b" 1", b"0x1", b"1" * 13, b"\xb2", b"1.5"])
def test_a_timestamp_is_a_few_digits(stamp: bytes) -> None:
    headers = [(TIMESTAMP_HEADER, stamp), sign(b"s", 1, b"")[1]]
    assert prove(b"s", headers, b"", 1) == Unproven("bad_timestamp")


def _body(**wrong: str) -> bytes:
    right = Notice("e", "captured", "a.h1", DropId("a"), HoldId("p1"), "c", 1, "EUR", True)
    return msgspec.json.encode(msgspec.structs.asdict(right) | wrong)


def test_the_bodies_below_are_wrong_in_one_thing_only() -> None:
    assert isinstance(msgspec.json.decode(_body(), type=Notice), Notice)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        _body(kind="stolen"),
        _body(drop="b"),
        _body(amount="1"),
    ],
)
async def test_a_proven_body_that_says_nothing_clear_is_refused(
    pay: LocalPay, clock: Clock, body: bytes
) -> None:
    headers = sign(webhook_key(SECRET), clock.ms // 1000, body)
    assert pay.parse_webhook(headers, body) == Unproven("bad_body", signed=True)

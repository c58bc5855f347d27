"""The port: an intent says what its hold says."""

from __future__ import annotations

from dropengine.model import HoldId, HoldRecord
from dropengine.payments import port
from dropengine.wire import DropView, ItemView
from tests.kit.manifests import HOLD_MS, START_MS


def _view() -> DropView:
    items = [
        ItemView(id=name, title=name.title(), cap=9, price=1500, limit=0, most=3)
        for name in ("pin", "lamp")
    ]
    return DropView(
        id="eclipse",
        title="Eclipse",
        maker="Tests",
        story="",
        state="live",
        revision=1,
        mode="rush",
        currency="JPY",
        minor_digits=0,
        zone="Asia/Tokyo",
        opens_ms=0,
        closes_ms=0,
        now=START_MS,
        limit=3,
        k=5,
        hold_ms=HOLD_MS,
        offer_ms=0,
        extend_ms=0,
        cool_ms=0,
        practice=False,
        pace=10,
        pace_ms=10_000,
        hash="",
        epoch="",
        durable=True,
        items=items,
        pools={},
        lines={},
        news=[],
    )


def _record(pool: str, qty: int) -> HoldRecord:
    return HoldRecord(
        fan="ada",
        pool=pool,
        qty=qty,
        price=1500,
        origin="press",
        state="paying",
        start_ms=START_MS,
        deadline_ms=START_MS + HOLD_MS,
        entry="",
        claimed=0,
        extended=0,
        began=1,
        looked=0,
        key="k",
    )


def test_an_intent_says_what_the_hold_says() -> None:
    intent = port.intend(
        "an intent", _view(), HoldId("h7"), _record("lamp@north", 2), "/drops/eclipse"
    )
    assert (intent.id, intent.drop, intent.hold) == ("an intent", "eclipse", "h7")
    assert (intent.title, intent.what, intent.qty) == ("Eclipse", "Lamp (north)", 2)
    assert (intent.amount, intent.currency, intent.minor_digits) == (3000, "JPY", 0)
    assert intent.deadline_ms == START_MS + HOLD_MS
    plain = port.intend("an intent", _view(), HoldId("h8"), _record("pin", 1), "/drops/eclipse")
    assert plain.what == "Pin"

"""The port: an intent says what its payment says."""

from __future__ import annotations

import msgspec

from dropengine.model import HoldRecord, PaymentRecord
from dropengine.payments import port
from dropengine.wire import DropView, ItemView, WayView
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


def _payment(*holds: str, way: str = "", amount: int) -> PaymentRecord:
    return PaymentRecord(
        fan="ada",
        holds=[*holds],
        way=way,
        amount=amount,
        currency="JPY",
        all=0,
        provider="local",
        state="open",
        at_ms=START_MS,
        deadline_ms=START_MS + HOLD_MS,
        looked=0,
        leaving=0,
        more=0,
        judged=0,
        charge="",
        kept=0,
        way_kept=0,
        backs=0,
    )


def test_an_intent_says_what_its_payment_says() -> None:
    holds = [_record("lamp@north", 2), _record("pin", 1)]
    payment = _payment("h7", "h8", amount=4500)
    intent = port.intend("an intent", _view(), "p1", payment, holds, "/drops/eclipse")
    assert (intent.id, intent.drop, intent.payment) == ("an intent", "eclipse", "p1")
    assert intent.title == "Eclipse"
    assert intent.lines == (
        port.Line("Lamp (north)", 2, 1500, 3000),
        port.Line("Pin", 1, 1500, 1500),
    )
    assert intent.way is None
    assert (intent.amount, intent.currency, intent.minor_digits) == (4500, "JPY", 0)
    assert intent.deadline_ms == START_MS + HOLD_MS


def test_a_way_is_a_line_of_its_own_and_may_make_each_unit_cheaper() -> None:
    view = msgspec.structs.replace(
        _view(),
        ways=[WayView("post", "ship", "Post", 690), WayView("stall", "pickup", "Stall", 0, 200)],
    )
    holds = [_record("pin", 2)]
    post = port.intend("i", view, "p1", _payment("h1", way="post", amount=3690), holds, "/")
    assert post.lines == (port.Line("Pin", 2, 1500, 3000),)
    assert post.way == port.Line("Post", 1, 690, 690)
    stall = port.intend("i", view, "p2", _payment("h1", way="stall", amount=2600), holds, "/")
    assert stall.lines == (port.Line("Pin", 2, 1300, 2600),)
    assert stall.way == port.Line("Stall", 1, 0, 0)

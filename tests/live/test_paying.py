"""By what a fan may pay, and the one place that a payment by hand takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dropengine import outcomes, refusals, wire
from dropengine.errors import Unavailable
from dropengine.live import paying
from dropengine.live.answers import refused_in
from dropengine.manifest import Way
from dropengine.model import DropId, FanId
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.manifests import item, manifest
from tests.kit.room_by_hand import RoomByHand, room_by_hand
from tests.kit.sale import Sale

server = web_process.server

ADA = FanId("ada")
HOURS_72 = 72 * 3_600_000
WAYS: dict[str, Any] = {
    "ways": tuple(
        Way(
            id=name,
            kind=kind,
            title=name,
            countries=(),
            nodes=(),
            amount=amount,
            off=off,
            from_ms=0,
            until_ms=until_ms,
            cash=until_ms > 0,
        )
        for name, kind, amount, off, until_ms in (
            ("post", "ship", 690, 0, 0),
            ("stall", "pickup", 0, 200, 4_102_444_800_000),
        )
    ),
    "hand_ms": HOURS_72,
    "hand_share": 50,
    "identity": "verified",
}


class Places:
    """The one place of each person, kept here; `away`: it cannot be asked."""

    def __init__(self) -> None:
        self.taken: dict[FanId, str] = {}
        self.payments: dict[FanId, str] = {}
        self.away = False

    async def take(self, drop: DropId, fan: FanId, key: str) -> refusals.Refusal | None:
        if self.away:
            raise Unavailable("the database is away")
        if self.taken.setdefault(fan, key) != key:
            return refusals.HandOpen(self.payments.get(fan, ""), drop)
        return None

    async def began(self, drop: DropId, fan: FanId, key: str, payment: str) -> None:
        assert self.taken[fan] == key
        self.payments[fan] = payment

    async def free(self, drop: DropId, fan: FanId, key: str) -> None:
        if self.taken.get(fan) == key:
            del self.taken[fan]


async def begin(one: RoomByHand, *holds: str, key: str = "k", **more: Any) -> object:
    return await paying.begin(one.room, ADA, 7, wire.Pay(7, key, list(holds), **more))


@pytest.fixture
async def sale(store: Store, drop: str) -> Sale:
    made = Sale(store, drop)
    plain = manifest(drop, item("pin", {"pin": 4}), limit=4)
    await made.publish(msgspec.structs.replace(plain, **WAYS))
    await made.creator("open")
    return made


async def test_a_payment_by_a_way_costs_what_its_way_says(sale: Sale, tmp_path: Path) -> None:
    first, second = await sale.held("ada"), await sale.held("ada", qty=2)
    async with room_by_hand(sale, tmp_path) as one:
        done = await begin(one, first, second, way="post")
        assert isinstance(done, wire.Done)
        assert done.payment is not None
        assert (done.payment.way, done.payment.amount) == ("post", 3 * 2400 + 690)
        assert done.pay == dict.fromkeys((first, second), done.payment.page)
        refusal = await begin(one, first, key="other", way="stall")
        assert isinstance(refusal, refusals.Refusal)
        assert refusal == refusals.Paying("p1")
        told = refused_in(one.room, 1, refusal)
        assert (told.code, told.payment, told.page) == ("paying", "p1", done.payment.page)


async def test_what_a_drop_is_paid_by_is_told_and_nothing_else_is_taken(
    sale: Sale, tmp_path: Path
) -> None:
    hold = await sale.held("ada")
    async with room_by_hand(sale, tmp_path) as one:
        words = one.room.drop_view().pays
        assert words[-1] == "by_hand"
        assert len(words) > 1
        named = paying.chosen(one.room, wire.Pay(0, "k", [hold], "post"))
        assert isinstance(named, wire.Pay)
        assert named.provider == words[0]
        for more in ({"provider": "gold"}, {"provider": "cash", "way": "post"}):
            assert isinstance(await begin(one, hold, **more), refusals.BadMessage)
        cash = paying.chosen(one.room, wire.Pay(0, "k", [hold], "stall", "cash"))
        assert isinstance(cash, wire.Pay)


async def test_by_hand_takes_the_persons_one_place_and_frees_it_where_it_is_refused(
    sale: Sale, tmp_path: Path
) -> None:
    holds = [await sale.held("ada", qty=qty) for qty in (1, 3)]
    async with room_by_hand(sale, tmp_path) as one:
        nobody = await begin(one, holds[0], way="post", provider="by_hand")
        assert isinstance(nobody, refusals.Away)
        one.room.hands = places = Places()
        # More than half of the units.
        full = await begin(one, holds[1], way="post", provider="by_hand")
        assert isinstance(full, refusals.HandFull)
        assert places.taken == {}
        await begin(one, holds[0], key="k1", way="post", provider="by_hand")
        assert (places.taken, places.payments) == ({ADA: "k1"}, {ADA: "p1"})
        again = await begin(one, holds[0], key="k2", way="post", provider="by_hand")
        assert again == refusals.HandOpen("p1", sale.drop)
        places.away = True
        assert isinstance(
            await begin(one, holds[1], key="k3", way="post", provider="by_hand"), refusals.Away
        )
        record = await sale.store.payment(sale.drop, "p1")
        assert record is not None
        assert record.provider == "by_hand"


async def test_a_provider_that_is_silent_is_away_and_the_payment_stays(
    sale: Sale, tmp_path: Path
) -> None:
    hold = await sale.held("ada")
    async with room_by_hand(sale, tmp_path) as one:
        decided = await sale.pay("ada", hold, way="post", provider="nobody")
        assert isinstance(decided, outcomes.Paying)
        answer = await paying.begun(one.room, ADA, 7, decided)
        assert isinstance(answer, refusals.Away)

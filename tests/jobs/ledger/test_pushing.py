"""Calls that browsers are owed reach them, once as far as anybody can tell, whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger.pushing import LANES, Pushing
from dropengine.push import outbox, shop_key, subscriptions
from dropengine.push.outbox import AT_ONCE, FIRST_WAIT_MS, Call, Kind
from dropengine.push.shop_key import GOOD_S, ShopKey
from dropengine.push.subscriptions import Subscription
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.push_service import Browser, PushService, vapid

START_MS = 1_800_000_000_000


class Clock:
    """The time of a test, ms."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def s(self) -> float:
        return self.ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


@pytest.fixture
def settings(sql_settings: Settings) -> Settings:
    return msgspec.structs.replace(
        sql_settings, push_here=True, mail_from="shop@example.org", public_url="https://a.example"
    )


MakePushing = Callable[..., Pushing]


@pytest.fixture
async def make(
    store: Store, database: Database, settings: Settings, clock: Clock
) -> AsyncIterator[MakePushing]:
    made: list[Pushing] = []

    def one(**more: Any) -> Pushing:
        key = shop_key.of_shop(settings)
        told = msgspec.structs.replace(settings, **more)
        made.append(Pushing(store, database, told, key, clock=clock.s, now_ms=clock.now_ms))
        return made[-1]

    yield one
    for one_made in made:
        await one_made.close()


def call(name: str = "offer-h1", kind: Kind = Kind.OFFER, until_s: int = 300) -> Call:
    return Call(name, kind, "h1", START_MS, START_MS + until_s * 1000)


async def owe(database: Database, to: Subscription, *calls: Call, kept: bool = True) -> None:
    def work(sql: Connection) -> None:
        if kept:
            subscriptions.keep(sql, to)
        for one in calls:
            outbox.put(sql, to, one, "Pin", "Take it before {time}.", one.until_ms)

    await database.write(work)


async def states(database: Database) -> dict[str, int]:
    found = await database.read(outbox.counts)
    return {state: number for state, number in found.items() if number}


async def test_a_call_is_read_by_its_browser_once(
    make: MakePushing, database: Database, service: PushService, settings: Settings, clock: Clock
) -> None:
    ana = service.browser()
    await owe(database, ana.subscribed("pins", "ana", language="de"), call())
    pushing = make()
    for _ in range(3):
        await pushing.round()
    (shown,) = service.read_by(ana)
    assert shown["title"] == "Pin"
    assert shown["body"] == "Take it before {time}."
    assert (shown["at"], shown["lang"]) == (START_MS + 300_000, "de")
    assert (shown["path"], shown["tag"]) == ("/drops/pins", "pins.offer")
    (message,) = service.came
    assert message.headers["ttl"] == "300"
    assert message.headers["urgency"] == "high"
    assert len(message.headers["topic"]) == 32
    claims, named = vapid(message.headers["authorization"])
    assert claims == {
        "aud": service.origin,
        "exp": START_MS // 1000 + GOOD_S,
        "sub": "mailto:shop@example.org",
    }
    assert named == shop_key.of_shop(settings).public
    assert await states(database) == {"sent": 1}
    assert pushing.waiting == 0


async def test_a_crowd_is_called_over_few_connections(
    make: MakePushing, database: Database, service: PushService
) -> None:
    people = [service.browser() for _ in range(300)]
    for n, one in enumerate(people):
        await owe(database, one.subscribed("pins", f"fan{n}"), call(f"offer-h{n}"))
    pushing = make()
    for _ in range(300 // AT_ONCE + 1):
        await pushing.round()
    assert {one.path for one in service.came} == {f"/push/{n}" for n in range(1, 301)}
    assert len(service.came) == 300
    assert service.connections <= LANES
    assert await states(database) == {"sent": 300}


@pytest.mark.parametrize("status", [404, 410])
async def test_who_unsubscribed_is_called_no_more(
    make: MakePushing, database: Database, service: PushService, status: int
) -> None:
    to = service.browser().subscribed("pins", "ana")
    service.answers = [(status, {}, b"gone")]
    await owe(database, to, call(), call("sold-h1", Kind.SOLD))
    pushing = make()
    await pushing.round()
    await pushing.round()
    assert (await states(database)).keys() == {"gone"}
    assert await database.read(lambda sql: subscriptions.of_fan(sql, to.drop, to.fan)) == []


async def test_a_service_that_is_in_trouble_is_asked_again_after_longer_and_longer(
    make: MakePushing, database: Database, service: PushService, clock: Clock
) -> None:
    service.answers = [(503, {}, b""), (500, {}, b""), (201, {}, b"")]
    await owe(database, service.browser().subscribed("pins", "ana"), call())
    pushing = make()
    waits = (FIRST_WAIT_MS, 2 * FIRST_WAIT_MS)
    for n, wait_ms in enumerate(waits, 1):
        await pushing.round()
        assert len(service.came) == n
        clock.ms += wait_ms - 1
        await pushing.round()
        assert len(service.came) == n
        clock.ms += 1
    await pushing.round()
    assert await states(database) == {"sent": 1}
    # By then it is good for less long.
    assert [one.headers["ttl"] for one in service.came] == ["300", "298", "294"]


async def test_who_says_when_is_asked_then(
    make: MakePushing, database: Database, service: PushService, clock: Clock
) -> None:
    service.answers = [(429, {"Retry-After": "60"}, b""), (201, {}, b"")]
    await owe(database, service.browser().subscribed("pins", "ana"), call())
    pushing = make()
    await pushing.round()
    clock.ms += 59_999
    await pushing.round()
    assert len(service.came) == 1
    clock.ms += 1
    await pushing.round()
    assert await states(database) == {"sent": 1}


@pytest.mark.parametrize("status", [413, 400, 403, 301, 307])
async def test_what_a_service_does_not_take_is_not_tried_again(
    make: MakePushing, database: Database, service: PushService, clock: Clock, status: int
) -> None:
    service.answers = [(status, {"Location": "http://127.0.0.1:1/"}, b"no")]
    await owe(database, service.browser().subscribed("pins", "ana"), call())
    pushing = make()
    for _ in range(3):
        await pushing.round()
        clock.ms += 3_600_000
    assert len(service.came) == 1
    assert await states(database) == {"failed": 1}


async def test_what_is_too_late_is_not_said(
    make: MakePushing, database: Database, service: PushService, clock: Clock
) -> None:
    service.answers = [(503, {}, b"")]
    await owe(database, service.browser().subscribed("pins", "ana"), call(until_s=3))
    pushing = make()
    await pushing.round()
    clock.ms += 3_000
    await pushing.round()
    assert len(service.came) == 1
    assert await states(database) == {"over": 1}


async def test_who_ended_it_meanwhile_is_not_called(
    make: MakePushing, database: Database, service: PushService
) -> None:
    await owe(database, service.browser().subscribed("pins", "ana"), call(), kept=False)
    await make().round()
    assert service.came == []
    assert await states(database) == {"failed": 1}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x",
        "https://localhost.localdomain/x",
        "http://push.example/x",
        "https://[::ffff:127.0.0.1]/x",
        "file:///etc/passwd",
    ],
)
async def test_an_address_that_leads_inside_is_forgotten_however_it_came_in(
    make: MakePushing, database: Database, endpoint: str
) -> None:
    to = Browser(endpoint).subscribed("pins", "ana")
    await owe(database, to, call())
    await make(push_here=False).round()
    assert (await states(database)).keys() <= {"gone", "deferred"}
    if "localdomain" not in endpoint:
        assert await database.read(subscriptions.drops) == []


async def test_a_service_that_says_nothing_is_waited_for_once_a_round(
    make: MakePushing, database: Database, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dropengine.push.judged_client.CALL_S_MAX", 0.2)
    service.silent = True
    async with PushService().at_work() as other:
        for n in range(40):
            await owe(database, service.browser().subscribed("pins", f"fan{n}"), call(f"h{n}"))
        ben = other.browser()
        await owe(database, ben.subscribed("pins", "ben"), call("zz"))
        await make().round()
        # Both are one host here, so this one may have to wait for the next round.
        assert len(service.came) <= LANES
        assert (await states(database))["deferred"] >= 40
        assert len(other.read_by(ben)) <= 1


async def test_what_cannot_be_marked_is_marked_before_anybody_else_is_called(
    make: MakePushing, database: Database, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = service.browser()
    await owe(database, ana.subscribed("pins", "ana"), call())
    pushing = make()
    write = database.write

    async def away(_: Any) -> Any:
        raise DatabaseAway("away")

    await pushing._tidy()
    monkeypatch.setattr(database, "write", away)
    with pytest.raises(DatabaseAway):
        await pushing.round()
    with pytest.raises(DatabaseAway):
        await pushing.round()
    monkeypatch.setattr(database, "write", write)
    await pushing.round()
    assert len(service.read_by(ana)) == 1
    assert await states(database) == {"sent": 1}


async def test_two_who_would_call_are_one(
    make: MakePushing, database: Database, service: PushService
) -> None:
    one, two = make(), make()
    await one.round()
    await owe(database, service.browser().subscribed("pins", "ana"), call())
    await two.round()
    assert service.came == []
    assert (one.held, two.held) == (True, False)
    await one.round()
    await two.round()
    assert len(service.came) == 1


async def test_a_key_that_was_given_signs_for_all(service: PushService) -> None:
    key = ShopKey(shop_key.new().encode(), "https://a.example")
    _, named = vapid(key.authorization(service.origin, 1))
    assert named == key.public

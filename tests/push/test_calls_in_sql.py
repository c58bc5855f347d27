"""Who is called where, and what he is owed, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, insert, select

from dropengine.model import DropId, FanId
from dropengine.push import outbox, subscriptions
from dropengine.push.outbox import (
    FIRST_WAIT_MS,
    GIVE_UP_MS,
    KEPT_MS,
    WAIT_MS_MAX,
    Call,
    Failed,
    Gone,
    Kind,
    Later,
    PushState,
    Sent,
    wait_ms,
)
from dropengine.push.subscriptions import OF_FAN_MAX, OVER_MS, Renewed, Subscription, browser_of
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import DROPS
from dropengine.sql.schema.pushes import PUSHES
from tests.kit.push_service import Browser

PINS, LAMPS = DropId("pins"), DropId("lamps")
ANA, BEN = FanId("ana"), FanId("ben")
PHONE = Browser("https://push.example/phone")
DESK = Browser("https://push.example/desk")
CALL = Call("offer-h1", Kind.OFFER, "h1", 1_000, 900_000)


async def did(database: Database, *work: Callable[[Connection], Any]) -> Any:
    """All this in one transaction; what the last of it says."""

    def do(sql: Connection) -> Any:
        return [one(sql) for one in work][-1]

    return await database.write(do)


def keeps(one: Subscription) -> Callable[[Connection], None]:
    return lambda sql: subscriptions.keep(sql, one)


def owes(to: Subscription, call: Call = CALL) -> Callable[[Connection], None]:
    return lambda sql: outbox.put(sql, to, call, "Pin", "Your turn.", 900_000)


def browsers(drop: DropId, fan: FanId) -> Callable[[Connection], list[str]]:
    return lambda sql: [one.endpoint for one in subscriptions.of_fan(sql, drop, fan)]


def states(sql: Connection) -> dict[str, int]:
    return {state: number for state, number in outbox.counts(sql).items() if number}


async def test_a_browser_is_one_fans_in_a_drop_and_his_who_came_last(database: Database) -> None:
    mine = PHONE.subscribed("pins", "ana", since_ms=1)
    assert await did(database, keeps(mine), browsers(PINS, ANA)) == [PHONE.endpoint]
    theirs = PHONE.subscribed("pins", "ben", since_ms=2, language="de", quiet=True)
    assert await did(database, keeps(theirs), browsers(PINS, ANA)) == []
    (found,) = await database.read(lambda sql: subscriptions.of_fan(sql, PINS, BEN))
    assert found == theirs
    # In another drop it is whose it was.
    await did(database, keeps(PHONE.subscribed("lamps", "ana")))
    assert await database.read(browsers(PINS, BEN)) == [PHONE.endpoint]
    assert sorted(await database.read(subscriptions.drops)) == ["lamps", "pins"]


async def test_the_same_once_more_changes_how_and_not_since_when(database: Database) -> None:
    first = PHONE.subscribed("pins", "ana", since_ms=1)
    again = PHONE.subscribed("pins", "ana", since_ms=9, quiet=True)
    await did(database, keeps(first), keeps(again))
    (found,) = await database.read(lambda sql: subscriptions.of_fan(sql, PINS, ANA))
    assert (found.quiet, found.since_ms) == (True, 1)


async def test_a_fan_has_so_many_browsers_and_the_first_makes_way(database: Database) -> None:
    many = [Browser(f"https://push.example/{n}") for n in range(OF_FAN_MAX + 2)]
    kept = [keeps(one.subscribed("pins", "ana", since_ms=n)) for n, one in enumerate(many)]
    found = await did(database, *kept, browsers(PINS, ANA))
    assert found == [one.endpoint for one in many[2:]]


async def test_nobody_ends_what_is_anothers(database: Database) -> None:
    mine = PHONE.subscribed("pins", "ana")
    ended = await did(
        database, keeps(mine), lambda sql: subscriptions.end(sql, PINS, BEN, mine.browser)
    )
    assert not ended
    assert await database.read(browsers(PINS, ANA)) == [PHONE.endpoint]
    assert await did(database, lambda sql: subscriptions.end(sql, PINS, ANA, mine.browser))


async def test_a_call_is_owed_once_to_each_browser(database: Database) -> None:
    both = [one.subscribed("pins", "ana") for one in (PHONE, DESK)]
    await did(database, *map(owes, both), *map(owes, both))
    found = await database.read(lambda sql: outbox.due(sql, 1_000))
    assert sorted(one.browser for one in found) == sorted(one.browser for one in both)
    assert await database.read(lambda sql: outbox.due(sql, 999)) == []
    (to, _) = both
    for one in found:
        await did(database, lambda sql, one=one: outbox.note(sql, one, Sent(), 1_100))  # type: ignore[misc]
    # After it was sent too.
    await did(database, owes(to))
    assert await database.read(states) == {"sent": 2}
    told = await database.read(lambda sql: outbox.newest(sql, PINS, ANA))
    assert {(one.kind, one.at_ms, one.state) for one in told.values()} == {
        (Kind.OFFER, 1_100, PushState.SENT)
    }


async def put_off(database: Database, now_ms: int, later: Later) -> int:
    """Try the one call that is due, in vain; how long it waits then."""
    (push,) = await due_at(database, now_ms)
    await did(database, lambda sql: outbox.note(sql, push, later, now_ms))
    asked = select(PUSHES.c.next_ms).where(PUSHES.c.id == push.id)
    next_ms: int = await database.read(lambda sql: sql.execute(asked).scalar_one())
    assert await due_at(database, next_ms - 1) == []
    return next_ms - now_ms


async def due_at(database: Database, now_ms: int) -> list[outbox.Push]:
    return await database.read(lambda sql: outbox.due(sql, now_ms))


async def test_what_is_not_taken_comes_again_after_longer_and_longer(database: Database) -> None:
    await did(database, owes(PHONE.subscribed("pins", "ana")))
    waits: list[int] = []
    for _ in range(13):
        waits.append(await put_off(database, 1_000 + sum(waits), Later("503")))
    assert waits[:4] == [FIRST_WAIT_MS * n for n in (1, 2, 4, 8)]
    assert waits[-1] == WAIT_MS_MAX == wait_ms(99)


async def test_who_asks_to_be_left_alone_is_but_not_for_ever(database: Database) -> None:
    await did(database, owes(PHONE.subscribed("pins", "ana")))
    assert await put_off(database, 1_000, Later("429", 120_000)) == 120_000
    assert await put_off(database, 200_000, Later("429", 10**12)) == WAIT_MS_MAX


async def test_after_a_day_nobody_is_called_any_more(database: Database) -> None:
    await did(database, owes(PHONE.subscribed("pins", "ana")))
    (push,) = await database.read(lambda sql: outbox.due(sql, 1_000))
    end_ms = 1_000 + GIVE_UP_MS
    await did(database, lambda sql: outbox.note(sql, push, Later("503"), end_ms))
    assert await database.read(states) == {"failed": 1}


async def test_a_browser_that_is_gone_is_called_for_nothing_in_no_drop(database: Database) -> None:
    pins, lamps = PHONE.subscribed("pins", "ana"), PHONE.subscribed("lamps", "x")
    other = DESK.subscribed("pins", "ana")
    sold = Call("sold-h1", Kind.SOLD, "", 1_000, 0)
    await did(database, *map(keeps, (pins, lamps, other)))
    await did(database, owes(pins), owes(pins, sold), owes(lamps), owes(other))
    found = await database.read(lambda sql: outbox.due(sql, 1_000))
    push = next(one for one in found if one.drop == PINS and one.browser == pins.browser)
    await did(database, lambda sql: outbox.note(sql, push, Gone("410"), 2_000))
    assert await database.read(states) == {"gone": 3, "queued": 1}
    assert await database.read(browsers(PINS, ANA)) == [DESK.endpoint]
    assert await database.read(browsers(LAMPS, FanId("x"))) == []


async def test_what_cannot_be_said_to_a_browser_does_not_end_it(database: Database) -> None:
    mine = PHONE.subscribed("pins", "ana")
    await did(database, keeps(mine), owes(mine))
    (push,) = await database.read(lambda sql: outbox.due(sql, 1_000))
    await did(database, lambda sql: outbox.note(sql, push, Failed("413"), 2_000))
    assert await database.read(states) == {"failed": 1}
    assert await database.read(browsers(PINS, ANA)) == [PHONE.endpoint]


async def test_what_ended_is_not_said_and_what_was_said_stays(database: Database) -> None:
    mine = PHONE.subscribed("pins", "ana")
    near = Call("near-e1", Kind.TEN_BEFORE, "e1", 1_000, 900_000)
    sold = Call("sold-h1", Kind.SOLD, "", 1_000, 900_000)
    await did(database, owes(mine), owes(mine, near), owes(mine, sold))
    await did(database, lambda sql: outbox.end_about(sql, PINS, ["h1"], 2_000))
    assert await database.read(states) == {"over": 1, "queued": 2}
    await did(database, lambda sql: outbox.end_about(sql, LAMPS, ["e1"], 2_000))
    await did(database, lambda sql: outbox.end_about(sql, PINS, [], 2_000))
    assert await database.read(states) == {"over": 1, "queued": 2}
    # The drop is over: what was bought is still told.
    await did(database, lambda sql: outbox.end_drop(sql, PINS, 2_000))
    assert await database.read(states) == {"over": 2, "queued": 1}
    await did(database, lambda sql: outbox.end_late(sql, 899_999))
    assert await database.read(states) == {"over": 2, "queued": 1}
    await did(database, lambda sql: outbox.end_late(sql, 900_000))
    assert await database.read(states) == {"over": 3}


async def test_of_what_ended_no_word_stays_and_after_a_month_nothing(database: Database) -> None:
    await did(database, owes(PHONE.subscribed("pins", "ana")))
    (push,) = await database.read(lambda sql: outbox.due(sql, 1_000))
    await did(database, lambda sql: outbox.note(sql, push, Sent(), 2_000))

    def said(sql: Connection) -> list[tuple[str, str]]:
        rows = sql.exec_driver_sql("SELECT title, body FROM pushes")
        return [(row.title, row.body) for row in rows]

    assert await database.read(said) == [("", "")]
    await did(database, lambda sql: outbox.forget_old(sql, 2_000 + KEPT_MS - 1))
    assert await database.read(said) == [("", "")]
    await did(database, lambda sql: outbox.forget_old(sql, 2_000 + KEPT_MS))
    assert await database.read(said) == []


async def test_a_guest_who_becomes_a_person_is_called_as_that(database: Database) -> None:
    mine = PHONE.subscribed("pins", "ana")
    await did(database, keeps(mine), owes(mine))

    def moves(sql: Connection) -> None:
        subscriptions.move(sql, PINS, ANA, BEN)
        outbox.move(sql, PINS, ANA, BEN)

    assert await did(database, moves, browsers(PINS, BEN)) == [PHONE.endpoint]
    await did(database, lambda sql: outbox.end_late(sql, 900_000))
    assert await database.read(lambda sql: outbox.newest(sql, PINS, ANA)) == {}
    assert await database.read(lambda sql: outbox.newest(sql, PINS, BEN))


async def test_of_who_is_forgotten_nothing_stays(database: Database) -> None:
    mine, other = PHONE.subscribed("pins", "ana"), DESK.subscribed("pins", "ben")
    await did(database, keeps(mine), owes(mine), keeps(other), owes(other))

    def forgets(sql: Connection) -> None:
        subscriptions.forget(sql, PINS, ANA)
        outbox.forget(sql, PINS, ANA)

    assert await did(database, forgets, browsers(PINS, ANA)) == []
    assert await database.read(states) == {"queued": 1}
    assert await database.read(browsers(PINS, BEN)) == [DESK.endpoint]


async def test_long_after_a_drop_nobody_is_called_in_it(database: Database) -> None:
    now_ms = 2 * OVER_MS
    await did(database, keeps(PHONE.subscribed("pins", "ana")))
    await did(database, keeps(PHONE.subscribed("lamps", "ana")))
    row: dict[str, Any] = dict.fromkeys(("layout", "practice", "published_ms", "opened_ms"), 0)
    row |= dict.fromkeys(("state", "hash", "currency", "mode", "rules", "published_by"), "")
    rows = [
        row | {"drop_id": PINS, "last_ms": 1, "ended_ms": now_ms - OVER_MS},
        row | {"drop_id": LAMPS, "last_ms": 1, "ended_ms": now_ms - OVER_MS + 1},
    ]
    await did(database, lambda sql: sql.execute(insert(DROPS), rows))
    await did(database, lambda sql: subscriptions.forget_over(sql, now_ms))
    assert await database.read(subscriptions.drops) == [LAMPS]
    # Who is called there after all is called from then on.
    await did(database, keeps(PHONE.subscribed("pins", "ana")))
    assert sorted(await database.read(subscriptions.drops)) == [LAMPS, PINS]


@pytest.mark.parametrize("first", [True, False])
async def test_who_does_not_answer_keeps_nobody_waiting(database: Database, first: bool) -> None:
    """What was never tried goes before what was put off, however long that is overdue."""
    slow, new = PHONE.subscribed("pins", "ana"), DESK.subscribed("pins", "ben")
    await did(database, owes(slow))
    (push,) = await database.read(lambda sql: outbox.due(sql, 1_000))
    await did(database, lambda sql: outbox.note(sql, push, Later("no answer"), 1_000))
    at_ms = 10 if first else 500_000
    await did(database, owes(new, Call("offer-h2", Kind.OFFER, "h2", at_ms, 900_000)))
    found = await database.read(lambda sql: outbox.due(sql, 600_000))
    assert [one.browser for one in found] == [new.browser, slow.browser]


async def test_a_browser_with_another_address_keeps_its_fan_and_what_it_is_owed(
    database: Database,
) -> None:
    phone = PHONE.subscribed(PINS, ANA, quiet=True, language="de")
    other = PHONE.subscribed(LAMPS, BEN)
    fresh = Renewed(DESK.endpoint, DESK.p256dh, DESK.auth)

    def renewed(sql: Connection) -> list[DropId]:
        drops = subscriptions.renew(sql, phone.browser, lambda _: [ANA], fresh)
        for drop in drops:
            outbox.renew(sql, drop, phone.browser, browser_of(DESK.endpoint))
        return drops

    assert await did(database, keeps(phone), keeps(other), owes(phone), renewed) == [PINS]
    (now,) = await did(database, lambda sql: subscriptions.of_fan(sql, PINS, ANA))
    assert now == replace(phone, endpoint=DESK.endpoint, p256dh=DESK.p256dh, auth=DESK.auth)
    # In a drop where the browser is another's it stays as it was.
    assert await did(database, lambda sql: subscriptions.of_fan(sql, LAMPS, BEN)) == [other]
    (push,) = await did(database, lambda sql: outbox.due(sql, 1_000))
    assert push.browser == now.browser

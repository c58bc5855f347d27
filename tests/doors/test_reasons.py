"""Whoever got none asks why, while the drop goes on and after it: his own reason, out of the books,
and nobody else's."""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dropengine.catalogue import ENGLISH
from dropengine.doors.reasons import said
from dropengine.jobs.ledger import books
from dropengine.log.why import Code, Help, Reason
from dropengine.model import DropId, FanId
from dropengine.sql.migrate import migrate
from dropengine.sql.schema.ledger import COURSES, OF_FANS
from tests.kit import web_process
from tests.kit.manifests import early, in_mode, item, manifest
from tests.kit.private_server import Server
from tests.kit.reasons import Books, judge
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server

Who = tuple[FanId, str]


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path)
    migrate(conf)
    async with front(conf) as one:
        yield one


async def keep(web: WebProcess, sale: Sale) -> None:
    """The books catch up."""
    at = (await web.runtime.database.read(books.cursors)).get(sale.drop, 0)
    lines = await web.runtime.store.stretch(sale.drop, at, books.STRETCH)
    enter = functools.partial(books.enter, drop=sale.drop, after=at, lines=lines)
    await web.runtime.database.write(enter)


async def why(web: WebProcess, sale: Sale, who: Who) -> dict[str, Any]:
    async with web.http(who[1]) as http:
        answer = await http.get(f"/api/drops/{sale.drop}/why")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def page(web: WebProcess, sale: Sale, who: Who | None, language: str = "en") -> str:
    async with web.http(who[1] if who else None) as http:
        answer = await http.get(f"/drops/{sale.drop}/why", headers={"accept-language": language})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


async def test_each_fan_is_told_his_own_reason_from_the_log(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 2}), limit=1)
    people = [web.ticket(sale.drop) for _ in range(8)]
    buyer, idle, late, gone, guest, waits, person, stranger = people
    async with web.http(stranger[1]) as http:
        answer = await http.get(f"/api/drops/{sale.drop}/why")
        # No book has heard of the drop: that is not said to be nothing.
        assert (answer.status_code, answer.json()["code"]) == (503, "away")
    await sale.bought(buyer[0])
    lost = await sale.held(idle[0])
    await sale.joined(late[0], "pin")
    place = await sale.joined(gone[0], "pin")
    await sale.joined(guest[0], "pin")
    await sale.leave(gone[0], place)
    await sale.adopt(guest[0], person[0])
    await keep(web, sale)
    assert (await why(web, sale, late))["code"] == Code.WAITING
    assert (await why(web, sale, stranger))["code"] == Code.NOTHING_YET

    await sale.release(idle[0], lost)
    offered = (await sale.you(late[0])).holds[0][0]
    await sale.claim(late[0], offered)
    await sale.creator("close")
    await sale.release(late[0], offered)
    await sale.settle()
    await keep(web, sale)

    log = await sale.log()
    truth, by_hand = await sale.truth(), Books(log)
    found = {who[0]: await why(web, sale, who) for who in people}
    for fan, told in found.items():
        expected = by_hand.why(fan)
        # Only the shop counted who opened the page.
        figures = {name: told["figures"][name] for name in told["figures"] if name != "came_ms"}
        assert (told["code"], told["at"], figures) == (
            expected.code,
            expected.at,
            expected.figures,
        )
        assert told["chain"] == msgspec.to_builtins(expected.chain)
        judge(expected, fan, truth, log)
    codes = {name: found[who[0]]["code"] for name, who in zip(_NAMES, people, strict=True)}
    assert codes == {
        "buyer": Code.BOUGHT,
        "idle": Code.GAVE_BACK,
        "late": Code.GAVE_BACK,
        "gone": Code.LEFT,
        "guest": Code.NOT_REACHED,
        "waits": Code.NEVER_BEGAN,
        "person": Code.NOT_REACHED,
        "stranger": Code.NEVER_BEGAN,
    }
    assert found[guest[0]]["chain"] == found[person[0]]["chain"], "one person on two devices"
    assert waits[0] not in {event.fan for event in log if hasattr(event, "fan")}

    said = await page(web, sale, person)
    assert "Test drop Why did I not get one?" in said
    assert "Test drop How it stands with you" in await page(web, sale, buyer)
    assert "You stood in the line as number 3. The units came up to number 1." in said
    assert re.search(r"The last unit was taken \d+\.\d s", said), said
    assert "entry 2" in said
    assert "Let yourself be told of the next drop of Tests." in said
    assert "Du warst Nummer 3 in der Schlange." in await page(web, sale, person, "de")
    assert "This browser has never been in this drop." in await page(web, sale, None)
    assert "nothing of yours" in await page(web, sale, stranger)


_NAMES = ("buyer", "idle", "late", "gone", "guest", "waits", "person", "stranger")


async def test_nobody_has_a_place_before_chance_has_put_the_list_in_order(
    web: WebProcess,
) -> None:
    sale = Sale(web.runtime.store, "front-listed", now=0)
    await sale.publish(in_mode(manifest(sale.drop, item("pin", {"pin": 2})), "lobby"))
    await sale.creator("open")
    inside, outside = web.ticket(sale.drop), web.ticket(sale.drop)
    await sale.entered(inside[0])
    await keep(web, sale)
    told = await why(web, sale, inside)
    assert told["code"] == Code.WAITING
    in_list = "You stand in the list. When entries close, chance puts it in order"
    assert told["said"] == [f"{in_list}, and then you have a place."]
    assert (await why(web, sale, outside))["helps"][0] == Help.ENTER

    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    closed = Reason(Code.WAITING, False, 0, 0, {"of": 412}, [], [])
    assert said(closed, room.drop_view(), ENGLISH) == [
        "You stand in the list of 412. It is closed, and chance is putting it in order."
    ]


async def test_nobody_is_sent_to_press_in_early_access_that_may_not_be_his(
    web: WebProcess,
) -> None:
    sale = Sale(web.runtime.store, "front-early", now=0)
    public_ms = 1_900_000_000_000
    text = manifest(sale.drop, item("pin", {"pin": 2}))
    await sale.publish(early(text, public_ms, club=2))
    await sale.creator("open")
    who = web.ticket(sale.drop)
    await keep(web, sale)
    told = await why(web, sale, who)
    assert (told["code"], told["helps"]) == (Code.NOTHING_YET, [Help.TELL_ME])
    not_yet = told["said"].index(ENGLISH("early_access.not_yet"))
    assert told["said"][not_yet + 1].startswith("Early access until Sun 17 Mar 2030")

    await sale.creator("widen")
    await keep(web, sale)
    told = await why(web, sale, who)
    assert told["helps"][0] == Help.PRESS
    assert ENGLISH("early_access.not_yet") not in told["said"]


async def test_books_of_before_are_read_once_more_and_then_tell_it(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 1}), limit=1)
    who = web.ticket(sale.drop)
    hold = await sale.held(who[0])
    await keep(web, sale)
    database = web.runtime.database

    async def kept() -> list[Any]:
        tables = (OF_FANS, COURSES)
        return [
            await database.read(
                lambda sql, t=table: [
                    *map(tuple, sql.execute(sa.select(t).where(t.c.drop_id == sale.drop)))
                ]  # type: ignore[misc]
            )
            for table in tables
        ]

    for table in (OF_FANS, COURSES):
        await database.write(lambda sql, t=table: sql.execute(sa.delete(t)).close())  # type: ignore[misc]
    # What comes now is entered, but nobody could say what it leads to.
    await sale.release(who[0], hold)
    await keep(web, sale)
    assert [len(rows) for rows in await kept()] == [0, 0]
    assert await database.read(books.unread) == [sale.drop]
    more = functools.partial(books.read_on, drop=sale.drop)
    assert not await database.write(more)
    assert await database.read(books.unread) == []
    once = await kept()
    await database.write(lambda sql: books.rebuild(sql, sale.drop))
    assert once == await kept()
    assert (await why(web, sale, who))["code"] == Code.GAVE_BACK
    # From there it goes on as if it had always been kept.
    await sale.held(who[0])
    await keep(web, sale)
    assert (await why(web, sale, who))["code"] == Code.HOLDING
    assert DropId(sale.drop) not in await database.read(books.unread)

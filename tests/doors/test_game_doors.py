"""The game at its doors: a link and who comes by it, a word, the board, and who may ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from dropengine.doors.game_doors import TRIES_AT_ONCE
from dropengine.model import FanId
from dropengine.people import missions, points_book, referrals
from dropengine.people.one_after_another import change
from dropengine.sql.schema.game import BADGES
from tests.kit import persons, web_process
from tests.kit.manifests import WORD, item, manifest, playing
from tests.kit.persons import Browser, Shop, address
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S

server = web_process.server
shop = persons.shop


async def opened(shop: Shop, name: str, identity: str = "verified") -> Sale:
    sale = Sale(shop.web.runtime.store, name, now=0)
    await sale.publish(playing(manifest(name, item("pin", {"pin": 9})), identity))
    await sale.creator("open")
    return sale


async def game(browser: Browser, sale: Sale) -> dict[str, Any]:
    answer = await browser.get(f"/api/drops/{sale.drop}/game")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def says(browser: Browser, sale: Sale, door: str, **said: Any) -> tuple[int, dict[str, Any]]:
    answer = await browser.http.post(f"/api/drops/{sale.drop}/{door}", json=said)
    return answer.status_code, answer.json()


async def came(browser: Browser, sale: Sale) -> None:
    """His page told by whose link he came, in its own time."""
    async with asyncio.timeout(LONG_S):
        while not (await game(browser, sale))["came"]:  # noqa: ASYNC110 - a state, not an event
            await asyncio.sleep(0.01)


async def test_a_friend_comes_by_a_link_as_nobody_and_is_known_as_who_he_becomes(
    shop: Shop,
) -> None:
    sale = await opened(shop, "game-link")
    async with shop.browser() as ana, shop.browser() as ben, shop.browser() as guest:
        # Everybody reads what gives points; nobody has a link who cannot act.
        told = await game(guest, sale)
        assert (told["code"], told["rows"], told["points"]) == ("", [], 0)
        assert told["rules"]["friends"]["worth"] == 2
        assert [one["state"] for one in told["missions"]] == ["waiting"]
        await ana.sign_in(address())
        await ana.get(f"/drops/{sale.drop}")
        mine = await game(ana, sale)
        assert mine["link"].endswith(f"/drops/{sale.drop}?ref={mine['code']}")
        assert len(mine["code"]) == 8
        assert mine["card"].endswith(f"/card/{mine['code']}.png")
        assert str(ana.fan(sale)) not in mine["link"]
        # He looks at it as a guest, by the link, then says who he is.
        assert (await ben.get(f"/drops/{sale.drop}?ref={mine['code'].lower()}")).status_code == 200
        await came(ben, sale)
        (row,) = (await game(ana, sale))["rows"]
        assert (row["why"], row["state"], row["reason"]) == ("friend", "waiting", "not_yet")
        await ben.sign_in(address("ben"))
        one = await shop.web.runtime.database.read(
            lambda sql: referrals.find(sql, sale.drop, ben.fan(sale))
        )
        assert one is not None
        assert (one.referrer, one.wrong, len(one.network)) == (ana.fan(sale), "", 20)
        assert one.domain != "", "an address of somebody's own domain"
        assert (await game(ben, sale))["came"]
        # Who signs in as somebody else where Ana plays is no friend of hers.
        ana_s = [cookie for cookie in ana.http.cookies.jar if "plays-" in cookie.name]
        assert len(ana_s) == 1
        async with shop.browser() as cellar:
            cellar.http.cookies.set(ana_s[0].name, ana_s[0].value or "")
            await cellar.get(f"/drops/{sale.drop}?ref={mine['code']}")
            await came(cellar, sale)
            await cellar.sign_in(address("cy"))
            assert (await game(cellar, sale))["came"]
            own = await shop.web.runtime.database.read(
                lambda sql: referrals.find(sql, sale.drop, cellar.fan(sale))
            )
            assert own is not None
            assert own.wrong == "device"
        # Another link changes nothing any more, and one's own is none.
        his = (await game(ben, sale))["code"]
        assert (await says(ben, sale, "came", ref=mine["code"]))[0] == 200
        assert (await says(ana, sale, "came", ref=mine["code"]))[1]["came"] is False
        assert (await says(ana, sale, "came", ref=his))[1]["came"] is True
        found = await shop.web.runtime.database.read(
            lambda sql: referrals.find(sql, sale.drop, ana.fan(sale))
        )
        assert found is not None
        assert found.wrong == "cycle"
        assert (await says(guest, sale, "came", ref=his))[0] == 401
        # All that is known of him, he takes along; his badges he sees.
        database = shop.web.runtime.database
        await change(database, lambda sql: missions.start(sql, sale.drop, WORD, "Moon", 0, 1))
        assert (await says(ben, sale, "mission", mission="word", said="moon"))[0] == 200
        (data,) = (await ben.get("/you/data.json")).json()["games"]
        assert (data["drop"], data["came_by_a_link"], data["points"]) == (sale.drop, True, 3)
        assert [(row["why"], row["of"]) for row in data["book"]] == [("mission", "word")]
        badge = f"/drops/{sale.drop}/badges/mission.svg"
        assert badge in (await ben.get("/you")).text
        assert (await ben.get(badge)).status_code == 200
        # Who erases himself leaves no name, no points and no badges.
        assert (await ben.send("/you/erase", sure="yes")).status_code == 200
        assert await database.read(lambda sql: sql.execute(select(BADGES)).all()) == []


async def test_a_word_is_said_and_a_name_shown(shop: Shop) -> None:
    sale = await opened(shop, "game-word", "guest")
    database = shop.web.runtime.database
    async with shop.browser() as ana, shop.browser() as ben:
        for one in (ana, ben):
            await one.get(f"/drops/{sale.drop}")
        assert (await says(ana, sale, "mission", mission="none", said="x"))[0] == 404
        status, told = await says(ana, sale, "mission", mission="word", said="moon")
        assert (status, told["code"]) == (409, "not_running")
        await change(database, lambda sql: missions.start(sql, sale.drop, WORD, "Moon", 0, 1))
        status, told = await says(ana, sale, "mission", mission="word", said="sun")
        assert (status, told["code"]) == (409, "wrong_word")
        status, told = await says(ana, sale, "mission", mission="word", said=" MOON ")
        assert (status, told["points"]) == (200, 3)
        assert [(one["done"], one["state"]) for one in told["missions"]] == [(True, "running")]
        assert [(one["title"], one["state"]) for one in told["rows"]] == [("The word", "counted")]
        assert [one["kind"] for one in told["badges"]] == ["mission"]
        # Nobody tries all words there are.
        tried = [
            await says(ben, sale, "mission", mission="word", said=str(one))
            for one in range(TRIES_AT_ONCE + 1)
        ]
        assert [status for status, _ in tried] == [409] * TRIES_AT_ONCE + [429]
        assert tried[-1][1]["retry_ms"] > 0
        status, told = await says(ana, sale, "board", name="\u202eana")
        assert (status, told["code"]) == (400, "bad_message")
        status, told = await says(ana, sale, "board", name=" Ana 🦊 ")
        assert (status, told["board"]["name"]) == (200, "Ana 🦊")
        assert told["board"]["rows"] == [{"rank": 1, "name": "Ana 🦊", "points": 3, "you": True}]
        assert [row["you"] for row in (await game(ben, sale))["board"]["rows"]] == [False]
        _, told = await says(ana, sale, "board", off=True)
        assert (told["board"]["on"], told["board"]["rows"]) == (False, [])
        # One of whom a rule says no is told which.
        fan = ana.fan(sale)
        friend = referrals.Referral(FanId("x"), fan, 1, "cycle", "", "", "", 2, 2)
        rules = playing(manifest("x")).game
        assert rules is not None
        assert rules.friends is not None
        friends = rules.friends
        await change(database, lambda sql: points_book.friend(sql, sale.drop, friends, friend, 2))
        rows = (await game(ana, sale))["rows"]
        assert (rows[0]["state"], rows[0]["reason"]) == ("refused", "cycle")


@pytest.mark.parametrize("door", ["game", "came", "mission", "board"])
async def test_a_drop_in_which_nothing_gives_points_has_no_game(shop: Shop, door: str) -> None:
    sale = await shop.sale()
    async with shop.browser() as ana:
        await ana.get(f"/drops/{sale.drop}")
        method = "GET" if door == "game" else "POST"
        answer = await ana.http.request(method, f"/api/drops/{sale.drop}/{door}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

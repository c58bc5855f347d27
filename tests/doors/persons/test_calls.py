"""A fan says what he wants to be told of, takes it back where he said it and on his page."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.mail import outbox
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.people import devices, interests, makers, wishes
from dropengine.people.interests import Interest, What
from dropengine.people.makers import Maker
from dropengine.people.wishes import Way, Wish
from dropengine.push import followers
from dropengine.push.subscriptions import browser_of
from dropengine.sql.schema.mails import MAILS
from tests.kit import databases, persons, push_service, web_process
from tests.kit.manifests import item, manifest
from tests.kit.persons import NOBODY_WAITS, Browser, Shop, address, opened
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import settings

server = web_process.server
shop = persons.shop
postgres = databases.postgres
sql_settings = databases.sql_settings

FAR_MS = 4_000_000_000_000


async def soon(shop: Shop) -> Sale:
    """A drop that waits for its opening."""
    sale = Sale(shop.web.runtime.store, f"soon-{secrets.token_hex(5)}", now=0)
    await sale.publish(manifest(sale.drop, item("pin", {"pin": 3}), opens_ms=FAR_MS))
    return sale


async def maker(shop: Shop) -> Maker:
    one = makers.new(f"m{secrets.token_hex(4)}", "Ana's <pins>", "blue", 1)
    await shop.web.runtime.database.write(lambda sql: makers.make(sql, one))
    return one


async def whose(shop: Shop, sale: Sale, one: Maker) -> None:
    await shop.web.runtime.database.write(lambda sql: makers.own(sql, sale.drop, one.id, 1))


async def mine(hand: Browser) -> list[tuple[What, str]]:
    person = await me(hand)
    found: list[Interest] = await hand.web.runtime.database.read(
        lambda sql: interests.of_person(sql, person)
    )
    return [(one.what, one.thing) for one in found]


async def me(hand: Browser) -> str:
    def asked(sql: Connection) -> str:
        found = devices.find(sql, hand.ticket.session, 0)
        assert found is not None
        return found.person

    return await hand.web.runtime.database.read(asked)


async def test_a_guest_is_led_to_sign_in_and_back_and_is_reminded(shop: Shop) -> None:
    sale = await soon(shop)
    page = f"/drops/{sale.drop}/remind"
    async with shop.browser() as hand:
        assert f'action="{page}"' in (await hand.get(f"/drops/{sale.drop}")).text
        led = await hand.send(page)
        assert (led.status_code, led.headers["location"]) == (303, f"/you?to={page}")
        back = await hand.sign_in(address(), to=page)
        assert back.headers["location"] == page
        assert "Remind me" in (await hand.get(page)).text
        assert await mine(hand) == []
        for _ in range(2):
            assert (await hand.send(page, on="yes")).headers["location"] == page
        assert await mine(hand) == [(What.DROP, sale.drop)]
        assert "Do not remind me" in (await hand.get(page)).text
        await hand.send(page, on="no")
        assert await mine(hand) == []


async def test_of_what_is_open_or_unknown_nobody_is_reminded(shop: Shop) -> None:
    sale = await shop.sale()
    async with shop.browser() as hand:
        await hand.sign_in(address())
        assert "/remind" not in (await hand.get(f"/drops/{sale.drop}")).text
        await hand.send(f"/drops/{sale.drop}/remind", on="yes")
        assert await mine(hand) == []
        assert (
            "There is nothing to be reminded of"
            in (await hand.get(f"/drops/{sale.drop}/remind")).text
        )
        for path in ("/drops/no-such-drop/remind", "/makers/no-such-maker/follow"):
            assert (await hand.send(path, on="yes")).status_code == 404
        assert (await hand.get("/makers/no-such-maker")).status_code == 404


async def test_a_maker_is_followed_on_his_page_which_shows_his_drops_alone(shop: Shop) -> None:
    his, other = await maker(shop), await maker(shop)
    sale, another = await soon(shop), await soon(shop)
    await whose(shop, sale, his)
    await whose(shop, another, other)
    async with shop.browser() as hand:
        led = await hand.get(f"/drops/{sale.drop}/maker")
        assert led.headers["location"] == f"/makers/{his.short}"
        page = (await hand.get(f"/makers/{his.short}")).text
        assert f"/drops/{sale.drop}" in page
        assert f"/drops/{another.drop}" not in page
        assert "Ana&#39;s &lt;pins&gt;" in page
        to = f"/makers/{his.short}"
        assert (await hand.send(f"{to}/follow")).headers["location"] == f"/you?to={to}"
        assert (await hand.sign_in(address(), to=to)).headers["location"] == to
        await hand.send(f"{to}/follow", on="yes")
        assert await mine(hand) == [(What.MAKER, his.id)]
        assert "Do not tell me any more" in (await hand.get(to)).text
        you = (await hand.get("/you")).text
        assert f'href="{to}"' in you
        await hand.send("/you/calls/end", what="maker", thing=his.id)
        assert await mine(hand) == []


async def test_who_takes_it_back_is_sent_no_letter_that_waits(shop: Shop) -> None:
    sale, other = await soon(shop), await soon(shop)
    async with shop.browser() as hand:
        ana = address()
        await hand.sign_in(ana)
        person = await me(hand)

        def waits(sql: Connection) -> None:
            for drop, kind in ((sale.drop, Kind.REMINDER), (other.drop, Kind.REMINDER)):
                interests.begin(sql, person, What.DROP, drop, 1)
                letter = Letter(
                    id=letter_id(kind, drop, person),
                    kind=kind,
                    to=ana,
                    subject="Soon",
                    words="Soon",
                    written_ms=1,
                    whose=f"person:{person}",
                    drop=drop,
                )
                outbox.put(sql, letter)

        await shop.web.runtime.database.write(waits)
        await hand.send("/you/calls/end", what="drop", thing=sale.drop)
        left = await shop.web.runtime.database.read(
            lambda sql: outbox.page(sql, MAILS.c.kind == Kind.REMINDER, MAILS.c.reader == ana)
        )
        assert [one.drop for one in left] == [other.drop]


async def test_kinds_of_calls_are_chosen_by_way_and_stay_chosen(shop: Shop) -> None:
    async with shop.browser() as hand:
        await hand.sign_in(address())
        person = await me(hand)
        page = (await hand.get("/you")).text
        assert page.count('type="checkbox"') - 1 == page.count(" checked") == 10
        given = {"offer.mail": "yes", "news.push": "yes", "sold.mail": "yes"}
        answer = await hand.send("/you/calls", **given)
        assert answer.headers["location"] == "/you#calls"
        off = await shop.web.runtime.database.read(lambda sql: wishes.unwished(sql, person))
        every = {(wish, way) for wish in Wish for way in Way}
        assert every - off == {(Wish.OFFER, Way.MAIL), (Wish.NEWS, Way.PUSH)}
        assert (await hand.get("/you")).text.count(" checked") == 2


async def test_what_he_asked_for_is_in_his_data_and_gone_with_him(shop: Shop) -> None:
    sale, his = await soon(shop), await maker(shop)
    database = shop.web.runtime.database
    async with shop.browser() as hand:
        await hand.sign_in(address())
        await hand.send(f"/drops/{sale.drop}/remind", on="yes")
        await hand.send(f"/makers/{his.short}/follow", on="yes")
        await hand.send("/you/calls", **{"offer.mail": "yes"})
        told = (await hand.get("/you/data.json")).json()
        assert [one.get("drop") for one in told["told_of"]] == [sale.drop, None]
        assert told["told_of"][1]["maker"] == his.id
        assert len(told["not_called_for"]) == 9
        await hand.send("/you/erase", sure="yes")

        def left(sql: Connection) -> int:
            of_drop = interests.count(sql, What.DROP, sale.drop)
            return of_drop + interests.count(sql, What.MAKER, his.id)

        assert await database.read(left) == 0


@pytest.mark.parametrize("path", ["/you/calls", "/you/calls/end", "/drops/x/remind"])
async def test_pages_of_others_say_nothing_for_him(shop: Shop, path: str) -> None:
    sale = await soon(shop)
    async with shop.browser() as hand:
        await hand.sign_in(address())
        there = path.replace("/x/", f"/{sale.drop}/")
        answer = await hand.http.post(
            there, data={"on": "yes"}, headers={"sec-fetch-site": "cross-site"}
        )
        assert answer.status_code in (400, 403)
        assert await mine(hand) == []


async def test_one_interest_too_many_makes_the_oldest_go(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interests, "OF_PERSON_MAX", 2)
    drops = [await soon(shop) for _ in range(3)]
    async with shop.browser() as hand:
        await hand.sign_in(address())
        for one in drops:
            await hand.send(f"/drops/{one.drop}/remind", on="yes")
        assert [thing for _, thing in await mine(hand)] == [one.drop for one in drops[1:]]


async def test_a_guests_browser_is_called_of_new_drops_until_he_ends_it(shop: Shop) -> None:
    his, sale = await maker(shop), await soon(shop)
    door = f"/api/makers/{his.short}/calls"
    phone = push_service.Browser("https://push.example/phone")
    async with shop.browser() as hand:
        # Nobody yet: without a ticket nothing is kept.
        assert (await hand.http.post(door, json=phone.asks())).status_code in (401, 403)
        await hand.get(f"/drops/{sale.drop}")
        for _ in range(2):
            assert (await hand.http.post(door, json=phone.asks())).json()["on"]
        named = f"{door}?id={browser_of(phone.endpoint)}"
        assert (await hand.get(named)).json()["on"]
        inside = await hand.http.post(door, json=phone.asks(endpoint="http://127.0.0.1/x"))
        assert inside.status_code == 400
        assert (await hand.get("/api/makers/none/calls")).status_code == 404
        assert not (await hand.http.post(f"{door}/end", json={"endpoint": phone.endpoint})).json()[
            "on"
        ]
        assert not (await hand.get(named)).json()["on"]


async def test_a_persons_browsers_stand_on_his_page_and_go_with_him(shop: Shop) -> None:
    his = await maker(shop)
    phone = push_service.Browser("https://push.example/his-phone")
    async with shop.browser() as hand:
        await hand.sign_in(address())
        person = await me(hand)
        answer = await hand.http.post(f"/api/makers/{his.short}/calls", json=phone.asks())
        assert answer.json()["on"]
        assert f'href="/makers/{his.short}"' in (await hand.get("/you")).text
        told = (await hand.get("/you/data.json")).json()["told_on"]
        assert [one["maker"] for one in told] == [his.id]
        await hand.send("/you/erase", sure="yes")
        database = shop.web.runtime.database
        assert await database.read(lambda sql: followers.of_person(sql, person)) == []


async def test_whose_clocks_he_reads_tell_him_when_it_opens(shop: Shop) -> None:
    sale = await soon(shop)
    async with shop.browser() as hand:
        page = f"/drops/{sale.drop}/remind"
        assert "UTC+5:45" not in (await hand.get(page)).text
        hand.http.cookies.set("zone", "Asia/Kathmandu")
        assert "UTC+5:45" in (await hand.get(page)).text
        # On another device of his, which has told no zone yet, by what the shop knows of him.
        await hand.sign_in(address())
        hand.http.cookies.delete("zone")
        assert "UTC+5:45" in (await hand.get(page)).text


async def test_a_nul_is_refused_as_what_is_unknown_on_either_database(
    server: Server, tmp_path: Path, sql_settings: Settings
) -> None:
    conf = settings(server.url, tmp_path, database_url=sql_settings.database_url, **NOBODY_WAITS)
    async with opened(conf) as own, own.browser() as hand:
        await hand.sign_in(address())
        assert (await hand.get("/makers/a%00b")).status_code == 404
        assert (await hand.send("/makers/a%00b/follow", on="yes")).status_code == 404
        assert (await hand.get("/api/makers/a%00b/calls")).status_code == 404
        for what in What:
            ended = await hand.send("/you/calls/end", what=what, thing="a\0b")
            assert ended.status_code == 400
            assert "did not come whole" in ended.text


async def test_a_guests_browser_that_follows_goes_with_him_and_to_another_address(
    shop: Shop,
) -> None:
    his, sale = await maker(shop), await soon(shop)
    phone, moved = (
        push_service.Browser(f"https://push.example/{secrets.token_hex(4)}") for _ in range(2)
    )
    renewed = {"id": browser_of(phone.endpoint), **moved.asks()}
    async with shop.browser() as hand, shop.browser() as other:
        for one in (hand, other):
            await one.get(f"/drops/{sale.drop}")
        await hand.http.post(f"/api/makers/{his.short}/calls", json=phone.asks())
        assert (await other.http.post("/api/calls/renew", json=renewed)).status_code == 404
        await hand.sign_in(address())
        assert f'href="/makers/{his.short}"' in (await hand.get("/you")).text
        assert (await hand.http.post("/api/calls/renew", json=renewed)).status_code == 204
        person, database = await me(hand), shop.web.runtime.database
        (found,) = await database.read(lambda sql: followers.of_person(sql, person))
        assert (found.maker, found.endpoint) == (his.id, moved.endpoint)

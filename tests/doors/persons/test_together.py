"""Whoever somebody was before he signed in, or before he erased himself: he has one limit."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dropengine.doors.persons.erasing import Erasing
from dropengine.doors.persons.my_drops import Mine, MyDrops
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.signing_in import SigningIn
from dropengine.people import persons as people
from dropengine.people.persons import Person
from dropengine.people.tickets import Ticket, pseudonym
from tests.kit import persons, web_process
from tests.kit.persons import PHONE, Browser, Shop, address
from tests.kit.sale import Sale
from tests.kit.web_process import Fan

server = web_process.server
shop = persons.shop


async def holds(hand: Browser, sale: Sale) -> list[str]:
    return [one["id"] for one in (await hand.you(sale))["holds"]]


async def test_what_a_guest_began_is_his_when_he_signs_in_and_shown_on_every_device(
    shop: Shop,
) -> None:
    ana, sale, full = address(), await shop.sale(limit=2), await shop.sale(cap=1)
    await full.held("somebody")
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        await phone.sign_in(ana)
        await desk.get(f"/drops/{sale.drop}")
        guest, ticket = desk.ticket, desk.cookie("fan-")
        held = (await desk.press(sale)).json()["hold"]["id"]
        await desk.get(f"/drops/{full.drop}")
        assert (await desk.press(full, "join", pools=["pin"])).status_code == 200
        one = Fan(await shop.web.dial(sale.drop, ticket), None)
        assert (await one.until("snapshot"))["you"]["used"] == 1
        answer = await desk.sign_in(ana, to=f"/drops/{sale.drop}")
        assert answer.headers["location"] == f"/drops/{sale.drop}"
        assert await holds(desk, sale) == await holds(phone, sale) == [held]
        assert len((await phone.you(full))["entries"]) == 1
        # The tab that was open comes back, as him.
        assert await one.closed() == 1012
        assert desk.cookie("fan-") == ""
        # Whoever kept the guest's ticket has nothing of it.
        assert shop.web.runtime.identity.whose(ticket) is None
        async with shop.web.http(ticket) as thief:
            path = f"/api/drops/{sale.drop}/release"
            answer = await thief.post(path, json={"hold": held})
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
        log = b"".join([row async for row in shop.web.runtime.store.log(sale.drop)])
        assert b'"adopted"' in log
        assert str(pseudonym(guest.key, sale.drop)).encode() in log


async def test_guest_then_person_is_one_limit(shop: Shop) -> None:
    ana, sale = address(), await shop.sale(limit=1)
    async with shop.browser() as desk:
        await desk.get(f"/drops/{sale.drop}")
        order = (await desk.press(sale)).json()["hold"]["id"]
        await sale.succeeded(order)
        await desk.sign_in(ana)
        press = await desk.press(sale)
        assert (press.status_code, press.json()["code"]) == (409, "limit_reached")
        assert [one["id"] for one in (await desk.you(sale))["orders"]] == [order]
        assert f"/orders/{order}" in (await desk.get("/you")).text
        assert (await desk.get(f"/drops/{sale.drop}/orders/{order}")).status_code == 200


async def test_of_many_guests_who_become_one_person_at_once_the_limit_is_one(shop: Shop) -> None:
    """Each held as much as a fan may have; whoever comes second stays apart, with what he holds."""
    ana, sale = address(), await shop.sale(limit=2, cap=50)
    async with AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(shop.browser()) for _ in range(3)]
        for desk in desks:
            await desk.get(f"/drops/{sale.drop}")
            assert (await desk.press(sale, pool="pin", qty=2)).status_code == 200
        letters = [await desk.ask(ana) for desk in desks]
        codes = [one.code for one in letters]
        answers = await asyncio.gather(
            *(desk.send("/you/code", code=code) for desk, code in zip(desks, codes, strict=True))
        )
        assert {answer.status_code for answer in answers} == {303}
        found = {desk.fan(sale) for desk in desks}
        assert len(found) == 1
        for desk in desks:
            assert (await desk.you(sale))["used"] == 2
            press = await desk.press(sale)
            assert (press.status_code, press.json()["code"]) == (409, "limit_reached")
        # Those that came second are guests' still, and can be brought over once there is room.
        assert sum(1 for desk in desks if desk.cookie("fan-") != "") == 2


async def test_person_then_guest_is_one_limit_and_both_lists_are_shown(shop: Shop) -> None:
    ana, sale = address(), await shop.sale(limit=1)
    async with shop.browser() as desk:
        await desk.sign_in(ana)
        mine = (await desk.press(sale)).json()["hold"]["id"]
        await desk.send("/you/sign-out")
        await desk.get(f"/drops/{sale.drop}")
        begun = (await desk.press(sale)).json()["hold"]["id"]
        answer = await desk.sign_in(ana, to=f"/drops/{sale.drop}")
        # Nothing moved: he is shown what he can do.
        assert answer.headers["location"] == "/you"
        page = (await desk.get("/you")).text
        assert "Begun in this browser" in page
        assert page.count("Held for you") == 2
        assert await holds(desk, sale) == [mine]
        again = await desk.send("/you/together")
        assert again.status_code == 409
        assert "more than one fan may have" in again.text
        # He gives one back, and presses again.
        assert (await desk.press(sale, "release", hold=mine)).status_code == 200
        assert (await desk.send("/you/together")).status_code == 303
        assert await holds(desk, sale) == [begun]
        assert "Begun in this browser" not in (await desk.get("/you")).text
        assert desk.cookie("fan-") == ""


async def test_who_gives_back_as_the_guest_signs_in_again(shop: Shop) -> None:
    ana, sale = address(), await shop.sale(limit=1)
    async with shop.browser() as desk:
        await desk.sign_in(ana)
        mine = (await desk.press(sale)).json()["hold"]["id"]
        await desk.send("/you/sign-out")
        await desk.get(f"/drops/{sale.drop}")
        begun = (await desk.press(sale)).json()["hold"]["id"]
        await desk.sign_in(ana)
        await desk.send("/you/sign-out")
        assert (await desk.press(sale, "release", hold=begun)).status_code == 200
        await desk.sign_in(ana)
        assert await holds(desk, sale) == [mine]
        assert desk.cookie("fan-") == ""


async def test_whoever_signs_in_after_somebody_at_his_browser_has_nothing_of_him(
    shop: Shop,
) -> None:
    sale = await shop.sale(limit=1)
    async with shop.browser() as desk:
        await desk.get(f"/drops/{sale.drop}")
        anas = (await desk.press(sale)).json()["hold"]["id"]
        await desk.sign_in(address("ana"))
        await desk.send("/you/sign-out")
        await desk.sign_in(address("ben"))
        assert await holds(desk, sale) == []
        assert (await desk.press(sale, "release", hold=anas)).status_code == 404


@pytest.mark.parametrize("identity", ["guest", "verified"])
async def test_who_erases_himself_and_comes_back_has_one_limit(shop: Shop, identity: str) -> None:
    """As often as he likes, and it is his own again until the drop is over."""
    ana, sale, other = address(), await shop.sale(identity, limit=1), await shop.sale(limit=1)
    async with shop.browser() as desk:
        await desk.sign_in(ana)
        order = (await desk.press(sale)).json()["hold"]["id"]
        await sale.succeeded(order)
        fans = [(await desk.you(sale))["fan"], (await desk.you(other))["fan"]]
        for _ in range(4):
            assert (await desk.send("/you/erase", sure="yes")).status_code == 200
            await desk.sign_in(ana)
            press = await desk.press(sale)
            assert (press.status_code, press.json()["code"]) == (409, "limit_reached")
            you = await desk.you(sale)
            assert you["fan"] == fans[0]
            assert [one["id"] for one in you["orders"]] == [order]
            # Where he had nothing he is somebody new.
            new = (await desk.you(other))["fan"]
            assert new not in fans
            fans.append(new)
        # The page renews it, too.
        runtime, was = shop.web.runtime, desk.ticket
        answer = await desk.send("/you/renew")
        text = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        newer = runtime.identity.whose(text)
        assert newer is not None
        assert newer.fan(sale.drop, identity) == fans[0] == was.fan(sale.drop, identity)


class LookedThrough(MyDrops):
    """Is asked what somebody has; meanwhile his other device presses until it is signed out."""

    def __init__(self, shop: Shop, sale: Sale, other: Browser) -> None:
        runtime = shop.web.runtime
        super().__init__(runtime.store, runtime.database)
        self._house = runtime.store.house
        self._sale = sale
        self._other = other
        self._ended = other.ticket.name

    async def of(self, ticket: Ticket) -> list[Mine]:
        assert self._ended in await self._house.revoked(0)
        while (await self._other.press(self._sale)).status_code != 401:
            pass
        return await super().of(ticket)


async def test_what_another_device_begins_while_he_is_erased_counts_for_his_limit(
    shop: Shop, tmp_path: Path
) -> None:
    ana, sale, runtime = address(), await shop.sale("verified", limit=1), shop.web.runtime
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        await desk.sign_in(ana)
        await phone.sign_in(ana)
        looked = LookedThrough(shop, sale, phone)
        signing_in = SigningIn(
            runtime, PersonCookies(runtime.identity, runtime.shop), runtime.secret
        )
        erasing = Erasing(runtime.database, signing_in, looked, tmp_path)
        ticket = desk.ticket

        def him(sql: Connection) -> Person | None:
            found = people.of_session(sql, ticket.session, int(time.time() * 1000))
            return found[0] if found else None

        person = await runtime.database.read(him)
        assert person is not None
        await erasing.erase(person, ticket)
        await desk.sign_in(ana)
        await desk.press(sale)
        assert (await sale.words()).count("held") == 1


async def test_a_guest_who_did_nothing_leaves_no_trace_when_he_signs_in(shop: Shop) -> None:
    sale = await shop.sale()
    async with shop.browser() as desk:
        await desk.get(f"/drops/{sale.drop}")
        before = await sale.words()
        await desk.sign_in(address())
        assert await sale.words() == before

"""No prize for cookies: many browsers at one address, honest fans elsewhere, and a hall of them."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack

import pytest

from dropengine import refusals
from dropengine.people import tokens
from dropengine.people.tickets import new_key
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.sale import Sale
from tests.kit.web_process import Fan, WebProcess

server = web_process.server
web = web_process.web

BOTS, HONEST, HALL, MOST = 40, 12, 10, 4


async def seated(stack: AsyncExitStack, web: WebProcess, drop: str, address: str) -> Fan:
    """Somebody with a fresh cookie at an address of 127/8."""
    return await stack.enter_async_context(web.fan(drop, local_addr=(address, 0)))


async def together(fans: list[Fan], t: str, **fields: object) -> list[str]:
    """All of them at once; `done`, or the code of the refusal of each."""
    answers = await asyncio.gather(*(fan.ask(t, **fields) for fan in fans))
    return [str(answer.get("code", answer["t"])) for answer in answers]


async def test_cookies_at_one_address_win_no_more_than_one_network_may_have(
    web: WebProcess,
) -> None:
    """Whoever is alone at his address gets a unit, whatever the cookies of another press for."""
    sale = await web.sale(item("pin", {"pin": MOST + HONEST}), network_most=MOST)
    async with AsyncExitStack() as stack:
        bots = [await seated(stack, web, sale.drop, "127.9.9.9") for _ in range(BOTS)]
        honest = [await seated(stack, web, sale.drop, f"127.1.{i}.1") for i in range(HONEST)]
        said = await together(bots, "hold", pool="pin", qty=1)
        assert sorted(said) == ["done"] * MOST + ["network_full"] * (BOTS - MOST)
        assert await together(honest, "hold", pool="pin", qty=1) == ["done"] * HONEST
        # Nor do they fill the line.
        assert await together(bots[:8], "join", pools=["pin"], qty=1) == ["network_full"] * 8


async def test_a_hall_comes_in_by_as_many_as_the_rule_says_and_all_once_its_maker_has_tapped(
    web: WebProcess,
) -> None:
    sale = await web.sale(item("pin", {"pin": HALL}), network_most=MOST)
    async with AsyncExitStack() as stack:
        hall = [await seated(stack, web, sale.drop, "127.5.5.5") for _ in range(HALL)]
        said = await together(hall, "hold", pool="pin", qty=1)
        assert sorted(said) == ["done"] * MOST + ["network_full"] * (HALL - MOST)
        waiting = [fan for fan, word in zip(hall, said, strict=True) if word != "done"]
        # One has paid: the next comes in.
        await sale.succeeded("h1")
        next_in = waiting.pop(0)
        assert await together([next_in], "hold", pool="pin", qty=1) == ["done"]
        refused = await waiting[0].ask("hold", pool="pin", qty=1)
        assert refused["code"] == refusals.NetworkFull().code
        await tapped(sale, refused["network"])
        assert await together(waiting, "hold", pool="pin", qty=1) == ["done"] * len(waiting)


async def tapped(sale: Sale, network: str) -> None:
    """The maker lets the hall in, as the name on a fan's screen says."""
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    sale.revision = shown.revision
    outcome = await sale.creator("exempt", network=network)
    assert outcome.__struct_config__.tag == "CHANGED", outcome


@pytest.mark.parametrize("way", ["socket", "http"])
async def test_whichever_door_somebody_takes_he_is_where_he_is(web: WebProcess, way: str) -> None:
    sale = await web.sale(item("pin", {"pin": 9}), network_most=1)
    async with AsyncExitStack() as stack:
        first = await seated(stack, web, sale.drop, "127.0.0.1")
        assert await together([first], "hold", pool="pin", qty=1) == ["done"]
        if way == "socket":
            second = await seated(stack, web, sale.drop, "127.0.0.1")
            assert await together([second], "hold", pool="pin", qty=1) == ["network_full"]
            return
        _, ticket = web.ticket(sale.drop)
        async with web.http(ticket) as http:
            body = {"pool": "pin", "qty": 1, "key": "k"}
            for address in (f"/api/drops/{sale.drop}/hold", f"/api/drops/{sale.drop}/join"):
                fields = (
                    body if address.endswith("hold") else {"pools": ["pin"], "qty": 1, "key": "j"}
                )
                answer = await http.post(address, json=fields)
                assert answer.status_code == 409
                assert answer.json()["code"] == "network_full"
                assert answer.json()["most"] == 1


async def test_colleagues_who_signed_in_count_by_the_mail_domain_of_their_addresses(
    web: WebProcess,
) -> None:
    """Over both ways, whatever networks they come from; who has his mail at a public provider, or
    comes as a guest, is never one too many."""
    sale = await web.sale(item("pin", {"pin": 9}), domain_most=2)

    def ticket(address: str) -> str:
        now_s = int(time.time())
        return web.runtime.tickets.issue_to(new_key(), tokens.new_id(), now_s, address=address)

    async def joins(address: str) -> dict[str, object]:
        bearer = {"authorization": f"Bearer {ticket(address)}"}
        async with web.http(headers=bearer) as http:
            answer = await http.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin"})
        return {"status": answer.status_code, **answer.json()}

    async with web.watcher(sale.drop) as socket:
        # He watches, and says in his first message who he is.
        await socket.raw(json.dumps({"t": "hello", "ticket": ticket("ana@mail.firm.example")}))
        await socket.until("snapshot")
        assert (await socket.ask("hold", pool="pin", qty=1))["t"] == "done"
    assert (await joins("bo@firm.example"))["status"] == 200
    refused = await joins("cy@eu.firm.example")
    assert (refused["status"], refused["code"], refused["most"]) == (409, "domain_full", 2)
    assert refused["title"] == refusals.DomainFull.sentence
    assert (await joins("di@gmail.com"))["status"] == 200
    assert (await joins("ed@other.example"))["status"] == 200
    async with web.fan(sale.drop) as guest:
        assert (await guest.ask("hold", pool="pin", qty=1))["t"] == "done"
    # No name of a domain stands where anybody could read it.
    log = [line async for line in sale.store.log(sale.drop)]
    assert b"firm" not in b"".join(log)
    await sale.creator("exempt", network=refused["network"])
    assert (await joins("cy@eu.firm.example"))["status"] == 200

"""A fan lets a browser be called, and nobody else learns of it or ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.push import outbox, shop_key, subscriptions
from dropengine.push.outbox import Call, Kind, Sent
from dropengine.push.subscriptions import OF_FAN_MAX, browser_of
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.private_server import Server
from tests.kit.push_service import Browser
from tests.kit.web_process import WebProcess, settings

server = web_process.server

PHONE = Browser("https://push.example/phone?token=a")
DESK = Browser("https://push.example/desk")


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path)
    lay(conf)
    async with web_process.front(conf) as one:
        yield one


async def test_a_browser_is_called_until_its_fan_ends_it(web: WebProcess) -> None:
    sale = await web.sale()
    door = f"/api/drops/{sale.drop}/calls"
    fan, ticket = web.ticket(str(sale.drop))
    async with web.http(ticket) as http:
        empty = await http.get(door)
        assert empty.headers["cache-control"] == "no-store"
        assert empty.json() == {"key": web.runtime.push_key.public, "browsers": []}
        began = await http.post(door, json=PHONE.asks(language="de"))
        assert began.status_code == 200, began.text
        (one,) = began.json()["browsers"]
        assert one["id"] == browser_of(PHONE.endpoint)
        assert (one["quiet"], one["language"], one["told"]) == (False, "de", None)
        await http.post(door, json=PHONE.asks(language="de", quiet=True))
        await http.post(door, json=DESK.asks())
        both = (await http.get(door)).json()["browsers"]
        assert [one["quiet"] for one in both] == [True, False]
        # Whoever has the address of an endpoint may call it: nobody is shown one.
        assert "push.example" not in (await http.get(door)).text
        await http.post(f"{door}/end", json={"endpoint": PHONE.endpoint})
        left = await http.post(f"{door}/end", json={"id": browser_of(DESK.endpoint)})
        assert left.json()["browsers"] == []
    drop = DropId(str(sale.drop))
    found = await web.runtime.database.read(lambda sql: subscriptions.of_fan(sql, drop, fan))
    assert found == []


async def test_a_fan_sees_what_became_of_the_last_call(web: WebProcess) -> None:
    sale = await web.sale()
    drop = DropId(str(sale.drop))
    fan, ticket = web.ticket(str(sale.drop))
    mine = PHONE.subscribed(drop, fan)

    def owed(sql: Any) -> None:
        outbox.put(sql, mine, Call("offer-h1", Kind.OFFER, "h1", 1_000, 2_000), "Pin", "Now.")
        (push,) = outbox.due(sql, 1_000)
        outbox.note(sql, push, Sent(), 1_500)

    async with web.http(ticket) as http:
        await http.post(f"/api/drops/{drop}/calls", json=PHONE.asks())
        await web.runtime.database.write(owed)
        (one,) = (await http.get(f"/api/drops/{drop}/calls")).json()["browsers"]
    assert one["told"] == {"kind": "offer", "at_ms": 1_500, "state": "sent"}


async def test_nobody_sees_or_ends_what_is_anothers(web: WebProcess) -> None:
    sale = await web.sale()
    door = f"/api/drops/{sale.drop}/calls"
    (_, ana), (_, ben) = web.ticket(), web.ticket()
    async with web.http(ana) as mine, web.http(ben) as theirs, web.http() as nobodys:
        await mine.post(door, json=PHONE.asks())
        assert (await theirs.get(door)).json()["browsers"] == []
        for ending in ({"id": browser_of(PHONE.endpoint)}, {"endpoint": PHONE.endpoint}):
            none = await theirs.post(f"{door}/end", json=ending)
            absent = await theirs.post(f"{door}/end", json={"id": "0" * 32})
            assert none.content == absent.content
        assert len((await mine.get(door)).json()["browsers"]) == 1
        for asked in (nobodys.get(door), nobodys.post(door, json=PHONE.asks())):
            assert (await asked).status_code == 401
        # The same browser in other hands is theirs.
        await theirs.post(door, json=PHONE.asks())
        assert (await mine.get(door)).json()["browsers"] == []


async def test_a_fan_has_so_many_browsers_and_no_more(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        for n in range(OF_FAN_MAX + 3):
            one = Browser(f"https://push.example/{n}")
            answer = await http.post(f"/api/drops/{sale.drop}/calls", json=one.asks())
    assert len(answer.json()["browsers"]) == OF_FAN_MAX


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "https://127.0.0.1/x"},
        {"endpoint": "http://push.example/x"},
        {"endpoint": "http://127.0.0.1:1/x"},
        {"endpoint": "https://push.example:22/x"},
        {"endpoint": "https://[::ffff:127.0.0.1]/x"},
        {"endpoint": "https://2130706433/x"},
        {"endpoint": "https://a@push.example/x"},
        {"endpoint": "https://push.example/" + "x" * 2_000},
        {"endpoint": 7},
        {"p256dh": "AAAA"},
        {"p256dh": "A" * 87},
        {"auth": "A" * 30},
        {"auth": "A" * 31},
        {"quiet": "yes"},
        {"fan": "somebody else"},
    ],
)
async def test_what_is_no_browser_is_refused(web: WebProcess, wrong: dict[str, Any]) -> None:
    sale = await web.sale()
    door = f"/api/drops/{sale.drop}/calls"
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        answer = await http.post(door, json=PHONE.asks(**wrong))
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
        for body in (b"", b"{", b"[" * 4_000, b"null", b"\xff"):
            assert (await http.post(door, content=body)).status_code == 400
            assert (await http.post(f"{door}/end", content=body)).status_code == 400
        assert (await http.post(door, content=b" " * 5_000)).status_code == 413
        assert (await http.get(door)).json()["browsers"] == []
        none = await http.post("/api/drops/none/calls", json=PHONE.asks())
        assert none.status_code == 404


async def test_another_site_cannot_let_its_own_browser_be_called_for_a_fan(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket, {"origin": "https://evil.example"}) as http:
        answer = await http.post(f"/api/drops/{sale.drop}/calls", json=PHONE.asks())
    assert answer.status_code == 403


async def test_without_sql_it_is_said_and_nothing_breaks(
    web: WebProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()

    async def away(_: Any) -> Any:
        raise DatabaseAway("SQL is away.")

    monkeypatch.setattr(web.runtime.database, "write", away)
    async with web.http(ticket) as http:
        answer = await http.post(f"/api/drops/{sale.drop}/calls", json=PHONE.asks())
    assert (answer.status_code, answer.json()["code"]) == (503, "away")


async def test_a_browser_with_another_address_goes_on_being_called_with_what_it_is_owed(
    web: WebProcess,
) -> None:
    first, second = await web.sale(), await web.sale()
    drops = [DropId(str(first.drop)), DropId(str(second.drop))]
    fan, ticket = web.ticket(str(first.drop))
    call = Call("offer-h1", Kind.OFFER, "h1", 1_000, 0)
    async with web.http(ticket) as http:
        for drop in drops:
            await http.post(f"/api/drops/{drop}/calls", json=PHONE.asks(language="de", quiet=True))
        before = PHONE.subscribed(drops[0], fan)
        await web.runtime.database.write(lambda sql: outbox.put(sql, before, call, "Pin", "Now."))
        asked = {"id": browser_of(PHONE.endpoint), **DESK.asks()}
        answer = await http.post("/api/calls/renew", json=asked)
        assert (answer.status_code, answer.text) == (204, "")
        for drop in drops:
            (one,) = (await http.get(f"/api/drops/{drop}/calls")).json()["browsers"]
            assert one["id"] == browser_of(DESK.endpoint)
            assert (one["quiet"], one["language"]) == (True, "de")
        assert (await http.post("/api/calls/renew", json=asked)).status_code == 404
    (owed,) = await web.runtime.database.read(lambda sql: outbox.due(sql, 1_000))
    assert owed.browser == browser_of(DESK.endpoint)


async def test_nobody_else_moves_a_browser_or_moves_it_inside(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket(str(sale.drop))
    _, other = web.ticket(str(sale.drop))
    door, moved = f"/api/drops/{sale.drop}/calls", {"id": browser_of(PHONE.endpoint)}
    async with web.http(ticket) as http:
        await http.post(door, json=PHONE.asks())
        inside = Browser("https://169.254.169.254/latest").asks()
        assert (await http.post("/api/calls/renew", json=moved | inside)).status_code == 400
        wrong = {**DESK.asks(), "auth": "short"}
        assert (await http.post("/api/calls/renew", json=moved | wrong)).status_code == 400
    async with web.http(other) as http:
        answer = await http.post("/api/calls/renew", json=moved | DESK.asks())
        assert answer.status_code == 404
    async with web.http(None, {"origin": web.url}) as http:
        answer = await http.post("/api/calls/renew", json=moved | DESK.asks())
        assert answer.status_code == 401
    async with web.http(ticket, {"origin": "https://evil.example"}) as http:
        answer = await http.post("/api/calls/renew", json=moved | DESK.asks())
        assert answer.status_code == 403
    async with web.http(ticket) as http:
        (one,) = (await http.get(door)).json()["browsers"]
    assert one["id"] == browser_of(PHONE.endpoint)


async def test_the_worker_stands_at_the_root_and_may_load_nothing(web: WebProcess) -> None:
    async with web.http() as http:
        answer = await http.get("/calls.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-cache"
    assert b"import" not in answer.content


async def test_all_workers_of_a_shop_have_one_key(web: WebProcess) -> None:
    again = shop_key.of_shop(web.runtime.settings)
    assert again.public == web.runtime.push_key.public

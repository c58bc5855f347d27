"""The JSON doors: the same commands and messages as over the socket, for those without one."""

from __future__ import annotations

import asyncio
import json
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from dropengine import wire
from dropengine.doors.fan_api import COMMANDS
from dropengine.model import FanId
from tests.kit import web_process
from tests.kit.event_stream import stream
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, key, settings, until

server = web_process.server
web = web_process.web

JSON = {"content-type": "application/json"}


async def test_every_command_can_be_given_over_http(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 1}))
    _, ticket = web.ticket()
    (_, other) = web.ticket()
    async with web.http(ticket) as ada, web.http(other) as ben:

        async def ask(who: httpx2.AsyncClient, verb: str, **body: Any) -> Any:
            answer = await who.post(f"/api/drops/{sale.drop}/{verb}", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.headers["cache-control"] == "no-store"
            return answer.json()

        hold = (await ask(ada, "hold", pool="pin", qty=1))["hold"]
        assert (hold["state"], hold["pool"]) == ("active", "pin")
        assert (await ask(ada, "extend", hold=hold["id"]))["hold"]["extended"] is True
        paying = await ask(ada, "pay", holds=[hold["id"]])
        page = paying["pay"][hold["id"]]
        assert page.startswith(f"/pay/local/{sale.drop}.p1.")
        assert (paying["payment"]["id"], paying["payment"]["page"]) == ("p1", page)
        leaving = (await ask(ada, "unpay", payment="p1"))["payment"]
        assert (leaving["state"], leaving["leaving"]) == ("open", True)
        entry = (await ask(ben, "join", pools=["pin"]))["entry"]
        assert (await ask(ada, "release", hold=hold["id"]))["hold"]["state"] == "released"
        offer = (await ben.get(f"/api/drops/{sale.drop}/you")).json()["holds"][0]
        assert (offer["origin"], offer["claimed"]) == ("line", False)
        assert (await ask(ben, "claim", hold=offer["id"]))["hold"]["claimed"] is True
        assert (await ask(ben, "leave", entry=entry))["entry"] == entry


async def test_a_basket_is_one_command_that_says_what_was_had_and_what_not(
    web: WebProcess,
) -> None:
    sale = await web.sale(item("pin", {"pin": 1}), item("cap", {"cap": 3}), limit=9)
    await sale.held("ben")
    _, ticket = web.ticket()
    async with web.http(ticket) as ada:
        where = f"/api/drops/{sale.drop}/basket"
        wants = [{"pools": ["pin"]}, {"pools": ["pin", "cap"], "qty": 2}]
        once = {"idempotency-key": key()}
        said = (await ada.post(where, json={"wants": wants}, headers=once)).json()
        basket = said["basket"]
        (had,), (missing,) = basket["had"], basket["missing"]
        assert (had["want"], had["hold"]["pool"], had["hold"]["qty"]) == (1, "cap", 2)
        assert had["hold"]["id"] == f"h{basket['n']}"
        assert (missing["want"], missing["code"], missing["free"]) == (0, "all_held", 0)
        assert missing["text"]
        assert (await ada.post(where, json={"wants": wants}, headers=once)).json() == said
        both = {"wants": [{"pools": ["pin"]}, {"pools": ["cap"]}], "all": True}
        none = (await ada.post(where, json=both)).json()["basket"]
        assert (none["n"], none["had"]) == (0, [])
        assert [one["code"] for one in none["missing"]] == ["all_held", "all_or_nothing"]
        twice = await ada.post(where, json={"wants": [{"pools": ["cap", "cap"]}]})
        assert (twice.status_code, twice.json()["code"]) == (400, "bad_message")


async def test_what_is_held_can_be_swapped_and_not_while_it_is_being_paid(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 1}), item("cap", {"cap": 3}), limit=9)
    _, ticket = web.ticket()
    async with web.http(ticket) as ada:

        async def ask(verb: str, **body: Any) -> Any:
            return (await ada.post(f"/api/drops/{sale.drop}/{verb}", json=body)).json()

        hold = (await ask("hold", pool="pin"))["hold"]
        swapped = (await ask("swap", hold=hold["id"], pool="cap"))["hold"]
        assert (swapped["id"], swapped["pool"]) == (hold["id"], "cap")
        assert swapped["deadline_ms"] == hold["deadline_ms"]
        page = (await ask("pay", holds=[hold["id"]]))["payment"]["page"]
        paying = await ask("swap", hold=hold["id"], pool="pin")
        assert (paying["code"], paying["payment"]) == ("paying", "p1")
        assert paying["page"] == page
        (payment,) = (await ada.get(f"/api/drops/{sale.drop}/you")).json()["payments"]
        assert (payment["id"], payment["state"], payment["page"]) == ("p1", "open", page)


async def test_several_holds_are_one_payment_or_none(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 9}), limit=9)
    ben = await sale.held("somebody else")
    _, ticket = web.ticket()
    async with web.http(ticket) as ada:

        async def ask(verb: str, **body: Any) -> Any:
            return (await ada.post(f"/api/drops/{sale.drop}/{verb}", json=body)).json()

        mine, more, gone = [
            (await ask("hold", pool="pin", qty=qty))["hold"]["id"] for qty in (1, 2, 3)
        ]
        await ask("release", hold=gone)
        for holds, code in (
            ([mine, ben], "not_found"),
            (["h99", mine], "not_found"),
            ([mine, gone], "hold_expired"),
            ([mine, mine], "bad_message"),
        ):
            assert (await ask("pay", holds=holds))["code"] == code
        assert (await ask("pay", holds=[mine], provider="gold"))["code"] == "bad_message"
        assert (await ask("pay", holds=[mine], provider="by_hand"))["code"] == "bad_message"
        done = await ask("pay", holds=[mine, more])
        assert len({*done["pay"].values()}) == 1
        assert (done["payment"]["holds"], done["payment"]["amount"]) == ([mine, more], 3 * 2400)
        # The same set, in any order, is the payment that is there.
        again = await ask("pay", holds=[more, mine])
        assert (again["payment"], again["pay"]) == (done["payment"], done["pay"])
        overlap = await ask("pay", holds=[mine])
        assert (overlap["code"], overlap["payment"]) == ("paying", "p1")
        assert overlap["page"] == done["payment"]["page"]


async def test_the_key_may_stand_in_the_header_and_makes_a_press_safe_to_repeat(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    where, once = f"/api/drops/{sale.drop}/hold", key()
    async with web.http(ticket) as http:
        in_header = {"idempotency-key": once}
        first = await http.post(where, json={"pool": "pin"}, headers=in_header)
        again = await http.post(where, json={"pool": "pin"}, headers=in_header)
        in_body = await http.post(where, json={"pool": "pin", "key": once})
        assert first.json()["hold"] == again.json()["hold"] == in_body.json()["hold"]
        assert first.json()["hold"]["key"] == once
        other = await http.post(where, json={"pool": "pin", "qty": 2}, headers=in_header)
        assert (other.status_code, other.json()["code"]) == (409, "key_reused")
        two = await http.post(where, json={"pool": "pin", "key": key()}, headers=in_header)
        assert (two.status_code, two.json()["code"]) == (400, "bad_message")
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_reply_that_was_lost_is_asked_for_by_its_key(
    server: Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    async with web_process.front(settings(proxy.url, tmp_path, settle_ms=10_000)) as web:
        sale = await web.sale()
        _, ticket = web.ticket()
        async with web.http(ticket) as http:
            where, headers = f"/api/drops/{sale.drop}/hold", {"idempotency-key": key()}
            room = await web.runtime.hub.room(sale.drop)
            assert room is not None
            # The press itself and its one repeat; whatever else is read then is struck as well.
            proxy.plan(Fate.DROP_REPLY, times=6)
            answers = []
            async with asyncio.timeout(LONG_S):
                while proxy.planned:
                    answers.append(await http.post(where, json={"pool": "pin"}, headers=headers))
            away = [one for one in answers if one.status_code == 503]
            assert {one.json()["code"] for one in away} <= {"away"}
            assert all(int(one.headers["retry-after"]) >= 1 for one in away)
            answer = await http.post(where, json={"pool": "pin"}, headers=headers)
            assert answer.status_code == 200
        assert len((await sale.truth()).holds) == 1


async def test_a_command_without_a_key_gets_one(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        made = [
            (await http.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin", "qty": n})).json()
            for n in (1, 2)
        ]
    assert len({one["hold"]["key"] for one in made}) == 2


async def test_refusals_are_problem_documents_with_the_numbers(web: WebProcess) -> None:
    sale = await web.sale(limit=2)
    await sale.held("ben", qty=2)
    _, ticket = web.ticket()
    async with web.http(ticket) as http:

        async def ask(verb: str, **body: Any) -> httpx2.Response:
            answer = await http.post(f"/api/drops/{sale.drop}/{verb}", json=body)
            assert answer.headers["content-type"] == "application/problem+json"
            said = answer.json()
            assert said["type"] == f"/problems/{said['code']}"
            assert said["status"] == answer.status_code
            assert said["title"]
            return answer

        full = (await ask("hold", pool="pin", qty=2)).json()
        assert (full["status"], full["code"], full["free"], full["held"]) == (409, "all_held", 1, 2)
        assert full["seq"] >= 3
        much = (await ask("hold", pool="pin", qty=3)).json()
        assert (much["code"], much["room"]) == ("limit_reached", 2)
        gone = (await ask("release", hold="h99")).json()
        assert (gone["status"], gone["code"]) == (404, "not_found")
        await sale.creator("pause")
        assert (await ask("hold", pool="pin")).json()["code"] == "paused"


BAD_BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"7",
    b'"hold"',
    b"{",
    b'{"pool":"pin"',
    b'{"pool":7}',
    b'{"pool":"pin","qty":0}',
    b'{"pool":"pin","qty":-1}',
    b'{"pool":"pin","qty":1.5}',
    b'{"pool":"pin","qty":"1"}',
    b'{"pool":"pin","qty":' + b"9" * 40 + b"}",
    b'{"pool":"pin","qty":1e400}',
    b'{"pool":"pin","qty":NaN}',
    b'{"pool":"pin","fan":"somebody"}',
    b'{"pool":"pin\\u0000"}',
    b'{"pool":"pin\\ud800"}',
    b'{"pool":"\xff\xfe"}',
    b'{"pool":"' + b"p" * 65 + b'"}',
    b'{"pool":"pin","key":""}',
    b'{"pool":"pin","key":null}',
    b'{"pool":"pin","key":"a b"}',
    b'{"pool":"pin","key":"k\\n"}',
    b'{"pool":"pin","fewer":1}',
    b'{"pool":' * 400 + b"1" + b"}" * 400,
    b'{"pool":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    '{"pool":"\u202epin"}'.encode(),
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_a_body_that_is_no_command_is_refused_and_changes_nothing(
    web: WebProcess, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        answer = await http.post(f"/api/drops/{sale.drop}/hold", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
    assert await sale.counts() == (3, 0, 0, 0)
    assert caplog.text == ""


async def test_a_pool_named_twice_is_refused(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        body = {"pools": ["pin", "pin"]}
        answer = await http.post(f"/api/drops/{sale.drop}/join", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        for size in (4_097, 70_000, 10_000_000):
            answer = await http.post(f"/api/drops/{sale.drop}/hold", content=b" " * size)
            assert answer.status_code == 413


async def test_a_body_that_breaks_off_costs_nothing(
    web: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(
        f"POST /api/drops/{sale.drop}/hold HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n"
        f"authorization: Bearer {ticket}\r\n\r\n{{".encode()
    )
    await writer.drain()
    connections = web.server.server_state.connections
    await until(lambda: any(getattr(one, "cycle", None) is not None for one in connections))
    writer.transport.abort()
    await until(lambda: not connections)
    assert caplog.text == ""


async def test_there_is_no_door_for_a_verb_that_is_no_command(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        for verb in ("open", "cancel", "you", "hold/x", "Hold", "%00", "__class__"):
            answer = await http.post(f"/api/drops/{sale.drop}/{verb}", json={})
            assert answer.status_code in (404, 405), verb
        for verb in COMMANDS:
            assert (await http.get(f"/api/drops/{sale.drop}/{verb}")).status_code == 405


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/api/drops", {"GET", "HEAD"}),
        ("/api/drops/{drop}", {"GET", "HEAD"}),
        ("/api/drops/{drop}/you", {"GET", "HEAD"}),
        ("/api/drops/{drop}/hold", {"POST"}),
        ("/api/drops/{drop}/leave", {"POST"}),
        ("/api/drops/nowhere/join", {"POST"}),
        ("/api/pay/webhooks/local", {"POST"}),
    ],
)
async def test_a_method_that_an_address_does_not_know_is_405_and_says_which_it_knows(
    web: WebProcess, address: str, allowed: set[str]
) -> None:
    sale = await web.sale()
    where = web.url + address.format(drop=sale.drop)
    strange = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed
    async with web.http(web.ticket()[1]) as http:
        for method in strange:
            answer = await http.request(method, where)
            assert answer.status_code == 405, method
            assert set(answer.headers["allow"].split(", ")) == allowed
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.json()["status"], answer.json()["code"]) == (405, "bad_message")


async def test_an_address_of_the_api_that_is_none_is_a_problem_like_any_other(
    web: WebProcess,
) -> None:
    async with web.http(web.ticket()[1]) as http:
        for address in (
            "/api/drops/pin/open",
            "/api/drops/pin/Hold",
            "/api/nothing",
        ):
            for method in ("GET", "POST", "DELETE"):
                answer = await http.request(method, address)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address
        assert (await http.get("/nothing")).text == "Not Found"


@pytest.mark.parametrize("inside", ["another", "", None, 7, ["k-1"]])
async def test_a_key_in_the_body_that_is_not_the_headers_is_refused(
    web: WebProcess, inside: object
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    headers = {"idempotency-key": "k-1"}
    async with web.http(ticket) as http:
        where = f"/api/drops/{sale.drop}/hold"
        answer = await http.post(where, json={"pool": "pin", "key": inside}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
        assert await sale.counts() == (3, 0, 0, 0)
        same = await http.post(where, json={"pool": "pin", "key": "k-1"}, headers=headers)
        assert same.json()["hold"]["key"] == "k-1"


async def test_a_snapshot_over_http_is_the_snapshot_of_a_socket_without_you(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    await sale.held("ben")
    async with web.http() as http, web.watcher(sale.drop) as watcher:
        answer = await http.get(f"/api/drops/{sale.drop}")
        said = answer.json()
        assert said["you"] is None
        assert said["t"] == "snapshot"
        for known in (said, watcher.heard[0]):
            del known["drop"]["now"]
        assert said == watcher.heard[0]
        assert said["drop"]["pools"]["pin"]["held"] == 1


async def test_what_is_read_is_never_older_than_the_question(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 30}), limit=30)
    async with web.http() as http:
        for n in range(1, 11):
            await sale.held(f"fan-{n}")
            said = (await http.get(f"/api/drops/{sale.drop}")).json()
            assert said["drop"]["pools"]["pin"]["held"] == n


async def test_an_unchanged_drop_is_not_sent_again(web: WebProcess) -> None:
    sale = await web.sale()
    where = f"/api/drops/{sale.drop}"
    async with web.http() as http:
        first = await http.get(where)
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await http.get(where, headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        for unknown in ('"other"', tag.strip('"'), ""):
            assert (await http.get(where, headers={"if-none-match": unknown})).status_code == 200
        await sale.held("ben")
        changed = await http.get(where, headers={"if-none-match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag


async def test_the_list_of_drops_names_each_of_them_the_newest_first(web: WebProcess) -> None:
    sales = [await web.sale(opened=False) for _ in range(3)]
    await sales[1].creator("open")
    async with web.http() as http:
        listed = (await http.get("/api/drops")).json()
    ours = {
        sale.drop: state
        for sale, state in zip(sales, ("scheduled", "live", "scheduled"), strict=True)
    }
    assert {one["id"]: one["state"] for one in listed if one["id"] in ours} == ours


async def test_a_drop_that_is_not_there_is_not_found_by_any_door(web: WebProcess) -> None:
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        for drop in ("nowhere", "a" * 300, "%7Bhouse%7D", "x%00y"):
            for path in ("", "/you"):
                answer = await http.get(f"/api/drops/{drop}{path}")
                assert answer.status_code == 404, (drop, path)
            assert (await http.get(f"/drops/{drop}/events")).status_code == 404
            answer = await http.post(f"/api/drops/{drop}/hold", json={"pool": "pin"})
            assert answer.status_code == 404


async def possessions(sale: Sale, fan: FanId) -> dict[str, str]:
    """One of each thing that a fan may have: a hold, an offer, an order, an entry."""
    order = await sale.held(fan, "lamp")
    await sale.succeeded(order, captured=True)
    hold = await sale.held(fan, "pin")
    blocker = await sale.held("somebody", "mug")
    entry = await sale.joined(fan, "mug")
    await sale.release("somebody", blocker)
    offer = (await sale.you(fan)).entries[0][1].hold
    assert offer
    async with asyncio.timeout(LONG_S):
        # What is owed for the order is done: nothing is written by itself any more.
        while (await sale.settle()).duties:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
    return {"order": order, "hold": hold, "offer": offer, "entry": entry, "payment": "p1"}


NAMED: dict[str, str] = {
    "claim": "hold",
    "release": "hold",
    "extend": "hold",
    "leave": "entry",
    "unpay": "payment",
    "swap": "hold",
}
MORE: dict[str, dict[str, str]] = {"swap": {"pool": "pin"}}


def naming(verb: str, thing: str) -> dict[str, Any]:
    """The body of a command that names one thing."""
    return {"holds": [thing]} if verb == "pay" else {NAMED[verb]: thing, **MORE.get(verb, {})}


async def test_nobody_can_name_what_is_somebody_elses(web: WebProcess) -> None:
    """Every command over both ways on everything that another fan has: there is no such thing."""
    three = item("pin", {"pin": 2}), item("lamp", {"lamp": 2}), item("mug", {"mug": 1})
    sale = await web.sale(*three, limit=10)
    ada, _ = web.ticket(sale.drop)
    ben = web.ticket(sale.drop)
    things = await possessions(sale, ada)
    seq = (await sale.settle()).seq
    async with web.http(ben[1]) as http, web.fan(sale.drop, ben) as socket:
        for verb, thing in product([*NAMED, "pay"], [*things.values(), "h999", "e999"]):
            body = naming(verb, thing)
            said = await http.post(f"/api/drops/{sale.drop}/{verb}", json=body)
            assert (said.status_code, said.json()["code"]) == (404, "not_found"), (verb, thing)
            heard = await socket.ask(verb, **body)
            assert (heard["t"], heard.get("code")) == ("refused", "not_found"), (verb, thing)
        you = (await http.get(f"/api/drops/{sale.drop}/you")).json()
        assert (you["fan"], you["holds"], you["orders"], you["entries"]) == (ben[0], [], [], [])
        # What another fan's key made is not answered either.
        taken = (await sale.truth()).holds[things["hold"]].key
        mine = (await socket.ask("hold", pool="pin", key=taken))["hold"]
        assert mine["id"] != things["hold"]
    assert (await sale.settle()).seq == seq + 1


async def test_who_is_nobody_can_do_nothing(web: WebProcess) -> None:
    three = item("pin", {"pin": 2}), item("lamp", {"lamp": 2}), item("mug", {"mug": 1})
    sale = await web.sale(*three, limit=10)
    ada, _ = web.ticket(sale.drop)
    things = await possessions(sale, ada)
    seq = (await sale.settle()).seq
    bodies: dict[str, dict[str, Any]] = {
        "hold": {"pool": "pin"},
        "join": {"pools": ["pin"]},
        **{verb: naming(verb, things["hold"]) for verb in ("claim", "release", "extend", "pay")},
        "leave": {"entry": things["entry"]},
        "confirm": {"entry": things["entry"]},
        "unpay": {"payment": "p1"},
        "basket": {"wants": [{"pools": ["pin"]}]},
        "swap": {"hold": things["hold"], "pool": "lamp"},
    }
    assert bodies.keys() == COMMANDS.keys()
    async with web.http() as http, web.watcher(sale.drop) as watcher:
        for verb, body in bodies.items():
            for proof in ({}, {"authorization": f"Bearer {ada}"}, {"cookie": "fan=f1.a.b.c"}):
                where = f"/api/drops/{sale.drop}/{verb}"
                said = await http.post(where, json=body, headers=proof)
                assert (said.status_code, said.json()["code"]) == (401, "sign_in")
            heard = await watcher.ask(verb, **body)
            assert (heard["t"], heard["code"]) == ("refused", "sign_in")
        answer = await http.get(f"/api/drops/{sale.drop}/you")
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
        snapshot = (await http.get(f"/api/drops/{sale.drop}")).text
        assert ada not in snapshot
        assert ada not in json.dumps(watcher.heard)
    assert (await sale.settle()).seq == seq


async def test_a_fan_can_name_what_is_his(web: WebProcess) -> None:
    """The control of the two above: the same commands do something in the right hands."""
    three = item("pin", {"pin": 2}), item("lamp", {"lamp": 2}), item("mug", {"mug": 1})
    sale = await web.sale(*three, limit=10)
    ada = web.ticket(sale.drop)
    things = await possessions(sale, ada[0])
    async with web.http(ada[1]) as http:
        for verb, thing in (
            ("extend", "hold"),
            ("pay", "hold"),
            ("claim", "offer"),
            ("leave", "entry"),
            ("release", "hold"),
        ):
            body = naming(verb, things[thing])
            said = await http.post(f"/api/drops/{sale.drop}/{verb}", json=body)
            assert said.status_code == 200, (verb, said.text)


async def test_a_shop_without_its_server_says_away_and_never_sold_out(tmp_path: Path) -> None:
    folder = tmp_path / "truth"
    truth = Server(folder, durable=True).start()
    conf = settings(truth.url, tmp_path, view_ms=100, redis_timeout_ms=500)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        _, ticket = web.ticket()
        async with web.http(ticket) as http, stream(web, sale.drop, ticket) as events:
            where = f"/api/drops/{sale.drop}"
            await events.until("snapshot")
            assert (await http.get(where)).status_code == 200
            truth.kill()
            tick = await events.until("tick", lambda m: m.get("away", False))
            assert tick["pools"]["pin"]["free"] == 3
            press = {"pool": "pin", "key": key()}
            asked = [
                http.get(where),
                http.get(f"{where}/you"),
                http.get("/api/drops"),
                http.get("/api/drops/other"),
                http.get("/drops/other/events"),
                http.post(f"{where}/hold", json=press),
                http.post(f"{where}/pay", json={"holds": ["h1"]}),
            ]
            for answer in await asyncio.gather(*asked):
                assert (answer.status_code, answer.json()["code"]) == (503, "away")
                assert answer.json()["retry_ms"] > 0
                assert int(answer.headers["retry-after"]) >= 1
            truth.start()
            back = await events.until("tick", lambda m: not m.get("away", False))
            assert back["pools"]["pin"]["free"] == 3
            answer = await http.post(f"{where}/hold", json=press)
            assert answer.status_code == 200
            assert (await events.until("you"))["used"] == 1
    truth.stop()


async def test_every_door_answers_only_with_messages_of_the_protocol(web: WebProcess) -> None:
    sale = await web.sale()
    ada = web.ticket(sale.drop)
    decode = {"snapshot": wire.Snapshot, "you": wire.You, "done": wire.Done, "tick": wire.Tick}
    async with web.http(ada[1]) as http:
        where = f"/api/drops/{sale.drop}"
        for answer in (
            await http.get(where),
            await http.get(f"{where}/you"),
            await http.post(f"{where}/hold", json={"pool": "pin"}),
        ):
            kind: Any = decode[answer.json()["t"]]
            msgspec.json.decode(answer.content, type=kind, strict=True)

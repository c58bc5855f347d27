"""The talk of a socket: who may sit down, what he hears, what he may say, how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from dropengine import outcomes, wire
from dropengine.live.queued_frames import QueueConn
from dropengine.live.seat import BACKLOG_BYTES_MAX, Frame
from dropengine.live.socket_protocol import LiveProtocol
from dropengine.payments.local import LocalPay
from dropengine.truth import scripts
from tests.kit import web_process
from tests.kit.event_stream import stream
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.local_provider import page_of
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.raw_socket import handshake, line
from tests.kit.web_process import LONG_S, Fan, Message, WebProcess, key, settings, until

server = web_process.server
web = web_process.web

WAYS: dict[str, str] = {
    "taken": "dropengine.live.socket_protocol:LiveProtocol",
    "queued": "uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol",
}
"""The protocol of our own, and uvicorn's as it is: the talk must be the same."""


@pytest.fixture(scope="module", params=WAYS)
async def any_house(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path_factory.mktemp("way"))
    async with web_process.front(conf, protocol=WAYS[request.param]) as one:
        yield one


async def test_the_first_word_is_a_snapshot_with_the_fans_own_state(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    ada = any_house.ticket(sale.drop)
    await sale.held(ada[0])
    async with any_house.fan(sale.drop, ada) as fan:
        (snapshot,) = fan.heard
        assert snapshot["drop"]["pools"]["pin"]["held"] == 1
        assert snapshot["you"]["fan"] == ada[0]
        assert [hold["id"] for hold in snapshot["you"]["holds"]] == ["h1"]
        assert fan.socket.subprotocol == "drop.v1"
        msgspec.convert(snapshot, wire.Snapshot)


async def test_a_key_that_is_none_lets_nobody_in(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    # The room is open: the short way is there.
    async with any_house.watcher(sale.drop):
        for key in (b"!" * 22 + b"==", b"A" * 24, b"A" * 22, b"=" * 24):
            said = handshake(any_house, sale.drop).replace(b"A" * 22 + b"==", key)
            async with line(any_house.port, said) as one:
                assert (await one.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_who_asks_for_no_subprotocol_gets_none(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.watcher(sale.drop, subprotocol=None) as watcher:
        assert watcher.socket.subprotocol is None


async def test_a_watcher_sees_the_stock_and_nobody(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    ada = any_house.ticket(sale.drop)
    async with any_house.fan(sale.drop, ada) as fan, any_house.watcher(sale.drop) as watcher:
        assert watcher.heard[0]["you"] is None
        seq = (await fan.ask("hold", pool="pin"))["seq"]
        assert (await watcher.tick(seq))["pools"]["pin"]["held"] == 1
        assert {message["t"] for message in watcher.heard} == {"snapshot", "tick"}
        assert ada[0] not in json.dumps(watcher.heard)


async def test_hello_says_who_one_is_and_may_say_it_again(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    (ada, first), (ben, second) = any_house.ticket(sale.drop), any_house.ticket(sale.drop)
    async with any_house.watcher(sale.drop) as fan:
        for who, ticket in ((ada, first), (ben, second), (ben, None)):
            await fan.raw(json.dumps({"t": "hello", "ticket": ticket}))
            assert (await fan.until("snapshot"))["you"]["fan"] == who
        hold = (await fan.ask("hold", pool="pin"))["hold"]
        record = await sale.store.hold(sale.drop, hold["id"])
        assert record is not None
        assert record.fan == ben
        room = any_house.runtime.hub.rooms[sale.drop]
        assert set(room.fans) == {ben}


async def test_a_bad_ticket_in_hello_ends_the_socket_for_good(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    for bad in ("f1.a.b.c", "x", "\0", "é", "f1." + "a" * 400):
        async with any_house.watcher(sale.drop) as fan:
            await fan.raw(json.dumps({"t": "hello", "ticket": bad}))
            assert await fan.closed() == wire.CloseCode.BAD_TICKET


async def test_a_bad_ticket_in_the_cookie_makes_a_watcher(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.watcher(sale.drop, ticket="f1.a.b.c") as fan:
        assert fan.heard[0]["you"] is None


async def test_a_drop_that_is_not_there_ends_the_socket_for_good(any_house: WebProcess) -> None:
    async with await any_house.dial("nowhere") as socket:
        assert await Fan(socket, None).closed() == wire.CloseCode.NO_SUCH_DROP


async def test_pong_gives_the_clients_clock_back_and_the_servers(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.watcher(sale.drop) as fan:
        await fan.raw('{"t":"ping","id":7,"c":123.5}')
        pong = await fan.until("pong")
        assert (pong["id"], pong["c"]) == (7, 123.5)
        assert abs(pong["s"] - await sale.store.time_ms()) < 10_000


@pytest.mark.parametrize(
    "c", ["0", "5", "-7", "123456789", "1800000000000", "9007199254740993", "0.25"]
)
async def test_what_a_ping_carries_comes_back_as_it_was_and_times_are_whole(
    any_house: WebProcess, c: str
) -> None:
    sale = await any_house.sale()
    async with any_house.watcher(sale.drop) as fan:
        await fan.raw(f'{{"t":"ping","id":7,"c":{c}}}')
        text = await fan.socket.recv()
        while '"t":"pong"' not in (text := str(text)):
            text = await fan.socket.recv()
        assert re.fullmatch(rf'{{"t":"pong","id":7,"c":{re.escape(c)},"s":[0-9]{{13}}}}', text)


@pytest.mark.parametrize("rest", ["", ',"c":null', ',"c":"5"', ',"c":true'])
async def test_a_ping_without_a_clock_is_no_message(any_house: WebProcess, rest: str) -> None:
    sale = await any_house.sale()
    async with any_house.watcher(sale.drop) as fan:
        await fan.raw(f'{{"t":"ping","id":7{rest}}}')
        assert (await fan.until("refused"))["code"] == "bad_message"


async def test_two_tabs_see_the_same_holds(any_house: WebProcess) -> None:
    sale = await any_house.sale(limit=3)
    ada = any_house.ticket(sale.drop)
    async with any_house.fan(sale.drop, ada) as one, any_house.fan(sale.drop, ada) as two:
        hold = (await one.ask("hold", pool="pin"))["hold"]
        for tab in (one, two):
            you = await tab.shows("you", lambda m: m["used"] == 1)
            assert you["holds"] == [hold]
        # The other tab's press of the same is answered with what there is.
        assert (await two.ask("hold", pool="pin"))["hold"]["id"] == hold["id"]
        await two.ask("pay", holds=[hold["id"]])
        pages = [(await tab.shows("you", paying))["holds"][0]["pay"] for tab in (one, two)]
        assert pages[0] == pages[1] != ""
        await one.ask("release", hold=hold["id"])
        for tab in (one, two):
            you = await tab.shows("you", lambda m: not m["holds"])
            assert (you["used"], you["ended"]["state"]) == (0, "released")


def paying(you: Message) -> bool:
    return bool(you["holds"]) and you["holds"][0]["state"] == "paying"


async def test_a_tab_in_another_process_sees_them_too(
    web: WebProcess, server: Server, tmp_path: Path
) -> None:
    sale = await web.sale()
    ada = web.ticket(sale.drop)
    async with (
        web_process.front(settings(server.url, tmp_path)) as other,
        web.fan(sale.drop, ada) as here,
        other.fan(sale.drop, ada) as there,
    ):
        hold = (await here.ask("hold", pool="pin"))["hold"]
        assert (await there.shows("you", lambda m: m["used"] == 1))["holds"] == [hold]
        await there.ask("release", hold=hold["id"])
        assert (await here.shows("you", lambda m: m["used"] == 0))["holds"] == []


async def test_you_is_never_older_than_the_one_before_and_ends_at_the_newest(
    any_house: WebProcess,
) -> None:
    sale = await any_house.sale(item("pin", {"pin": 50}, most=3), limit=50)
    ada = any_house.ticket(sale.drop)
    async with any_house.fan(sale.drop, ada) as one, any_house.fan(sale.drop, ada) as two:

        async def press(fan: Fan) -> None:
            for qty in (1, 2, 3, 1, 2, 3):
                made = await fan.ask("hold", pool="pin", qty=qty)
                await fan.ask("release", hold=made["hold"]["id"])

        await asyncio.gather(press(one), press(two))
        hold = (await one.ask("hold", pool="pin", qty=3))["hold"]
        for tab in (one, two):
            await tab.shows("you", lambda m: [h["id"] for h in m["holds"]] == [hold["id"]])
            seqs = [m["seq"] for m in tab.heard if m["t"] == "you"]
            assert seqs == sorted(seqs)
            ticks = [m["seq"] for m in tab.heard if m["t"] in ("tick", "snapshot")]
            assert ticks == sorted(ticks)


async def test_the_state_in_done_is_in_every_you_that_is_not_older(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        done = await fan.ask("hold", pool="pin")
        you = await fan.shows("you", lambda m: m["seq"] >= done["seq"])
        assert you["holds"] == [done["hold"]]


async def test_more_time_is_told_on_the_payment_page_too(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.fan(sale.drop) as fan:
        hold = (await fan.ask("hold", pool="pin"))["hold"]["id"]
        page = (await fan.ask("pay", holds=[hold]))["pay"][hold]
        longer = (await fan.ask("extend", hold=hold))["hold"]["deadline_ms"]
        await fan.shows("you", lambda m: m["holds"][0]["deadline_ms"] == longer)
        again = await fan.ask("pay", holds=[hold])
        assert again["pay"] == {hold: page}
        payments = web.runtime.payments.of("")
        assert isinstance(payments, LocalPay)
        bill = await payments.bill(page_of(page))
        assert bill is not None
        assert bill.intent.deadline_ms == longer


async def test_news_is_never_merged_away(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan, any_house.watcher(sale.drop) as watcher:
        for n in range(5):
            await sale.creator("message", text=f"word {n}")
        for one in (fan, watcher):
            while len([m for m in one.heard if m["t"] == "news"]) < 5:
                await one.hear()
            told = [m for m in one.heard if m["t"] == "news"]
            assert [m["text"] for m in told] == [f"word {n}" for n in range(5)]
            assert len({m["seq"] for m in told}) == 5


async def test_who_comes_later_finds_the_news_in_the_snapshot(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    text = "<b>\"'&\\ \u05d0 \U0001f31a"
    await sale.creator("message", text=text)
    async with any_house.watcher(sale.drop) as watcher:
        assert [news["text"] for news in watcher.heard[0]["drop"]["news"]] == [text]


async def test_every_command_has_its_answer_by_its_id(any_house: WebProcess) -> None:
    sale = await any_house.sale(item("pin", {"pin": 1}))
    async with any_house.fan(sale.drop) as ada, any_house.fan(sale.drop) as ben:
        hold = (await ada.ask("hold", pool="pin"))["hold"]["id"]
        full = await ben.ask("hold", pool="pin")
        assert (full["code"], full["free"], full["held"]) == ("all_held", 0, 1)
        assert full["text"]
        much = await ben.ask("hold", pool="pin", qty=100)
        assert (much["code"], much["room"]) == ("limit_reached", 3)
        entry = (await ben.ask("join", pools=["pin"]))["entry"]
        await ben.shows("you", lambda m: m["entries"] and m["entries"][0]["lines"][0]["place"] == 1)
        await ada.ask("release", hold=hold)
        offer = (await ben.shows("you", lambda m: m["holds"]))["holds"][0]
        assert (offer["origin"], offer["claimed"]) == ("line", False)
        assert (await ben.ask("claim", hold=offer["id"]))["hold"]["claimed"]
        again = await ada.ask("release", hold=hold)
        assert again["hold"]["state"] == "released"
        ended = await ada.ask("extend", hold=hold)
        assert (ended["code"], ended["state"]) == ("hold_expired", "released")
        assert (await ben.ask("leave", entry=entry))["entry"] == entry


async def test_a_repeat_on_another_socket_gets_the_first_answer(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    ada, once = any_house.ticket(sale.drop), key()
    async with any_house.fan(sale.drop, ada) as fan:
        first = (await fan.ask("hold", pool="pin", key=once))["hold"]
    async with any_house.fan(sale.drop, ada) as fan:
        assert (await fan.ask("hold", pool="pin", key=once))["hold"] == first
        assert (await fan.ask("hold", pool="pin", qty=2, key=once))["code"] == "key_reused"


async def test_two_tabs_that_pay_pay_the_same_thing(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    ada = any_house.ticket(sale.drop)
    async with any_house.fan(sale.drop, ada) as one, any_house.fan(sale.drop, ada) as two:
        hold = (await one.ask("hold", pool="pin"))["hold"]["id"]
        pages = await asyncio.gather(*(tab.ask("pay", holds=[hold]) for tab in (one, two)))
        assert pages[0]["pay"] == pages[1]["pay"]


async def test_one_payment_of_two_holds_is_answered_once(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        holds = [(await fan.ask("hold", pool="pin", qty=qty))["hold"]["id"] for qty in (1, 2)]
        done = await fan.ask("pay", holds=holds)
        assert set(done["pay"]) == set(holds)
        assert "refused" not in done
        assert len({*done["pay"].values()}) == 1
        assert done["payment"]["holds"] == holds
        you = await fan.shows("you", lambda m: "payments" in m)
        assert [one["id"] for one in you["payments"]] == [done["payment"]["id"]]
        overlap = await fan.ask("pay", holds=holds[:1])
        assert (overlap["code"], overlap["payment"]) == ("paying", done["payment"]["id"])
        assert overlap["page"] == done["payment"]["page"]
        assert (await fan.ask("pay", holds=[holds[0], "h99"]))["code"] == "not_found"
        twice = await fan.ask("pay", holds=[holds[0], holds[0]])
        assert twice["code"] == "bad_message"


async def test_a_basket_and_a_swap_are_answered_on_a_socket_too(any_house: WebProcess) -> None:
    sale = await any_house.sale(item("pin", {"pin": 2}), item("cap", {"cap": 2}), limit=9)
    async with any_house.fan(sale.drop) as fan:
        wants = [{"pools": ["pin"], "qty": 2}, {"pools": ["pin"]}]
        done = await fan.ask("basket", wants=wants)
        (had,), (missing,) = done["basket"]["had"], done["basket"]["missing"]
        assert (had["want"], missing["want"], missing["code"]) == (0, 1, "all_held")
        assert done["basket"]["n"] == int(had["hold"]["id"][1:])
        swapped = await fan.ask("swap", hold=had["hold"]["id"], pool="cap")
        assert swapped["hold"]["pool"] == "cap"
        you = await fan.shows("you", lambda m: m["seq"] >= swapped["seq"])
        assert [hold["pool"] for hold in you["holds"]] == ["cap"]
        twice = await fan.ask("basket", wants=[{"pools": ["pin", "pin"]}])
        assert twice["code"] == "bad_message"


NO_MESSAGES: list[str] = [
    "",
    "null",
    "[]",
    "1",
    '"hold"',
    "{",
    "{}",
    '{"t":"hold"}',
    '{"t":"nonsense"}',
    '{"t":7}',
    '{"t":"tick","seq":1}',
    '{"t":"hold","id":1,"key":"k","pool":"pin","fan":"ada"}',
    '{"t":"hold","id":-1,"key":"k","pool":"pin"}',
    '{"t":"hold","id":2147483648,"key":"k","pool":"pin"}',
    '{"t":"hold","id":' + "9" * 40 + ',"key":"k","pool":"pin"}',
    '{"t":"hold","id":1,"key":"k","pool":"pin","qty":' + "9" * 40 + "}",
    '{"t":"hold","id":1,"key":"k","pool":"pin","qty":0}',
    '{"t":"hold","id":1,"key":"k","pool":"pin","qty":101}',
    '{"t":"hold","id":1,"key":"k\\u0000","pool":"pin"}',
    '{"t":"hold","id":1,"key":"k\\n","pool":"pin"}',
    '{"t":"hold","id":1,"key":"k:\\"","pool":"pin"}',
    '{"t":"hold","id":1,"key":"\\ud800","pool":"pin"}',
    '{"t":"hold","id":1,"key":"' + "k" * 65 + '","pool":"pin"}',
    '{"t":"join","id":1,"key":"k","pools":[]}',
    '{"t":"join","id":1,"key":"k","pools":["pin","pin"]}',
    '{"t":"join","id":1,"key":"k","pools":[' + ",".join(['"p"'] * 17) + "]}",
    '{"t":"pay","id":1,"key":"k","holds":[]}',
    '{"t":"ping","id":1,"c":1e999}',
    '{"t":"ping","id":1,"c":NaN}',
    '{"t":"hello","ticket":""}',
    '{"t":"hello","ticket":"' + "x" * 513 + '"}',
    "[" * 2_000 + "]" * 2_000,
    '{"t":' * 500 + "1" + "}" * 500,
]


async def test_what_is_no_message_is_refused_and_the_socket_goes_on(
    any_house: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await any_house.sale()
    for text in NO_MESSAGES:
        async with any_house.fan(sale.drop) as fan:
            await fan.raw(text)
            said = await fan.until("refused")
            assert said["code"] == "bad_message", text
            assert said["text"].isprintable()
            await fan.raw('{"t":"ping","id":1,"c":0}')
            await fan.until("pong")
    assert await sale.counts() == (3, 0, 0, 0)
    assert caplog.text == ""


async def test_a_join_of_one_pool_twice_is_refused_to_its_command(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        said = await fan.ask("join", pools=["pin", "pin"])
        assert said["code"] == "bad_message"
        assert said["text"].endswith("a pool is named twice - at `$.pools`")
    async with any_house.watcher(sale.drop) as nobody:
        assert (await nobody.ask("join", pools=["pin", "pin"]))["code"] == "sign_in"


NO_TEXTS = {
    "a byte of nothing": b"\xff",
    "half a letter after a message": b'{"t":"ping","id":1,"c":0}\xc3',
    "half a surrogate in a word": b'{"t":"\xed\xa0\x80"}',
    "a longer way to write nothing": b"\xc0\x80",
    "beyond the last letter": b'{"t":"hello","ticket":"\xf4\x90\x80\x80"}',
    "in a key": b'{"t":"hold","id":1,"key":"\x80","pool":"pin","qty":1}',
    "in the name of a field": b'{"t":"hello","\xfe":1}',
    "in a field that nobody knows": b'{"t":"hello","more":"\xff"}',
}


@pytest.mark.parametrize("name", NO_TEXTS)
@pytest.mark.parametrize("pieces", [1, 3])
async def test_bytes_that_are_no_text_end_the_socket_and_nothing_follows(
    web: WebProcess, caplog: pytest.LogCaptureFixture, name: str, pieces: int
) -> None:
    sale = await web.sale()
    bad = NO_TEXTS[name]
    cut = -(-len(bad) // pieces)
    async with web.fan(sale.drop) as fan:
        parts = [bad[i : i + cut] for i in range(0, len(bad), cut)]
        await fan.socket.send(bad if pieces == 1 else parts, text=True)
        await fan.raw('{"t":"ping","id":2,"c":0}')
        assert await fan.closed() == wire.CloseCode.NO_TEXT
        assert not [one for one in fan.heard if one["t"] in ("refused", "pong")]
    await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)
    assert caplog.text == ""


async def test_letters_that_need_several_bytes_are_text(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        word = '{"t":"é漢😀"}'.encode()
        # Cut inside of letters: only the whole message must be text.
        await fan.socket.send([word[i : i + 1] for i in range(len(word))], text=True)
        assert (await fan.until("refused"))["code"] == "bad_message"


@pytest.mark.parametrize("offered", ["chat", "drop.v2", "Drop.v1", "drop.v,1", "a,b"])
async def test_who_offers_foreign_subprotocols_alone_is_not_let_in(
    any_house: WebProcess, offered: str
) -> None:
    sale = await any_house.sale()
    # The first one opens the room: there is a short way in.
    async with any_house.watcher(sale.drop):
        with pytest.raises(InvalidStatus) as caught:
            await any_house.dial(sale.drop, subprotocol=offered)
    assert caught.value.response.status_code == 400
    assert b"drop.v1" in (caught.value.response.body or b"")


@pytest.mark.parametrize("offered", ["drop.v1,chat", "chat,drop.v1"])
async def test_ours_is_chosen_wherever_it_stands(any_house: WebProcess, offered: str) -> None:
    sale = await any_house.sale()
    socket = await any_house.dial(sale.drop, subprotocol=offered)
    assert socket.subprotocol == "drop.v1"
    await socket.close()


async def test_a_binary_frame_ends_the_socket_and_nothing_follows(
    any_house: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        await fan.raw(b'{"t":"ping","id":1,"c":0}')
        assert await fan.closed() == wire.CloseCode.BAD_MESSAGE
    await until(lambda: not any_house.runtime.hub.rooms[sale.drop].seats)
    assert caplog.text == ""


async def test_a_frame_that_is_too_big_ends_the_socket(
    any_house: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await any_house.sale()
    for size in (4_097, 70_000):
        async with any_house.fan(sale.drop) as fan:
            await fan.raw("x" * size)
            assert await fan.closed() == wire.CloseCode.TOO_BIG
    # In pieces it is as big.
    async with any_house.fan(sale.drop) as fan:
        await fan.socket.send(["x" * 1_000] * 5)
        assert await fan.closed() == wire.CloseCode.TOO_BIG
    async with any_house.fan(sale.drop) as fan:
        await fan.raw("x" * 4_096)
        assert (await fan.until("refused"))["code"] == "bad_message"
    await until(lambda: not any_house.runtime.hub.rooms[sale.drop].seats)
    assert caplog.text == ""


async def test_a_message_in_pieces_is_a_message(any_house: WebProcess) -> None:
    sale = await any_house.sale()
    async with any_house.fan(sale.drop) as fan:
        await fan.socket.send(['{"t":"ping",', '"id":', '9,"c":0}'])
        assert (await fan.until("pong"))["id"] == 9


@pytest.mark.parametrize("what", ["messages", "nonsense"])
async def test_a_flood_ends_the_socket_and_no_other(any_house: WebProcess, what: str) -> None:
    sale = await any_house.sale()
    text = '{"t":"ping","id":1,"c":0}' if what == "messages" else "{"
    async with any_house.fan(sale.drop) as other, any_house.fan(sale.drop) as fan:
        for _ in range(100):
            await fan.raw(text)
        assert await fan.closed() == wire.CloseCode.FLOOD
        answers = [m for m in fan.heard if m["t"] in ("pong", "refused")]
        assert 40 <= len(answers) < 60
        assert (await other.ask("hold", pool="pin"))["t"] == "done"


@pytest.mark.parametrize("what", ["pings", "pieces"])
async def test_frames_that_are_no_messages_count_as_well(web: WebProcess, what: str) -> None:
    sale = await web.sale()
    async with web.fan(sale.drop) as fan:

        async def flood() -> None:
            if what == "pings":
                for _ in range(100):
                    await fan.socket.ping()
            else:
                await fan.socket.send([""] * 100)

        flooding = asyncio.create_task(flood())
        assert await fan.closed() == wire.CloseCode.FLOOD
        await asyncio.gather(flooding, return_exceptions=True)


async def test_a_press_of_one_who_left_before_it_was_sent_never_happens(
    server: Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    conf = settings(proxy.url, tmp_path, settle_ms=10_000, view_ms=10_000, tick_ms=5_000)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        await sale.store.press(sale.drop, [])
        async with web.fan(sale.drop) as ada, web.fan(sale.drop) as ben:
            room = web.runtime.hub.rooms[sale.drop]
            proxy.plan(Fate.DELAY, holding=scripts.load()["press"].sha)
            first = await ada.say("hold", pool="pin")
            await proxy.strikes(Fate.DELAY)
            await ben.say("hold", pool="pin")
            await ben.raw('{"t":"ping","id":1,"c":0}')
            # Frames are read in order, so the press stands in the queue now.
            await ben.until("pong")
            ben.socket.transport.abort()
            await until(lambda: len(room.seats) == 1)
            proxy.go()
            done = await ada.until("done")
            assert done["id"] == first
            # The next batch would have carried it.
            assert (await ada.ask("hold", pool="pin", qty=2))["t"] == "done"
        assert {hold.fan for hold in (await sale.truth()).holds.values()} == {ada.id}


CLOSE_BYTES_MAX = 127


@asynccontextmanager
async def narrow(web: WebProcess) -> AsyncIterator[None]:
    """Sockets accepted from here on have small buffers in the kernel, so a reader is soon slow."""
    web.listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 4_096)
    yield


def narrow_socket(port: int) -> sockets.socket:
    one = sockets.socket()
    one.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    one.connect(("127.0.0.1", port))
    one.setblocking(False)
    return one


async def test_a_slow_reader_slows_nobody_costs_little_and_is_closed_with_1013(
    server: Server, tmp_path: Path
) -> None:
    ended = asyncio.Event()

    class Watched(LiveProtocol):
        """Tells when the server closes it."""

        def end(self, code: int, reason: str) -> None:
            super().end(code, reason)
            if code == wire.CloseCode.BEHIND:
                ended.set()

    conf = settings(
        server.url,
        tmp_path,
        seat_behind_ms_max=1_000,
        messages_per_s_max=10_000,
    )
    async with web_process.front(conf, protocol=Watched) as web, narrow(web):
        sale = await web.sale(item("pin", {"pin": 100}), limit=100)
        ada = web.ticket(sale.drop)
        slow = await web.dial(sale.drop, ada[1], sock=narrow_socket(web.port), max_queue=1)
        async with slow, web.fan(sale.drop) as other:
            room = web.runtime.hub.rooms[sale.drop]
            await until(lambda: any(seat.fan == ada[0] and not seat.fresh for seat in room.seats))
            (seat,) = room.fans[ada[0]].seats
            # He asks and asks, and never takes an answer.
            while not seat.wants_tick:
                await slow.send('{"t":"ping","id":1,"c":0}')
                await asyncio.sleep(0)
            # Whatever of it was still on its way is answered before somebody else's question.
            await other.ask("claim", hold="h99")
            backlog = seat.conn.unsent()
            assert 0 < backlog <= BACKLOG_BYTES_MAX
            # Meanwhile the others see every change.
            while not ended.is_set():
                done = await other.ask("hold", pool="pin")
                await other.ask("release", hold=done["hold"]["id"])
                tick = await other.tick(done["seq"] + 1)
                assert tick["pools"]["pin"]["free"] == 100
                # Of all these ticks none is kept for him; at the end there is a close frame.
                assert seat.conn.unsent() < backlog + CLOSE_BYTES_MAX
            assert seat.gone
            assert ada[0] not in room.fans
            # Now he reads on, and learns why.
            assert await Fan(slow, None).closed() == wire.CloseCode.BEHIND
            assert (await other.ask("hold", pool="pin"))["t"] == "done"


async def test_who_catches_up_gets_the_newest_tick_and_his_whole_state(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(
        server.url,
        tmp_path,
        seat_behind_ms_max=60_000,
        messages_per_s_max=10_000,
    )
    async with web_process.front(conf) as web, narrow(web):
        sale = await web.sale(item("pin", {"pin": 1}))
        await sale.held("somebody")
        ada, others = web.ticket(sale.drop), [f"other-{n}" for n in range(10)]
        entries = [await sale.joined(fan) for fan in others]
        await sale.joined(ada[0])
        slow = await web.dial(sale.drop, ada[1], sock=narrow_socket(web.port), max_queue=1)
        async with slow, web.watcher(sale.drop) as watcher:
            fan = Fan(slow, ada[0])
            first = await fan.until("snapshot")
            assert first["you"]["entries"][0]["lines"][0]["place"] == 11
            room = web.runtime.hub.rooms[sale.drop]
            (seat,) = room.fans[ada[0]].seats
            while not seat.wants_tick:
                await slow.send('{"t":"ping","id":1,"c":0}')
                await asyncio.sleep(0)
            seq = 0
            for name, entry in zip(others, entries, strict=True):
                await sale.leave(name, entry)
                seq = (await sale.settle()).seq
                await watcher.tick(seq)
            you = await fan.shows("you", lambda m: m["seq"] >= seq)
            assert you["entries"][0]["lines"][0]["place"] == 1
            while not any(m["t"] == "tick" and m["seq"] >= seq for m in fan.heard):
                await fan.hear()
            assert not seat.wants_tick


async def test_a_network_has_so_many_sockets_and_http_goes_on(
    server: Server, tmp_path: Path
) -> None:
    async with (
        web_process.front(settings(server.url, tmp_path, sockets_per_network_max=3)) as web,
        AsyncExitStack() as people,
    ):
        sale = await web.sale()
        # All at once, for a drop that is not open here yet: the cap holds all the same.
        tries = await asyncio.gather(
            *(web.dial(sale.drop) for _ in range(10)), return_exceptions=True
        )
        denied = [one for one in tries if isinstance(one, InvalidStatus)]
        seated = [one for one in tries if not isinstance(one, BaseException)]
        assert (len(seated), len(denied)) == (3, 7)
        assert {one.response.status_code for one in denied} == {503}
        assert all(int(one.response.headers["Retry-After"]) >= 1 for one in denied)
        for one in seated:
            people.push_async_exit(one)
        async with web.http(web.ticket()[1]) as http:
            assert (await http.get("/healthz")).status_code == 200
            answer = await http.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin"})
            assert answer.status_code == 200
        # Another address of this machine is another network.
        async with web.watcher(sale.drop, local_addr=("127.0.0.2", 0)):
            pass
        await seated[0].close()
        room = web.runtime.hub.rooms[sale.drop]
        await until(lambda: len(room.seats) == 2)
        async with web.watcher(sale.drop):
            pass


async def test_a_worker_has_so_many_sockets(server: Server, tmp_path: Path) -> None:
    async with web_process.front(settings(server.url, tmp_path, sockets_max=2)) as web:
        sale = await web.sale()
        async with web.watcher(sale.drop), web.watcher(sale.drop):
            with pytest.raises(InvalidStatus) as denied:
                await web.dial(sale.drop, local_addr=("127.0.0.3", 0))
            assert denied.value.response.status_code == 503
            async with web.http() as http:
                assert (await http.get(f"/api/drops/{sale.drop}")).status_code == 200


async def test_a_seat_that_was_not_taken_is_free_again(server: Server, tmp_path: Path) -> None:
    async with web_process.front(settings(server.url, tmp_path, sockets_max=1)) as web:
        sale = await web.sale()
        for _ in range(3):
            async with await web.dial("nowhere") as socket:
                assert await Fan(socket, None).closed() == wire.CloseCode.NO_SUCH_DROP
            async with web.watcher(sale.drop):
                pass
            await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)


async def test_too_many_arrivals_at_once_come_back(server: Server, tmp_path: Path) -> None:
    async with (
        web_process.front(settings(server.url, tmp_path, handshakes_per_s_max=1)) as web,
        AsyncExitStack() as people,
    ):
        sale = await web.sale()
        tries = await asyncio.gather(
            *(web.dial(sale.drop) for _ in range(10)), return_exceptions=True
        )
        for one in tries:
            if not isinstance(one, BaseException):
                people.push_async_exit(one)
        denied = [one for one in tries if isinstance(one, InvalidStatus)]
        assert denied
        assert {one.response.status_code for one in denied} == {503}


async def test_a_server_that_stops_says_come_back(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for way in WAYS.values():
        async with web_process.front(settings(server.url, tmp_path), protocol=way) as web:
            sale = await web.sale()
            async with web.fan(sale.drop) as fan, web.watcher(sale.drop) as watcher:
                stopping = asyncio.create_task(web.stop())
                assert await fan.closed() == wire.CloseCode.RESTART
                assert await watcher.closed() == wire.CloseCode.RESTART
                await stopping
    assert caplog.text == ""


async def test_told_to_stop_everything_open_ends_at_once_and_nobody_sits_down(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    try:
        # Whatever kept it open would keep it open for ever.
        conf = settings(server.url, tmp_path)
        async with web_process.front(conf, timeout_graceful_shutdown=None) as web:
            sale = await web.sale()
            async with (
                web.fan(sale.drop) as fan,
                stream(web, sale.drop) as events,
                web.http() as http,
            ):
                await events.until("snapshot")
                signal.raise_signal(signal.SIGTERM)
                assert await fan.closed() == wire.CloseCode.RESTART
                while await events.hear() is not None:
                    pass
                # Whoever listened before heard it too.
                assert told == [signal.SIGTERM]
                with pytest.raises(InvalidStatus) as denied:
                    await web.dial(sale.drop)
                assert denied.value.response.status_code == 503
                assert (await http.get(f"/drops/{sale.drop}/events")).status_code == 503
                assert (await http.get(f"/api/drops/{sale.drop}")).status_code == 200
            async with asyncio.timeout(LONG_S):
                await web.stop()
        signal.raise_signal(signal.SIGTERM)
        assert told == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caplog.text == ""


async def test_a_shop_whose_server_is_away_says_so_and_takes_the_same_press_later(
    tmp_path: Path,
) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    conf = settings(truth.url, tmp_path, view_ms=100, redis_timeout_ms=500)
    for protocol in WAYS.values():
        async with web_process.front(conf, protocol=protocol) as web:
            sale = await web.sale()
            async with web.fan(sale.drop) as fan:
                truth.kill()
                tick = await fan.until("tick", lambda m: m.get("away", False))
                assert tick["pools"]["pin"]["free"] == 3
                once = key()
                away = await fan.ask("hold", pool="pin", key=once)
                assert (away["code"], away["retry_ms"]) == ("away", 1000)
                truth.start()
                back = await fan.until("tick", lambda m: not m.get("away", False))
                assert back["seq"] >= tick["seq"]
                done = await fan.ask("hold", pool="pin", key=once)
                assert done["hold"]["key"] == once
                assert (await fan.shows("you", lambda m: m["holds"]))["used"] == 1
    truth.stop()


async def test_who_comes_while_the_server_is_away_is_told_to_come_back(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    async with web_process.front(settings(truth.url, tmp_path, redis_timeout_ms=500)) as web:
        sale = await web.sale()
        truth.kill()
        with pytest.raises(InvalidStatus) as denied:
            await web.dial(sale.drop)
        assert denied.value.response.status_code == 503
        truth.start()
        async with web.fan(sale.drop) as fan:
            assert (await fan.ask("hold", pool="pin"))["t"] == "done"
    truth.stop()


async def test_a_log_that_went_back_is_shown_anew_under_a_new_epoch(tmp_path: Path) -> None:
    """A restored backup: screens must believe the older state, and know why they may."""
    folder = tmp_path / "truth"
    truth = Server(folder, durable=True).start()
    conf = settings(truth.url, tmp_path, view_ms=100, redis_timeout_ms=500)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        ada = web.ticket(sale.drop)
        async with web.fan(sale.drop, ada) as fan, web.watcher(sale.drop) as watcher:
            epoch = fan.heard[0]["drop"]["epoch"]
            saved = {path: path.read_bytes() for path in folder.rglob("*.aof*")}
            assert saved
            await fan.ask("hold", pool="pin")
            seq = (await fan.ask("hold", pool="pin", qty=2))["seq"]
            await watcher.tick(seq)
            truth.kill()
            await fan.until("tick", lambda m: m.get("away", False))
            for path, content in saved.items():
                path.write_bytes(content)
            truth.start()
            for one in (fan, watcher):
                snapshot = await one.until("snapshot")
                assert snapshot["seq"] < seq
                assert snapshot["drop"]["pools"]["pin"]["free"] == 3
                assert snapshot["drop"]["epoch"] != epoch
            you = next(m for m in reversed(fan.heard) if m["t"] == "snapshot")["you"]
            assert (you["used"], you["holds"]) == (0, [])
            done = await fan.ask("hold", pool="pin")
            tick = await watcher.until("tick", lambda m: m["seq"] >= done["seq"])
            assert tick["pools"]["pin"]["held"] == 1
            await fan.shows("you", lambda m: m["holds"] == [done["hold"]])
    truth.stop()


async def test_a_drop_that_is_lost_sends_everybody_to_look_again(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth").start()
    conf = settings(truth.url, tmp_path, view_ms=100, redis_timeout_ms=500)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        async with web.fan(sale.drop) as fan:
            truth.kill()
            truth.start()
            assert await fan.closed() == wire.CloseCode.RESTART
        async with await web.dial(sale.drop) as socket:
            assert await Fan(socket, None).closed() == wire.CloseCode.NO_SUCH_DROP
    truth.stop()


async def test_a_queue_gives_frames_in_order_and_counts_what_was_not_taken() -> None:
    conn = QueueConn()
    two = Frame(b"two!")
    one = Frame(b"one", two)
    conn.push(one)
    assert conn.unsent() == 7
    first, second = await conn.next(), await conn.next()
    assert first is not None
    assert second is two
    assert first.text == b"one"
    assert conn.unsent() == 0
    conn.push(two)
    conn.end(1013, "too far behind")
    conn.end(1012, "later")
    conn.push(two)
    assert await conn.next() is two
    assert await conn.next() is None
    assert conn.code == 1013


async def test_a_room_without_a_reader_of_queues_keeps_little(web: WebProcess) -> None:
    """A queue that nobody takes from: ticks are passed over, and the rest ends it."""
    sale = await web.sale(item("pin", {"pin": 100}), limit=100)
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    conn = QueueConn()
    seat = room.sit(conn, None)
    async with web.fan(sale.drop) as fan:
        text = "x" * 500
        while not seat.gone:
            for _ in range(5):
                outcome = await sale.creator("message", text=text)
            assert isinstance(outcome, outcomes.Changed)
            await fan.until("news", lambda m, seq=outcome.seq: m["seq"] >= seq)  # type: ignore[misc]
            assert conn.unsent() < (1 << 18) + 5_000
    assert conn.code == wire.CloseCode.BEHIND

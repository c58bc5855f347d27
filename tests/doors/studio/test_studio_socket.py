"""The operators' socket: who may look, and that what he is shown adds up over all workers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import websockets.asyncio.client as sockets
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from dropengine.people.roles import Scope
from dropengine.wire import CloseCode
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import Fan, Message, WebProcess, front

server = web_process.server
studio = studio_kit.studio


def cookie_of(studio: Studio, hand: Hand) -> dict[str, str]:
    return {"cookie": f"maker-{studio.web.runtime.shop[:8]}={hand.cookie('maker')}"}


@contextlib.asynccontextmanager
async def looking(
    web: WebProcess,
    drop: str,
    headers: dict[str, str],
    *,
    origin: str | None = "",
    subprotocol: str = "studio.v1",
) -> AsyncIterator[Fan]:
    """An operator's socket."""
    async with sockets.connect(
        f"ws://127.0.0.1:{web.port}/studio/drops/{drop}/live",
        origin=None if origin is None else Origin(origin or web.url),
        additional_headers=headers,
        subprotocols=[Subprotocol(subprotocol)],
        compression=None,
        proxy=None,
        ping_interval=None,
        close_timeout=1,
    ) as one:
        yield Fan(one, None)


async def refused(web: WebProcess, drop: str, headers: dict[str, str], **more: Any) -> int:
    """The status with which somebody is not let in."""
    with pytest.raises(InvalidStatus) as fault:
        async with looking(web, drop, headers, **more):
            pass
    return fault.value.response.status_code


async def test_a_session_and_a_key_look_and_nobody_else(studio: Studio) -> None:
    read, other = await studio.api_key(Scope.READ), await studio.api_key(Scope.READ, studio.pots)
    async with studio.person("ben") as ben, studio.person("dan") as dan:
        drop = await studio.publish(ben)
        web, cyd = studio.web, {"authorization": f"Bearer {read}"}
        async with looking(web, drop, cookie_of(studio, ben)) as panel:
            assert panel.socket.subprotocol == "studio.v1"
            assert (await panel.hear())["t"] == "snapshot"
            assert (await panel.until("desk"))["people"] == ["ben"]
        async with looking(web, drop, cyd, origin=None) as program:
            assert (await program.until("desk"))["people"][0].startswith("key the read ")
        assert await refused(web, drop, {}) == 401
        assert await refused(web, drop, {"cookie": "maker-x=y"}) == 401
        assert await refused(web, drop, {"authorization": "Bearer no"}, origin=None) == 401
        strangers = {"authorization": f"Bearer {other}"}
        for where in (drop, "no-such-drop"):
            assert await refused(web, where, strangers, origin=None) == 404
            assert await refused(web, where, cookie_of(studio, dan)) == 404
        # A page of others lends the browser's cookie to nobody.
        evil = cookie_of(studio, ben)
        assert await refused(web, drop, evil, origin="http://evil.example") == 403
        assert await refused(web, drop, evil, subprotocol="drop.v1") == 400


async def test_the_numbers_add_up_and_tell_what_happened(studio: Studio) -> None:
    sale = await studio.web.sale(title="Lamp")
    async with (
        studio.person("ada") as ada,
        looking(studio.web, sale.drop, cookie_of(studio, ada)) as panel,
        studio.web.fan(sale.drop) as fan,
        studio.web.watcher(sale.drop) as other,
    ):
        done = await fan.ask("hold", pool="pin", qty=1)
        await fan.ask("pay", holds=[done["hold"]["id"]])
        assert (await other.ask("hold", pool="pin"))["code"] == "sign_in"

        def there(m: Message) -> bool:
            return bool(m["funnel"]["paying"] == 1 and m["refused"])

        desk = await panel.until("desk", there)
        units = desk["units"]
        assert units.pop("made") == sum(units.values()) == 3
        assert units["carts"] == 1
        assert (desk["funnel"]["watching"], desk["funnel"]["held"]) == (2, 1)
        assert desk["refused"] == {"sign_in": 1}
        assert sum(desk["pace"]["commands"]) == 2
        (end,) = desk["line"]["ends"]
        assert (end["hold"], end["what"]) == (done["hold"]["id"], "paying")
        assert end["deadline_ms"] > desk["now"]
        assert any("held" in line["text"] for line in desk["feed"])
        await sale.succeeded(done["hold"]["id"], "charge-1")
        desk = await panel.until("desk", lambda m: m["funnel"]["paid"] == 1)
        assert (desk["money"]["kept"], desk["funnel"]["paying"]) == (2400, 0)
        await sale.creator("pause")
        tick = await panel.until("tick", lambda m: m["state"] == "paused")
        desk = await panel.until("desk", lambda m: m["seq"] >= tick["seq"])
        assert "paused the drop" in desk["feed"][0]["text"]


async def test_the_first_ten_of_the_line_are_shown(studio: Studio) -> None:
    sale = await studio.web.sale()
    await sale.hold("a", qty=3)
    for number in range(12):
        await sale.join(f"f{number}")
    async with (
        studio.person("ada") as ada,
        looking(studio.web, sale.drop, cookie_of(studio, ada)) as panel,
    ):
        desk = await panel.until("desk", lambda m: m["line"]["next"])
        assert [one["n"] for one in desk["line"]["next"]] == [*range(1, 11)]
        assert desk["line"]["waiting"] == 12


async def test_what_workers_know_is_added_up_by_whoever_shows_it(studio: Studio) -> None:
    sale = await studio.web.sale()
    conf = msgspec.structs.replace(studio.web.runtime.settings, port=0)
    async with (
        front(conf) as sibling,
        studio.person("ada") as ada,
        studio.person("ben") as ben,
        looking(studio.web, sale.drop, cookie_of(studio, ada)) as panel,
        looking(sibling, sale.drop, cookie_of(studio, ben)) as beside,
        studio.web.watcher(sale.drop) as here,
        sibling.watcher(sale.drop) as there,
    ):
        for one in (here, there, there):
            await one.ask("hold", pool="pin")

        def whole(m: Message) -> bool:
            return m["refused"] == {"sign_in": 3} and {*m["people"]} == {"ada", "ben"}

        for looker in (panel, beside):
            desk = await looker.until("desk", whole)
            assert desk["funnel"]["watching"] == 2
            assert len(desk["health"]["workers"]) == 2


async def test_while_nobody_looks_a_worker_writes_nothing(studio: Studio) -> None:
    sale = await studio.web.sale()
    conf = msgspec.structs.replace(studio.web.runtime.settings, port=0)
    async with front(conf) as alone, alone.watcher(sale.drop) as fan:
        await fan.ask("hold", pool="pin")
        store, job = alone.runtime.store, alone.runtime.desks
        names = store.house.keys
        for _ in range(2):
            # Others, who looked in tests before, are forgotten.
            await store.client.delete(names.desks, names.looked)
            await job.round()
        assert not await store.client.hexists(names.desks, job.me)
        async with (
            studio.person("ada") as ada,
            looking(alone, sale.drop, cookie_of(studio, ada)) as panel,
        ):
            await panel.until("desk")
            for _ in range(2):
                await job.round()
            assert await store.client.hexists(names.desks, job.me)


async def test_who_signs_out_looks_no_more(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with (
        studio.person("ada") as ada,
        looking(studio.web, sale.drop, cookie_of(studio, ada)) as panel,
    ):
        await panel.until("desk")
        assert (await ada.post("/sign-out")).status_code == 200
        studio.web.runtime.desks.ask_s = 0
        assert await panel.closed() == CloseCode.BAD_TICKET


async def test_a_panel_says_hello_and_ping_like_everybody(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with (
        studio.person("ada") as ada,
        looking(studio.web, sale.drop, cookie_of(studio, ada)) as panel,
    ):
        await panel.until("snapshot")
        await panel.raw(json.dumps({"t": "ping", "id": 7, "c": 1}))
        assert (await panel.until("pong"))["id"] == 7
        await panel.raw(json.dumps({"t": "hello"}))
        await panel.until("snapshot")
        await panel.raw(json.dumps({"t": "hello", "ticket": "somebody"}))
        assert await panel.closed() == CloseCode.BAD_TICKET


async def test_a_panel_is_counted_as_every_socket_is(studio: Studio) -> None:
    sale = await studio.web.sale()
    conf = msgspec.structs.replace(studio.web.runtime.settings, port=0, sockets_max=1)
    async with front(conf) as small, studio.person("ada") as ada:
        async with small.watcher(sale.drop):
            assert await refused(small, sale.drop, cookie_of(studio, ada)) == 503
        async with looking(small, sale.drop, cookie_of(studio, ada)) as panel:
            await panel.until("snapshot")
            await small.stop()
            assert await panel.closed() == CloseCode.RESTART

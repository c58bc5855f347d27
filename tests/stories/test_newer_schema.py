"""A newer version has lifted one drop of the server to its own layout; this one is still running.

To everybody who asks here this drop is away, with the reason; nothing of it is touched; the others
are served as ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from websockets.exceptions import InvalidStatus

from dropengine import events, model, refusals
from dropengine.catalogue import ENGLISH
from dropengine.errors import NewerSchema
from dropengine.model import DropId, FanId, HoldId
from dropengine.truth import keys
from dropengine.truth.store import Store
from dropengine.wire import CloseCode
from tests.kit import web_process
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, front, settings
from tests.lua import test_common_rows

server = web_process.server

SCHEMA = model.SCHEMA + 1
WHY = ENGLISH(NewerSchema.told)


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    """A web process that looks at a drop when somebody asks, and seldom besides."""
    async with front(settings(server.url, tmp_path, view_ms=10_000)) as one:
        yield one


async def lift(store: Store, drop: DropId) -> dict[str, Any]:
    """What a newer version does, as far as can be seen from here; every key of the drop then."""
    await store.client.hset(keys.one(drop, "drop"), "schema", SCHEMA)
    return await everything(store, drop)


async def everything(store: Store, drop: DropId) -> dict[str, Any]:
    return {name: await store.client.dump(keys.one(drop, name)) for name in keys.ALL}


async def test_a_fan_is_told_that_his_drop_has_moved_on(web: WebProcess) -> None:
    lifted, other = await web.sale(), await web.sale()
    store = web.runtime.store
    async with web.fan(lifted.drop) as ana, web.fan(other.drop) as bo:
        # Once its tick has come the room rests: her press comes before its next look.
        held = await ana.ask("hold", pool="pin")
        await ana.tick(held["seq"])
        before = await lift(store, lifted.drop)
        answer = await ana.ask("hold", pool="pin")
        assert (answer["t"], answer["code"]) == ("refused", "away")
        assert answer["text"] == f"{refusals.Away.sentence} {WHY}"
        assert answer["retry_ms"] > 0
        done = await bo.ask("hold", pool="pin")
        assert done["t"] == "done"
        await bo.tick(done["seq"])

        _, ticket = web.ticket()
        async with web.http(ticket) as http:
            asked = {"pool": "pin", "qty": 1, "key": "k"}
            pressed = await http.post(f"/api/drops/{lifted.drop}/hold", json=asked)
            assert pressed.status_code == 503
            assert pressed.headers["retry-after"] == "1"
            assert (pressed.json()["code"], pressed.json()["detail"]) == ("away", WHY)
            assert (await http.post(f"/api/drops/{other.drop}/hold", json=asked)).status_code == 200

            # Whoever looks at it sees that the room is over; its seats dial again.
            for way in ("", "/you"):
                state = await http.get(f"/api/drops/{lifted.drop}{way}")
                assert (state.status_code, state.json()["detail"]) == (503, WHY)
            assert await ana.closed() == CloseCode.RESTART
            events_ = await http.get(f"/drops/{lifted.drop}/events")
            assert (events_.status_code, events_.json()["detail"]) == (503, WHY)
            pressed = await http.post(f"/api/drops/{lifted.drop}/hold", json=asked)
            assert (pressed.status_code, pressed.json()["detail"]) == (503, WHY)

            page = await http.get(f"/drops/{lifted.drop}")
            assert page.status_code == 503
            assert WHY in page.text
            assert (await http.get(f"/drops/{other.drop}")).status_code == 200

    with pytest.raises(InvalidStatus) as refused:
        await web.dial(lifted.drop)
    assert refused.value.response.status_code == 503
    assert WHY.encode() in (refused.value.response.body or b"")
    assert await everything(store, lifted.drop) == before


async def test_the_lists_leave_out_what_cannot_be_read(web: WebProcess) -> None:
    lifted, other = await web.sale(), await web.sale()
    await lift(web.runtime.store, lifted.drop)
    async with web.http() as http:
        listed = [line["id"] for line in (await http.get("/api/drops")).json()]
        assert other.drop in listed
        assert lifted.drop not in listed
        page = (await http.get("/")).text
        assert f"/drops/{other.drop}" in page
        assert f"/drops/{lifted.drop}" not in page


async def test_the_worker_goes_on_for_the_others_and_says_it_once(
    web: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    store = web.runtime.store
    now = await store.time_ms()
    other = Sale(store, "by-its-clock", now=0)
    await other.publish(manifest("by-its-clock", opens_ms=now + 300, closes_ms=now + 400))
    # Rounds of settling begin with the newest drop, so it stands before the other.
    lifted = await web.sale()
    before = await lift(store, lifted.drop)
    async with asyncio.timeout(LONG_S):
        # Read as it is stored: every script would settle it first.
        while (await other.truth()).drop["state"] != "settled":  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    async with web.http() as http:
        for _ in range(3):
            assert (await http.get(f"/drops/{lifted.drop}")).status_code == 503
        assert (await http.get("/readyz")).json()["settler"] == "ok"
    about = [record for record in caplog.records if lifted.drop in record.getMessage()]
    (told,) = (record for record in about if record.levelno >= logging.WARNING)
    assert f"is kept in layout {SCHEMA}" in told.getMessage()
    assert await everything(store, lifted.drop) == before


async def test_the_log_names_the_drop_its_layout_and_ours_once(
    sale: Sale, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(client)
    await lift(store, sale.drop)
    for _ in range(3):
        with pytest.raises(NewerSchema):
            await store.settle(sale.drop)
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        f"{sale.drop} is kept in layout {SCHEMA}; this version of Drop Engine knows layouts up to "
        f"{model.SCHEMA} and leaves the drop alone. Run the newer version here too."
    )


async def test_no_script_touches_what_it_does_not_know(sale: Sale) -> None:
    hold = HoldId(await sale.held("ana"))
    await sale.called("bo")
    before = await lift(sale.store, sale.drop)
    sale.now += 3_600_000
    creators = {
        verb: (sale.revision, "o1", "k", *more) for verb, more in test_common_rows.CREATORS.items()
    }
    others = test_common_rows.OTHERS | {
        **dict.fromkeys(("press", "go_on", "you"), (b"\x90",)),
        "succeeded": (hold, "c1", 2400, "EUR", 1, "", "a-key"),
        "doubt_clock": (),
    }
    for verb, args in (creators | others).items():
        with pytest.raises(NewerSchema) as refused:
            await raw(sale, verb, *args)
        assert (refused.value.drop, refused.value.schema) == (sale.drop, SCHEMA), verb
    with pytest.raises(NewerSchema):
        await sale.truth()
    with pytest.raises(NewerSchema):
        await sale.store.glances.ahead(sale.drop, 5)
    with pytest.raises(NewerSchema):
        await sale.store.show(sale.drop)
    with pytest.raises(NewerSchema):
        await sale.store.rewrite(sale.drop, "charges", "hash", ["c1", "sold|h1"], [])
    with pytest.raises(NewerSchema):
        await sale.store.charge_ids.name(sale.drop, {"c1": "ch_1"})
    with pytest.raises(NewerSchema):
        await sale.store.adopt(sale.drop, FanId("ana"), FanId("pia"))
    with pytest.raises(NewerSchema):
        await sale.store.sealed(sale.drop)
    beside = {
        "name_charges",
        "publish",
        "sealed",
        "audit",
        "ahead",
        "rewrite",
        "bring_back",
        "take_rows",
        "take_answers",
    }
    with pytest.raises(NewerSchema):
        await sale.store.past.archive(sale.drop, 1)
    beside |= {
        "archive",
        "take_holds",
        "lease",
        "admit",
        "prove",
        "lay_claim",
        "keep_claim",
        "exchange",
        "revoke",
    }
    assert set(creators | others) | beside == set(sale.store._scripts)
    assert await everything(sale.store, sale.drop) == before


async def test_once_this_version_knows_the_layout_the_drop_is_here_again(
    web: WebProcess,
) -> None:
    """As after the upgrade: nothing remembers that it was away."""
    sale = await web.sale()
    store = web.runtime.store
    await lift(store, sale.drop)
    async with web.http() as http:
        assert (await http.get(f"/drops/{sale.drop}")).status_code == 503
        await store.client.hset(keys.one(sale.drop, "drop"), "schema", model.SCHEMA)
        assert (await http.get(f"/drops/{sale.drop}")).status_code == 200
    async with web.fan(sale.drop) as ana:
        assert (await ana.ask("hold", pool="pin"))["t"] == "done"
    log = [events.parse(line) async for line in store.log(sale.drop)]
    assert isinstance(log[-1], events.Held)

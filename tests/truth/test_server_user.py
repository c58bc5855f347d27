"""What the protocol page says the server's user must be allowed is enough for a whole sale."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from dropengine import outcomes
from dropengine.errors import ServerWeaker
from dropengine.truth import connections, keys
from dropengine.truth.server_check import check_server_async
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
SENTENCE = re.search(r"(?s)The user of `REDIS_URL` needs.*?counts as weaker", PAGE.read_text())


def allowed() -> list[str]:
    """The commands of the page as the server's own rules."""
    assert SENTENCE is not None
    named = re.findall(r"`([A-Z][A-Z ]+)`", SENTENCE[0])
    return ["+" + name.lower().replace(" ", "|") for name in named]


@pytest.fixture(params=[None, "shop", "0-9", "y" * 32])
def prefix(request: pytest.FixtureRequest) -> str | None:
    """What stands before all names of the shop: its user reaches no others."""
    found: str | None = request.param
    return found


@pytest.fixture
async def user(server: Server, client: Any, prefix: str | None) -> AsyncIterator[str]:
    """The address of a server for a user who may do just that, whatever shop ran there before."""
    house = Store(client, prefix=prefix).house
    await house.forget_claim()
    await client.delete(house.keys.lease("job"))
    names = f"{prefix}:{{*" if prefix else "{*"
    rules = [
        "reset",
        "on",
        ">word",
        "resetkeys",
        f"~{names}",
        "resetchannels",
        f"&{names}",
        "-@all",
    ]
    await client.execute_command("ACL", "SETUSER", "shop", *rules, *allowed())
    yield f"unix://shop:word@{server.socket}"
    await client.execute_command("ACL", "DELUSER", "shop")


async def test_a_sale_from_its_publishing_to_its_audit(
    user: str, prefix: str | None, drop: str, client: Any
) -> None:
    store = Store.connect(user, prefix)
    await check_server_async(store.client, accept_weaker=True, prefix=prefix)
    sale = Sale(store, drop)
    await sale.publish(manifest(drop, item("pin", {"pin": 3}), pace=9, pace_ms=1000))
    await sale.creator("open")
    order = await sale.bought("ana")
    hold = await sale.held("bo", qty=2)
    await sale.leave("cy", await sale.joined("cy", qty=2))
    await sale.joined("di")
    await sale.release("bo", hold)
    await sale.refund(order)
    assert isinstance(await sale.creator("message", text="word"), outcomes.Changed)
    await store.view(sale.drop, clock_ms=sale.now)
    await sale.settle()
    assert await store.duties(sale.drop)
    assert await store.house.lease("job", "me", 1000)
    await store.house.admit([("near", "wide")], 1, 1000)
    assert sale.drop in await store.drops()
    assert await sale.log()
    assert (await sale.truth()).drop["state"] == "live"
    await sale.creator("cancel", key="last")
    await sale.creator("cancel")
    assert await store.hold(sale.drop, hold)
    assert await store.records(sale.drop, "wake", ["now"]) != []
    assert await store.published_layout(sale.drop)
    await store.house.prove("me")
    await store.doubt_clock(sale.drop)
    await client.hset(keys.one(drop, "drop", prefix), "state", "frozen")
    await store.rewrite(sale.drop, "outbox", "hash", (), ())
    assert (sale.drop in await Store(client).drops()) == (prefix is None)
    await store.close()


async def test_a_user_of_one_prefix_reaches_no_other(user: str, prefix: str | None) -> None:
    for other in {None, "shop", "shop-2"} - {prefix}:
        store = Store.connect(user, other)
        with pytest.raises(ServerWeaker, match="must not reach keys and channels"):
            await check_server_async(store.client, accept_weaker=True, prefix=other)
        await store.close()


async def test_the_channels_of_drops_can_be_heard(user: str, prefix: str | None) -> None:
    one = connections.client(user, timeout_s=None, connections=1)
    async with one.pubsub() as heard:
        await heard.subscribe(keys.nudge("drop", prefix))
        await heard.unsubscribe(keys.nudge("drop", prefix))
    await one.aclose(close_connection_pool=True)


@pytest.mark.parametrize(
    "command", [("KEYS", "*"), ("FLUSHALL",), ("GET", "other"), ("DEL", "{a}")]
)
async def test_the_user_may_do_no_harm_beside_it(user: str, command: tuple[str, ...]) -> None:
    one: Any = connections.client(user)
    with pytest.raises(redis.ResponseError):
        await one.execute_command(*command)
    await one.aclose(close_connection_pool=True)

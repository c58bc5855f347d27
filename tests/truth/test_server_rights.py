"""A right that the server's user lacks is found before anything is sold, and named."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from dropengine.errors import ServerWeaker
from dropengine.truth import scripts, server_rights
from dropengine.truth.server_check import check_server, check_server_async
from tests.kit.freezing import forbid, weak_store
from tests.kit.private_server import Server
from tests.kit.server_owner import ask
from tests.truth.test_server_user import allowed

SETTINGS = Path(__file__).parents[2] / "docs" / "settings.md"
CALLS = re.compile(r"redis\.p?call\('([A-Z]+)'")
ANSWERS = {"EXISTS"}
"""Words of ours that are commands of the server as well."""


@pytest.fixture
async def weak(server: Server, client: Any) -> AsyncIterator[str]:
    """The address of a server for a user who may do everything, until a test says otherwise."""
    async with weak_store(server, client):
        yield server.url.replace("unix://", "unix://weak:pw@")


async def test_every_command_of_the_scripts_is_tried(client: Any) -> None:
    texts = [script.text for script in scripts.load().values()]
    commands = {name.upper() for name in await client.command()}
    named = {word for text in texts for word in re.findall(r"'([A-Z]+)'", text)}
    called = {word for text in texts for word in CALLS.findall(text)}
    assert called <= named & commands
    assert named & commands - ANSWERS <= set(server_rights.TRIES)
    # What no script calls, the store does.
    assert set(server_rights.TRIES) - named == {"EVAL", "EVALSHA", "ZREVRANGE"}


def test_every_command_that_is_tried_stands_on_both_pages() -> None:
    words = SETTINGS.read_text(encoding="utf-8").split("ACL SETUSER shop")[1].split("`")[0]
    rules = set(re.findall(r"\+([a-z|]+)", words))
    assert rules == {rule.removeprefix("+") for rule in allowed()}
    assert {name.lower() for name in server_rights.TRIES} <= rules


async def test_trying_leaves_nothing_behind(server: Server, client: Any) -> None:
    before = await client.keys("*")
    with ask(server.url) as one:
        check_server(one, accept_weaker=True)
        replies = server_rights.trial(one.pipeline(False)).execute(False)
    told = dict(zip(server_rights.TRIES, replies, strict=True))
    faults = [name for name, reply in told.items() if isinstance(reply, Exception)]
    assert faults == ["EVALSHA"], "there is no such script, which is the answer"
    assert await client.keys("*") == before


@pytest.mark.parametrize("command", list(server_rights.TRIES))
async def test_each_command_that_is_refused_is_named(weak: str, client: Any, command: str) -> None:
    await forbid(client, command.lower())
    with ask(weak) as one, pytest.raises(ServerWeaker, match=f"must not run {command}, and"):
        check_server(one, accept_weaker=True)
    other = redis.asyncio.Redis.from_url(weak)
    with pytest.raises(ServerWeaker, match=f"must not run {command}, and"):
        await check_server_async(other, accept_weaker=True)
    await other.aclose()


async def test_all_that_is_refused_is_named_at_once(weak: str, client: Any) -> None:
    for command in ("xadd", "zadd"):
        await forbid(client, command)
    with ask(weak) as one, pytest.raises(ServerWeaker, match="must not run ZADD, XADD, and"):
        check_server(one, accept_weaker=True)


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (("resetkeys", "~{house}*"), "ZADD"),
        (("resetkeys", "~drop:*"), "HSET"),
        (("resetchannels",), "PUBLISH"),
    ],
)
async def test_keys_and_channels_out_of_reach_are_named(
    weak: str, client: Any, rules: tuple[str, ...], place: str
) -> None:
    await client.execute_command("ACL", "SETUSER", "weak", *rules)
    with ask(weak) as one, pytest.raises(ServerWeaker, match="must not reach keys") as caught:
        check_server(one, accept_weaker=True)
    assert place in str(caught.value)


async def test_a_full_or_busy_server_is_no_lack_of_rights(server: Server) -> None:
    replies: list[object] = [redis.ResponseError("OOM command not allowed")] * len(
        server_rights.TRIES
    )
    server_rights.judge(replies)

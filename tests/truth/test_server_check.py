"""A server that cannot hold the truth is refused in a sentence, a weaker one is named."""

import asyncio
from pathlib import Path

import pytest
import redis

from dropengine.errors import ServerTooOld, ServerWeaker, Unavailable
from dropengine.truth import server_check
from dropengine.truth.server_check import ServerFacts, check_server, check_server_async
from tests.kit import short_folder
from tests.kit.old_server import NODE, old_server
from tests.kit.private_server import Server
from tests.kit.server_owner import ask

folder = short_folder.folder


VALKEY = {
    "server_name": "valkey",
    "redis_version": "7.2.4",
    "valkey_version": "9.1.2",
    "run_id": "a" * 40,
    "process_id": "7",
    "role": "master",
    "aof_enabled": "1",
    "maxmemory": "1000000",
    "maxmemory_policy": "noeviction",
}


REDIS = {name: VALKEY[name] for name in VALKEY if name not in ("server_name", "valkey_version")}


@pytest.mark.parametrize(
    ("info", "refused"),
    [
        (VALKEY, False),
        (VALKEY | {"valkey_version": "8.0.0"}, False),
        (VALKEY | {"valkey_version": "7.2.11"}, True),
        (REDIS | {"redis_version": "7.2.0"}, False),
        (REDIS | {"redis_version": "8.2.1"}, False),
        (REDIS | {"redis_version": "10.0.0"}, False),
        (REDIS | {"redis_version": "7.0.15"}, True),
        (REDIS | {"redis_version": "6.2.14"}, True),
        ({}, True),
    ],
)
def test_the_version_is_looked_up_under_the_servers_own_name(
    info: dict[str, str], refused: bool
) -> None:
    found = server_check.facts(info, "always")
    if refused:
        with pytest.raises(ServerTooOld, match="oldest that can sell") as caught:
            server_check.judge(found, accept_weaker=True)
        assert caught.value.exit_code == 7
    else:
        server_check.judge(found, accept_weaker=False)


@pytest.mark.parametrize(
    ("change", "appendfsync", "says"),
    [
        ({}, "everysec", "a second of sales"),
        ({}, "no", "appendfsync no"),
        ({"aof_enabled": "0"}, "always", "forgets sales"),
        ({}, None, "does not say"),
    ],
)
def test_a_weaker_server_needs_to_be_accepted(
    change: dict[str, str], appendfsync: str | None, says: str
) -> None:
    found = server_check.facts(VALKEY | change, appendfsync)
    assert not found.durable
    with pytest.raises(ServerWeaker, match=says) as caught:
        server_check.judge(found, accept_weaker=False)
    assert "--accept-weaker" in str(caught.value)
    assert caught.value.exit_code == 8
    server_check.judge(found, accept_weaker=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"role": "slave"}, "primary"),
        ({"maxmemory_policy": "allkeys-lru"}, "sold twice"),
        ({"redis_mode": "cluster"}, "node of a cluster"),
        ({"server_mode": "cluster"}, "node of a cluster"),
        ({"cluster_enabled": "1"}, "node of a cluster"),
        ({"role": "sentinel", "redis_mode": "sentinel"}, "sentinel"),
    ],
)
def test_some_servers_cannot_be_accepted_at_all(change: dict[str, str], says: str) -> None:
    with pytest.raises(ServerWeaker, match=says):
        server_check.judge(server_check.facts(VALKEY | change, "always"), accept_weaker=True)


def test_everysec_is_found_on_a_real_server_by_both_kinds_of_client(server_kind: str) -> None:
    one = Server(durable=True, kind=server_kind).start()
    try:
        with ask(one.url) as client:
            assert check_server(client).durable
            client.config_set("appendfsync", "everysec")
            with pytest.raises(ServerWeaker):
                check_server(client)
            assert check_server(client, accept_weaker=True).appendfsync == "everysec"

        async def both() -> ServerFacts:
            async with redis.asyncio.Redis.from_url(one.url, decode_responses=True) as client:
                with pytest.raises(ServerWeaker):
                    await check_server_async(client)
                return await check_server_async(client, accept_weaker=True)

        assert asyncio.run(both()).name == server_kind
    finally:
        one.stop()


def test_a_server_that_is_away_is_away_and_nothing_else(folder: Path) -> None:
    with ask(f"unix://{folder}/nobody") as client, pytest.raises(Unavailable) as caught:
        check_server(client)
    assert caught.value.exit_code == 4


def test_a_server_too_old_is_refused_in_a_sentence(folder: Path) -> None:
    with (
        old_server(folder) as url,
        ask(url) as client,
        pytest.raises(ServerTooOld, match=r"The server is Redis 6\.2\.14"),
    ):
        check_server(client, accept_weaker=True)


def test_a_node_of_a_cluster_is_refused_before_any_script_is_tried(folder: Path) -> None:
    with (
        old_server(folder, NODE) as url,
        ask(url) as client,
        pytest.raises(ServerWeaker, match=r"a node of a cluster.*REDIS_URL"),
    ):
        check_server(client, accept_weaker=True)


def test_a_real_node_of_a_cluster_says_that_it_is_one(folder: Path) -> None:
    one = Server(folder, durable=True)
    one.more["cluster-enabled"] = "yes"
    one.start()
    try:
        with ask(one.url) as client, pytest.raises(ServerWeaker, match="a node of a cluster"):
            check_server(client)
    finally:
        one.stop()

"""The private server keeps what it acknowledged, through every death and every full disk."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
import redis

from dropengine.config import Settings
from dropengine.errors import ServerFailed
from dropengine.processes.embedded_server import EmbeddedServer, ServerState
from tests.kit.ending_processes import Ending
from tests.kit.own_disk import run_on
from tests.kit.server_owner import ask
from tests.kit.watched_server import Watched


def test_nothing_acknowledged_is_lost_when_it_is_killed(settings: Settings) -> None:
    async def story() -> None:
        acknowledged = 0
        async with Watched(EmbeddedServer(settings)) as watched:
            for burst in range(3):
                with ask(watched.one.url) as client:
                    assert watched.one.pid is not None
                    ending = Ending(watched.one.pid)
                    for n in range(200):
                        if n == 50 + burst * 40:
                            os.kill(watched.one.pid, signal.SIGKILL)
                        try:
                            acknowledged = client.incr("sold")
                        except redis.RedisError:
                            break
                    ending.wait()
                await watched.until(ServerState.UP)
                with ask(watched.one.url) as client:
                    # The last one may have been written without an answer.
                    assert int(client.get("sold") or 0) in (acknowledged, acknowledged + 1)

    asyncio.run(story())


def test_stopping_while_it_is_started_again_leaves_nothing_behind(settings: Settings) -> None:
    async def story() -> None:
        async with Watched(EmbeddedServer(settings)) as watched:
            assert watched.one.pid is not None
            os.kill(watched.one.pid, signal.SIGKILL)
            await watched.until(ServerState.RESTARTING)
        assert watched.one.pid is None

    asyncio.run(story())


def test_a_torn_tail_was_never_acknowledged_and_is_cut_off(settings: Settings) -> None:
    draw = random.Random(61)
    with EmbeddedServer(settings) as one, ask(one.url) as client:
        for n in range(200):
            client.rpush("sold", n)
    logs = settings.data_dir / "server" / "appendonlydir"
    [path] = logs.glob("*.incr.aof")
    whole = path.read_bytes()
    for cut in sorted(draw.sample(range(1, len(whole)), 12), reverse=True):
        path.write_bytes(whole[:cut])
        with EmbeddedServer(settings) as one, ask(one.url) as client:
            found = client.lrange("sold", 0, -1)
        assert found == [str(n).encode() for n in range(len(found))]
        complete = whole[:cut].count(b"RPUSH") + whole[:cut].count(b"rpush")
        assert len(found) in (complete, complete - 1)
        for rest in logs.iterdir():
            assert rest.name.startswith("appendonly.aof")


def damage(settings: Settings) -> bytes:
    """Break the log of sales in its middle; returns what it is now."""
    [path] = (settings.data_dir / "server" / "appendonlydir").glob("*.incr.aof")
    whole = path.read_bytes()
    middle = whole.index(b"*", len(whole) // 2)
    path.write_bytes(whole[:middle] + b"!" + whole[middle + 1 :])
    return path.read_bytes()


def test_a_damaged_log_is_refused_and_left_as_it_is(settings: Settings) -> None:
    with EmbeddedServer(settings) as one, ask(one.url) as client:
        for n in range(200):
            client.rpush("sold", n)
    broken = damage(settings)
    with pytest.raises(ServerFailed, match="restore a backup") as caught:
        EmbeddedServer(settings).start()
    assert caught.value.exit_code == 9
    [path] = (settings.data_dir / "server" / "appendonlydir").glob("*.incr.aof")
    assert path.read_bytes() == broken


def test_a_server_that_cannot_come_up_is_tried_again_until_it_can(settings: Settings) -> None:
    async def story() -> None:
        async with Watched(EmbeddedServer(settings)) as watched:
            with ask(watched.one.url) as client:
                for n in range(200):
                    client.rpush("sold", n)
            [path] = (settings.data_dir / "server" / "appendonlydir").glob("*.incr.aof")
            whole = path.read_bytes()
            damage(settings)
            assert watched.one.pid is not None
            os.kill(watched.one.pid, signal.SIGKILL)
            told = [await watched.until(ServerState.RESTARTING) for _ in range(8)]
            assert "died" in told[0]
            # Whoever keeps the shop reads each time what has to be mended.
            assert all("restore a backup" in sentence for sentence in told[1:])
            path.write_bytes(whole)
            await watched.until(ServerState.UP)
            with ask(watched.one.url) as client:
                assert client.llen("sold") == 200

    asyncio.run(story())


FILLED = """
import asyncio, os, sys
from pathlib import Path
import redis
from dropengine.config import Settings
from dropengine.processes.embedded_server import EmbeddedServer, ServerState
from dropengine.truth import server_check
from tests.kit.own_disk import lay_over
folder = Path(sys.argv[1])
lay_over(folder, 24)
os.environ.clear()
ballast = folder / "ballast"
ballast.write_bytes(bytes(12 << 20))
async def story():
    one = EmbeddedServer(Settings(data_dir=folder, disk_free_mib_min=4))
    told = asyncio.Queue()
    await one.rise()
    watch = asyncio.create_task(one.watch(lambda *news: told.put_nowait(news)))
    acknowledged = 0
    client = server_check.client(one.url, 2000)
    try:
        while True:
            client.rpush("sold", bytes(50_000))
            acknowledged += 1
    except redis.RedisError:
        pass
    client.close()
    while (news := await told.get())[0] is not ServerState.DISK_FULL:
        assert news[0] is ServerState.RESTARTING, news
    print(news[1])
    ballast.unlink()
    while (await told.get())[0] is not ServerState.UP:
        pass
    client = server_check.client(one.url, 2000)
    print(acknowledged, client.llen("sold"), told.qsize())
    client.close()
    one.stop()
    await watch
asyncio.run(story())
"""


def test_a_full_disk_is_waited_for_and_nothing_acknowledged_is_lost(folder: Path) -> None:
    said = run_on(folder, "-c", FILLED)
    sentence, numbers = said.splitlines()
    assert "make room" in sentence
    acknowledged, kept, further_news = map(int, numbers.split())
    assert acknowledged > 10
    assert kept in (acknowledged, acknowledged + 1)
    assert further_news == 0


def test_a_stopped_server_can_be_started_again(settings: Settings) -> None:
    one = EmbeddedServer(settings)
    for _ in range(2):
        one.start()
        assert one.pid is not None
        one.stop()
        one.stop()
        assert one.pid is None

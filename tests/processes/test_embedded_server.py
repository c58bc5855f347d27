"""The private server keeps what it acknowledged, through every death, and never has a twin."""

import asyncio
import fcntl
import json
import os
import random
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dropengine.config import Settings
from dropengine.errors import (
    AlreadyRunning,
    ConfigError,
    DiskFull,
    ServerFailed,
    ServerTooOld,
    ServerWeaker,
    Unavailable,
)
from dropengine.jobs.disk_watch import disk_free_mib
from dropengine.processes import embedded_options, embedded_server, parent_death
from dropengine.processes.embedded_server import EmbeddedServer, Patience, ServerState
from dropengine.truth import server_check
from dropengine.truth.server_check import ServerFacts, check_server, check_server_async
from tests.kit.old_server import old_server
from tests.kit.private_server import Server
from tests.kit.processes import Ending

# A parent that starts the server, says so, and waits to be killed.
PARENT = """
import sys
from pathlib import Path
from dropengine.config import Settings
from dropengine.processes.embedded_server import EmbeddedServer
one = EmbeddedServer(Settings(data_dir=Path(sys.argv[1])))
one.start()
print(one.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets allow no long ones."""
    with tempfile.TemporaryDirectory(prefix="drop-") as name:
        yield Path(name)


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, maxmemory_mib=64, disk_free_mib_min=16)


def ask(url: str) -> "redis.Redis":
    return server_check.client(url, 2_000)


def parent(folder: Path) -> tuple["subprocess.Popen[str]", int]:
    """A process that owns a private server, and the server's process."""
    one = subprocess.Popen(
        [sys.executable, "-c", PARENT, os.fspath(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert one.stdout is not None
    return one, int(one.stdout.readline())


def kill(one: "subprocess.Popen[str]") -> None:
    one.kill()
    with one:
        pass


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


class Watched:
    """A server that is kept alive, and what its keeper was told."""

    def __init__(self, one: EmbeddedServer) -> None:
        self.one = one
        self.told: asyncio.Queue[tuple[ServerState, str]] = asyncio.Queue()

    async def __aenter__(self) -> "Watched":
        await self.one.rise()
        self.task = asyncio.create_task(self.one.watch(lambda *news: self.told.put_nowait(news)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.one.stop()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, state: ServerState) -> str:
        while True:
            found, sentence = await asyncio.wait_for(self.told.get(), 30)
            if found is state:
                return sentence

    async def killed(self) -> None:
        """kill -9, and wait until it is up again."""
        assert self.one.pid is not None
        os.kill(self.one.pid, signal.SIGKILL)
        await self.until(ServerState.UP)


def test_it_writes_to_disk_before_it_answers_and_refuses_rather_than_forgets(
    settings: Settings,
) -> None:
    with EmbeddedServer(settings) as one, ask(one.url) as client:
        found = check_server(client)
        assert found.durable
        assert found.name == "valkey"
        assert found.process_id == one.pid
        assert found.maxmemory_policy == "noeviction"
        assert found.maxmemory_bytes == 64 << 20
        said = client.config_get("save", "no-appendfsync-on-rewrite", "port")
        assert said == {"save": "", "no-appendfsync-on-rewrite": "no", "port": "0"} or said == {
            b"save": b"",
            b"no-appendfsync-on-rewrite": b"no",
            b"port": b"0",
        }


def test_nobody_else_can_reach_it(settings: Settings) -> None:
    with EmbeddedServer(settings) as one:
        socket = Path(one.url.removeprefix("unix://"))
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "FLUSHDB",
        "SHUTDOWN NOSAVE",
        "CONFIG SET appendfsync no",
        "DEBUG SLEEP 0",
        "MODULE LIST",
        "REPLICAOF 127.0.0.1 1",
        "ACL SETUSER default on",
    ],
)
def test_no_command_can_undo_a_sale_or_leave_the_directory(one_server: str, command: str) -> None:
    with (
        ask(one_server) as client,
        pytest.raises(redis.ResponseError, match=r"no permissions|not allowed"),
    ):
        client.execute_command(*command.split())


@pytest.fixture(scope="module")
def one_server() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="drop-") as name,
        EmbeddedServer(Settings(data_dir=Path(name), disk_free_mib_min=16)) as one,
    ):
        yield one.url


def test_a_second_start_is_refused_while_the_first_lives(settings: Settings) -> None:
    with EmbeddedServer(settings):
        with pytest.raises(AlreadyRunning, match=f"Process {os.getpid()}") as caught:
            EmbeddedServer(settings).start()
        assert caught.value.exit_code == 3


def test_another_process_is_refused_too_and_harms_nobody(settings: Settings, folder: Path) -> None:
    one, pid = parent(folder)
    try:
        mark = parent_death.started(pid)
        with pytest.raises(AlreadyRunning, match=f"Process {one.pid}"):
            EmbeddedServer(settings).start()
        assert parent_death.started(pid) == mark
    finally:
        kill(one)


def test_two_directories_do_not_know_each_other(settings: Settings, folder: Path) -> None:
    other = Settings(data_dir=folder / "other", disk_free_mib_min=16)
    with EmbeddedServer(settings) as one, EmbeddedServer(other) as two:
        assert one.pid != two.pid


def test_it_ends_with_its_parent_and_the_next_start_has_everything(
    settings: Settings, folder: Path
) -> None:
    for turn in range(3):
        one, pid = parent(folder)
        ending = Ending(pid)
        with ask(EmbeddedServer(settings).url) as client:
            assert client.rpush("sold", turn) == turn + 1
        kill(one)
        ending.wait()
    with EmbeddedServer(settings) as again, ask(again.url) as client:
        assert client.lrange("sold", 0, -1) == [b"0", b"1", b"2"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the server keeps its own allocator")
def test_the_server_takes_its_memory_from_the_best_allocator_there_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, chosen = embedded_options.allocator(), "libanl.so.1"
    monkeypatch.setenv("LD_PRELOAD", chosen)
    with EmbeddedServer(settings) as one:
        mapped = Path(f"/proc/{one.pid}/maps").read_text(encoding="utf-8")
    assert all(library in mapped for library in (chosen, found) if library)


def test_an_allocator_chosen_for_the_whole_shop_is_left_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "libmimalloc.so.2")
    # The first of them is the one that is used.
    preload = embedded_options.environment("libjemalloc.so.2")["LD_PRELOAD"]
    assert preload == "libmimalloc.so.2 libjemalloc.so.2"
    assert embedded_options.environment(None)["LD_PRELOAD"] == "libmimalloc.so.2"
    monkeypatch.delenv("LD_PRELOAD")
    assert embedded_options.environment("libjemalloc.so.2")["LD_PRELOAD"] == "libjemalloc.so.2"


def test_a_start_at_once_after_the_kill_works(settings: Settings, folder: Path) -> None:
    one, _ = parent(folder)
    one.kill()
    with EmbeddedServer(settings) as again:
        assert again.pid is not None
    with one:
        pass


ORPHAN = """
import os, subprocess, sys
from pathlib import Path
from dropengine.processes import embedded_options, parent_death
folder = Path(sys.argv[1])
lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
import fcntl
fcntl.flock(lock, fcntl.LOCK_EX)
parent_death.write_in_place(folder / "lock", os.getpid(), parent_death.started(os.getpid()))
left = subprocess.Popen(
    [embedded_options.binary(), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL, cwd=folder, pass_fds=[lock], start_new_session=True,
)
left.stdin.write(embedded_options.config(64, folder / "server.sock").encode())
left.stdin.close()
while b"Ready to accept" not in left.stdout.readline():
    pass
if sys.argv[2] == "noted":
    parent_death.write_in_place(folder / "server.json", left.pid, parent_death.started(left.pid))
print(left.pid, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("how", ["noted", "holds the lock"])
def test_a_server_that_was_left_behind_is_stopped(
    settings: Settings, folder: Path, how: str
) -> None:
    directory = folder / "server"
    directory.mkdir(mode=0o700)
    with EmbeddedServer(Settings(data_dir=folder / "x", disk_free_mib_min=16)) as bystander:
        said = subprocess.run(
            [sys.executable, "-c", ORPHAN, os.fspath(directory), how],
            check=True,
            capture_output=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        ending = Ending(int(said.stdout))
        with ask(EmbeddedServer(settings).url) as client:
            client.set("sold", "1")
        with EmbeddedServer(settings) as one, ask(one.url) as client:
            ending.wait(0)
            assert client.get("sold") == b"1"
        assert bystander.pid is not None


def test_whoever_is_not_provably_ours_is_left_alone(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "LOCK_S_MAX", 0.1)
    directory = folder / "server"
    directory.mkdir(mode=0o700)
    # A stranger keeps the lock; the notes name a dead owner, and a number that is another's now.
    stranger = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(stranger, fcntl.LOCK_EX)
    parent_death.write_in_place(directory / "lock", 1, "somebody earlier")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as bystander:
        parent_death.write_in_place(directory / "server.json", bystander.pid, "somebody earlier")
        with pytest.raises(AlreadyRunning, match="Another process"):
            EmbeddedServer(settings).start()
        assert bystander.poll() is None
        assert bystander.stdin is not None
        bystander.stdin.close()
    os.close(stranger)


def test_a_server_that_outlives_its_owner_keeps_the_lock(folder: Path) -> None:
    one, pid = parent(folder)
    guard_pid, ending = parent_of(pid), Ending(pid)
    # A guard that is stopped cannot take the server along.
    os.kill(guard_pid, signal.SIGSTOP)
    kill(one)
    with (folder / "server" / "lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(guard_pid, signal.SIGCONT)
        ending.wait()
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_the_lock_is_let_go_when_the_server_was_stopped(settings: Settings, folder: Path) -> None:
    one = EmbeddedServer(settings)
    one.start()
    with (folder / "server" / "lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        one.stop()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert one.pid is None


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


def test_a_killed_guard_takes_the_server_along_and_both_come_back(settings: Settings) -> None:
    async def story() -> None:
        async with Watched(EmbeddedServer(settings)) as watched:
            pid = watched.one.pid
            assert pid is not None
            ending = Ending(pid)
            os.kill(parent_of(pid), signal.SIGKILL)
            ending.wait()
            await watched.until(ServerState.UP)
            assert watched.one.pid not in (None, pid)

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


def test_starting_again_has_an_end_when_it_is_of_no_use(settings: Settings) -> None:
    async def story() -> None:
        async with Watched(EmbeddedServer(settings)) as watched:
            with ask(watched.one.url) as client:
                for n in range(200):
                    client.rpush("sold", n)
            damage(settings)
            assert watched.one.pid is not None
            os.kill(watched.one.pid, signal.SIGKILL)
            with pytest.raises(ServerFailed, match="restore a backup"):
                await asyncio.wait_for(asyncio.shield(watched.task), 60)

    asyncio.run(story())


def test_a_child_that_came_up_is_always_started_again() -> None:
    patience = Patience(first_s=0.1, most_s=1.0, settled_s=10)
    waits = [patience.after(came_up=True, lived_s=0.5) for _ in range(50)]
    assert waits[:5] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert set(waits[5:]) == {1.0}
    assert patience.after(came_up=True, lived_s=11) == 0.1


def test_a_child_that_does_not_come_up_is_given_up() -> None:
    patience = Patience(tries_max=3)
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=True, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is None


def test_a_start_without_room_on_the_disk_says_so(folder: Path) -> None:
    more_than_there_is = disk_free_mib(folder) * 2 + 1_000
    with pytest.raises(DiskFull, match="make room") as caught:
        EmbeddedServer(Settings(data_dir=folder, disk_free_mib_min=more_than_there_is)).start()
    assert caught.value.exit_code == 10
    # It let go of the directory.
    with EmbeddedServer(Settings(data_dir=folder, disk_free_mib_min=16)):
        pass


FILLED = """
import asyncio, os, sys
from pathlib import Path
import redis
from dropengine.config import Settings
from dropengine.processes.embedded_server import EmbeddedServer, ServerState
from dropengine.truth import server_check
folder = Path(sys.argv[1])
os.environ.clear()
assert os.system(f"mount -t tmpfs -o size=24m none {folder}") == 0
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
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run(
            [unshare, "-rm", "mount", "-t", "tmpfs", "none", folder],
            check=False,
            capture_output=True,
        ).returncode
    ):
        pytest.skip("a disk of its own can be made only where user namespaces are allowed")
    said = subprocess.run(
        [unshare, "-rm", sys.executable, "-c", FILLED, os.fspath(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert said.returncode == 0, said.stderr
    sentence, numbers = said.stdout.splitlines()
    assert "make room" in sentence
    acknowledged, kept, further_news = map(int, numbers.split())
    assert acknowledged > 10
    assert kept in (acknowledged, acknowledged + 1)
    assert further_news == 0


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path) -> None:
    long = Settings(data_dir=folder / ("long-" * 25), disk_free_mib_min=16)
    with EmbeddedServer(long) as one, ask(one.url) as client:
        assert client.ping()
        path = Path(one.url.removeprefix("unix://"))
        assert len(os.fsencode(path)) <= embedded_server.SOCKET_PATH_BYTES_MAX
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        # Whoever has only the settings finds it.
        assert EmbeddedServer(long).url == one.url
    assert not path.parent.exists()


def test_a_link_laid_in_the_way_of_the_socket_is_refused(folder: Path) -> None:
    long = Settings(data_dir=folder / ("long-" * 25), disk_free_mib_min=16)
    place = Path(EmbeddedServer(long).url.removeprefix("unix://")).parent
    (folder / "elsewhere").mkdir()
    place.symlink_to(folder / "elsewhere")
    try:
        with pytest.raises(ConfigError, match="not a directory of this user"):
            EmbeddedServer(long).start()
    finally:
        place.unlink()


def test_a_name_with_blanks_quotes_and_umlauts_is_no_trouble(folder: Path) -> None:
    odd = Settings(data_dir=folder / 'a "b" \\ #ü%41', disk_free_mib_min=16)
    with EmbeddedServer(odd) as one, ask(one.url) as client:
        assert client.ping()


def test_it_needs_no_long_time_to_say_that_it_cannot_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "vax")
    with pytest.raises(ServerFailed, match="on vax here"):
        EmbeddedServer(settings).start()


def test_a_stopped_server_can_be_started_again(settings: Settings) -> None:
    one = EmbeddedServer(settings)
    for _ in range(2):
        one.start()
        assert one.pid is not None
        one.stop()
        one.stop()
        assert one.pid is None


# Any server.

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
    ],
)
def test_some_servers_cannot_be_accepted_at_all(change: dict[str, str], says: str) -> None:
    with pytest.raises(ServerWeaker, match=says):
        server_check.judge(server_check.facts(VALKEY | change, "always"), accept_weaker=True)


def test_everysec_is_found_on_a_real_server_by_both_kinds_of_client() -> None:
    one = Server(durable=True).start()
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

        assert asyncio.run(both()).name == "valkey"
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


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as one:
        mark = parent_death.started(one.pid)
        assert mark is not None
        assert parent_death.alive(one.pid, mark)
        assert not parent_death.alive(one.pid, mark + "0")
        assert one.stdin is not None
        one.stdin.close()
        ended, _, _ = select.select([os.pidfd_open(one.pid)], [], [], 10)
        # Ended, and not yet collected by us.
        assert ended
        assert parent_death.started(one.pid) is None
    assert parent_death.started(one.pid) is None


def test_a_note_is_written_over_an_earlier_one_of_any_length(tmp_path: Path) -> None:
    note = tmp_path / "note"
    assert parent_death.noted(note) is None
    parent_death.write_in_place(note, 4_000_000, "a long mark " * 5)
    parent_death.write_in_place(note, 7, "short")
    assert parent_death.noted(note) == (7, "short")
    size = note.stat().st_size
    parent_death.write_in_place(note, 8, "x")
    assert note.stat().st_size == size
    note.write_text(json.dumps([]))
    assert parent_death.noted(note) is None

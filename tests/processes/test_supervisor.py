"""Whatever dies comes back, whoever is seated is told, and nothing outlives its owner."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
import websockets

from dropengine.errors import DropEngineError, WorkersFailed
from dropengine.processes import supervisor
from dropengine.truth import server_check
from tests.kit.old_server import old_server
from tests.kit.private_server import Server
from tests.kit.small_shop import ROOT, pid_of, processes, refused, shop


def test_connections_spread_over_all_web_processes(folder: Path) -> None:
    with shop(folder, web_concurrency=2) as one:
        assert len(set(one.running.worker_pids)) == 2
        assert {pid_of(one.running) for _ in range(64)} == set(one.running.worker_pids)


def test_a_killed_server_comes_back_under_the_same_web_processes(folder: Path) -> None:
    with shop(folder, web_concurrency=2) as one:
        before = one.running
        with server_check.client(before.redis_url, 2_000) as client:
            assert client.incr("sold") == 1
        assert before.server_pid is not None
        os.kill(before.server_pid, signal.SIGKILL)
        after = one.until(lambda now: now.server_pid not in (None, before.server_pid), 20)
        assert after.worker_pids == before.worker_pids
        with server_check.client(after.redis_url, 2_000) as client:
            assert client.get("sold") == b"1"


def test_nothing_outlives_a_killed_supervisor_and_a_start_at_once_works(folder: Path) -> None:
    port = 0
    for turn in range(3):
        one = shop(folder, web_concurrency=2, port=port)
        running = one.start()
        port = running.port
        with server_check.client(running.redis_url, 2_000) as client:
            assert client.incr("sold") == turn + 1
        endings = processes(running)
        one.kill()
        again = shop(folder, web_concurrency=2, port=port)
        with again:
            for ending in endings:
                ending.wait()
            assert pid_of(again.running) in again.running.worker_pids


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_sockets_are_told_to_come_back_when_it_is_stopped(
    folder: Path, number: signal.Signals
) -> None:
    one = shop(folder, web_concurrency=2)
    running = one.start()
    endings = processes(running)

    async def sit() -> list[int]:
        async with contextlib.AsyncExitStack() as stack:
            url = running.url.replace("http", "ws", 1) + "/sit"
            sockets = [
                await stack.enter_async_context(websockets.connect(url, proxy=None))
                for _ in range(8)
            ]
            seen = {int(await socket.recv()) for socket in sockets}
            assert seen <= set(running.worker_pids)
            os.kill(running.supervisor_pid, number)
            for socket in sockets:
                await socket.wait_closed()
            return [socket.close_code or 0 for socket in sockets]

    assert asyncio.run(sit()) == [1012] * 8
    assert one.wait(20) == 0
    for ending in endings:
        ending.wait()
    assert one.stop() == 0


def test_a_request_that_never_ends_does_not_hold_the_end_up(folder: Path) -> None:
    with (
        shop(folder, shutdown_s_max=1) as one,
        socket.create_connection(("127.0.0.1", one.running.port)) as line,
    ):
        line.sendall(b"GET /pid HTTP/1.1\r\nhost: x\r\n")
        os.kill(one.running.supervisor_pid, signal.SIGTERM)
        assert one.wait(20) == 0


def test_a_second_shop_on_the_same_data_is_refused(folder: Path) -> None:
    with shop(folder) as one:
        fault = refused(folder)
        assert fault.exit_code == 3
        assert str(one.running.supervisor_pid) in str(fault)
        assert pid_of(one.running) in one.running.worker_pids


def test_a_taken_port_is_refused_and_nothing_stays_behind(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fault = refused(folder, port=port)
    assert fault.exit_code == 6
    assert f"port {port}" in str(fault)
    with shop(folder, port=port) as one:
        assert one.running.port == port


def test_a_server_too_old_is_refused(folder: Path) -> None:
    with old_server(folder) as url:
        fault = refused(folder, redis_url=url)
    assert fault.exit_code == 7
    assert "6.2.14" in str(fault)


def test_a_server_that_is_away_is_said_to_be_away(folder: Path) -> None:
    assert refused(folder, redis_url=f"unix://{folder}/nobody").exit_code == 4


def test_a_weaker_server_serves_only_when_that_is_accepted(folder: Path) -> None:
    one = Server(durable=True).start()
    try:
        with server_check.client(one.url, 2_000) as client:
            client.config_set("appendfsync", "everysec")
        fault = refused(folder, redis_url=one.url)
        assert fault.exit_code == 8
        assert "--accept-weaker" in str(fault)
        with shop(folder, redis_url=one.url, accept_weaker=True) as accepted:
            assert accepted.running.server_pid is None
            assert not accepted.running.server.durable
    finally:
        one.stop()


def test_a_server_whose_user_may_not_do_everything_is_refused(folder: Path) -> None:
    one = Server(durable=True).start()
    try:
        with server_check.client(one.url, 2_000) as client:
            rules = ["on", ">pw", "~*", "&*", "+@all", "-xadd"]
            client.execute_command("ACL", "SETUSER", "weak", *rules)
        fault = refused(folder, redis_url=one.url.replace("unix://", "unix://weak:pw@"))
        assert fault.exit_code == 8
        assert "must not run XADD" in str(fault)
    finally:
        one.stop()


def test_a_full_disk_is_said_at_the_start(folder: Path) -> None:
    assert refused(folder, disk_free_mib_min=1 << 30).exit_code == 10


SERVE = """
import sys
from pathlib import Path
from dropengine.processes import supervisor
from tests.kit.small_shop import settings, APP
sys.exit(supervisor.run(settings(Path(sys.argv[1])), factory=APP, with_parent="pipe" in sys.argv))
"""


@pytest.mark.parametrize("how", ["signal", "pipe"])
def test_serve_says_where_it_is_and_ends_well(folder: Path, how: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, os.fspath(folder), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as one:
        assert one.stdout is not None
        assert one.stdin is not None
        said = one.stdout.readline()
        assert re.match(
            r"Serving on http://127\.0\.0\.1:\d+ with 1 web process and Valkey 9\S+ "
            r"\(every sale on disk\)\. Ctrl-C stops it\.",
            said,
        )
        if how == "signal":
            one.send_signal(signal.SIGINT)
        else:
            one.stdin.close()
        assert one.wait(20) == 0


def test_ctrl_c_while_the_log_is_read_ends_at_once(folder: Path) -> None:
    # A log so long that reading it takes longer than a signal.
    with shop(folder) as one, server_check.client(one.running.redis_url, 10_000) as client:
        script = "for i = 1, 400000 do redis.call('RPUSH', KEYS[1], i) end"
        for _ in range(3):
            client.eval(script, 1, "long")
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, os.fspath(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as again:
        assert again.stderr is not None
        assert any("reads its log of sales" in line for line in again.stderr)
        again.send_signal(signal.SIGTERM)
        assert again.wait(20) == 0
        assert again.stdout is not None
        assert again.stdout.read() == ""


def test_a_fault_names_itself_to_whoever_started_the_shop() -> None:
    assert issubclass(WorkersFailed, DropEngineError)
    assert supervisor.FACTORY == "dropengine.app:build"


def test_the_redis_of_a_shop_is_private(folder: Path) -> None:
    with shop(folder) as one:
        assert one.running.redis_url.startswith("unix://")
        client = redis.Redis.from_url(one.running.redis_url)
        assert client.config_get("port") in ({"port": "0"}, {b"port": b"0"})
        client.close()

"""The embedded server is told to forget nothing, and by whom it is given its memory."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dropengine.config import Settings
from dropengine.errors import ServerFailed
from dropengine.processes import embedded_options
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.truth.server_check import check_server
from tests.kit.server_owner import ask


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


@pytest.fixture(scope="module")
def one_server() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="drop-") as name,
        EmbeddedServer(Settings(data_dir=Path(name), disk_free_mib_min=16)) as one,
    ):
        yield one.url


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


def test_it_needs_no_long_time_to_say_that_it_cannot_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "vax")
    with pytest.raises(ServerFailed, match="on vax here"):
        EmbeddedServer(settings).start()

"""The doctor says a sentence for each thing that could stop a sale, and ends accordingly."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dropengine import data_directory
from dropengine.cli import doctor
from dropengine.config import Settings
from dropengine.jobs import findings
from dropengine.jobs.findings import Level
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import server_check
from tests.kit import small_shop
from tests.kit.old_server import old_server
from tests.kit.post_office import PostOffice
from tests.kit.private_server import Server
from tests.kit.server_owner import ask

FACTS = server_check.facts(
    {
        "server_name": "valkey",
        "valkey_version": "9.1.2",
        "aof_enabled": "1",
        "maxmemory": "1048576",
    },
    "always",
)


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="drop-") as name:
        yield Settings(
            local_pay=True, data_dir=Path(name), port=0, disk_free_mib_min=16, sockets_max=100
        )


def lines(settings: Settings, code: int) -> dict[str, str]:
    """What it says, by topic; the last line stands under `""`."""
    said: list[str] = []
    assert doctor.run(settings, said.append) == code
    found = {line.split()[1]: line for line in said[:-1]}
    assert len(found) == len(said) - 1
    assert all(line.endswith(".") for line in said)
    return found | {"": said[-1]}


def test_a_sale_can_run_with_nothing_set_up(settings: Settings) -> None:
    said = lines(settings, 0)
    assert "Valkey 9" in said["server"]
    assert "Every sale is on disk before it is answered" in said["durability"]
    assert "MiB are free" in said["disk"]
    assert "files" in said["files"]
    assert said[""] == "A sale can run here."


def test_it_leaves_nothing_behind(settings: Settings) -> None:
    doctor.run(settings, lambda _: None)
    assert list(settings.data_dir.iterdir()) == []


def test_it_looks_at_the_running_server_and_does_not_disturb_it(settings: Settings) -> None:
    with EmbeddedServer(settings) as one:
        said = lines(settings, 0)
        assert f"running as process {one.pid}" in said["server"]
        assert "A shop runs" in said["address"]


@pytest.mark.parametrize("own", [True, False])
def test_the_port_of_the_shop_that_runs_on_this_data_is_not_anothers(
    settings: Settings, own: bool
) -> None:
    server = Server(durable=True).start()
    try:
        mine = msgspec.structs.replace(settings, redis_url=None if own else server.url)
        shop = SupervisorProcess(mine, factory=small_shop.APP)
        shop.start()
        try:
            same = msgspec.structs.replace(mine, port=shop.running.port)
            assert lines(same, 0)["address"].startswith("ok    address     A shop runs")
            # To everybody else it is.
            with tempfile.TemporaryDirectory(prefix="drop-") as other:
                theirs = msgspec.structs.replace(same, data_dir=Path(other), redis_url=None)
                assert lines(theirs, 1)["address"].startswith("stop")
        finally:
            shop.stop()
        # And once it has ended the port is looked at again.
        with socket.create_server(("127.0.0.1", same.port)):
            assert lines(same, 1)["address"].startswith("stop")
    finally:
        server.stop()


def test_too_little_disk_would_stop_a_sale(settings: Settings) -> None:
    said = lines(msgspec.structs.replace(settings, disk_free_mib_min=1 << 30), 1)
    assert said["disk"].startswith("stop")
    assert "make room" in said["disk"]


def test_a_taken_port_would_stop_a_sale(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = lines(msgspec.structs.replace(settings, port=port), 1)
    assert said["address"].startswith("stop")
    assert said[""] == "One thing would stop a sale here."


def test_a_secret_that_others_can_read_would_stop_a_sale(settings: Settings) -> None:
    data_directory.secret(settings)
    (settings.data_dir / "secret").chmod(0o644)
    assert "chmod 600" in lines(settings, 1)["data"]


def test_a_server_too_old_would_stop_a_sale(settings: Settings) -> None:
    with old_server(settings.data_dir) as url:
        said = lines(msgspec.structs.replace(settings, redis_url=url), 1)
    assert "6.2.14" in said["server"]
    assert said["server"].startswith("stop")


def test_a_server_that_another_shop_claimed_would_stop_a_sale(settings: Settings) -> None:
    one = Server(durable=True).start()
    try:
        shop = msgspec.structs.replace(settings, redis_url=one.url)
        with ask(one.url) as client:
            client.hset("{house}:claim", mapping={"shop": "07" * 16, "address": "http://theirs"})
            for told in (shop, msgspec.structs.replace(shop, shop_id="5e" * 16)):
                said = lines(told, 1)["claim"]
                assert said.startswith("stop")
                assert "http://theirs" in said
            # Our own is no trouble, nor is theirs where names have a prefix.
            assert "claim" not in lines(msgspec.structs.replace(shop, shop_id="07" * 16), 0)
            assert "claim" not in lines(msgspec.structs.replace(shop, redis_prefix="ours"), 0)
    finally:
        one.stop()


def test_a_server_whose_user_may_not_do_everything_would_stop_a_sale(settings: Settings) -> None:
    one = Server(durable=True).start()
    try:
        with ask(one.url) as client:
            client.execute_command("ACL", "SETUSER", "weak", "on", ">pw", "~*", "&*", "+@all")
            weak = one.url.replace("unix://", "unix://weak:pw@")
            shop = msgspec.structs.replace(settings, redis_url=weak)
            assert lines(shop, 0)["rights"].startswith("ok")
            client.execute_command("ACL", "SETUSER", "weak", "-zrem")
            assert "must not run ZREM" in lines(shop, 1)["server"]
    finally:
        one.stop()


def test_a_server_that_is_away_would_stop_a_sale(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, redis_url=f"unix://{settings.data_dir}/nobody")
    assert "does not answer" in lines(away, 1)["server"]


def test_a_weaker_server_stops_a_sale_until_it_is_accepted_and_is_named_then() -> None:
    one = Server(durable=True).start()
    try:
        with server_check.client(one.url, 2_000) as client:
            client.config_set("appendfsync", "everysec")
        with tempfile.TemporaryDirectory() as name:
            settings = Settings(
                local_pay=True, data_dir=Path(name), port=0, redis_url=one.url, sockets_max=1
            )
            settings = msgspec.structs.replace(settings, disk_free_mib_min=16)
            assert "--accept-weaker" in lines(settings, 1)["server"]
            accepted = msgspec.structs.replace(settings, accept_weaker=True)
            said = lines(accepted, 0)["durability"]
            assert said.startswith("warn")
            assert "lose about a second" in said
    finally:
        one.stop()


def test_a_failed_write_would_stop_a_sale() -> None:
    failed = msgspec.structs.replace(FACTS, writes=False)
    assert findings.durability(failed).level is Level.STOP
    assert findings.durability(FACTS).level is Level.OK


def test_a_server_that_forgets_what_it_sold_is_not_said_to_lose_a_second() -> None:
    forgets = findings.durability(msgspec.structs.replace(FACTS, appendonly=False))
    assert forgets.level is Level.WARN
    assert "forgets all sales when it stops (appendonly no)" in forgets.sentence
    assert "second" not in forgets.sentence


@pytest.mark.parametrize(("used", "level"), [(89, Level.OK), (90, Level.STOP), (99, Level.STOP)])
def test_memory_that_is_nearly_full_would_stop_a_sale(used: int, level: Level) -> None:
    most = FACTS.maxmemory_bytes
    found = msgspec.structs.replace(FACTS, used_memory_bytes=most * used // 100 + 1)
    assert findings.memory(found).level is level


@pytest.mark.parametrize(
    ("limit", "policy", "level"),
    [
        (0, "noeviction", Level.WARN),
        (1 << 20, "volatile-lru", Level.WARN),
        (1 << 20, "noeviction", Level.OK),
    ],
)
def test_memory_without_a_limit_or_with_forgetting_is_warned_of(
    limit: int, policy: str, level: Level
) -> None:
    found = msgspec.structs.replace(FACTS, maxmemory_bytes=limit, maxmemory_policy=policy)
    assert findings.memory(found).level is level


def test_a_server_on_the_allocator_of_the_c_library_is_warned_of() -> None:
    assert "apt-get install" in doctor.allocator(None).sentence
    assert doctor.allocator(None).level is Level.WARN
    assert doctor.allocator("libjemalloc.so.2").level is Level.OK


@pytest.mark.parametrize(("mode", "level"), [("0\n", "warn"), ("1\n", "ok"), ("2\n", "warn")])
def test_memory_that_cannot_be_promised_twice_is_warned_of(mode: str, level: str) -> None:
    found = doctor.overcommit(mode)
    assert found.level == level
    assert ("vm.overcommit_memory=1" in found.sentence) is (level == "warn")


def test_few_open_files_are_warned_of_and_very_few_stop_a_sale(settings: Settings) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from dropengine.cli import doctor\n"
        "from dropengine.config import Settings; most = int(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))\n"
        "settings = Settings(local_pay=True, data_dir=Path(sys.argv[1]),"
        " port=0, disk_free_mib_min=16)\n"
        "sys.exit(doctor.run(settings))"
    )
    for most, word, code_wanted in ((1_000, "warn", 0), (300, "stop", 1)):
        said = subprocess.run(
            [sys.executable, "-c", code, os.fspath(settings.data_dir), str(most)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parent.parent.parent,
        )
        assert said.returncode == code_wanted, said
        [line] = [one for one in said.stdout.splitlines() if "  files " in one]
        assert line.startswith(word)
        assert "ulimit -n" in line


def test_it_says_where_letters_go(settings: Settings) -> None:
    assert f"files in {settings.data_dir / 'mail'}" in lines(settings, 0)["mail"]


async def test_it_knocks_at_the_mail_server(settings: Settings) -> None:
    async with PostOffice().at_work() as office:
        told = msgspec.structs.replace(
            settings, smtp_url=f"smtp://127.0.0.1:{office.port}", mail_from="shop@example.org"
        )
        well = await asyncio.to_thread(doctor._mail, told)
        office.cut = "connect"
        away = await asyncio.to_thread(doctor._mail, told)
    assert (well.level, away.level) == (Level.OK, Level.WARN)
    assert f"127.0.0.1 port {office.port} takes our mail" in well.sentence
    assert "Nobody is called" in away.sentence
    assert not office.took

"""One server a directory: a twin is refused, an orphan is stopped, a stranger is left alone."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.errors import AlreadyRunning
from dropengine.processes import data_lock, parent_death
from dropengine.processes.embedded_server import EmbeddedServer
from tests.kit.ending_processes import Ending
from tests.kit.server_owner import ROOT, ask, kill, parent, parent_of


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
            cwd=ROOT,
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
    monkeypatch.setattr(data_lock, "LOCK_S_MAX", 0.1)
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

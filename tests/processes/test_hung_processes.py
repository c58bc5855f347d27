"""A web process that lives and does nothing is replaced, and nobody else is blamed for it."""

import os
import signal
import urllib.request
from pathlib import Path

from tests.kit.small_shop import pid_of, shop


def test_processes_that_hang_are_replaced_each_in_its_turn(folder: Path) -> None:
    """One is stopped by a signal, the loop of the other never comes round again."""
    with shop(folder, web_concurrency=2) as one:
        before = one.running
        with urllib.request.urlopen(f"{before.url}/busy", timeout=20) as answer:  # noqa: S310
            busy = int(answer.read())
        [stopped] = set(before.worker_pids) - {busy}
        os.kill(stopped, signal.SIGSTOP)
        after = one.until(lambda now: not {stopped, busy} & set(now.worker_pids), 60)
        assert after.port == before.port
        assert after.server_pid == before.server_pid
        assert {pid_of(after) for _ in range(64)} == set(after.worker_pids)


def test_a_process_that_came_back_in_time_is_left_alone(folder: Path) -> None:
    """As is one whose loop turns while all that it serves takes long."""
    with shop(folder) as one:
        [pid] = one.running.worker_pids
        for _ in range(3):
            os.kill(pid, signal.SIGSTOP)
            os.kill(pid, signal.SIGCONT)
        with urllib.request.urlopen(f"{one.running.url}/long", timeout=30) as answer:  # noqa: S310
            assert int(answer.read()) == pid
        assert one.running.worker_pids == (pid,)

"""A shop beside other work ends with it, and its news can be waited for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dropengine.errors import WorkersFailed
from tests.kit.ending_processes import Ending
from tests.kit.small_shop import ROOT, shop


def test_a_shop_ends_with_the_process_that_started_it(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.kit.small_shop import shop\n"
        "one = shop(Path(sys.argv[1])); now = one.start()\n"
        "print(now.supervisor_pid, now.server_pid, *now.worker_pids, flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, os.fspath(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout is not None
        endings = [Ending(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(endings) == 3
        parent.kill()
        for ending in endings:
            ending.wait()


def test_waiting_for_news_that_do_not_come_has_an_end(folder: Path) -> None:
    with shop(folder) as one:
        with pytest.raises(TimeoutError):
            one.until(lambda _: False, 0.01)
        with pytest.raises(TimeoutError):
            one.wait(0.01)
        one.kill()
        with pytest.raises(WorkersFailed):
            one.until(lambda _: False, 20)

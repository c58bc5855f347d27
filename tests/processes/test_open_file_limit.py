"""A shop may open as many files as it is allowed to."""

import contextlib
import json
import resource
import socket
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.processes.open_file_limit import FILES_BESIDE, want_of_files
from tests.kit.small_shop import ROOT, pid_of, shop
from tests.processes.test_supervisor import SERVE


def test_the_limit_of_open_files_is_raised_as_far_as_allowed() -> None:
    code = (
        "import json, resource; from dropengine.processes.open_file_limit import raise_file_limit\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))\n"
        "print(json.dumps([raise_file_limit(), hard]))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    ).stdout
    now, hard = json.loads(said)
    assert now == hard


def test_settings_that_need_more_files_than_there_are_get_a_sentence() -> None:
    conf = Settings(heads_max=10, http_max=20, streams_max=30, sockets_max=40)
    assert want_of_files(conf, 100 + FILES_BESIDE) == ""
    said = want_of_files(conf, 99 + FILES_BESIDE)
    assert "about 99 connections" in said
    assert "not the 100 of" in said
    assert "ulimit -n" in said
    for one in ("heads_max", "http_max", "streams_max", "sockets_max"):
        assert one in said


@pytest.mark.parametrize(("most", "told"), [(600, True), (100_000, False)])
def test_a_start_with_too_few_files_says_so(folder: Path, most: int, told: bool) -> None:
    if most > resource.getrlimit(resource.RLIMIT_NOFILE)[1]:
        pytest.skip("more files than this machine allows")
    lowered = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))\n"
    with subprocess.Popen(
        [sys.executable, "-c", lowered + SERVE, str(folder), "pipe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline().startswith("Serving on")
        _, said = one.communicate(timeout=20)
    assert ("ulimit -n" in said) is told


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limit of another process")
def test_who_finds_no_file_left_is_cut_off_and_the_next_ones_come_in(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with shop(folder) as one, contextlib.ExitStack() as stack:
        (worker,) = one.running.worker_pids
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (64, 64))
        where = ("127.0.0.1", one.running.port)
        lines = [stack.enter_context(socket.create_connection(where, 20)) for _ in range(200)]
        # Whoever has no file left for his connection hears its end, and all of them do.
        with contextlib.suppress(ConnectionError):
            assert lines[-1].recv(1) == b""
        for line in lines:
            line.close()
        answered = 0
        while not answered:
            # Until it has let go of those who left, whoever comes is cut off too.
            with contextlib.suppress(OSError, HTTPException):
                answered = pid_of(one.running)
        assert answered == worker
    assert len(capfd.readouterr().err.splitlines()) < 5

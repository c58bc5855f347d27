"""A private Prometheus for tests: its own process and folder, on loopback alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

import pytest

from tests.kit.private_server import die_with_parent
from tests.kit.web_process import LONG_S

BY_HAND = "TEST_PROMETHEUS_BIN"
"""Names another folder of programs than the one that `.ci/setup prometheus` fills."""
FETCHED = Path(__file__).parent.parent.parent / ".venv" / "prometheus" / "usr" / "bin"
_LISTENS = re.compile(r'msg="Listening on" address=(\S+)')


def program(name: str) -> str:
    """`prometheus` or `promtool`; the test is skipped where it is missing."""
    folder = Path(os.environ.get(BY_HAND, FETCHED))
    found = shutil.which(name, path=folder) or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here; {BY_HAND} may name a folder of Prometheus' programs")
    return found


def promtool(*words: str, said: str | None = None, folder: Path | None = None) -> tuple[int, str]:
    """Run it: how it ended, and all that it said."""
    done = subprocess.run(
        [program("promtool"), *words],
        input=said,
        text=True,
        check=False,
        capture_output=True,
        cwd=folder,
        timeout=LONG_S * 3,
    )
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """One that runs by this configuration until the block ends."""

    def __init__(self, config: Path, folder: Path) -> None:
        self._command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}",
            "--web.listen-address=127.0.0.1:0",
        ]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing of ours runs beside it yet
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if found := _LISTENS.search(line):
                self.url = f"http://{found[1]}"
            if "Server is ready" in line:
                return self
        raise AssertionError("Prometheus did not come up:\n" + "".join(said))

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.stderr is not None
        # What it says to the end is read, so that it never waits for a reader.
        self._process.stderr.read()
        self._process.stderr.close()
        self._process.wait(LONG_S)

    def ask(self, path: str, **query: str) -> Any:
        """`data` of an answer of its API."""
        asked = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(asked, timeout=LONG_S) as answer:  # noqa: S310 - our own
            return json.load(answer)["data"]

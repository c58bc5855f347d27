"""A process that owns an embedded server, to be killed, and a client that asks any server."""

import os
import subprocess
import sys
from pathlib import Path

import redis

from dropengine.truth import server_check

ROOT = Path(__file__).parent.parent.parent


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


def ask(url: str) -> "redis.Redis":
    return server_check.client(url, 2_000)


def parent(folder: Path) -> tuple["subprocess.Popen[str]", int]:
    """A process that owns a private server, and the server's process."""
    one = subprocess.Popen(
        [sys.executable, "-c", PARENT, os.fspath(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
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

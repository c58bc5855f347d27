"""A whole shop in processes of its own that runs the smallest application."""

import urllib.request
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.errors import WorkersFailed
from dropengine.processes.supervisor import Running
from dropengine.processes.supervisor_process import SupervisorProcess
from tests.kit.ending_processes import Ending

ROOT = Path(__file__).parent.parent.parent


APP = "tests.kit.small_app:build"


def settings(folder: Path, **more: object) -> Settings:
    return Settings(
        **{  # type: ignore[arg-type]
            "data_dir": folder,
            "port": 0,
            "disk_free_mib_min": 16,
            "maxmemory_mib": 64,
            "shutdown_s_max": 2,
            "local_pay": True,
            **more,
        }
    )


def shop(folder: Path, app: str = APP, **more: object) -> SupervisorProcess:
    return SupervisorProcess(settings(folder, **more), factory=app)


def pid_of(running: Running) -> int:
    """The web process that answers one request of its own connection."""
    with urllib.request.urlopen(f"{running.url}/pid", timeout=20) as answer:  # noqa: S310
        return int(answer.read())


def processes(running: Running) -> list[Ending]:
    ours = (running.supervisor_pid, running.server_pid, running.ledger_pid)
    pids = (*ours, *running.worker_pids)
    return [Ending(pid) for pid in pids if pid is not None]


def refused(folder: Path, app: str = APP, **more: object) -> WorkersFailed:
    one = shop(folder, app, **more)
    with pytest.raises(WorkersFailed) as caught:
        one.start()
    return caught.value

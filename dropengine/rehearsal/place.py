"""Where a rehearsal's own shop stands: a folder that goes with it, whatever ends it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from dropengine.config import Settings
from dropengine.errors import DropEngineError
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal import broom
from dropengine.rehearsal.machine import memory_free_mib

PREFIX: Final = "dropengine-rehearsal-"
FILES_BESIDE: Final = 300
"""Open files of a process that are no sockets of fans."""
MIB_BESIDE: Final = 300
"""Of the rehearsal's own shop and of whoever plays the crowd, before anybody comes."""
FAN_KIB: Final = 200
"""Of one fan, in the crowd and in the shop."""
SERVER_MIB: Final = 512
DISK_MIB: Final = 2_048
"""What a rehearsal writes at the most, with room to spare."""
SOCKETS_MOST: Final = 25_000
"""One address has no more ports for the same door."""

LIFTED: Final = (
    "the limits per network (this crowd comes from one address, a real one from many)",
    "the pace of each fan (a night is played within a minute)",
)


class NoRoom(DropEngineError):
    """The machine has no room for the rehearsal that was asked for; nothing was begun."""


@contextlib.contextmanager
def place(settings: Settings) -> Iterator[Path]:
    """A folder on the disk of the shop, where there is one: so what is kept costs what it costs
    there. It is gone afterwards, also when this process is killed."""
    beside = settings.data_dir if settings.data_dir.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
    sweeper = subprocess.Popen(
        [sys.executable, "-P", os.fspath(broom.__file__), os.fspath(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        assert sweeper.stdin is not None
        sweeper.stdin.close()
        sweeper.wait()


def fitting(settings: Settings, fans: int) -> None:
    """Is there room for so many? Raises NoRoom."""
    allowed = min(raise_file_limit(), SOCKETS_MOST)
    if (needed := fans + FILES_BESIDE) > allowed:
        raise NoRoom(
            f"{fans} fans need {needed} open files in one process, and {allowed} are allowed: "
            f"raise the limit (ulimit -n), or take fewer fans."
        )
    needed_mib = MIB_BESIDE + SERVER_MIB + fans * FAN_KIB // 1024
    free_mib = memory_free_mib()
    if free_mib is not None and needed_mib > free_mib:
        raise NoRoom(
            f"{fans} fans need {needed_mib} MiB of memory, and {free_mib} MiB are free: take fewer."
        )
    where = settings.data_dir if settings.data_dir.is_dir() else Path(tempfile.gettempdir())
    disk_mib = shutil.disk_usage(where).free // 2**20
    if (needed_mib := DISK_MIB + 2 * settings.disk_free_mib_min) > disk_mib:
        raise NoRoom(
            f"A rehearsal may write up to {DISK_MIB} MiB, and the disk of the shop has only "
            f"{disk_mib} MiB left: less than {needed_mib} MiB would come near to pausing sales."
        )


def own_shop(settings: Settings, folder: Path) -> Settings:
    """The same shop in that folder, on a loopback address that nobody else knows of: none of its
    addresses, secrets or stores is the real one's."""
    most = min(raise_file_limit(), SOCKETS_MOST)
    return msgspec.structs.replace(
        settings,
        host="127.0.0.1",
        port=0,
        public_url=None,
        origins=(),
        forwarded_allow_ips=(),
        redis_url=None,
        redis_prefix=None,
        database_url=None,
        smtp_url=None,
        mail_from=None,
        data_dir=folder.absolute(),
        secret_key=None,
        shop_id=None,
        metrics_token=None,
        accept_weaker=False,
        disk_free_mib_min=16,
        maxmemory_mib=SERVER_MIB,
        log_level="error",
        sockets_max=most,
        sockets_per_network_max=most,
        http_per_network_max=settings.http_max,
        handshakes_per_s_max=100_000,
        requests_per_s_max=1_000_000,
        messages_per_s_max=10_000,
        tickets_at_once_max=0,
    )

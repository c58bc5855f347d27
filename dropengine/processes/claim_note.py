"""What a data directory knows of its claim: the nonce of its run, and how often that was renewed.

A copy of the directory of a living shop stays behind at once, so it can be told from the original.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import time
from pathlib import Path

from dropengine.errors import AlreadyRunning

NONCE_CHARS = 32
RUN = re.compile(rf"[0-9a-f]{{{NONCE_CHARS}}}:[0-9]{{15}}")
DYING_S_MAX = 0.5
"""A killed owner keeps the file until the system has taken it apart."""


class ClaimNote:
    """The file `data_dir/claim`: ours alone from `open` to `close`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._handle = -1
        self.nonce = secrets.token_hex(NONCE_CHARS // 2)
        self.count = 0
        self.before = ""
        """Earlier runs of this directory, as `<nonce>:<count>`: the last one, and whom it was to go
        on from, in case it ended before it could."""

    def open(self) -> None:
        """Raises AlreadyRunning while another run keeps it open, OSError when it cannot be
        written."""
        handle = os.open(_path(self._data_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._win(handle)
            self.before = " ".join(RUN.findall(os.read(handle, 160).decode("latin-1"))[:2])
            self._handle = handle
            self.renewed()
        except BaseException:
            self._handle = -1
            os.close(handle)
            raise

    def renewed(self) -> None:
        """One renewal more is about to be told to the server. In place, without a word to the disk:
        what a power cut takes costs the next start the time that a claim lasts."""
        self.count += 1
        note = f"{self.nonce}:{self.count:015} {self.before}"
        os.pwrite(self._handle, note.ljust(160).encode(), 0)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _win(self, handle: int) -> None:
        last = time.monotonic() + DYING_S_MAX
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= last:
                    raise AlreadyRunning(os.fspath(self._data_dir), None) from None
            time.sleep(0.01)


def kept(data_dir: Path) -> bool:
    """Does a run of this data directory keep it open now? That is a shop, whatever server it sells
    from."""
    with contextlib.suppress(FileNotFoundError), _path(data_dir).open("rb") as file:
        try:
            # Side by side with others who look; a start that wants it alone waits for us.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def noted_nonce(data_dir: Path) -> str:
    """The nonce of the run of this data directory, for its web processes; '' without one."""
    with contextlib.suppress(OSError), _path(data_dir).open("rb") as file:
        return file.read(NONCE_CHARS).decode("ascii", "replace")
    return ""


def _path(data_dir: Path) -> Path:
    return data_dir / "claim"

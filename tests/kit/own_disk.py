"""A disk of a test's own, to be filled: a file system in memory that only one process sees."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.server_owner import ROOT


def run_on(folder: Path, *line: str) -> str:
    """What Python says that runs this line; it may lay a disk over the folder."""
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run(
            [unshare, "-rm", "mount", "-t", "tmpfs", "none", folder],
            check=False,
            capture_output=True,
        ).returncode
    ):
        pytest.skip("a disk of its own can be made only where user namespaces are allowed")
    said = subprocess.run(
        [unshare, "-rm", sys.executable, *line, os.fspath(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def lay_over(folder: Path, size_mib: int) -> None:
    """To be called in a process that `run_on` began."""
    options = f"size={size_mib}m,mode=700".encode()
    if ctypes.CDLL(None, use_errno=True).mount(b"none", os.fsencode(folder), b"tmpfs", 0, options):
        raise OSError(ctypes.get_errno(), f"no disk could be laid over {folder}")


def fill(folder: Path) -> Path:
    """Take all room that is left; the file that has it."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        facts = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, facts.f_bavail * facts.f_frsize)
    return ballast

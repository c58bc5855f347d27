"""Waiting for processes to end, without asking again and again."""

import os
import select

import pytest

from dropengine.processes import parent_death


class Ending:
    """The end of a process that is no child of ours. Taken while it lives, so it is that one."""

    def __init__(self, pid: int) -> None:
        if not hasattr(os, "pidfd_open"):
            pytest.skip("only Linux tells of the end of other people's children")
        self._handle = os.pidfd_open(pid)
        self.pid = pid
        assert parent_death.started(pid) is not None

    def wait(self, timeout_s: float = 20) -> None:
        """Return when it has ended. Raises TimeoutError."""
        ready, _, _ = select.select([self._handle], [], [], timeout_s)
        os.close(self._handle)
        if not ready:
            raise TimeoutError(f"process {self.pid} lives on")

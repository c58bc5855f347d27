"""Whether a sale can still be written down where the embedded server writes."""

import errno
import os
import tempfile
from pathlib import Path

from dropengine.config import Settings
from dropengine.errors import DiskFull
from dropengine.jobs.disk_watch import disk_free_mib

PROBE_BYTES = 1 << 20


def is_full(fault: OSError) -> bool:
    """Whether a write failed for want of room."""
    return fault.errno in (errno.ENOSPC, errno.EDQUOT)


class DiskRoom:
    """The room under one directory, told by the numbers and by writing."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._data_dir = settings.data_dir
        self._free_mib_min = settings.disk_free_mib_min
        self._directory = directory

    def enough(self) -> bool:
        """Raises OSError when the probe failed for another reason than want of room."""
        if disk_free_mib(self._directory) < self._free_mib_min:
            return False
        try:
            with tempfile.TemporaryFile(dir=self._directory) as probe:
                probe.write(bytes(PROBE_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as fault:
            if is_full(fault):
                return False
            raise
        return True

    def full(self) -> DiskFull:
        """The fault that says how much there is and how much is needed."""
        directory = self._data_dir
        return DiskFull(os.fspath(directory), disk_free_mib(directory), self._free_mib_min)

"""How much room is left where sales are written down."""

import os
from pathlib import Path


def disk_free_mib(path: Path) -> int:
    """Free disk for an ordinary user under a path that may not exist yet, in MiB."""
    while not path.exists():
        path = path.parent
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize >> 20

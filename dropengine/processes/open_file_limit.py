"""How many files a process may have open: each fan's socket is one."""

import contextlib
import resource

from dropengine.config import Settings

FILES_BESIDE = 256
"""Open files of a web process that are no connections of people, with room to spare."""


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "no limit" and then refuses it.
    for wanted in (hard, 65_536, 10_240):
        if wanted == soft:
            break
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def want_of_files(settings: Settings, limit: int) -> str:
    """What does not fit where a process may have `limit` files open; '' when all of it does."""
    most = settings.heads_max + settings.http_max + settings.streams_max + settings.sockets_max
    if most + FILES_BESIDE <= limit:
        return ""
    room = max(0, limit - FILES_BESIDE)
    return (
        f"A web process may open {limit} files, so about {room} connections fit and not the {most} "
        f"of sockets_max, http_max, heads_max and streams_max together; whoever comes beyond that "
        f"is cut off: raise `ulimit -n`, or lower these."
    )

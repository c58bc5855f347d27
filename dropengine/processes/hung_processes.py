"""Web processes that live and do nothing: their connections hang with them until they are replaced.

Silence is counted in the supervisor's own looks, not in time: a machine that slept, or a supervisor
that was stopped, finds nobody to blame.
"""

import asyncio
from collections.abc import Callable, Sequence

from dropengine.processes.kept_web_process import KeptWebProcess

LOOK_S = 0.9
"""A little more often than a process speaks: what hangs is replaced within 12 s."""
REPLACED_LOOKS_MAX = 10
"""A process that does not come up in so many looks does not keep the next one from its turn."""


async def look_after(processes: Sequence[KeptWebProcess], looked: Callable[[], None]) -> None:
    """Until cancelled: kill what hangs, one at a time, so that its keeper starts it again. looked:
    called after each look."""
    replaced: KeptWebProcess | None = None
    looks = 0
    while True:
        await asyncio.sleep(LOOK_S)
        hung = [one for one in processes if one.look()]
        looks += 1
        looked()
        if replaced is not None and not replaced.up and looks < REPLACED_LOOKS_MAX:
            continue
        replaced, looks = (hung[0], 0) if hung else (None, 0)
        if replaced is not None:
            replaced.kill()

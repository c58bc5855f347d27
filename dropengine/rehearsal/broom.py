"""Takes a rehearsal's folder away when the process that rehearsed has ended, however it ended.

It holds a pipe from that process, and imports nothing but the standard library: it costs little and
starts at once. Run as a script, its argument is the folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

GONE_S_MAX = 60.0
"""Its shop hears of the end as we do, and may need some time for its own."""
LOOK_S = 0.2
QUIET_LOOKS = 10
"""What still runs may make a file once more."""


def main() -> None:
    """Wait for the end of standard input, then sweep."""
    folder = Path(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    last, quiet = time.monotonic() + GONE_S_MAX, 0
    while quiet < QUIET_LOOKS and time.monotonic() < last:
        quiet = 0 if folder.exists() else quiet + 1
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main()

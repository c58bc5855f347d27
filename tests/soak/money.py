"""`make soak ARGS="--histories N"`: so many money histories, over every provider in turn."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.kit.money.playing import Wrong, played
from tests.kit.money.tills import TILLS
from tests.kit.private_server import Server

AT_ONCE: Final = 250
"""Histories on one server, which is emptied then."""


async def histories(count: int, seed: int) -> int:
    """The exit code: 0 where all money was where it belongs. The first history has this seed."""
    met, done = Counter[str](), 0
    while done < count:
        part = min(AT_ONCE, count - done)
        till = list(TILLS)[done // AT_ONCE % len(TILLS)]
        first = seed + done
        with tempfile.TemporaryDirectory(prefix="soak-money-") as name:
            server = Server(Path(name)).start()
            try:
                met += await played(server, Path(name), till, range(first, first + part))
            except Wrong as wrong:
                print(wrong, flush=True)
                return 1
            finally:
                server.stop()
        done += part
        print(f"{done} histories of money, 0 wrong ({till})", flush=True)
    print(f"{count} histories of money, 0 wrong: {dict(sorted(met.items()))}")
    return 0

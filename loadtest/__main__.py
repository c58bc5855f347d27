"""`make loadtest`: a night of two minutes on a shop of its own, judged; the report is a page.

Everything after `--` goes to locust as it is. The exit code is locust's: 0 when nothing failed and
the referee found nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.manifest.defaults import MODES
from dropengine.model import DropId
from dropengine.rehearsal.practice_drops import compressed, in_mode, shipped
from dropengine.rehearsal.practice_shop import PracticeShop, for_crowd, play

BY: Final = "o1"
DROP: Final = "loadtest"
COMING_S: Final = 20.0
"""Everybody who comes at a burst is at the page by then."""
GIVES_WAY: Final = 5
REPORT: Final = Path("loadtest.html")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="make loadtest", description=__doc__)
    parser.add_argument("--users", type=int, default=2_000, help="locust's users (2000)")
    parser.add_argument("--fans", type=int, default=8_000, help="watchers beside them (8000)")
    parser.add_argument("--units", type=int, default=400, help="on sale (400)")
    parser.add_argument("--seconds", type=int, default=120, help="how long (120)")
    parser.add_argument("--processes", type=int, default=1, help="of locust (1)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same people (1)")
    parser.add_argument(
        "--mode", choices=MODES, default=MODES[0], help=f"how arrivals are given out ({MODES[0]})"
    )
    parser.add_argument("--html", type=Path, default=REPORT, help=f"the report ({REPORT})")
    parser.add_argument("locust", nargs="*", help="more for locust, after --")
    return parser.parse_args()


async def night(asked: argparse.Namespace, folder: Path) -> int:
    """A shop, a drop, a crowd; locust's exit code."""
    settings = Settings(
        data_dir=folder,
        host="127.0.0.1",
        port=0,
        local_pay=True,
        disk_free_mib_min=16,
        log_level="error",
        handshakes_per_s_max=100_000,
    )
    shop = PracticeShop(for_crowd(settings, asked.users + asked.fans))
    await shop.start()
    try:
        store = shop.store()
        pin = in_mode(shipped("eclipse-pin.toml"), asked.mode)
        # Locust's users are one network.
        drop = msgspec.structs.replace(
            compressed(pin, DROP, asked.units), closes_ms=0, network_most=0
        )
        await shop.publish(store, drop, BY)
        locust = await asyncio.create_subprocess_exec(
            *command(asked, shop.url), env=os.environ | {"DROPENGINE_DATA_DIR": str(folder)}
        )
        try:
            await asyncio.sleep(min(COMING_S, asked.seconds / 4))
            live = await store.command(DropId(DROP), Open(), revision=1, by=BY, key="open")
            assert isinstance(live, outcomes.Changed), live
            return await locust.wait()
        finally:
            if locust.returncode is None:
                locust.terminate()
                await locust.wait()
            await store.close()
    finally:
        await shop.stop()


def command(asked: argparse.Namespace, url: str) -> list[str]:
    """Locust, as anybody would start it, but the crowd gives way to its shop: on one machine people
    have none of the cores that the shop runs on."""
    several = ["--processes", str(asked.processes)] if asked.processes > 1 else []
    rate = max(1, asked.users // 10)
    return [
        *(
            "nice",
            "-n",
            str(GIVES_WAY),
            sys.executable,
            "-m",
            "locust",
            "-f",
            "loadtest",
            "--headless",
            "--only-summary",
        ),
        *("--host", url, "--drop", DROP, "--seed", str(asked.seed), "--fans", str(asked.fans)),
        *("-u", str(asked.users), "-r", str(rate), "-t", f"{asked.seconds}s"),
        *("--html", str(asked.html), *several, *asked.locust),
    ]


def main() -> int:
    """Play it, and say where the report is."""
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="drop-") as folder:
        code = play(night(asked, Path(folder)))
    print(f"The report is {asked.html}: open it in a browser. ", end="")
    print("All is well." if code == 0 else f"Something failed (exit code {code}).")
    return code


if __name__ == "__main__":
    sys.exit(main())

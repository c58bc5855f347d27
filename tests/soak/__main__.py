"""`make soak MINUTES=10`: nights with real workers under a swizzle of faults, each one judged.

    python -m tests.soak [--minutes M] [--nights N] [--seed S] [--fans F]
    python -m tests.soak --histories N [--seed S]

Prints its seed first, then a line a night. The seed draws who wants what and which faults strike
in which order; the moments are those of the machine. Exit code 0: nothing was wrong; 1: a night
broke a promise, and its log and what its fans saw are kept in the folder that is named.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from dropengine.processes.supervisor import FACTORY
from tests.soak.money import histories
from tests.soak.night import BrokenNight, Soak, shop

NIGHT_S: Final = 20.0


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long at least (10)")
    parser.add_argument("--nights", type=int, default=0, help="so many, however long it takes")
    parser.add_argument("--seconds", type=float, default=NIGHT_S, help="of a night's faults (20)")
    parser.add_argument("--seed", type=int, default=None, help="of a run that was printed")
    parser.add_argument("--fans", type=int, default=24, help="in the crowd (24)")
    parser.add_argument("--histories", type=int, default=0, help="of money, instead of nights")
    parser.add_argument("--kept", type=Path, default=Path("soak"), help="for what broke (soak/)")
    return parser.parse_args(given)


async def soak(asked: argparse.Namespace, factory: str = FACTORY) -> int:
    """Nights until the time is over; the exit code. factory: see `shop`."""
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    print(f"SEED={seed}", flush=True)
    if asked.histories:
        return await histories(asked.histories, seed)
    until = time.monotonic() + asked.minutes * 60
    met: Counter[str] = Counter()
    number = 0
    async with shop(factory) as place:
        while number < asked.nights if asked.nights else time.monotonic() < until:
            number += 1
            night = Soak(place, f"{seed}-{number}", asked.fans)
            try:
                print(f"night {number}: {await night.play(asked.seconds)}", flush=True)
            except BrokenNight as broken:
                print(f"night {number}: {broken}\n{await night.keep(asked.kept)}", flush=True)
                return 1
            finally:
                met += night.met
    print(f"{number} nights, 0 violations, {sum(met.values())} faults: {dict(met)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(soak(arguments())))

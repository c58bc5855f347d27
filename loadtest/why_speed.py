"""How long one fan waits for his reason where a hundred thousand took part, and what keeping it
costs the books.

    .venv/bin/python -m loadtest.why_speed [FANS]

Each fan joins behind two hundred who buy; every tenth is offered something and lets it go. A
question is what the door asks of SQL, and the reason made of it.
"""

from __future__ import annotations

import functools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import msgspec

from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.log.why import why
from dropengine.manifest import digest, rules
from dropengine.model import DropId, FanId
from dropengine.sql import engine, reasons
from dropengine.sql.migrate import migrate
from tests.kit.manifests import START_MS, item, manifest

FANS = 100_000
UNITS = 200
DROP = DropId("pin")
ASKED = 2_000


def log_of(fans: int) -> list[bytes]:
    """A drop whose units are gone at once, and its line."""
    text = manifest(DROP, item("pin", {"pin": UNITS}))
    common = {"by": "mia", "key": "k", "revision": 1}
    made: list[dict[str, object]] = []

    def emit(word: str, **fields: object) -> None:
        made.append({"e": word, "seq": len(made) + 1, "at": START_MS + len(made), **fields})

    emit("published", schema=6, test=0, hash=digest(text), rules=rules(text), **common)
    emit("opened", **common)
    unit = {"pool": "pin", "qty": 1}
    for number in range(UNITS):
        emit(
            "held",
            fan=f"b{number:021d}",
            hold=f"h{number + 1}",
            key="k",
            price=900,
            deadline=START_MS,
            **unit,
        )
    for number in range(1, fans + 1):
        whose = {"fan": f"f{number:021d}", "entry": f"e{number}"}
        joined = {"n": number, "qty": 1, "pools": ["pin"], "lane": 0, "points": 0, "why": "fan"}
        emit("joined", key="k" * 21, **whose, **joined)
    for number in range(1, fans // 10):
        whose = {"fan": f"f{number:021d}", "entry": f"e{number}", "hold": f"h{number + UNITS}"}
        before = f"b{number - 1:021d}" if number <= UNITS else f"f{number - UNITS:021d}"
        emit("expired", fan=before, hold=f"h{number}", **unit)
        emit("offered", n=number, call=0, price=900, deadline=START_MS, **whose, **unit)
    emit("closed", **common)
    return [msgspec.json.encode(event) for event in made]


def main() -> None:
    """Enter the log, ask."""
    fans = int(sys.argv[1]) if len(sys.argv) > 1 else FANS
    lines = log_of(fans)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        migrate(settings)
        sql = engine.connect(settings)
        begun = time.perf_counter()
        for first in range(0, len(lines), books.STRETCH):
            enter = functools.partial(books.enter, drop=DROP, after=first)
            with engine.transaction(sql, writes=True) as connection:
                enter(connection, lines=lines[first : first + books.STRETCH])
        took = time.perf_counter() - begun
        print(f"{len(lines):,} events entered, {len(lines) / took:,.0f} a second")
        random, times = Random(1), []
        for _ in range(ASKED):
            fan = FanId(f"f{random.randint(1, fans):021d}")
            begun = time.perf_counter()
            with engine.transaction(sql, writes=False) as connection:
                found = reasons.read(connection, DROP, fan)
            assert found is not None
            why(*found)
            times.append((time.perf_counter() - begun) * 1000)
        sql.dispose()
    cuts = statistics.quantiles(times, n=100)
    print(f"a question: median {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms of {ASKED:,}")


if __name__ == "__main__":
    main()

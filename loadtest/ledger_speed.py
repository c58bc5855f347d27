"""How fast the books take a log in: events a second, and as a ratio to writing the bare texts.

    .venv/bin/python -m loadtest.ledger_speed [EVENTS] [postgresql://...]

A sale in which every second hold is paid for, in stretches as the projector makes them, each a
transaction that is on disk. The floor beside it is `sqlite3` alone: the texts and the cursor by
`executemany`, in the same stretches, with the same safety. Runs take turns.
"""

from __future__ import annotations

import gc
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.manifest import digest, rules
from dropengine.processes.ledger_process import GC_THRESHOLDS
from dropengine.sql import engine
from dropengine.sql.migrate import migrate
from tests.kit.manifests import START_MS, item, manifest

EVENTS = 60_000
RUNS = 3
DROP = "pin"


def log_of(count: int) -> list[bytes]:
    """An honest beginning of a sale."""
    text = manifest(DROP, item("pin", {"pin": count}))
    common = {"by": "mia", "key": "k", "revision": 1}
    made: list[dict[str, object]] = []

    def emit(word: str, **fields: object) -> None:
        made.append({"e": word, "seq": len(made) + 1, "at": START_MS, **fields})

    emit("published", schema=3, test=0, hash=digest(text), rules=rules(text), **common)
    emit("opened", **common)
    serial = 0
    while len(made) < count:
        number = len(made)
        hold, charge = f"h{number}", f"ch_{number:024d}"
        whose = {"fan": f"f{number:021d}", "hold": hold}
        units = {"pool": "pin", "qty": 1, **whose}
        emit("held", key="k" * 21, price=900, deadline=START_MS, **units)
        if number % 2:
            emit("released", key="k", by="fan", **units)
            continue
        serial += 1
        paid = {"amount": 900, "charge": charge}
        emit("paying", key="k", deadline=START_MS, **whose)
        emit("sold", intent=hold, serials=[serial], capture="pending", **paid, **units)
        duty = f"capture:{charge}"
        emit("discharged", duty=duty, kind="capture", result="done", **paid, **whose)
    return [msgspec.json.encode(event) for event in made]


def stretches(log: Sequence[bytes]) -> Sequence[Sequence[bytes]]:
    """What the projector enters at once."""
    return [log[at : at + books.STRETCH] for at in range(0, len(log), books.STRETCH)]


def ours(log: Sequence[bytes], settings: Settings) -> tuple[float, float]:
    """Seconds, and seconds of this process's CPU."""
    migrate(settings)
    one = engine.connect(settings)
    begun, cpu, after = time.perf_counter(), _cpu_s(), 0
    for stretch in stretches(log):
        with engine.transaction(one, writes=True) as connection:
            after = books.enter(connection, DROP, after, stretch)
    took = time.perf_counter() - begun, _cpu_s() - cpu
    one.dispose()
    return took


def floor(log: Sequence[bytes], folder: Path) -> float:
    """Seconds."""
    raw = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute(
        "CREATE TABLE log (drop_id TEXT, seq INTEGER, line BLOB, PRIMARY KEY (drop_id, seq))"
        " WITHOUT ROWID"
    )
    raw.execute("CREATE TABLE at (seq INTEGER)")
    begun, after = time.perf_counter(), 0
    for stretch in stretches(log):
        raw.execute("BEGIN IMMEDIATE")
        rows = [(DROP, seq, line) for seq, line in enumerate(stretch, after + 1)]
        raw.executemany("INSERT INTO log VALUES (?, ?, ?)", rows)
        after += len(stretch)
        raw.execute("UPDATE at SET seq = ?", (after,))
        raw.execute("COMMIT")
    took = time.perf_counter() - begun
    raw.close()
    return took


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(words: Sequence[str]) -> None:
    """Measure, and print two lines."""
    # As the process that keeps the books.
    gc.set_threshold(*GC_THRESHOLDS)
    log = log_of(int(words[0]) if words else EVENTS)
    address = words[1] if len(words) > 1 else None
    figures, floors, costs = [], [], []
    for _ in range(1 if address else RUNS):
        with tempfile.TemporaryDirectory() as name:
            floors.append(len(log) / floor(log, Path(name)))
            took_s, cpu_s = ours(log, Settings(data_dir=Path(name), database_url=address))
            figures.append(len(log) / took_s)
            costs.append(1e6 * cpu_s / len(log))
    rate, bare = statistics.median(figures), statistics.median(floors)
    print(f"{len(log)} events: {rate:,.0f} a second, {statistics.median(costs):.1f} us of CPU each")
    print(f"the texts alone by executemany: {bare:,.0f} a second, {bare / rate:.1f} times as many")


if __name__ == "__main__":
    main(sys.argv[1:])

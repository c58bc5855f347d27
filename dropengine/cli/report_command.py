"""`dropengine report DROP`: how a sale went, for people, programs and spreadsheets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import msgspec

from dropengine.config import Settings
from dropengine.errors import DropEngineError
from dropengine.jobs.ledger.report import Report, report
from dropengine.jobs.ledger.spreadsheet import spreadsheet
from dropengine.log.figures.figure import Figure
from dropengine.sql import engine
from dropengine.sql.migrate import fitting, revision


def run(settings: Settings, drop: str, *, form: str) -> int:
    """form: text, json or csv. Raises DropEngineError."""
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            fitting(revision(connection))
            found = report(connection, drop)
    finally:
        one.dispose()
    if found is None:
        raise DropEngineError(f"The books know no drop {drop}.")
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    elif form == "csv":
        sys.stdout.write(spreadsheet(found))
    else:
        print("\n".join(_told(found)))
    return 0


def _told(found: Report) -> Iterator[str]:
    yield f"{found.drop}, up to event {found.seq} of its log."
    for one in found.figures:
        yield ""
        yield f"{one.name} ({one.unit}; {'from the log' if one.stands_on == 'log' else 'counted'})"
        yield f"  {one.says}"
        yield from _lines(one)


def _lines(one: Figure) -> Iterable[str]:
    width = max((len(of) for of in one.values), default=0)
    for of, value in one.values.items():
        # A stretch of time in which nothing happened is no line.
        if value or not of or not of.startswith("up to"):
            yield f"    {(of or 'all'):<{max(width, 3)}}  {'-' if value is None else value}"

"""`dropengine rehearse DROP|FILE`: the night of a drop on this machine, before it comes."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from dropengine.cli import drop_arguments
from dropengine.cli.command_parsers import Commands, add_settings, command, settings_of
from dropengine.config import FIELDS, Settings
from dropengine.errors import DatabaseAway, DropEngineError, Unavailable
from dropengine.manifest import Manifest
from dropengine.rehearsal_report import (
    FANS,
    FANS_MAX,
    FANS_MIN,
    MINUTES,
    MINUTES_MAX,
    MINUTES_MIN,
    SHAPES,
    Asked,
    RehearsalReport,
)


class Found(NamedTuple):
    """drop: as it is. published: does the shop of this machine have it? selling: what sells there
    now or soon, in words. last: the report of its rehearsal before."""

    drop: Manifest
    published: bool
    selling: str
    last: RehearsalReport | None


def add(commands: Commands) -> None:
    """Its parser."""
    rehearse = command(
        commands,
        "rehearse",
        run,
        "Play the night of a drop on this machine, with simulated fans and in a shop of its own.",
    )
    rehearse.add_argument(
        "drop", metavar="DROP|FILE", help="a published drop's id, or a manifest's file"
    )
    rehearse.add_argument(
        "--fans",
        type=drop_arguments.whole(FANS_MIN, FANS_MAX),
        default=FANS,
        metavar="N",
        help=f"simulated fans ({FANS})",
    )
    rehearse.add_argument(
        "--shape",
        choices=SHAPES,
        default=SHAPES[0],
        help="how they come: all at the opening, one after another, in two waves, or in a burst "
        "that loses its connections (burst)",
    )
    rehearse.add_argument(
        "--minutes",
        type=drop_arguments.whole(MINUTES_MIN, MINUTES_MAX),
        default=MINUTES,
        metavar="M",
        help=f"for all of it ({MINUTES}); more of them press the drop's times together less",
    )
    rehearse.add_argument(
        "--beside-live",
        action="store_true",
        help="although a drop of this machine sells, or opens meanwhile: it is slowed down",
    )
    rehearse.add_argument("--report", type=Path, metavar="FILE", help="write the report as HTML")
    rehearse.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    rehearse.add_argument("--by", metavar="NAME", help="who does this (default: your user name)")
    add_settings(rehearse, FIELDS)


def run(arguments: argparse.Namespace) -> int:
    """0 when every promise that was tried is kept, 1 otherwise. Raises DropEngineError, and OSError
    where a report has no place."""
    from dropengine.cli import operators_terms
    from dropengine.rehearsal.own_drop import OwnDrop
    from dropengine.rehearsal.practice_shop import play
    from dropengine.rehearsal.rehearse import try_place
    from dropengine.terminal.rehearsal_screen import RehearsalScreen, of_rehearsal

    settings, _ = settings_of(arguments)
    by = operators_terms.signer(arguments)
    for path in (arguments.report, arguments.json):
        if path is not None:
            try_place(path)
    asked = Asked(
        fans=arguments.fans,
        shape=arguments.shape,
        minutes=arguments.minutes,
        beside_live=arguments.beside_live,
    )
    found = asyncio.run(_found(settings, arguments))
    if found.selling and not asked.beside_live:
        raise DropEngineError(
            f"{found.selling} A rehearsal would slow it down: wait, or say --beside-live."
        )
    with RehearsalScreen() as screen:
        one = OwnDrop(settings, found.drop, asked, last=found.last, tell=screen.tell)
        report = play(one.rehearse())
    # The report is what the command is run for: it goes to standard output, alone.
    print(of_rehearsal(report))
    _write(arguments, report)
    if found.published:
        asyncio.run(_keep(settings, report, by))
    return 0 if report.passed else 1


async def _found(settings: Settings, arguments: argparse.Namespace) -> Found:
    """The drop that was named, and whether anything sells. Raises DropEngineError."""
    from dropengine.cli import operators_terms
    from dropengine.truth.as_it_is import as_it_is, selling

    name: str = arguments.drop
    file = _file(name)
    try:
        store = operators_terms.connect(settings)
    except Unavailable:
        if file is None:
            raise
        # Where no shop runs, nothing is sold.
        return Found(file, published=False, selling="", last=None)
    try:
        now_ms = int(time.time() * 1000)
        sells = await selling(store, now_ms, (arguments.minutes + 1) * 60_000)
        words = "; ".join(
            f"{one.drop} {'opens soon' if one.opens_ms else 'sells now'}" for one in sells
        )
        words += "." if words else ""
        if file is not None:
            return Found(file, published=False, selling=words, last=None)
        await operators_terms.own(store, settings)
        drop = await as_it_is(store, operators_terms.drop_id(arguments))
        if drop is None:
            raise DropEngineError(f"There is no drop {name} here, and no such file.")
        return Found(drop, published=True, selling=words, last=await _last(settings, drop.id))
    finally:
        await store.close()


def _file(name: str) -> Manifest | None:
    """The manifest of a file, or of a shipped example; None of what is no file's name."""
    from dropengine.rehearsal.practice_drops import shipped

    return shipped(name) if name.endswith(".toml") or Path(name).is_file() else None


async def _last(settings: Settings, drop: str) -> RehearsalReport | None:
    """The report before this one, where anybody can tell."""
    from dropengine.cli.makers_drops import keeps_people
    from dropengine.people import rehearsals
    from dropengine.sql.database import Database

    if not keeps_people(settings):
        return None
    database = Database(settings)
    try:
        return await database.read(lambda sql: rehearsals.last_report(sql, drop))
    except DatabaseAway:
        return None
    finally:
        await database.close()


def _write(arguments: argparse.Namespace, report: RehearsalReport) -> None:
    from dropengine.doors.rehearsal_page import rehearsal_page

    if arguments.report is not None:
        arguments.report.write_bytes(rehearsal_page(report))
    if arguments.json is not None:
        text = msgspec.json.format(msgspec.json.encode(report), indent=2)
        arguments.json.write_bytes(text + b"\n")


async def _keep(settings: Settings, report: RehearsalReport, by: str) -> None:
    """With its drop, where the shop keeps anything; and in the audit trail."""
    from dropengine.cli.makers_drops import keeps_people
    from dropengine.cli.noted_commands import noted
    from dropengine.people import rehearsals
    from dropengine.sql.database import Database

    if not keeps_people(settings):
        return
    database = Database(settings)

    async def kept() -> int:
        now_ms = int(time.time() * 1000)
        await database.write(lambda sql: rehearsals.keep(sql, report, by, now_ms))
        return 0

    try:
        await noted(settings, kept, by=by, what="rehearse", of=report.drop)
    except DatabaseAway as fault:
        print(f"The report is not kept with its drop: {fault}", file=sys.stderr)
    finally:
        await database.close()

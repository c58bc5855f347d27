"""`dropengine drop cohorts`: who may buy before a drop is open to all, on the shop's machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from dropengine import data_directory
from dropengine.cli import makers_drops
from dropengine.cli.noted_commands import noted
from dropengine.cli.operators_terms import REFUSED, Arguments, drop_id, no_such, signer
from dropengine.config import Settings
from dropengine.errors import DropEngineError
from dropengine.manifest import Cohort
from dropengine.model import DropId
from dropengine.people import cohorts
from dropengine.people.addresses import AddressNames
from dropengine.people.cohorts import Counts
from dropengine.sql.database import Work
from dropengine.truth.store import Store

CHANGES = ("addresses", "codes", "strike", "strike_code", "strike_codes")


async def run(store: Store, settings: Settings, arguments: Arguments) -> int:
    """Show the cohorts of a drop, or change one; the exit code."""
    drop = drop_id(arguments)
    shown = await store.show(drop)
    if shown is None:
        return no_such(drop)
    found = shown.manifest.cohorts
    if arguments.cohort is None:
        return await _show(settings, drop, found, as_json=arguments.json)
    one = next((one for one in found if one.id == arguments.cohort), None)
    if one is None:
        ids = ", ".join(one.id for one in found) or "none"
        print(f"{drop} has no cohort {arguments.cohort}; it has {ids}.", file=sys.stderr)
        return REFUSED
    what = next((name for name in CHANGES if getattr(arguments, name)), None)
    if what is None:
        return await _list(settings, drop, one)
    return await noted(
        settings,
        lambda: _change(settings, drop, one, what, arguments),
        by=signer(arguments),
        what=f"cohorts_{what}",
        of=str(drop),
        word="",
        why="",
    )


async def _show(settings: Settings, drop: DropId, found: Sequence[Cohort], *, as_json: bool) -> int:
    known = await makers_drops.asked(settings, lambda sql: cohorts.counts(sql, drop))
    if as_json:
        told = [{"id": one.id, **known.get(one.id, Counts())._asdict()} for one in found]
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
        return 0
    for one in found:
        n = known.get(one.id, Counts())
        print(
            f"{one.id}\t{one.title}\t{n.listed} listed, {n.came} came"
            f"\t{n.codes} codes, {n.used} used"
        )
    if not found:
        print(f"{drop} has no cohorts: it is open to all from its opening.")
    return 0


async def _list(settings: Settings, drop: DropId, one: Cohort) -> int:
    """Addresses, then codes, one a line: what it is, and whether he came, or it was used."""
    after: str | None = ""
    while after is not None:
        rows = await makers_drops.asked(settings, _page_of_list(drop, one, after))
        for row in rows:
            print(f"{row.address}\t{'came' if row.came_ms else ''}".rstrip())
        after = rows[-1].address if len(rows) == cohorts.AT_ONCE else None
    after = ""
    while after is not None:
        codes = await makers_drops.asked(settings, _page_of_codes(drop, one, after))
        for code in codes:
            print(f"{cohorts.spelled(code.code)}\t{'used' if code.used_ms else ''}".rstrip())
        after = codes[-1].code if len(codes) == cohorts.AT_ONCE else None
    return 0


def _page_of_list(drop: DropId, one: Cohort, after: str) -> Work[list[cohorts.Listed]]:
    return lambda sql: cohorts.listed(sql, drop, one.id, after)


def _page_of_codes(drop: DropId, one: Cohort, after: str) -> Work[list[cohorts.Code]]:
    return lambda sql: cohorts.codes(sql, drop, one.id, after)


async def _change(
    settings: Settings, drop: DropId, one: Cohort, what: str, arguments: Arguments
) -> int:
    now_ms = time.time_ns() // 1_000_000
    if what == "codes":
        if not one.codes:
            raise DropEngineError(f"{one.id} has no codes: its manifest does not say so.")
        made = await makers_drops.changed(
            settings, lambda sql: cohorts.make_codes(sql, drop, one.id, arguments.codes, now_ms)
        )
        print(*map(cohorts.spelled, made), sep="\n")
        return 0
    if what == "strike":
        gone = await makers_drops.changed(settings, lambda sql: cohorts.strike(sql, drop, one.id))
        print(f"{gone} addresses are on the list no more. {cohorts.STAY}")
        return 0
    if what in ("strike_code", "strike_codes"):
        code = arguments.strike_code or ""
        struck = await makers_drops.changed(
            settings, lambda sql: cohorts.strike_codes(sql, drop, one.id, code)
        )
        print(cohorts.said_of_codes(struck, one=bool(code)))
        return 0 if struck.gone or not code else REFUSED
    if not one.listed:
        raise DropEngineError(f"{one.id} has no list of addresses: its manifest does not say so.")
    typed = cohorts.lines(_text(arguments.addresses))
    names = AddressNames(data_directory.secret(settings))

    def put(sql: Connection) -> cohorts.Taken:
        return cohorts.put(sql, names, drop, one.id, typed, now_ms)

    taken = await makers_drops.changed(settings, put)
    print(f"{taken.new} addresses are new on the list, {taken.known} were there.")
    for text in taken.wrong:
        print(f"no address: {ascii(text)[:80]}", file=sys.stderr)
    if taken.beyond:
        print(f"no room for {taken.beyond} more: {cohorts.FULL}", file=sys.stderr)
    return REFUSED if taken.wrong or taken.beyond else 0


def _text(path: str) -> str:
    try:
        sent = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as fault:
        raise DropEngineError(f"{path}: {fault}") from None
    text = cohorts.as_text(sent)
    if text is None:
        raise DropEngineError(f"{path}: this is no text")
    return text

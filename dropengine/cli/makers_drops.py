"""Whose a drop is, on the shop's machine: the maker's short name before its id, as at the doors.

Where SQL was never there, a shop knows no makers. Where it is away nothing is published, but what a
file names is found all the same: whoever has the machine must be able to pause a sale.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence

from sqlalchemy import Connection

from dropengine import manifest, refusals
from dropengine.cli.operators_terms import REFUSED, Arguments, drop_id, read, refuse
from dropengine.config import Settings, chain_of
from dropengine.errors import DatabaseAway, DropEngineError, ManifestError
from dropengine.manifest import Manifest
from dropengine.manifest.defaults import MODES
from dropengine.model import DropId
from dropengine.people import makers
from dropengine.people.makers import Maker
from dropengine.people.one_after_another import change
from dropengine.randomness import Source
from dropengine.sql import draw_secrets, engine
from dropengine.sql.database import Database, T, Work
from dropengine.truth.carried_list import mistake_in
from dropengine.truth.store import Store

_SHORT = re.compile(r"[a-z][a-z0-9]+")


def keeps_people(settings: Settings) -> bool:
    """Was there ever SQL?"""
    return settings.database_url is not None or engine.path(settings).exists()


async def _asked(settings: Settings, work: Work[T], *, writes: bool = False) -> T:
    database = Database(settings)
    try:
        return await (change(database, work) if writes else database.read(work))
    finally:
        await database.close()


async def asked(settings: Settings, work: Work[T]) -> T:
    """Read what SQL knows. Raises DatabaseAway."""
    return await _asked(settings, work)


async def changed(settings: Settings, work: Work[T]) -> T:
    """Change it as if alone. Raises DatabaseAway."""
    return await _asked(settings, work, writes=True)


async def set_aside(store: Store, settings: Settings, arguments: Arguments) -> int:
    """The drop to publish gets its id, as `--id`, and is its maker's from now on; the exit code of
    a refusal, else 0. Raises DatabaseAway, ManifestError."""
    known: list[Maker] = []
    if keeps_people(settings):
        known = await _asked(settings, makers.every)
    maker = _chosen(known, arguments.maker)
    if maker is None:
        return 0
    text = read(arguments.file)
    drop = text.id if arguments.id is None else str(arguments.id)
    if why := manifest.fault_in_drop_id(drop):
        return refuse(refusals.BadMessage(f"id {why}"))
    if len(known) > 1:
        drop = arguments.id = makers.id_under(maker, drop)
    published = await store.show(DropId(drop)) is not None
    now_ms = int(time.time() * 1000)

    def kept(sql: Connection) -> bool:
        return makers.own(sql, drop, maker.id, now_ms, published=published)

    if await _asked(settings, kept, writes=True):
        return 0
    print(f"Refused: {drop} is another maker's. Publish it under another id.", file=sys.stderr)
    return REFUSED


async def chance_of(settings: Settings, text: Manifest) -> Source | None:
    """Where the chance of a drop comes from that is published here. Raises DatabaseAway,
    ManifestError, DropEngineError."""
    chain = chain_of(settings)
    if why := draw_secrets.fault_in_chance(text, chain):
        raise ManifestError(text.id, [why])
    if text.mode == MODES[0]:
        return None
    if not keeps_people(settings):
        raise DropEngineError(
            f'mode = "{text.mode}" needs a shop that has run: what its list is ordered by is kept '
            "there. Start it once with `dropengine serve`."
        )
    now_ms = int(time.time() * 1000)

    def named(sql: Connection) -> Source | None:
        return draw_secrets.named(sql, text, chain, now_ms)

    return await _asked(settings, named, writes=True)


async def look_at_carried(store: Store, settings: Settings, text: Manifest) -> None:
    """The places that a drop carries over must be there, and of a drop of the same maker. Raises
    DatabaseAway, ManifestError, DropEngineError."""
    if not text.carried_from:
        return
    if not keeps_people(settings):
        raise DropEngineError(
            "carried_from needs a shop that has run: who stands behind the places is known there. "
            "Start it once with `dropengine serve`."
        )
    drops = [text.id, text.carried_from]
    whose = await _asked(settings, lambda sql: makers.owners_of(sql, drops))
    if whose.get(text.id) != whose.get(text.carried_from):
        raise ManifestError(text.id, [f"carried_from: {text.carried_from} is another maker's"])
    if mistake := await mistake_in(store, text):
        raise ManifestError(text.id, [mistake])


def _chosen(known: Sequence[Maker], short: str | None) -> Maker | None:
    """Whose it will be; None where the shop has no makers. Raises DropEngineError."""
    named = "; ".join(f"{one.short} ({one.name})" for one in known)
    if short is None and len(known) > 1:
        raise DropEngineError(f"Whose drop is it? Say --maker SHORT, which is one of: {named}.")
    if short is None:
        return known[0] if known else None
    for one in known:
        if one.short == short:
            return one
    raise DropEngineError(
        f"There is no maker {manifest.short(short)} here. "
        + (f"--maker is one of: {named}." if known else "This shop has no makers yet.")
    )


async def name(store: Store, settings: Settings, arguments: Arguments) -> None:
    """What FILE-OR-ID names becomes the id: of a file the drop that was published from it, under
    whichever maker. Raises DropEngineError when it may be one of several."""
    given = drop_id(arguments)
    if arguments.drop == given:
        return
    drops = await store.every_drop()
    under = [drop for drop in drops if drop.endswith(f"-{given}")]
    shorts = await _shorts(settings) if under else None
    found = [drop for drop in drops if drop == given]
    for drop in under:
        short = drop[: -len(given) - 1]
        # Where nobody can tell, whatever could be a short name counts: better asked than guessed.
        if _SHORT.fullmatch(short) if shorts is None else short in shorts:
            found.append(drop)
    if len(found) > 1:
        several = ", ".join(sorted(found))
        raise DropEngineError(
            f"Which drop do you mean? {arguments.drop} may be {several}: say its id."
        )
    arguments.drop = found[0] if found else given


async def _shorts(settings: Settings) -> set[str] | None:
    """The short names of all makers; None where nobody can tell."""
    if not keeps_people(settings):
        return set()
    try:
        return {one.short for one in await _asked(settings, makers.every)}
    except DatabaseAway:
        return None


async def owners(settings: Settings, drops: Sequence[DropId]) -> dict[str, str]:
    """Drop -> the short name of its maker, where anybody can tell."""
    if not keeps_people(settings):
        return {}

    def found(sql: Connection) -> dict[str, str]:
        shorts = {one.id: one.short for one in makers.every(sql)}
        return {drop: shorts[maker] for drop, maker in makers.owners_of(sql, [*drops]).items()}

    try:
        return await _asked(settings, found)
    except DatabaseAway as fault:
        print(f"Whose they are cannot be told: {fault}", file=sys.stderr)
        return {}

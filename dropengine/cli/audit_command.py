"""`dropengine audit DROP`: do the records of a drop say what its log says, and may it go on?"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Iterator

from dropengine import outcomes, refusals
from dropengine.cli import makers_drops
from dropengine.cli.noted_commands import noted
from dropengine.cli.operators_terms import (
    REFUSED,
    connect,
    drop_id,
    fault_in_name,
    key_of,
    no_such,
    own,
    refuse,
    signer,
    word_of,
)
from dropengine.config import Settings
from dropengine.model import DropState
from dropengine.payments import lost_ids
from dropengine.truth import repair
from dropengine.truth.repair import Audit
from dropengine.truth.store import Store

ROWS_SHOWN = 50
RESTORED = "restore"
WHY = {
    "books": "its books did not add up",
    "half": "a change was written only by half",
    RESTORED: "it was restored from a backup",
}

Arguments = argparse.Namespace


def run(arguments: Arguments, settings: Settings) -> int:
    """Say what was found, and do what was asked for; its exit code. Raises DropEngineError."""
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: Arguments, settings: Settings) -> int:
    store = connect(settings)
    try:
        await own(store, settings)
        await makers_drops.name(store, settings, arguments)
        if not (arguments.repair or arguments.thaw):
            return await _audit(store, arguments)
        if why := fault_in_name(arguments):
            return refuse(refusals.BadMessage(why))
        arguments.word = word_of(settings, arguments)
        return await noted(
            settings,
            lambda: _audit(store, arguments),
            by=signer(arguments),
            what="thaw" if arguments.thaw else "repair",
            of=drop_id(arguments),
            word=arguments.word,
        )
    finally:
        await store.close()


async def _audit(store: Store, arguments: Arguments) -> int:
    drop, rewritten = drop_id(arguments), 0
    # Whoever comes first sees a change that was written by half, and freezes the drop.
    await store.settle(drop)
    found = await repair.audit(store, drop)
    if found is None and await store.is_archived(drop):
        print(
            f"{drop} is archived: its log stands in SQL (`dropengine drop log {drop}`), and no "
            f"records beside it that could say otherwise. A refund brings it back."
        )
        return 0
    if found is None:
        return no_such(drop)
    print("\n".join(_told(found)))
    if arguments.repair and found.rows and not found.hole and found.shown.froze:
        rewritten = await repair.rewrite(store, found)
        print(f"Of its records {_rows(rewritten)} rewritten from the log.")
        found = await repair.audit(store, drop)
        assert found is not None, "a drop is never forgotten"
    missing = await lost_ids.from_copy(store, drop)
    if missing:
        print(
            f"What the provider calls {len(missing)} of its charges is not known here: it is "
            f"looked up when one of them has a duty, or when a payment comes."
        )
    if arguments.thaw and found.agrees and found.shown.froze not in ("", RESTORED):
        return await _thaw(store, found, arguments, rewritten)
    print(_next(found))
    refused = arguments.thaw and found.shown.froze == RESTORED
    return 0 if found.agrees and not refused else REFUSED


async def _thaw(store: Store, found: Audit, arguments: Arguments, rewritten: int) -> int:
    outcome = await repair.thaw(
        store, found, by=arguments.word, key=key_of(arguments), rewritten=rewritten
    )
    if not isinstance(outcome, outcomes.Changed):
        return refuse(outcome)
    drop = found.shown.manifest.id
    print(f"{drop} goes on: it is {outcome.state}, revision {outcome.revision}.")
    if outcome.state == DropState.PAUSED:
        print(
            f"Its holds have the time they had left. `dropengine drop resume {drop}` sells again."
        )
    return 0


def _told(found: Audit) -> Iterator[str]:
    shown = found.shown
    yield f"{shown.manifest.id} is {shown.state}, revision {shown.revision}."
    if shown.froze:
        yield f"It stands to be looked at: {WHY.get(shown.froze, 'it stopped itself')}."
    if found.hole:
        yield f"Its log is no measure: {found.hole}."
    elif found.rows:
        rows = _rows(len(found.rows))
        yield f"Its log has {found.events} events. Of its records {rows} not as it says:"
        yield from (f"  {row.sentence}" for row in found.rows[:ROWS_SHOWN])
        if len(found.rows) > ROWS_SHOWN:
            yield f"  and {len(found.rows) - ROWS_SHOWN} more"
    else:
        yield f"Its log has {found.events} events, and every record is as it says."
    for name in found.set_aside:
        yield f"The duty {name} cannot be read and is set aside: see to its money."


def _rows(count: int) -> str:
    return "one is" if count == 1 else f"{count} are"


def _next(found: Audit) -> str:
    """What whoever runs the shop can do now."""
    drop = found.shown.manifest.id
    if found.hole and found.shown.froze:
        return (
            f"Nobody can say what is owed to whom. What is left is to call it off, which gives "
            f"back every payment that its records know: `dropengine drop cancel {drop}`."
        )
    if found.hole:
        return "Tell whoever maintains the shop, and keep the log."
    if not found.shown.froze:
        return (
            "It is not frozen."
            if found.agrees
            else "Pause it, and tell whoever maintains the shop."
        )
    if found.rows:
        return "Rewrite them from the log with --repair; --thaw lets it go on then."
    if found.shown.froze == RESTORED:
        return "What was paid is compared with it first: `dropengine reconcile` lets it go on."
    return "With --thaw it goes on."

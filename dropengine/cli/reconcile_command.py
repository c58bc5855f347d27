"""`dropengine reconcile`: a restored drop is compared with what was paid, and then goes on."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from dropengine import data_directory, outcomes, refusals
from dropengine.cli.noted_commands import noted
from dropengine.cli.operators_terms import (
    REFUSED,
    connect,
    drop_id,
    fault_in_name,
    keeping,
    key_of,
    no_such,
    own,
    refuse,
    signer,
    word_of,
)
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.model import DropId, DropState
from dropengine.payments import providers, reconciliation
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Kept, Unknown
from dropengine.payments.reconciliation import Comparison, Difference, Then
from dropengine.sql.database import Database
from dropengine.terminal import summary
from dropengine.truth import repair
from dropengine.truth.repair import Audit
from dropengine.truth.store import Store

EARLIER_MS = 24 * 3600 * 1000
"""The provider's clock may be another: it is asked from a day before the drop was published on."""
ROWS_SHOWN = 200
DONE = 0

Arguments = argparse.Namespace


class _Found(Struct, frozen=True):
    """A drop, its records held against its log, and its log held against what was paid."""

    drop: DropId
    audit: Audit
    compared: Comparison


def run(arguments: Arguments, settings: Settings) -> int:
    """Say what was found and, once somebody agrees, do it; the exit code. Raises
    DropEngineError."""
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: Arguments, settings: Settings) -> int:
    keeping(settings)
    store = connect(settings)
    database = Database(settings)
    built = providers.build(settings, data_directory.secret(settings), database)
    try:
        await own(store, settings)
        drops = await store.drops()
        if arguments.drop is not None:
            wanted = [drop_id(arguments)]
        else:
            wanted = [drop for drop in reversed(drops) if await store.waits(drop)]
        if not wanted:
            print("No drop waits because of a restore.")
            return DONE
        since_ms = min([await store.house.listed_ms(drop) for drop in wanted]) - EARLIER_MS
        # What is paid while the drops are read must not look as if it were for nobody.
        kept = await _kept(built, since_ms)
        intents = IntentIds(data_directory.shop_id(settings), store)
        looked = [await _look(store, built, intents, drop, kept) for drop in wanted]
        if arguments.drop is None:
            _tell_lost(kept, drops)
        found = [one for one in looked if one is not None]
        if not found or not _agreed(arguments):
            return REFUSED
        if why := fault_in_name(arguments):
            return refuse(refusals.BadMessage(why))
        codes = [await _noted(store, built, intents, settings, arguments, one) for one in found]
        return max(codes) if len(found) == len(looked) else REFUSED
    finally:
        for provider in built:
            await provider.close()
        await database.close()
        await store.close()


async def _noted(
    store: Store,
    built: Configured,
    intents: IntentIds,
    settings: Settings,
    arguments: Arguments,
    found: _Found,
) -> int:
    arguments.word = word_of(settings, arguments)
    return await noted(
        settings,
        lambda: _carry_out(store, built, intents, arguments, found),
        by=signer(arguments),
        what="reconcile",
        of=found.drop,
        word=arguments.word,
    )


async def _kept(built: Configured, since_ms: int) -> dict[str, Sequence[Kept]]:
    """What each provider keeps. Raises Unavailable when one does not say."""
    kept: dict[str, Sequence[Kept]] = {}
    for name, provider in built.built.items():
        answer = await provider.kept(since_ms)
        if isinstance(answer, Unknown):
            raise Unavailable(f"{name} does not say what was paid: {answer.why}. Ask again.")
        kept[name] = answer
    return kept


async def _look(
    store: Store,
    built: Configured,
    intents: IntentIds,
    drop: DropId,
    kept: Mapping[str, Sequence[Kept]],
) -> _Found | None:
    """Compare and tell; None: it cannot go on now, and why is told."""
    await store.settle(drop)
    audit = await repair.audit(store, drop)
    if audit is None:
        no_such(drop)
        return None
    if not audit.agrees:
        print(
            f"{drop}: its records are not as its log says: see `dropengine audit {drop}` first.",
            file=sys.stderr,
        )
        return None
    found = _Found(drop, audit, await reconciliation.compare(store, built, intents, drop, kept))
    print("\n".join(_told(found)))
    return found


def _tell_lost(kept: Mapping[str, Sequence[Kept]], drops: Sequence[DropId]) -> None:
    """A drop that was published after the backup is not there, and what was paid for it may be
    another shop's at the same provider: nobody but a person can tell."""
    lost = Counter(one.drop for all_ in kept.values() for one in all_ if one.drop not in drops)
    if lost:
        told = ", ".join(f"{count} for {drop}" for drop, count in sorted(lost.items()))
        print(f"Payments for drops that this shop does not have are left to you: {told}.")


def _told(found: _Found) -> Iterator[str]:
    shown, compared = found.audit.shown, found.compared
    yield f"{found.drop} is {shown.state}; its log ends with event {shown.seq}."
    agreeing = f"Of its payments {compared.agreeing} are kept as the log says"
    if compared.differences:
        yield f"{agreeing}, and these are not:"
        rows = [_row(one) for one in compared.differences[:ROWS_SHOWN]]
        yield from _table([("payment", "the log", "the provider", "then"), *rows])
        if len(compared.differences) > ROWS_SHOWN:
            yield f"  and {len(compared.differences) - ROWS_SHOWN} more"
    else:
        yield f"{agreeing}, and no other."
    if compared.duties:
        owed = ", ".join(f"{count} {kind}" for kind, count in sorted(compared.duties.items()))
        yield f"Its duties go on then: {owed}."


def _row(one: Difference) -> tuple[str, str, str, str]:
    says = "keeps nothing of it"
    if one.paid is not None:
        how = "captured" if one.paid.captured else "authorised"
        amount = summary.money(one.paid.amount, one.paid.currency)
        says = f"{one.at}: {amount} {how}, {one.paid.charge}"
    return one.payment, one.log, says, one.then


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """All columns to the left: they are words."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _agreed(arguments: Arguments) -> bool:
    """Does somebody who has read this want it?"""
    if arguments.yes:
        return True
    if sys.stdin.isatty():
        return input("Do so? Type yes: ").strip() == "yes"
    print("Nothing was done. With --yes it is.")
    return False


async def _carry_out(
    store: Store,
    built: Configured,
    intents: IntentIds,
    arguments: Arguments,
    found: _Found,
) -> int:
    """First what needs no drop, then let it go on, then what it must judge itself."""
    drop, compared = found.drop, found.compared
    faults = await reconciliation.give_back(built, drop, compared)
    if found.audit.shown.froze:
        outcome = await repair.thaw(store, found.audit, by=arguments.word, key=key_of(arguments))
        if not isinstance(outcome, outcomes.Changed):
            return refuse(outcome)
        print(f"{drop} goes on: it is {outcome.state}, revision {outcome.revision}.")
        if outcome.state == DropState.PAUSED:
            print(f"`dropengine drop resume {drop}` sells again.")
    faults += await reconciliation.tell(store, built, intents, drop, compared)
    for fault in faults:
        print(fault, file=sys.stderr)
    left = sum(one.then is Then.PERSON for one in compared.differences)
    if left:
        print(f"{left} of its payments are left to you.")
    if faults:
        print(f"Run `dropengine reconcile {drop}` again.", file=sys.stderr)
    return REFUSED if faults else DONE

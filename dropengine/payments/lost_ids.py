"""What the provider calls a charge, where the server of the truth has forgotten it.

SQL has a copy. What that lacks too is found by the intent under which it was paid: a charge that is
kept is told by a lookup, and of one that is not nothing can be asked any more.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from dropengine import events
from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Charged, Unknown
from dropengine.truth.charge_ids import TOLD, Ids, told_by_ids
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

GONE = "gone:"
"""Stands before our number where a provider's id would: the money is not there any more, so that no
lookup tells of it. Nothing is asked under it; a duty about it is a person's."""


async def charge_id(
    store: Store, providers: Configured, intents: IntentIds, drop: DropId, charge: str
) -> str | None:
    """What the provider calls a charge; None while nobody can say. Raises Unavailable."""
    known = await store.charge_ids.of(drop, [charge])
    if charge not in known:
        await find(store, providers, intents, drop)
        known = await store.charge_ids.of(drop, [charge])
    found = known.get(charge)
    return None if found is None or found.startswith(GONE) else found


async def find(store: Store, providers: Configured, intents: IntentIds, drop: DropId) -> Ids:
    """Find all that is missing, and write it down; what is missing still. Raises Unavailable."""
    missing = await from_copy(store, drop)
    if missing:
        log.warning("%s: %d ids of charges are looked up", drop, len(missing))
        await store.charge_ids.name(
            drop, await _looked_up(store, providers, intents, drop, missing)
        )
        missing = await store.charge_ids.missing(drop)
    if missing:
        log.error("%s: the provider's ids of %s are not found", drop, ", ".join(sorted(missing)))
    return missing


async def from_copy(store: Store, drop: DropId) -> Ids:
    """Write down again what SQL has, and what the log itself tells where an older layout wrote it;
    what is missing still. Raises Unavailable."""
    missing = await store.charge_ids.missing(drop)
    if not missing:
        return missing
    copied: Ids = {}
    if store.charge_ids.in_sql is not None:
        try:
            copied = await store.charge_ids.in_sql(drop)
        except DatabaseAway as fault:
            log.warning("%s: the copy of its charges' ids cannot be read: %s", drop, fault)
    copied |= await store.charge_ids.all(drop)
    found = told_by_ids(await _log(store, drop)) | copied
    await store.charge_ids.name(drop, {c: of for c, of in found.items() if c in missing})
    return await store.charge_ids.missing(drop)


async def _log(store: Store, drop: DropId) -> Sequence[events.AnyEvent]:
    """The events that tell of a charge first, and of a layout."""
    words = (b'"charge":', b'{"e":"published"', b'{"e":"lifted"')
    return [
        events.parse(line) async for line in store.log(drop) if any(word in line for word in words)
    ]


async def _looked_up(
    store: Store, providers: Configured, intents: IntentIds, drop: DropId, missing: Collection[str]
) -> Ids:
    """The provider is asked about each intent under which one of these charges was made; what it
    does not answer stays missing."""
    log = await _log(store, drop)
    back = {e.charge for e in log if isinstance(e, events.Discharged) and _went_back(e)}
    taken = set((await store.charge_ids.all(drop)).values())
    found: Ids = {charge: GONE + charge for charge in back.intersection(missing)}
    by_intent: dict[str, dict[str, int]] = {}
    for e in log:
        if isinstance(e, (*TOLD, events.Paid)) and e.charge in missing and e.charge not in back:
            charges = by_intent.setdefault(_paid_as(e), {})
            # One charge may have bought several orders: what it was in all is told behind them.
            charges[e.charge] = e.amount
    for payment, charges in by_intent.items():
        kept = await _kept(store, providers, intents, drop, payment)
        if kept is None:
            continue
        kept = [one for one in kept if one.charge not in taken]
        for charge, amount in charges.items():
            alike = [one for one in kept if one.amount == amount] or kept
            found[charge] = alike[0].charge if alike else GONE + charge
            kept = [one for one in kept if one.charge != found[charge]]
    return found


def _paid_as(e: events.Sale | events.Voided | events.Paid) -> str:
    """The payment that a charge was for, or the hold in a drop without payments."""
    if e.payment:
        return e.payment
    return (
        e.intent if isinstance(e, events.Sale) else e.hold if isinstance(e, events.Voided) else ""
    )


def _went_back(e: events.Discharged) -> bool:
    return e.kind in ("void", "refund") and e.result == "done"


async def _kept(
    store: Store, providers: Configured, intents: IntentIds, drop: DropId, payment: str
) -> list[Charged] | None:
    """Every charge that is kept of a payment; None where nobody can say yet."""
    record = await store.payment(drop, payment)
    payments = providers.of("" if record is None else record.provider)
    if payments is None:
        return None
    kept: list[Charged] = []
    for intent in await intents.all(drop, payment):
        answer = await payments.lookup(intent)
        if isinstance(answer, Unknown):
            return None
        if isinstance(answer, Charged):
            kept += [answer, *answer.also]
    return kept

"""What is owed outside: payments are reported to the scripts, and what they decided is done.

Whatever a provider has not surely done stays in the drop's outbox and is asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from dropengine import outcomes, refusals
from dropengine.model import STANDING, DropId, DutyRecord, HoldId
from dropengine.payments import lost_ids
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import (
    Cancellation,
    Charged,
    Declined,
    Failed,
    Lookup,
    Nothing,
    Payments,
    ProviderAnswer,
    Succeeded,
    Unknown,
)
from dropengine.truth.store import Store

log = logging.getLogger(__name__)


async def give_back(
    payments: Payments, charge: str, amount: int, *, captured: bool, key: str
) -> ProviderAnswer:
    """Return money that bought nothing: by void, or by refund once it was captured."""
    if not captured:
        answer = await payments.void(charge, key)
        if not isinstance(answer, Failed):
            return answer
        # What we were told was authorised has been captured since. A provider may bind a key to its
        # first call, so the other way back has its own.
        key = f"{key}:refund"
    return await payments.refund(charge, amount, key)


async def report(
    store: Store,
    payments: Payments,
    intents: IntentIds,
    drop: DropId,
    hold: HoldId,
    paid: Charged,
) -> outcomes.PaymentOutcome | Unknown | Failed:
    """Tell the scripts of a payment, however it was learned of.

    A payment for a hold that is not ours is given back here, since no script stands behind it;
    Unknown and Failed say that this did not happen yet: report it again. A word that is out of all
    bounds is refused as BadMessage: a person has to see to that money. Raises errors.Unavailable.
    """
    told = (hold, paid.charge, paid.amount, paid.currency, paid.captured)
    outcome = await store.succeeded(drop, *told, card=paid.card)
    if isinstance(outcome, outcomes.Unnamed):
        await lost_ids.find(store, payments, intents, drop)
        outcome = await store.succeeded(drop, *told, card=paid.card)
    if isinstance(outcome, outcomes.Unnamed):
        return Unknown("the ids of earlier charges are not known, and this may be one of them")
    if isinstance(outcome, refusals.BadMessage):
        log.error("%s: what the provider says of %s is out of bounds: %s", drop, hold, outcome.why)
    if not isinstance(outcome, refusals.NotFound):
        return outcome
    if await store.waits(drop):
        return Unknown("the drop was restored: it is compared with the provider first")
    answer = await give_stray_back(payments, drop, hold, paid)
    return outcome if isinstance(answer, Succeeded) else answer


async def give_stray_back(
    payments: Payments, drop: DropId, hold: HoldId, paid: Charged
) -> ProviderAnswer:
    """Return money for what is no hold of ours, whatever name it bears: no script decides it."""
    key = f"stray:{paid.charge}"
    answer = await give_back(payments, paid.charge, paid.amount, captured=paid.captured, key=key)
    log.warning("payment %s is for no hold of ours (%s, %s): %s", paid.charge, drop, hold, answer)
    return answer


async def perform(
    store: Store,
    payments: Payments,
    intents: IntentIds,
    drop: DropId,
    duty_id: str,
    duty: DutyRecord,
) -> str:
    """Do one duty at the provider and tick it off. Its key there is what it does and what the
    provider calls the charge: no other duty of any drop has it, nor of a drop that was restored.

    What stays unknown, and a refund that failed, stays in the outbox: call again later, unless the
    answer is a word: why the provider will never do it. Any worker may do any duty, also two at
    once. Raises errors.Unavailable when the store does not answer.
    """
    if duty.amount == 0 and duty.kind != "lookup":
        # An older engine owed nothing, and said so; a provider moves no such amount.
        await store.discharge(drop, duty_id, "done")
        return ""
    if duty.kind == "lookup":
        await _look(store, payments, intents, drop, duty_id, HoldId(duty.hold))
        return ""
    charge = await lost_ids.charge_id(store, payments, intents, drop, duty.charge)
    if charge is None:
        log.warning("%s: duty %s waits until the id of its charge is found", drop, duty_id)
        return ""
    key = f"{duty.kind}:{charge}"
    settled: Sequence[type[ProviderAnswer]] = (Succeeded,)
    match duty.kind:
        case "capture":
            answer = await payments.capture(charge, key)
            settled = (Succeeded, Failed)
        case "void":
            answer = await give_back(payments, charge, duty.amount, captured=False, key=key)
        case "refund":
            answer = await payments.refund(charge, duty.amount, key)
        case _:
            raise AssertionError(f"{drop}: no duty is called {duty.kind!r}")
    if isinstance(answer, tuple(settled)):
        result: Literal["done", "failed"] = "done" if isinstance(answer, Succeeded) else "failed"
        await store.discharge(drop, duty_id, result)
    if not isinstance(answer, Succeeded):
        log.warning("%s: duty %s of %s: %s", drop, duty_id, charge, answer)
    for_ever = isinstance(answer, Failed) and answer.final and Failed not in settled
    return str(answer) if for_ever else ""


async def _look(
    store: Store,
    payments: Payments,
    intents: IntentIds,
    drop: DropId,
    duty_id: str,
    hold: HoldId,
) -> None:
    """Find out what became of a payment that was begun.

    While its hold stands: was it paid? Then its end answers the duty. Once it has ended, also by
    its sale, nobody may pay any more: only then, and when what was paid is judged, nothing is left
    to ask.
    """
    record = await store.hold(drop, hold)
    stands = record is not None and record.state in STANDING
    answers: list[Lookup | Cancellation] = []
    for intent in await intents.all(drop, hold):
        ask = payments.lookup if stands else payments.cancel
        answers.append(await ask(intent))
    for paid in answers:
        if isinstance(paid, Charged):
            told = [
                await report(store, payments, intents, drop, hold, each)
                for each in (paid, *paid.also)
            ]
            if paid.pending or not all(isinstance(outcome, outcomes.Granted) for outcome in told):
                # Not all of this money was decided about yet, so it stays to be asked about.
                return
    for answer in answers:
        if isinstance(answer, Unknown):
            log.info("%s: the payment of %s is not known yet: %s", drop, hold, answer.why)
            return
    if not stands:
        await store.discharge(drop, duty_id, "done")
    elif all(isinstance(answer, Nothing | Declined) for answer in answers):
        await store.unpaid(drop, hold)

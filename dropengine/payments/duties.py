"""What is owed outside: payments are reported to the scripts, and what they decided is done.

Whatever a provider has not surely done stays in the drop's outbox and is asked for again.
"""

from __future__ import annotations

import logging

from dropengine import outcomes, refusals
from dropengine.model import STANDING, DropId, DutyRecord, PaymentState
from dropengine.payments import lost_ids
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import (
    Cancellation,
    Charged,
    Failed,
    Lookup,
    Payments,
    ProviderAnswer,
    Succeeded,
    Unknown,
)
from dropengine.truth.outbox import QUESTIONS
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
        # What we were told was authorised has been captured since, all of it or a part. A provider
        # may bind a key to its first call, so the other way back has its own.
        key = f"{key}:refund"
        amount = answer.taken or amount
    return await payments.refund(charge, amount, key)


async def take(payments: Payments, charge: str, amount: int, key: str) -> ProviderAnswer:
    """Capture `amount` of a charge. Where more was captured, by a call whose answer was lost before
    a part of it was given back, what is over goes back."""
    answer = await payments.capture(charge, amount, key)
    if isinstance(answer, Failed) and answer.taken > amount:
        over = answer.taken - amount
        return await payments.refund(charge, over, f"{key}:over:{over}")
    return answer


async def report(
    store: Store,
    providers: Configured,
    at: Payments,
    intents: IntentIds,
    drop: DropId,
    payment: str,
    paid: Charged,
) -> outcomes.PaymentOutcome | Unknown | Failed:
    """Tell the scripts of money that came in at a provider, however it was learned of. `payment`:
    or the hold, of before there were payments.

    Money for a payment that is not ours is given back here, since no script stands behind it;
    Unknown and Failed say that this did not happen yet: report it again. A word that is out of all
    bounds is refused as BadMessage: a person has to see to that money. Raises errors.Unavailable.
    """
    told = (payment, paid.charge, paid.amount, paid.currency, paid.captured)
    outcome = await store.succeeded(drop, *told, card=paid.card)
    if isinstance(outcome, outcomes.Unnamed):
        await lost_ids.find(store, providers, intents, drop)
        outcome = await store.succeeded(drop, *told, card=paid.card)
    if isinstance(outcome, outcomes.Unnamed):
        return Unknown("the ids of earlier charges are not known, and this may be one of them")
    if isinstance(outcome, refusals.BadMessage):
        log.error(
            "%s: what the provider says of %s is out of bounds: %s", drop, payment, outcome.why
        )
    if not isinstance(outcome, refusals.NotFound):
        return outcome
    if await store.waits(drop):
        return Unknown("the drop was restored: it is compared with the provider first")
    answer = await give_stray_back(at, drop, payment, paid)
    return outcome if isinstance(answer, Succeeded) else answer


async def give_stray_back(
    payments: Payments, drop: DropId, payment: str, paid: Charged
) -> ProviderAnswer:
    """Return money for what is no payment of ours, whatever name it bears: no script decides it."""
    key = f"stray:{paid.charge}"
    amount = paid.taken or paid.amount
    answer = await give_back(payments, paid.charge, amount, captured=paid.captured, key=key)
    log.warning(
        "charge %s is for no payment of ours (%s, %s): %s", paid.charge, drop, payment, answer
    )
    return answer


async def perform(
    store: Store,
    providers: Configured,
    intents: IntentIds,
    drop: DropId,
    duty_id: str,
    duty: DutyRecord,
) -> str:
    """Do one duty at the provider of its payment and tick it off. Its key there is what it does,
    what the provider calls the charge, and how much of it: no other duty of any drop has it, nor of
    a drop that was restored, and none is used for another amount.

    What stays unknown, and a refund that failed, stays in the outbox: call again later, unless the
    answer is a word: why it will never be done there. Any worker may do any duty, also two at
    once. Raises errors.Unavailable when the store does not answer.
    """
    if duty.amount == 0 and duty.kind not in QUESTIONS:
        # An older engine owed nothing, and said so; a provider moves no such amount.
        await store.discharge(drop, duty_id, "done")
        return ""
    record = await store.payment(drop, duty.payment) if duty.payment else None
    word = "" if record is None else record.provider
    payments = providers.of(word)
    if payments is None:
        return f"the provider {word!r} is not set up any more"
    if duty.kind in QUESTIONS:
        await _look(store, providers, payments, intents, drop, duty_id, duty)
        return ""
    charge = await lost_ids.charge_id(store, providers, intents, drop, duty.charge)
    if charge is None:
        log.warning("%s: duty %s waits until the id of its charge is found", drop, duty_id)
        return ""
    key = key_of(duty_id, duty, charge)
    match duty.kind:
        case "capture":
            answer = await take(payments, charge, duty.amount, key)
        case "void":
            answer = await give_back(payments, charge, duty.amount, captured=False, key=key)
        case "refund":
            answer = await payments.refund(charge, duty.amount, key)
        case _:
            raise AssertionError(f"{drop}: no duty is called {duty.kind!r}")
    if not isinstance(answer, Succeeded):
        log.warning("%s: duty %s of %s: %s", drop, duty_id, charge, answer)
    if isinstance(answer, Succeeded):
        if duty.kind != "capture" or await _as_owed(store, drop, duty_id, duty):
            await store.discharge(drop, duty_id, "done")
    elif isinstance(answer, Failed) and duty.kind == "capture":
        if await _as_owed(store, drop, duty_id, duty):
            await store.discharge(drop, duty_id, "failed")
    elif isinstance(answer, Failed) and answer.final:
        return str(answer)
    return ""


def key_of(duty_id: str, duty: DutyRecord, charge: str) -> str:
    """Under which key a duty about money is done at the provider, who calls the charge `charge`."""
    if not duty.payment or duty.kind == "void":
        return f"{duty.kind}:{charge}"
    of, _, which = duty_id.removeprefix(f"{duty.kind}:").partition(":")
    if of != duty.payment:
        # All of a charge that bought nothing.
        return f"{duty.kind}:{charge}"
    return ":".join(part for part in (duty.kind, charge, which, str(duty.amount)) if part)


async def _as_owed(store: Store, drop: DropId, duty_id: str, done: DutyRecord) -> bool:
    """Is what was captured still what is to be captured? A refund may have come meanwhile: then the
    duty is done again as it is now, and what is over goes back."""
    now = (await store.duties(drop)).get(duty_id)
    return now is not None and now.amount == done.amount


async def _look(
    store: Store,
    providers: Configured,
    payments: Payments,
    intents: IntentIds,
    drop: DropId,
    duty_id: str,
    duty: DutyRecord,
) -> None:
    """Find out what became of a payment that was begun, and let nobody pay it any more.

    While it is open its end answers the duty: nobody paid, or somebody did and it is judged. Once
    it is over, also by its sale, nothing is left to ask when what was paid is judged. A question of
    before there were payments is only asked while its hold stands.
    """
    payment = duty.payment or duty.hold
    open_ = await _stands(store, drop, duty)
    answers: list[Lookup | Cancellation] = []
    for intent in await intents.all(drop, payment):
        ask = payments.lookup if open_ and not duty.payment else payments.cancel
        answers.append(await ask(intent))
    for paid in answers:
        if isinstance(paid, Charged):
            told = [
                await report(store, providers, payments, intents, drop, payment, each)
                for each in (paid, *paid.also)
            ]
            if paid.pending or not all(isinstance(outcome, outcomes.Granted) for outcome in told):
                # Not all of this money was decided about yet, so it stays to be asked about.
                return
    for answer in answers:
        if isinstance(answer, Unknown):
            log.info("%s: how %s stands is not known yet: %s", drop, payment, answer.why)
            return
    charged = any(isinstance(answer, Charged) for answer in answers)
    if open_ and not charged:
        await store.unpaid(drop, payment)
    elif not (open_ and not duty.payment) and not await _stands(store, drop, duty):
        # A mere lookup does not close what was sold meanwhile: it is cancelled in the next round.
        await store.discharge(drop, duty_id, "done")


async def _stands(store: Store, drop: DropId, duty: DutyRecord) -> bool:
    """Does what the question is about stand: its payment, or its hold in a drop without them?"""
    if duty.payment:
        payment = await store.payment(drop, duty.payment)
        return payment is not None and payment.state == PaymentState.OPEN
    hold = await store.hold(drop, duty.hold)
    return hold is not None and hold.state in STANDING

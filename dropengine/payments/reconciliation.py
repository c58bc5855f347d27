"""What the provider says beside what a drop's log says, after one of the two was restored.

A drop that was restored knows nothing of what happened after its copy was made; the provider, who
is somebody else, does. Comparing writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from dropengine import events, outcomes, refusals
from dropengine.log.replay import Truth
from dropengine.model import DropId, OrderRecord, OrderState
from dropengine.payments import duties, lost_ids
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Charged, Kept, Succeeded
from dropengine.truth.store import Store


class Then(StrEnum):
    """What is done about a difference."""

    TOLD = "the drop is told, and judges it as any payment"
    BACK = "it goes back"
    PERSON = "see to it yourself"


class Difference(msgspec.Struct, frozen=True):
    """A payment of which the two say different things. log: what the log says. at: the provider by
    name, '' where none keeps anything. paid: what it keeps; None: nothing. payment: or an order
    without one."""

    payment: str
    log: str
    at: str
    paid: Charged | None
    then: Then


class Comparison(msgspec.Struct, frozen=True):
    """Of one drop. agreeing: payments of which both say the same. duties: what its outbox holds,
    by kind."""

    agreeing: int
    differences: list[Difference]
    duties: dict[str, int]


async def compare(
    store: Store,
    providers: Configured,
    intents: IntentIds,
    drop: DropId,
    kept: Mapping[str, Sequence[Kept]],
) -> Comparison:
    """kept: what each provider keeps that said so, of at least all the time in which the drop sold;
    asked for before this. Raises Unavailable."""
    truth = await store.truth(drop)
    assert truth is not None, "a drop is never forgotten"
    ours = await intents.of_all(drop, truth)
    payments = [(name, one) for name, all_ in kept.items() for one in all_ if one.drop == drop]
    await lost_ids.from_copy(store, drop)
    ids = await store.charge_ids.all(drop)
    numbers = {of: charge for charge, of in ids.items() if charge in truth.charges}
    found = [*_unknown(truth, ours, numbers, payments)]
    if any(one.then is Then.PERSON for one in found):
        words = await _ended_by_a_person(store, drop)
        found = [
            one
            for one in found
            if one.then is not Then.PERSON
            or one.paid is None
            or numbers.get(one.paid.charge) not in words
        ]
    told = sum(one.paid.charge in numbers for _, one in payments)
    wrong = sum(one.paid is not None and one.paid.charge in numbers for one in found)
    found += _gone(truth, {numbers.get(one.paid.charge) for _, one in payments}, providers, kept)
    kinds = Counter(duty.kind for duty in truth.outbox.values())
    return Comparison(told - wrong, found, dict(kinds))


async def _ended_by_a_person(store: Store, drop: DropId) -> set[str]:
    """Charges about which somebody ended a duty by hand: how their money stands is his word."""
    return {
        told.charge
        async for line in store.log(drop)
        if b'"e":"discharged"' in line
        and isinstance(told := events.parse(line), events.Discharged)
        and told.by
    }


def _unknown(
    truth: Truth,
    ours: Mapping[str, str],
    numbers: Mapping[str, str],
    payments: Sequence[tuple[str, Kept]],
) -> Iterator[Difference]:
    """What a provider keeps and the log does not. ours: intent -> the payment, or the hold of
    before there were payments. numbers: the provider's id of a charge -> what the drop calls it."""
    owed = {duty.charge for duty in truth.outbox.values()}
    for name, one in payments:
        paid, payment = one.paid, ours.get(one.intent)
        charge = numbers.get(paid.charge)
        if charge is not None:
            said = "" if charge in owed else _amiss(truth, charge, paid)
            if said:
                then = Then.TOLD if said == _ANOTHER else Then.PERSON
                yield Difference(one.payment, said, name, paid, then)
        elif payment is None:
            yield Difference(one.payment, "knows no such payment", name, paid, Then.BACK)
        else:
            yield Difference(
                payment, f"is {_state(truth, payment)}, not paid", name, paid, Then.TOLD
            )


_ANOTHER = "is an order over another amount"


def _amiss(truth: Truth, charge: str, paid: Charged) -> str:
    """What the log says of a charge that it knows, of which nothing is owed, where the provider
    keeps it otherwise; else ''."""
    payment = next((one for one in truth.payments.values() if one.charge == charge), None)
    orders = [one for one in truth.orders.values() if one.charge == charge]
    if any(one.state in _BY_A_PERSON for one in orders):
        return ""
    if payment is None:
        if not any(_stands(one) for one in orders):
            return "it went back"
        over = paid.captured and any(one.amount != paid.amount for one in orders if _stands(one))
        return _ANOTHER if over else ""
    if paid.amount != payment.amount:
        return _ANOTHER
    left = paid.taken - paid.returned
    if not payment.kept:
        return "it went back"
    return "" if left == payment.kept else f"keeps {payment.kept} of it, not {left}"


def _state(truth: Truth, payment: str) -> str:
    if payment in truth.payments:
        return truth.payments[payment].state
    return truth.holds[payment].state


def _gone(
    truth: Truth, kept: set[str | None], providers: Configured, said: Mapping[str, Sequence[Kept]]
) -> Iterator[Difference]:
    """What was bought, and the provider keeps nothing for it: told once for each payment. Of one
    that said nothing, or is not set up any more, nothing is known."""
    told = set()
    for hold, order in truth.orders.items():
        name = order.payment or hold
        if _stands(order) and order.amount and order.charge not in kept and name not in told:
            told.add(name)
            payment = truth.payments.get(order.payment)
            provider = providers.of("" if payment is None else payment.provider)
            if provider is not None and provider.name in said:
                yield Difference(name, f"is an order, {order.state}", "", None, Then.PERSON)


_BY_A_PERSON = (
    OrderState.CAPTURE_FAILED,
    OrderState.REFUND_FAILED,
    OrderState.CHARGED_BACK,
)
"""How the money of these orders stands was said by somebody, not by the provider."""


def _stands(order: OrderRecord) -> bool:
    return order.state in (OrderState.CAPTURE_PENDING, OrderState.DONE)


async def give_back(providers: Configured, drop: DropId, found: Comparison) -> list[str]:
    """Return what is for no hold of the drop; what could not be, in sentences. Harmless to
    repeat."""
    faults = []
    for one in found.differences:
        if one.then is Then.BACK and one.paid is not None:
            payments = providers.built[one.at]
            answer = await duties.give_stray_back(payments, drop, one.payment, one.paid)
            if not isinstance(answer, Succeeded):
                faults.append(f"{one.paid.charge} is not given back yet: {answer}")
    return faults


async def tell(
    store: Store,
    providers: Configured,
    intents: IntentIds,
    drop: DropId,
    found: Comparison,
) -> list[str]:
    """Let a drop that goes on judge what it did not know; what it could not, in sentences. Harmless
    to repeat. Raises Unavailable."""
    faults = []
    for one in found.differences:
        if one.then is Then.TOLD and one.paid is not None:
            told = (providers.built[one.at], intents, drop, one.payment, one.paid)
            outcome = await duties.report(store, providers, *told)
            if not isinstance(outcome, outcomes.Granted | refusals.NotFound):
                faults.append(f"{one.paid.charge} is not judged yet: {outcome}")
    return faults

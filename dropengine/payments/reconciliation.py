"""What the provider says beside what a drop's log says, after one of the two was restored.

A drop that was restored knows nothing of what happened after its copy was made; the provider, who
is somebody else, does. Comparing writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from dropengine import outcomes, refusals
from dropengine.log.replay import Truth
from dropengine.model import DropId, HoldId, OrderRecord, OrderState
from dropengine.payments import duties, lost_ids
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Charged, Kept, Payments, Succeeded
from dropengine.truth.store import Store


class Then(StrEnum):
    """What is done about a difference."""

    TOLD = "the drop is told, and judges it as any payment"
    BACK = "it goes back"
    PERSON = "see to it yourself"


class Difference(msgspec.Struct, frozen=True):
    """A payment of which the two say different things. log: what the log says. at: the provider by
    name, '' where none keeps anything. paid: what it keeps; None: nothing."""

    hold: HoldId
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
    store: Store, intents: IntentIds, drop: DropId, kept: Mapping[str, Sequence[Kept]]
) -> Comparison:
    """kept: what each provider keeps, of at least all the time in which the drop sold; asked for
    before this. Raises Unavailable."""
    truth = await store.truth(drop)
    assert truth is not None, "a drop is never forgotten"
    ours = await intents.of_all(drop, truth.holds)
    payments = [(name, one) for name, all_ in kept.items() for one in all_ if one.drop == drop]
    await lost_ids.from_copy(store, drop)
    ids = await store.charge_ids.all(drop)
    numbers = {of: charge for charge, of in ids.items() if charge in truth.charges}
    found = [*_unknown(truth, ours, numbers, payments)]
    told = sum(one.paid.charge in numbers for _, one in payments)
    wrong = sum(one.paid is not None and one.paid.charge in numbers for one in found)
    found += _gone(truth, {numbers.get(one.paid.charge) for _, one in payments})
    kinds = Counter(duty.kind for duty in truth.outbox.values())
    return Comparison(told - wrong, found, dict(kinds))


def _unknown(
    truth: Truth,
    ours: Mapping[str, HoldId],
    numbers: Mapping[str, str],
    payments: Sequence[tuple[str, Kept]],
) -> Iterator[Difference]:
    """What a provider keeps and the log does not. numbers: the provider's id of a charge -> what
    the drop calls it."""
    owed = {duty.charge for duty in truth.outbox.values()}
    for name, one in payments:
        paid, hold = one.paid, ours.get(one.intent)
        charge = numbers.get(paid.charge)
        if charge is not None:
            if charge not in owed and not _keeps(truth, charge):
                yield Difference(one.hold, "it went back", name, paid, Then.PERSON)
            elif paid.captured and _over_another_amount(truth, charge, paid.amount):
                said = "is an order over another amount"
                yield Difference(one.hold, said, name, paid, Then.TOLD)
        elif hold is None:
            yield Difference(one.hold, "knows no such hold", name, paid, Then.BACK)
        else:
            said = f"is {truth.holds[hold].state}, not paid"
            yield Difference(hold, said, name, paid, Then.TOLD)


def _gone(truth: Truth, kept: set[str | None]) -> Iterator[Difference]:
    """What was bought, and the provider keeps nothing for it."""
    for hold, order in truth.orders.items():
        if _stands(order) and order.amount and order.charge not in kept:
            said = f"is an order, {order.state}"
            yield Difference(HoldId(hold), said, "", None, Then.PERSON)


def _over_another_amount(truth: Truth, charge: str, amount: int) -> bool:
    orders = (one for one in truth.orders.values() if one.charge == charge and _stands(one))
    return any(order.amount != amount for order in orders)


def _stands(order: OrderRecord) -> bool:
    return order.state in (OrderState.CAPTURE_PENDING, OrderState.DONE)


def _keeps(truth: Truth, charge: str) -> bool:
    """Does the log say that this money is the shop's?"""
    hold = truth.charges[charge].split("|")[1]
    order = truth.orders.get(hold)
    if order is None or order.charge != charge:
        # Another hold of the fan may have been bought with it.
        return any(_stands(one) for one in truth.orders.values() if one.charge == charge)
    return _stands(order) or order.state == OrderState.CAPTURE_FAILED


async def give_back(
    providers: Mapping[str, Payments], drop: DropId, found: Comparison
) -> list[str]:
    """Return what is for no hold of the drop; what could not be, in sentences. Harmless to
    repeat."""
    faults = []
    for one in found.differences:
        if one.then is Then.BACK and one.paid is not None:
            payments = providers[one.at]
            answer = await duties.give_stray_back(payments, drop, one.hold, one.paid)
            if not isinstance(answer, Succeeded):
                faults.append(f"{one.paid.charge} is not given back yet: {answer}")
    return faults


async def tell(
    store: Store,
    providers: Mapping[str, Payments],
    intents: IntentIds,
    drop: DropId,
    found: Comparison,
) -> list[str]:
    """Let a drop that goes on judge what it did not know; what it could not, in sentences. Harmless
    to repeat. Raises Unavailable."""
    faults = []
    for one in found.differences:
        if one.then is Then.TOLD and one.paid is not None:
            payments = providers[one.at]
            outcome = await duties.report(store, payments, intents, drop, one.hold, one.paid)
            if not isinstance(outcome, outcomes.Granted | refusals.NotFound):
                faults.append(f"{one.paid.charge} is not judged yet: {outcome}")
    return faults

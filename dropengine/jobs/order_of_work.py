"""Which duties of a drop are done next. Pure.

A question about a hold that stands is soon too late, money that is owed is not, and a question
about a hold that has ended may be asked for days. Each of the three has places of its own, and
those that one does not need are lent to the others.
"""

from __future__ import annotations

from collections.abc import Collection

from dropengine.truth.outbox import QUESTIONS, Outbox

PLACES = 32
"""Duties of one drop that are done at the same time."""
SHARES = {"standing": PLACES // 2, "money": PLACES // 4, "ended": PLACES // 4}
"""Urgency -> its places: questions about holds that stand; captures, voids and refunds; questions
about holds that have ended."""


def urgency(outbox: Outbox, duty_id: str) -> str:
    """Which of `SHARES` a duty has its place in."""
    if outbox.duties[duty_id].kind not in QUESTIONS:
        return "money"
    return "standing" if duty_id in outbox.standing else "ended"


def next_duties(outbox: Outbox, waiting: Collection[str], busy: Collection[str]) -> list[str]:
    """Whom the free places go to. waiting: who may be done now; busy: who is being done.

    Within a share the oldest first: of questions about holds that stand that is the nearest hard
    stop.
    """
    queues: dict[str, list[str]] = {name: [] for name in SHARES}
    for duty_id in sorted(waiting, key=lambda each: outbox.duties[each].at_ms):
        queues[urgency(outbox, duty_id)].append(duty_id)
    taken = dict.fromkeys(SHARES, 0)
    for duty_id in busy:
        # One that was ticked off meanwhile is about to give its place back.
        taken[urgency(outbox, duty_id) if duty_id in outbox.duties else "money"] += 1
    own = {name: max(0, SHARES[name] - taken[name]) for name in SHARES}
    first = [duty_id for name, queue in queues.items() for duty_id in queue[: own[name]]]
    lent = [duty_id for name, queue in queues.items() for duty_id in queue[own[name] :]]
    return [*first, *lent][: max(0, PLACES - len(busy))]

"""Bugs for money histories to find: each breaks one of their promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pytest

from dropengine.payments import duties, reconciliation
from tests.kit.cuts import Cut

Patch = Callable[[pytest.MonkeyPatch], None]


class Bug(NamedTuple):
    """What is cut from the scripts, or put in place of our own code; told: what breaks by it."""

    told: str
    cuts: tuple[Cut, ...] = ()
    patch: Patch = lambda _: None


def _another_key(patch: pytest.MonkeyPatch) -> None:
    numbers, key_of = itertools.count(), duties.key_of

    def other(*told: Any) -> str:
        return f"{key_of(*told)}:{next(numbers)}"

    patch.setattr(duties, "key_of", other)


def _nothing_goes_back(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> list[str]:
        return []

    patch.setattr(reconciliation, "give_back", nothing)


PLANTED: Final[Mapping[str, Bug]] = {
    "what buys nothing stays here": Bug(
        "is paid for nothing", (Cut("money/void", "if amount > 0 then", "if false then"),)
    ),
    "more goes back than what was given back": Bug(
        "sold without money",
        (
            Cut(
                "money/pay_back",
                "amount = amount, at_ms",
                "amount = amount + payment[M_KEPT], at_ms",
            ),
        ),
    ),
    "what is paid twice stays here": Bug(
        "is charged twice", (Cut("money/void", "if amount > 0 then", "if false then"),)
    ),
    "what was not to be had does not go back": Bug(
        "INV-10", (Cut("money/keep_paid", "elseif amount > kept then", "elseif false then"),)
    ),
    "the whole of a charge is captured": Bug(
        "INV-10",
        (
            Cut(
                "money/keep_paid",
                "'capture', id, payment, kept)",
                "'capture', id, payment, amount)",
            ),
        ),
    ),
    "a refund is owed under a number that was used": Bug(
        "INV-10",
        (
            Cut(
                "money/pay_back",
                "t.outbox['refund:' .. payment_id .. ':' .. n] =",
                "t.outbox['refund:' .. payment_id .. ':1'] =",
            ),
        ),
    ),
    "a duty that is repeated is done again": Bug("INV-10", patch=_another_key),
    "nobody captures": Bug(
        "captures",
        (Cut("money/keep_paid", "if not how.captured and kept > 0 then", "if false then"),),
    ),
    "the reconciler gives nothing back": Bug("after two rounds", patch=_nothing_goes_back),
}

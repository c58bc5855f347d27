"""What a refund of one order gives back, told before anybody presses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from dropengine.manifest.amounts import minor
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.model import OrderRecord

Back = Literal["line", "withheld", ""]

BACKS: Final[Mapping[str, Back]] = {"line": "line", "withheld": "withheld", "": ""}
HANDED_OVER = "It is handed over: its units can only be kept back until they came back in order."
NO_UNITS = "Units that stay cannot be chosen: choose none, or say where they go."
NO_AMOUNT = "Say how much goes back: the units stay."
OLDER = "This order is from before parts could be given back: it goes back as a whole."


class Wish(Struct, frozen=True):
    """What was asked for. serials: of which units, none for all. back: where they go, None for
    what is usual. amount: as it was typed, '' for as much as the units cost."""

    serials: Sequence[int] = ()
    back: str | None = None
    amount: str = ""


class Plan(Struct, frozen=True):
    """What goes back of one order. serials: of those units. units: of its share; way: what was
    paid for the way of its payment, where nothing else of it is left. left: of its units. rest: of
    its share. named: the amount was, and is not what the units cost."""

    serials: list[int]
    back: Back
    units: int
    way: int
    left: int
    rest: int
    named: bool

    @property
    def amount(self) -> int:
        """All that goes back."""
        return self.units + self.way


def usual(handed: bool) -> Back:
    """Where units go if nobody says anything else."""
    return "withheld" if handed else "line"


def plan(
    order: OrderRecord, wish: Wish, *, handed: bool, way_left: int, currency: str
) -> Plan | str:
    """Or the sentence why that cannot be. handed: its fan has it. way_left: what goes back with the
    last unit for the way."""
    found = usual(handed) if wish.back is None else BACKS.get(wish.back)
    if found is None:
        return "Say where its units go."
    back: Back = found
    if back == "line" and handed:
        return HANDED_OVER
    serials = sorted(set(wish.serials)) or ([*order.serials] if back else [])
    if not {*serials} <= {*order.serials}:
        return "It has not all of these units any more."
    try:
        named = minor(wish.amount.strip(), MINOR_DIGITS.get(currency, 2)) if wish.amount else None
    except ValueError as fault:
        return f"The amount {fault}."
    if back == "" and wish.serials:
        return NO_UNITS
    if back == "" and not named:
        return NO_AMOUNT
    if not order.payment and (named is not None or len(serials) < order.qty):
        return OLDER
    if named is not None and named > order.amount:
        return "The amount is more than is left of this order."
    whole = back != "" and len(serials) == order.qty
    units = order.amount if whole else order.amount * len(serials) // order.qty
    if named is not None:
        units = named
    return Plan(
        serials=serials,
        back=back,
        units=units,
        way=way_left if whole else 0,
        left=order.qty - len(serials),
        rest=order.amount - units,
        named=named is not None,
    )

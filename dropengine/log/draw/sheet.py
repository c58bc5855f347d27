"""A draw in one file, and whether it is what it says: `docs/fairness.md` has its form."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from dropengine.errors import DrawFault
from dropengine.log.draw import drand
from dropengine.log.draw.chance import chance_of
from dropengine.log.draw.ordering import order
from dropengine.log.draw.sealed import Entry, Sealed
from dropengine.randomness import CHAINS, WHOLE_MAX, BeaconRound, CommitReveal, Source

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_SHOWN = 5
"""Ids, of an order."""


class SheetEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    tickets: int
    nonce: str


class Sheet(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes as hex digits. sealed_ms: of the true clock, UTC. root, revealed: '' and order: empty
    where the drop has not told them yet."""

    randomness: Source
    entries: list[SheetEntry]
    sealed_ms: Annotated[int, Meta(ge=0, le=WHOLE_MAX)]
    root: str = ""
    revealed: str = ""
    order: list[str] = []


class Finding(Struct, frozen=True):
    """One thing that was looked at. kept: None where the sheet does not tell enough yet."""

    what: str
    kept: bool | None
    found: str


def read(text: bytes) -> Sheet:
    """A sheet as JSON. Raises DrawFault, which says what is wrong with it."""
    try:
        return msgspec.json.decode(text, type=Sheet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise DrawFault(f"this is no draw sheet: {fault}") from None


def sealed_of(sheet: Sheet) -> Sealed:
    """Its list. Raises DrawFault."""
    return Sealed(
        Entry(entry.id, entry.tickets, _bytes(entry.nonce, f"the nonce of {entry.id}"))
        for entry in sheet.entries
    )


def findings(sheet: Sheet, *, whole: bool = True) -> list[Finding]:
    """The list, the randomness and the order, each held against what is told of it. A later one is
    only looked at where the one before it is kept. whole: no more of the order is to come. Raises
    DrawFault where nothing can be said."""
    sealed = sealed_of(sheet)
    found = [_list(sheet, sealed)]
    if not sheet.revealed:
        return [*found, Finding("randomness", None, "nothing is revealed yet")]
    revealed = _bytes(sheet.revealed, "what is revealed")
    try:
        chance = chance_of(sheet.randomness, sealed.root, revealed, sealed_ms=sheet.sealed_ms)
    except DrawFault as fault:
        return [*found, Finding("randomness", False, str(fault))]
    found.append(Finding("randomness", True, f"{_proven(sheet)}: {chance.hex()}"))
    return [*found, _order(sheet, order(sealed, chance), whole=whole)]


def _list(sheet: Sheet, sealed: Sealed) -> Finding:
    tickets = sum(entry.tickets for entry in sealed.entries)
    found = f"{len(sealed)} entries with {tickets} tickets, root {sealed.root.hex()}"
    if not sheet.root:
        return Finding("list", None, f"{found}; no root is told yet")
    if sheet.root != sealed.root.hex():
        return Finding("list", False, f"{found}; the root that was told is {sheet.root}")
    return Finding("list", True, found)


def _proven(sheet: Sheet) -> str:
    match sheet.randomness:
        case CommitReveal():
            return "the secret is the one that was committed to"
        case BeaconRound(round=number):
            chain = drand.chain_of(sheet.randomness)
            whose = "" if chain.hash in CHAINS else ", a chain that the shop named itself"
            counts = chain.round_for(number, sheet.sealed_ms)
            ahead = (chain.due_ms(counts) - sheet.sealed_ms) // 1000
            due = f"due {ahead} s after the seal"
            return f"round {counts} of {chain.beacon_id}{whose}, {due}, is signed"


def _order(sheet: Sheet, right: list[str], *, whole: bool) -> Finding:
    if right and not sheet.order:
        return Finding("order", None, f"no order is told yet; it is {_beginning(right)}")
    if sheet.order == right:
        return Finding("order", True, f"all {len(right)} places are right: {_beginning(right)}")
    told = len(sheet.order)
    if not whole and sheet.order == right[:told]:
        return Finding("order", None, f"{told} of {len(right)} places are told, and are right")
    if sorted(sheet.order) != sorted(right):
        return Finding("order", False, "the order that was told is not of the entries of the list")
    pairs = enumerate(zip(sheet.order, right, strict=True), 1)
    place, was_told, is_right = next((n, a, b) for n, (a, b) in pairs if a != b)
    return Finding("order", False, f"place {place} was told to be {was_told}'s and is {is_right}'s")


def _beginning(ids: list[str]) -> str:
    return ", ".join(ids[:_SHOWN]) + (" ..." if len(ids) > _SHOWN else "") if ids else "empty"


def _bytes(text: str, what: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise DrawFault(f"{what} is not written in lower-case hex digits, two a byte")
    return bytes.fromhex(text)

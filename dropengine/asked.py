"""What an order has to know to be made and to arrive: what a drop asks, what each answer may be,
what is still missing. Pure.

An answer is text and nothing else. Nobody is told how people abroad spell their names, streets and
numbers: only length is bounded, and marks that would turn the direction of what stands beside them
are taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from unicodedata import normalize

import msgspec

from dropengine import countries, plain_text

NO: Final = "no"
REQUIRED: Final = "required"
WISHES: Final = (NO, "optional", REQUIRED)
"""How much a drop wants an answer."""

NAME: Final = "name"
ADDRESS: Final = ("lines", "postal", "city", "country")
PHONE: Final = "phone"
NOTE: Final = "note"
FIELDS: Final[Mapping[str, int]] = {
    NAME: 120,
    "lines": 300,
    "postal": 24,
    "city": 80,
    "country": 2,
    PHONE: 40,
}
"""Of a whole order, or of who receives a unit: each with its most characters."""
LINES_MAX: Final = 4
"""Of an address, above the city."""
NOTE_CHARS_MAX: Final = 200
LABEL_CHARS_MAX: Final = 80
NOT_ALWAYS: Final = frozenset({"postal"})
"""Ireland did without for a century, Hong Kong does still."""

ORDER: Final = 0
"""The unit that means the order as a whole; its units are counted from 1."""

Where = tuple[int, str]
"""A unit, and a field of it."""
Answers = Mapping[Where, str]


class Asks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a drop asks who bought: each one of `WISHES`. `note`: for each unit, such as a name to
    engrave; `note_label`: what it is called, `note_chars`: its most characters, 0 without one."""

    name: str = NO
    address: str = NO
    phone: str = NO
    note: str = NO
    note_label: str = ""
    note_chars: int = 0

    def fields(self) -> Iterator[tuple[str, bool]]:
        """Of the order: each field, and whether it must be said."""
        if self.name != NO:
            yield NAME, self.name == REQUIRED
        if self.address != NO:
            for field in ADDRESS:
                yield field, self.address == REQUIRED and field not in NOT_ALWAYS
        if self.phone != NO:
            yield PHONE, self.phone == REQUIRED

    def asked(self, qty: int) -> Iterator[tuple[Where, bool]]:
        """Everything that is asked of an order of so many units."""
        for field, needed in self.fields():
            yield (ORDER, field), needed
        if self.note != NO:
            for unit in range(1, qty + 1):
                yield (unit, NOTE), self.note == REQUIRED

    def most(self, field: str) -> int:
        """Characters."""
        return self.note_chars if field == NOTE else FIELDS[field]

    def missing(self, qty: int, answers: Answers) -> list[Where]:
        """What must be said and is not."""
        return [where for where, needed in self.asked(qty) if needed and not answers.get(where, "")]


def name_of(where: Where) -> str:
    """The name of a field in the form: `city`, `note.2`."""
    unit, field = where
    return f"{field}.{unit}" if unit else field


def of_receiver(asks: Asks | None, *, sent: bool) -> Asks:
    """What is asked of who receives a unit for somebody: a name always. sent: it comes to him, so
    the rest is as the drop asks it of everybody."""
    if asks is None or not sent:
        return Asks(name=REQUIRED)
    return msgspec.structs.replace(asks, name=REQUIRED, note=NO, note_label="", note_chars=0)


def cleaned(text: str, *, lines: bool = False) -> str:
    """What somebody typed as it is kept: one line, or lines without empty ones; '' where it shows
    nothing. lines: it may have several."""
    text = normalize("NFC", text.replace("\r\n", "\n"))
    kept = "".join(
        " " if plain_text.among(ord(one), plain_text.CONTROLS) and one != "\n" else one
        for one in text
        if not plain_text.among(ord(one), plain_text.TURNING + plain_text.SURROGATES)
    )
    said = [" ".join(line.split()) for line in kept.split("\n")]
    text = "\n".join(line for line in said if line) if lines else " ".join(" ".join(said).split())
    return text if plain_text.shows(text) else ""


def kept(field: str, typed: str) -> str:
    """The same, of a field."""
    text = cleaned(typed, lines=field == "lines")
    return text.upper() if field == "country" and len(text) == 2 else text


def fault(field: str, text: str, most: int) -> str:
    """What is wrong with an answer: '', `long`, `lines` or `country`."""
    if field == "country":
        return "" if not text or text in countries.NAMES else "country"
    if field == "lines" and text.count("\n") >= LINES_MAX:
        return "lines"
    return "long" if len(text) > most else ""

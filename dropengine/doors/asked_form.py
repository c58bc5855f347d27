"""The form that asks what an order has to know: its fields with what stands in them, and what came
back of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from dropengine import asked, countries
from dropengine.asked import LINES_MAX, NOTE, ORDER, Answers, Asks, Where, name_of
from dropengine.catalogue import Catalogue

FIELDS_MAX: Final = 128
"""A press takes at most a hundred units, each with a note."""
FILLS: Final[Mapping[str, str]] = {
    "name": "name",
    "lines": "street-address",
    "postal": "postal-code",
    "city": "address-level2",
    "country": "country",
    "phone": "tel",
    NOTE: "off",
}
"""What browsers know people by (HTML, autofill)."""


class Field(NamedTuple):
    """One field of the form. `unit` 0: of the order. `wrong`: a sentence, '' for none. `needed`: it
    must be said. `label`: what a note is called, in the maker's words."""

    name: str
    field: str
    unit: int
    label: str
    value: str
    wrong: str
    most: int
    needed: bool
    fills: str


class Said(NamedTuple):
    """What a form said. `answers`: those that may be kept. `wrong`: the others, and why, by the key
    of a sentence. `typed`: all of them, without marks that turn what stands beside them."""

    answers: dict[Where, str]
    wrong: dict[Where, str]
    typed: dict[Where, str]


NOTHING: Final = Said({}, {}, {})
"""Nothing was sent."""


def read(asks: Asks, qty: int, fields: Mapping[str, str]) -> Said:
    """What a form says; what it does not name stays as it is."""
    said = Said({}, {}, {})
    for where, _ in asks.asked(qty):
        typed = fields.get(name_of(where))
        if typed is None:
            continue
        text = asked.kept(where[1], typed)
        said.typed[where] = text
        if why := asked.fault(where[1], text, asks.most(where[1])):
            said.wrong[where] = why
        else:
            said.answers[where] = text
    return said


def unsaid(asks: Asks, qty: int, said: Said) -> dict[Where, str]:
    """What a whole form leaves empty and must be said, with the key of its sentence."""
    return dict.fromkeys(asks.missing(qty, said.answers), "needed")


def sentence(why: str, field: str, asks: Asks, say: Catalogue) -> str:
    """What is wrong with a field, as its reader is told."""
    if why == "long":
        return say("ask_long", count=asks.most(field))
    if why == "lines":
        return say("ask_lines", count=LINES_MAX)
    return say(f"ask_wrong.{why}") if why else ""


def fields_of(
    asks: Asks,
    qty: int,
    answers: Answers,
    say: Catalogue,
    *,
    typed: Mapping[Where, str] = {},
    wrong: Mapping[Where, str] = {},
) -> list[Field]:
    """The form. typed: what was sent and is shown again. wrong: why, by the key of a sentence."""
    made = []
    for where, needed in asks.asked(qty):
        unit, field = where
        made.append(
            Field(
                name=name_of(where),
                field=field,
                unit=unit,
                label=asks.note_label if field == NOTE else say.ask_field[field],
                value=typed.get(where, answers.get(where, "")),
                wrong=sentence(wrong.get(where, ""), field, asks, say),
                most=asks.most(field),
                needed=needed,
                fills=FILLS[field],
            )
        )
    return made


def prefilled(asks: Asks, qty: int, answers: Answers, remembered: Mapping[str, str]) -> Answers:
    """What is known of the order, and where nothing is, what its fan said elsewhere."""
    full = {where: text for where, text in answers.items() if text}
    for where, _ in asks.asked(qty):
        if where[0] == ORDER and where not in answers and where[1] in remembered:
            full[where] = remembered[where[1]]
    return full


def shown(asks: Asks, qty: int, answers: Answers, say: Catalogue) -> list[Field]:
    """What was said, to be read: the fields that are not empty, a country by its name."""
    fields = fields_of(asks, qty, answers, say)
    return [
        one._replace(value=countries.name_of(one.value, say.language))
        if one.field == "country"
        else one
        for one in fields
        if one.value
    ]

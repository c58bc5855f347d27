"""What a drop shows beside its rules: pictures, sizes, care, how it gets to people. It is no rule:
no fingerprint has it, and it can be changed after publishing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from dropengine.sql.schema.people import PICTURES, SHOWCASES

PICTURES_MAX = 4
"""Of an item."""
FACTS = ("delivery", "returns", "contact")
_ITEM = re.compile(r"items\[([0-9]{1,2})\]\.(pictures|alt|care|sizes)")
_CELL = re.compile(r"\s*[|\t;]\s*")


class Picture(msgspec.Struct, frozen=True):
    """`files`: width -> the name of the file. `width`, `height`: of the largest."""

    width: int
    height: int
    files: dict[int, str]

    @property
    def large(self) -> str:
        return self.files[max(self.files)]

    @property
    def small(self) -> str:
        return self.files[min(self.files)]


class Beside(msgspec.Struct):
    """Of one item. `sizes`: rows, the first is the head."""

    pictures: list[Picture] = []
    alt: str = ""
    care: str = ""
    sizes: list[list[str]] = []


class Showcase(msgspec.Struct, frozen=True):
    """`items`: by their place in the manifest. `facts`: which of FACTS, and its text."""

    items: list[Beside]
    facts: list[tuple[str, str]]

    @property
    def first(self) -> tuple[Picture, str] | None:
        """The picture that stands for the drop, and what is on it."""
        found = ((one.pictures[0], one.alt) for one in self.items if one.pictures)
        return next(found, None)

    def of(self, place: int) -> Beside:
        """Of the item at this place."""
        return self.items[place] if place < len(self.items) else _NONE


_NONE = Beside()
NOTHING = Showcase([], [])
_PICTURES = msgspec.json.Decoder(list[Picture])
_FORM = msgspec.json.Decoder(dict[str, str])


def beside(form: Mapping[str, str]) -> dict[str, str]:
    """What of a draft's form stands beside the rules."""
    return {path: text for path, text in form.items() if path in FACTS or _ITEM.fullmatch(path)}


def showcase(form: Mapping[str, str]) -> Showcase:
    """A form as it is shown."""
    items: dict[int, Beside] = {}
    for path, text in form.items():
        found = _ITEM.fullmatch(path)
        if found is None:
            continue
        one = items.setdefault(int(found[1]), Beside())
        value: Any = text.strip()
        if found[2] == "pictures":
            value = pictures_of(text)
        elif found[2] == "sizes":
            value = sizes(text)
        setattr(one, found[2], value)
    listed = [items.get(place, Beside()) for place in range(max(items, default=-1) + 1)]
    facts = [(name, form[name].strip()) for name in FACTS if form.get(name, "")]
    return Showcase(listed, facts)


def sizes(text: str) -> list[list[str]]:
    """A size guide as it is typed, a row a line, cells between `|`."""
    return [
        [cell.strip() for cell in _CELL.split(line.strip().strip("|"))]
        for line in text.splitlines()
        if line.strip().strip("|").strip()
    ]


def pictures_of(text: str) -> list[Picture]:
    """The pictures of an item, as a form keeps them."""
    return _PICTURES.decode(text) if text else []


def pictures_kept(pictures: list[Picture]) -> str:
    """As a form keeps them; '' for none."""
    return msgspec.json.encode(pictures).decode() if pictures else ""


def keep_file(sql: Connection, webp: bytes) -> str:
    """Keep a file; its name, which is its hash. The same one is kept once."""
    name = hashlib.sha256(webp).hexdigest()
    if find_file(sql, name) is None:
        sql.execute(insert(PICTURES).values(sha256=name, webp=webp))
    return name


def find_file(sql: Connection, name: str) -> bytes | None:
    """The file of a name."""
    found: bytes | None = sql.execute(
        select(PICTURES.c.webp).where(PICTURES.c.sha256 == name)
    ).scalar()
    return found


def find(sql: Connection, drop: str) -> tuple[dict[str, str], int]:
    """What a published drop shows, and the version of it; nothing is version 0."""
    row = sql.execute(select(SHOWCASES).where(SHOWCASES.c.drop_id == drop)).first()
    return ({}, 0) if row is None else (_FORM.decode(row.shown), int(row.version))


def save(sql: Connection, drop: str, version: int, form: Mapping[str, str]) -> bool:
    """Save over the version that was seen; False when another was saved since."""
    shown = msgspec.json.encode(dict(form)).decode()
    if version == 0 and find(sql, drop)[1] == 0:
        sql.execute(insert(SHOWCASES).values(drop_id=drop, shown=shown, version=1))
        return True
    seen = (SHOWCASES.c.drop_id == drop, SHOWCASES.c.version == version)
    fields = {"shown": shown, "version": version + 1}
    return sql.execute(update(SHOWCASES).where(*seen).values(fields)).rowcount > 0

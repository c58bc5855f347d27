r"""Where each field of a record stands, told to the scripts when they are loaded.

Records are msgpack arrays in the order of `model`, and no Lua file knows that order. It says

    pool[P_FREE]                       a field: the letter of its record, and its name
    PoolRecord{index = 0, ...}         a new record, every field by its name
    HoldRecord.packed_shared{...}      what many new holds have in common, packed once
    HoldRecord.packed{fan = fan, key = key, shared = ...}      and one of them, joined from it

and here the names become places: `pool[4]`, `{0, ...}`, `{PACK(...)}`, `'\158' .. HEAD[#fan] ..
fan .. shared[1] ..`. The packers and the unpacker of whole records are made here too, as pieces
that a Lua file uses like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, get_origin

import msgspec

from dropengine import model
from dropengine.creator_commands import BY_CHARS_MAX
from dropengine.log.layouts import NUMBERS_CHARGES, PAYS_TOGETHER
from dropengine.model import Record

SHORT_MAX: Final = 15
"""Fields of a record whose header is one byte; with more it is three (msgpack, array formats)."""
SHORT, LONG = 0x90, 0xDC


class Layout(NamedTuple):
    """One kind of records. `letter`: before the names of its fields. `kind`: their key of the
    truth.

    `own`: texts that hardly two records share; all other values are packed once a script and kept.
    `given`: fields that the caller of the packer has packed already. `rare`: the last fields, where
    few records have them: a record has all of these or none, and one without them is shorter.
    """

    letter: str
    kind: str
    record: type[Record]
    own: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()

    @property
    def usual(self) -> tuple[str, ...]:
        """The fields that every record has."""
        return self.fields[: len(self.fields) - len(self.rare)]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.record.__struct_fields__

    @property
    def start(self) -> int:
        """Bytes before the first field, of a record that has no rare fields."""
        return 1 if len(self.usual) <= SHORT_MAX else 3

    @property
    def grows(self) -> bool:
        """Is its header longer with its rare fields?"""
        return self.start == 1 and len(self.fields) > SHORT_MAX

    @property
    def header(self) -> str:
        """Those bytes of a record that has no rare fields, as a text of Lua."""
        count = len(self.usual)
        if count <= SHORT_MAX:
            return rf"'\{SHORT + count}'"
        return rf"'\{LONG}\{count >> 8}\{count & 255}'"

    @property
    def shared(self) -> list[tuple[str, ...]]:
        """The runs of fields between those of its own."""
        runs = groupby(self.usual, self.own.__contains__)
        return [tuple(run) for own, run in runs if not own]


ENTRY_RARE = ("tickets", "nonce", "carried", "book", "made_good", "call")

LAYOUTS: Final = (
    Layout("P", "pools", model.PoolRecord, rare=("counted", "ceilings", "carried")),
    Layout("I", "items", model.ItemRecord),
    Layout(
        *("F", "fans", model.FanRecord),
        own=("last",),
        given=("seq",),
        rare=("person", "guests", "cohorts"),
    ),
    Layout(
        "H", "holds", model.HoldRecord, own=("fan", "key"), rare=("begun_by", "cohort", "payment")
    ),
    Layout("O", "orders", model.OrderRecord),
    Layout("M", "payments", model.PaymentRecord),
    Layout("E", "entries", model.EntryRecord, rare=ENTRY_RARE),
    Layout("D", "outbox", model.DutyRecord),
)
PACKERS: Final = {"packed_fan": "fans", "packed_hold": "holds"}
"""Records that every command writes, packed without making a table; the server's own way packs the
others."""

_RARE: Final = {layout.record: layout for layout in LAYOUTS if layout.rare}

_CONSTANTS: Final = {
    "SCHEMA": f"{model.SCHEMA}",
    "POINTS": f"{model.POINTS}",
    "POINTS_MAX": f"{model.POINTS_MAX}",
    "MADE_GOOD": f"{model.MADE_GOOD}",
    "ID_CHARS_MAX": f"{model.ID_CHARS_MAX}",
    "ID_LETTERS": f"'{model.ID_LETTERS}'",
    "CHARGE_CHARS_MAX": f"{model.CHARGE_CHARS_MAX}",
    "OPERATOR_CHARS_MAX": f"{BY_CHARS_MAX}",
    "BY_ID": f"'{model.BY_ID}'",
    "NUMBERS_CHARGES": f"{NUMBERS_CHARGES}",
    "PAYS_TOGETHER": f"{PAYS_TOGETHER}",
    "AMOUNT_MAX": f"{model.AMOUNT_MAX}",
    "KEPT_MS": f"{model.KEPT_MS}",
}
"""What the scripts need of `model` besides its records: name -> how Lua writes its value."""

_MADE = re.compile(r"\b([A-Z]\w*Record)(?:\.(packed|packed_shared))?\{")
_NAMED = re.compile(r"\s*([a-z_]+)\s*=\s*(.+)", re.DOTALL)
_NAME = re.compile(r"[a-z_]+")
_OPENING, _CLOSING = "({[", ")}]"


def stored(record: Record) -> bytes:
    """A record as the scripts keep it: without its rare fields where they say nothing."""
    layout = _RARE.get(type(record))
    if layout is None or any(getattr(record, name) for name in layout.rare):
        return msgspec.msgpack.encode(record)
    return msgspec.msgpack.encode(msgspec.structs.astuple(record)[: len(layout.usual)])


def pool_record(raw: bytes) -> model.PoolRecord:
    """A pool as it is kept, also by a layout that does not tell payments by hand: what that counts
    of early access stands where these are now, until the drop is lifted."""
    row = msgspec.msgpack.decode(raw)
    place = model.PoolRecord.__struct_fields__.index("hand")
    if len(row) > place and isinstance(row[place], list):
        row[place:place] = [0, 0]
    return msgspec.convert(row, model.PoolRecord)


def expand(text: str, path: str, layouts: Sequence[Layout] = LAYOUTS) -> str:
    """The text of a Lua file with places for the names of fields and records, and values for the
    constants of `model`. path: names the file in the sentence of a mistake (AssertionError)."""
    by_name = {layout.record.__name__: layout for layout in layouts}
    while made := _MADE.search(text):
        layout = by_name.get(made[1])
        assert layout is not None, f"lua/{path}: there is no {made[1]}"
        end = _closing(text, made.end())
        values = _values(text[made.end() : end], f"lua/{path}: {made[1]}")
        new = _EXPANDED[made[2]](layout, values, path)
        text = text[: made.start()] + new + text[end + 1 :]
    places = _places(layouts)
    letters = "".join(layout.letter for layout in layouts)
    for name in re.findall(rf"\b[{letters}]_[A-Z_]+\b", text):
        assert name in places, f"lua/{path}: no record has a field {name}"
    return re.sub(r"\b[A-Z][A-Z_]+\b", lambda word: places.get(word[0], word[0]), text)


def pieces(layouts: Sequence[Layout] = LAYOUTS) -> dict[str, str]:
    """The pieces of Lua that are made here: name -> text."""
    of_kind = {layout.kind: layout for layout in layouts}
    made = {name: _packer(name, of_kind[kind]) for name, kind in PACKERS.items() if kind in of_kind}
    return {**made, "unpacked": _unpacker(layouts)}


def _places(layouts: Sequence[Layout]) -> dict[str, str]:
    """Name of a field -> its place, counted from 1; and the constants of `model`."""
    places = dict(_CONSTANTS)
    for layout in layouts:
        for i, field in enumerate(layout.fields, 1):
            places[f"{layout.letter}_{field.upper()}"] = str(i)
    return places


def _record(layout: Layout, values: dict[str, str], path: str) -> str:
    _exactly(layout, layout.usual, values, path)
    return "{" + ", ".join(values[field] for field in layout.usual) + "}"


def _packed_shared(layout: Layout, values: dict[str, str], path: str) -> str:
    _exactly(layout, [field for run in layout.shared for field in run], values, path)
    runs = (", ".join(values[field] for field in run) for run in layout.shared)
    return "{" + ", ".join(f"PACK({run})" for run in runs) + "}"


def _packed(layout: Layout, values: dict[str, str], path: str) -> str:
    _exactly(layout, (*layout.own, "shared"), values, path)
    for field in layout.own:
        what = f"lua/{path}: {field} of a packed {layout.record.__name__}"
        assert _NAME.fullmatch(values[field]), f"{what} is read twice: give it a name first"
    parts, runs = [layout.header], 0
    for own, run in groupby(layout.usual, layout.own.__contains__):
        if own:
            parts += [f"HEAD[#{values[field]}] .. {values[field]}" for field in run]
        else:
            runs += 1
            parts.append(f"{values['shared']}[{runs}]")
    return " .. ".join(parts)


_EXPANDED = {None: _record, "packed_shared": _packed_shared, "packed": _packed}


def _exactly(layout: Layout, wanted: Sequence[str], values: dict[str, str], path: str) -> None:
    what = f"lua/{path}: a {layout.record.__name__}"
    missing = [field for field in wanted if field not in values]
    assert not missing, f"{what} is made without {', '.join(missing)}"
    unknown = [field for field in values if field not in wanted]
    assert not unknown, f"{what} has no {', '.join(unknown)} here"


def _packer(name: str, layout: Layout) -> str:
    """A function that packs a record as it stands: the same bytes as the server's own way."""
    fields = msgspec.structs.fields(layout.record)[: len(layout.usual)]
    rare = f"  if record[{len(fields) + 1}] then return PACK(record) end"
    parts = [_packed_field(layout, field, place) for place, field in enumerate(fields, 1)]
    lines = [
        "--#use packed_ids",
        f"local function {name}({', '.join(('record', *layout.given))})",
        *([rare] if layout.rare else []),
        "  local part = PART",
        *(
            f"  local {field.name} = record[{place}]"
            for place, field in enumerate(fields, 1)
            if not parts[place - 1].startswith("part[") and field.name not in layout.given
        ),
        f"  return {' .. '.join([layout.header, *parts])}",
        "end",
    ]
    return "\n".join(lines) + "\n"


def _packed_field(layout: Layout, field: msgspec.structs.FieldInfo, place: int) -> str:
    """The msgpack of one field, in Lua; by its name where it is read more than once."""
    name = field.name
    if name in layout.given:
        return name
    if name in layout.own:
        return f"HEAD[#{name}] .. {name}"
    if field.type == list[str]:
        return f"({name}[1] and packed_ids({name}) or NONE)"
    if get_origin(field.type) is not None:
        return f"PACK({name})"
    return f"part[record[{place}]]"


def _unpacker(layouts: Sequence[Layout]) -> str:
    """A function that reads a stored record as a table of its fields.

    Without the header they come as values, and the table is made in its final size instead of
    growing.
    """
    start = "2"
    lines = ["local from_msgpack, cut = cmsgpack.unpack, string.sub"]
    if any(layout.start > 1 for layout in layouts):
        start = "FIRST[kind]"
        firsts = ", ".join(f"{layout.kind} = {layout.start + 1}" for layout in layouts)
        lines.append(f"local FIRST = {{{firsts}}}")
    lines += ["", "local function unpacked(raw, kind)"]
    if grows := [f"kind == '{layout.kind}'" for layout in layouts if layout.grows]:
        long = f"({' or '.join(grows)}) and string.byte(raw) == {LONG}"
        lines.append(f"  if {long} then return {{from_msgpack(cut(raw, 4))}} end")
    lines += [f"  return {{from_msgpack(cut(raw, {start}))}}", "end"]
    return "\n".join(lines) + "\n"


def _values(inside: str, what: str) -> dict[str, str]:
    """`a = 1, b = f(x, y)` -> each name and its expression."""
    values: dict[str, str] = {}
    for part in _parts(inside):
        named = _NAMED.fullmatch(part)
        assert named is not None, f"{what} is made with a value that has no name: {part.strip()}"
        assert named[1] not in values, f"{what} is made with {named[1]} twice"
        values[named[1]] = named[2].strip()
    return values


def _parts(inside: str) -> Iterator[str]:
    """What stands between the commas that are in no bracket and no text."""
    since, depth = 0, 0
    for at, sign in _signs(inside, 0):
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if sign == "," and depth == 0:
            yield inside[since:at]
            since = at + 1
    if last := inside[since:].strip():
        yield last


def _closing(text: str, at: int) -> int:
    """Where the bracket that was opened just before `at` is closed."""
    depth = 1
    for here, sign in _signs(text, at):
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if depth == 0:
            return here
    raise AssertionError(f"a bracket is not closed: {text[at - 40 : at + 40]}")


def _signs(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Brackets and commas outside of texts."""
    for found in re.compile(r"'[^'\n]*'|[({\[\]}),]").finditer(text, at):
        if len(found[0]) == 1:
            yield found.start(), found[0]

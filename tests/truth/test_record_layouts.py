"""Scripts read and write records in the order of `model`, which no Lua file knows."""

from __future__ import annotations

import re
from itertools import product
from string import ascii_lowercase
from typing import Any

import msgspec
import pytest
import redis.asyncio as redis

from dropengine import model
from dropengine.truth import record_layouts, scripts
from dropengine.truth.record_layouts import LAYOUTS, Layout, expand, pieces


class LongRecord(model.Record):
    """More fields than the short header of msgpack can count."""

    fan: str
    a: int
    b: int
    c: int
    d: int
    e: int
    f: int
    g: int
    h: int
    i: int
    j: int
    k: int
    ids: list[str]
    numbers: list[int]
    key: str
    state: str
    last: int


LONG = Layout("L", "holds", LongRecord, own=("fan", "key"))
VALUES: dict[str, Any] = {name: i for i, name in enumerate(LongRecord.__struct_fields__)}
SAMPLE = LongRecord(
    **VALUES | {"fan": "ana", "ids": ["e1"], "numbers": [7, 70_000], "key": "k" * 40, "state": "x"}
)
WAYS = """#!lua
--[[
ways -- the same record, packed in every way, and read again.
--]]
--#use packed_hold unpacked
local record = LongRecord{
  fan = 'ana', a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10, k = 11,
  ids = {'e1'}, numbers = {7, 70000}, key = string.rep('k', 40), state = 'x', last = 16,
}
local fan, key = record[L_FAN], record[L_KEY]
local shared = LongRecord.packed_shared{
  a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10, k = 11,
  ids = {'e1'}, numbers = {7, 70000}, state = 'x', last = record[L_LAST],
}
return {cmsgpack.pack(record), packed_hold(record),
  LongRecord.packed{fan = fan, key = key, shared = shared},
  cmsgpack.pack(unpacked(ARGV[1], 'holds')), unpacked(ARGV[1], 'holds')[L_STATE]}
"""


def script(source: str, layout: Layout) -> str:
    """A script over records of one layout alone, as the server runs it."""
    expanded = expand(source, "test.lua", [layout])
    own = {
        scripts.name_of(path): expand(text, path)
        for path, text in scripts.sources().items()
        if path.startswith("lib/")
    }
    return scripts.splice("ways", own | pieces([layout]), expanded)


async def test_a_record_of_more_than_fifteen_fields_is_packed_and_read(
    client: redis.Redis,
) -> None:
    raw = msgspec.msgpack.encode(SAMPLE)
    assert raw[:3] == b"\xdc\x00\x11"
    by_server, by_packer, joined, again, state = await client.eval(script(WAYS, LONG), 0, raw)
    assert by_server == raw
    assert by_packer == raw
    assert joined == raw
    assert again == raw
    assert state == b"x"


@pytest.mark.parametrize("count", [1, 15, 16, 17, 255, 256])
async def test_the_header_says_how_many_fields_there_are(client: redis.Redis, count: int) -> None:
    names = ["".join(letters) for letters in product(ascii_lowercase, repeat=2)][:count]
    members = [(f"f_{name}", int) for name in names]
    record: Any = msgspec.defstruct("WideRecord", members, bases=(model.Record,), array_like=True)
    raw = msgspec.msgpack.encode(record(*range(count)))
    values = ", ".join(f"{name} = {i}" for i, (name, _) in enumerate(members))
    source = "#!lua\n--#use unpacked\nlocal read = unpacked(ARGV[1], 'holds')\n"
    source += f"return {{cmsgpack.pack(WideRecord{{{values}}}), read[1], read[{count}]}}\n"
    layout = Layout("W", "holds", record)
    assert await client.eval(script(source, layout), 0, raw) == [raw, 0, count - 1]


@pytest.mark.parametrize("name", record_layouts.PACKERS)
async def test_a_packer_writes_what_python_writes(client: redis.Redis, name: str) -> None:
    kind = record_layouts.PACKERS[name]
    (layout,) = (one for one in LAYOUTS if one.kind == kind)
    fields = msgspec.structs.fields(layout.record)
    kinds: dict[object, Any] = {str: "some text", int: 3000, list[str]: ["h1", "h2"]}
    values = {field.name: kinds[field.type] for field in fields}
    raw = msgspec.msgpack.encode(layout.record(**values))
    given = ", ".join(f"cmsgpack.pack({values[field]})" for field in layout.given)
    source = f"#!lua\n--#use {name}\nreturn {name}(cmsgpack.unpack(ARGV[1]), {given or 'nil'})\n"
    assert await client.eval(script(source, layout), 0, raw) == raw


def test_a_long_record_beside_short_ones_is_read_from_its_own_start() -> None:
    text = pieces([LAYOUTS[0], LONG])["unpacked"]
    assert "local FIRST = {pools = 2, holds = 4}" in text
    assert "cut(raw, FIRST[kind])" in text
    # While all are short nothing is looked up, but for one that is long with its rare fields.
    made = pieces([layout for layout in LAYOUTS if layout.start == 1])["unpacked"]
    assert "FIRST" not in made
    assert made.count("cut(raw, 2)") == made.count("cut(raw, 4)") == 1
    assert (
        "if (kind == 'pools' or kind == 'holds' or kind == 'entries') and string.byte(raw) == 220"
        in made
    )


def test_a_field_has_the_place_that_the_model_gives_it() -> None:
    text = expand("pool[P_FREE], hold[H_KEY], duty[D_KIND], fan[F_SEQ]", "fan/x.lua")
    assert text == "pool[4], hold[14], duty[1], fan[1]"
    assert expand("if schema > SCHEMA", "lib/x.lua") == f"if schema > {model.SCHEMA}"
    for layout in LAYOUTS:
        names = [f"{layout.letter}_{field.upper()}" for field in layout.fields]
        places = ", ".join(str(i + 1) for i in range(len(names)))
        assert expand(", ".join(names), "x.lua") == places


def test_a_record_is_made_by_the_names_of_its_fields_in_any_order() -> None:
    text = (
        "x = DutyRecord{amount = f(a, {b, c}), at_ms = t.now, kind = 'a, }', hold = h, "
        "charge = '', currency = c, payment = p}"
    )
    assert expand(text, "money/x.lua") == "x = {'a, }', h, '', f(a, {b, c}), t.now, c, p}"


def test_a_pressed_hold_is_joined_from_what_all_of_the_batch_share() -> None:
    """The hottest line of the scripts: a field more must not make it a table again."""
    text = "HoldRecord.packed{key = key, fan = fan, shared = terms.shared}"
    assert expand(text, "fan/x.lua") == (
        r"'\158' .. HEAD[#fan] .. fan .. terms.shared[1] .. HEAD[#key] .. key"
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("pool[P_FRE]", "lua/fan/x.lua: no record has a field P_FRE"),
        ("CartRecord{a = 1}", "lua/fan/x.lua: there is no CartRecord"),
        ("DutyRecord{kind = 'void'}", "DutyRecord is made without hold, charge, amount, at_ms"),
        ("DutyRecord{'void'}", "DutyRecord is made with a value that has no name: 'void'"),
        ("HoldRecord.packed{fan = f, key = k, qty = 1, shared = s}", "HoldRecord has no qty here"),
        ("HoldRecord.packed{fan = f(x), key = k, shared = s}", "give it a name first"),
        ("ItemRecord{cap = 1, cap = 2}", "ItemRecord is made with cap twice"),
        ("ItemRecord{cap = 1", "a bracket is not closed"),
    ],
)
def test_a_mistake_is_told_when_the_scripts_are_loaded(text: str, mistake: str) -> None:
    with pytest.raises(AssertionError, match=mistake.replace(".", r"\.")):
        expand(text, "fan/x.lua")


def test_no_lua_file_knows_a_place_by_its_number() -> None:
    """A field that moves in `model` moves in every script."""
    known = r"(pool|item|fan|hold|order|entry|record|other|duty)\[\d+\]"
    files = scripts.sources().items()
    assert [path for path, text in files if re.search(known, text)] == []

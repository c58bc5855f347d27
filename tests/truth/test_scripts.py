"""The Lua files are found in their folders, and a script is put together from what it uses."""

from __future__ import annotations

import pytest
import redis.asyncio as redis

from dropengine.truth import scripts

PIECE = "--[[\ntwice -- a number twice.\n--]]\nlocal function twice(n)\n  return n * 2\nend\n"
SCRIPT = "#!lua\n--[[\nadd_up -- no contract.\n--]]\n--#use twice\nreturn twice(21)\n"


def test_every_file_lies_in_a_folder_of_its_subject() -> None:
    folders = {path.partition("/")[0] for path in scripts.sources()}
    assert folders == {
        "creator",
        "early",
        "fan",
        "game",
        "house",
        "launch",
        "lib",
        "line",
        "money",
        "past",
        "read",
        "repair",
        "time",
    }
    assert not [file.name for file in scripts.folder().iterdir() if file.is_file()]


def test_a_file_is_a_script_by_its_first_line_wherever_it_lies() -> None:
    found = {path for path, text in scripts.sources().items() if scripts.is_script(text)}
    assert {"fan/press.lua", "time/settle.lua", "money/succeeded.lua", "read/view.lua"} <= found
    assert {scripts.name_of(path) for path in found} == set(scripts.load())
    assert not [path for path in found if path.startswith(("lib/", "line/"))]


async def test_a_script_uses_a_piece_of_another_folder(client: redis.Redis) -> None:
    made = scripts.put_together({"fan/add_up.lua": SCRIPT, "lib/twice.lua": PIECE})
    assert await client.eval(made["add_up"].text, 0) == 42
    assert await client.script_load(made["add_up"].text) == made["add_up"].sha


async def test_what_a_piece_alone_needs_takes_no_place_of_the_scripts(client: redis.Redis) -> None:
    """Lua has 200 of them in a function; here 300 are needed."""
    pieces = {
        f"lib/one{n}.lua": f"local K, L = {n}, 0\n\nlocal function one{n}()\n  return K + L\nend\n"
        for n in range(150)
    }
    used = " ".join(f"one{n}" for n in range(150))
    source = f"#!lua\n--#use {used}\nreturn one149()\n"
    made = scripts.put_together({"fan/last.lua": source, **pieces})
    assert await client.eval(made["last"].text, 0) == 149
    # What another one names as well stays where it can be seen.
    pieces["lib/one0.lua"] += "\nlocal SHARED = 5\n"
    shows = source.replace("one149()", "SHARED")
    assert (
        await client.eval(scripts.put_together({"fan/last.lua": shows, **pieces})["last"].text, 0)
        == 5
    )


def test_a_name_belongs_to_one_file() -> None:
    twice = {"fan/twice.lua": PIECE, "line/twice.lua": PIECE}
    with pytest.raises(AssertionError, match=r"lua/line/twice\.lua has the name of lua/fan/twice"):
        scripts.put_together(twice)
    with pytest.raises(AssertionError, match=r"lua/fan/unpacked\.lua has the name of truth/record"):
        scripts.put_together({"fan/unpacked.lua": PIECE})


def test_a_piece_that_uses_itself_is_a_mistake() -> None:
    circle = {
        "fan/add_up.lua": SCRIPT,
        "lib/twice.lua": PIECE.replace("--]]", "--]]\n--#use twice"),
    }
    with pytest.raises(AssertionError, match=r"twice\.lua uses itself: add_up -> twice -> twice"):
        scripts.put_together(circle)


def test_a_changed_file_takes_the_place_of_its_own() -> None:
    line = "local LAPSES_MAX = 2"
    text = scripts.sources()["line/lapse.lua"].replace(line, "local LAPSES_MAX = 3")
    changed, before = scripts.load({"line/lapse.lua": text}), scripts.load()
    assert line in before["press"].text
    assert line not in changed["press"].text
    assert changed["press"].sha != before["press"].sha
    assert changed["audit"] == before["audit"]


def test_only_a_file_that_is_there_can_be_changed() -> None:
    with pytest.raises(AssertionError, match=r"lua/lib/hold\.lua: there is no such file"):
        scripts.load({"lib/hold.lua": ""})

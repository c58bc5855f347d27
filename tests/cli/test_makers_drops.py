"""Whose a drop is, on the shop's machine: the maker's short name stands before its id."""

from __future__ import annotations

import argparse
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from itertools import count
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.cli import drop_arguments, drop_commands, makers_drops
from dropengine.config import Settings
from dropengine.errors import DatabaseAway, DropEngineError
from dropengine.people import audit_trail, makers
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.private_server import Server

MIX = files("dropengine") / "examples" / "eclipse-pin.toml"
NOW = 1_800_000_000_000
_files = count(1)


@pytest.fixture
def settings(database: Database, sql_settings: Settings, server: Server) -> Settings:
    """Of a shop whose server and SQL are there."""
    return msgspec.structs.replace(sql_settings, redis_url=server.url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A manifest whose id no other test has."""
    text = Path(str(MIX)).read_text().replace('id = "eclipse-pin"', f'id = "mug{next(_files)}"', 1)
    one = tmp_path / "mug.toml"
    one.write_text(text)
    return one


async def with_makers(database: Database, *shorts: str) -> None:
    def made(sql: Connection) -> None:
        for at, short in enumerate(shorts):
            makers.make(sql, makers.new(short, short.title(), "#aa5500", NOW + at))

    await database.write(made)


def plain_id(file: Path) -> str:
    found = re.search(r'^id = "(\w+)"', file.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def reword(file: Path) -> None:
    file.write_text(file.read_text().replace("the Moon", "our Moon", 1))


async def say(settings: Settings, verb: str, *words: object) -> int:
    """A command as it is typed."""
    parser = argparse.ArgumentParser()
    {name: add for name, _, add in drop_arguments.VERBS}[verb](parser)
    signed = [] if verb in ("show", "list", "log") else ["--by", "mia"]
    return await drop_commands._run(verb, parser.parse_args([*map(str, words), *signed]), settings)


@pytest.fixture
async def store(server: Server) -> AsyncIterator[Store]:
    one = Store.connect(server.url)
    yield one
    await one.close()


async def whose(database: Database, drop: str) -> str:
    def found(sql: Connection) -> str:
        maker = makers.by_id(sql, makers.whose(sql, drop) or "")
        return maker.short if maker else ""

    return await database.read(found)


async def test_with_one_maker_an_id_is_as_the_file_says_and_the_makers(
    settings: Settings, database: Database, file: Path
) -> None:
    await with_makers(database, "lamps")
    assert await say(settings, "publish", file, "--opens-in", 3600) == 0
    # Somebody who sells beside them later takes nothing over.
    await with_makers(database, "pots")
    assert await whose(database, plain_id(file)) == "lamps"
    assert await say(settings, "open", file) == 0


async def test_with_more_than_one_the_maker_must_be_said_and_stands_before_the_id(
    settings: Settings,
    database: Database,
    store: Store,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await with_makers(database, "lamps", "pots")
    with pytest.raises(DropEngineError, match=r"Whose drop is it\? Say --maker SHORT") as asked:
        await say(settings, "publish", file, "--opens-in", 3600)
    assert "lamps (Lamps); pots (Pots)" in str(asked.value)
    with pytest.raises(DropEngineError, match="There is no maker 'hats' here"):
        await say(settings, "publish", file, "--maker", "hats")
    drop = plain_id(file)
    assert not [one for one in await store.drops() if one.endswith(drop)]
    assert await say(settings, "publish", file, "--opens-in", 3600, "--maker", "pots") == 0
    assert f"pots-{drop} is published" in capsys.readouterr().out
    assert await whose(database, f"pots-{drop}") == "pots"
    # Its trail is its maker's, and its file names it.
    assert await say(settings, "pause", file) == 1
    assert await say(settings, "open", file) == 0
    assert f"pots-{drop} is open" in capsys.readouterr().out

    def trail(sql: Connection) -> list[tuple[str, str, str]]:
        pots = makers.by_short(sql, "pots")
        assert pots is not None
        return [(row.what, row.of, row.outcome) for row in audit_trail.page(sql, pots.id)]

    assert await database.read(trail) == [
        ("open", f"pots-{drop}", "done"),
        ("pause", f"pots-{drop}", "refused"),
        ("publish", f"pots-{drop}", "done"),
    ]


async def test_the_list_shows_whose_each_drop_is(
    settings: Settings, database: Database, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await with_makers(database, "lamps", "pots")
    for short in ("lamps", "pots"):
        assert await say(settings, "publish", file, "--opens-in", 3600, "--maker", short) == 0
    capsys.readouterr()
    assert await say(settings, "list") == 0
    told = {
        cells[0]: cells[-1]
        for line in capsys.readouterr().out.splitlines()
        if (cells := line.split("\t"))[0].endswith(plain_id(file))
    }
    assert told == {f"{short}-{plain_id(file)}": short for short in ("lamps", "pots")}


async def test_words_are_put_right_by_the_file_whatever_stands_before_its_id(
    settings: Settings, database: Database, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await with_makers(database, "lamps", "pots")
    await say(settings, "publish", file, "--opens-in", 3600, "--maker", "lamps")
    reword(file)
    assert await say(settings, "correct", file) == 0
    assert f"The words of lamps-{plain_id(file)} are put right" in capsys.readouterr().out


async def test_a_file_from_which_two_makers_publish_names_no_drop(
    settings: Settings, database: Database, file: Path
) -> None:
    await with_makers(database, "lamps", "pots")
    for short in ("lamps", "pots"):
        await say(settings, "publish", file, "--opens-in", 3600, "--maker", short)
    drop = plain_id(file)
    with pytest.raises(DropEngineError, match=f"may be lamps-{drop}, pots-{drop}: say its id"):
        await say(settings, "open", file)
    assert await say(settings, "open", f"pots-{drop}") == 0


async def test_a_drop_of_another_maker_is_not_published_over(
    settings: Settings,
    database: Database,
    store: Store,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also one that was published before anybody noted whose it is: it is the first maker's."""
    drop = f"pots-{plain_id(file)}"
    assert await say(settings, "publish", file, "--opens-in", 3600, "--id", drop) == 0
    await with_makers(database, "lamps", "pots")
    again = ("publish", file, "--opens-in", 3600, "--id", drop, "--maker", "pots")
    assert await say(settings, *again) == 1
    assert f"{drop} is another maker's" in capsys.readouterr().err
    assert await whose(database, drop) == "lamps"


async def test_an_id_that_is_too_long_behind_the_makers_name_is_said(
    settings: Settings, database: Database, file: Path
) -> None:
    await with_makers(database, "lamps", "pots")
    with pytest.raises(DropEngineError, match="at most 26 characters behind lamps-"):
        await say(settings, "publish", file, "--id", "a" * 27, "--maker", "lamps")


async def test_what_a_file_names_is_found_while_sql_is_away_and_nothing_is_published(
    settings: Settings, database: Database, file: Path, server: Server
) -> None:
    await with_makers(database, "lamps", "pots")
    await say(settings, "publish", file, "--opens-in", 3600, "--maker", "pots")
    nowhere = f"postgresql://postgres@/shop?host={file.parent}"
    away = msgspec.structs.replace(settings, database_url=nowhere)
    with pytest.raises(DatabaseAway):
        await say(away, "publish", file, "--maker", "pots")
    assert await say(away, "open", file) == 0
    assert await say(away, "list") == 0


async def test_a_shop_without_people_publishes_as_the_file_says(
    server: Server, store: Store, tmp_path: Path, file: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "none", redis_url=server.url)
    assert not engine.path(settings).exists()
    assert not makers_drops.keeps_people(settings)
    assert await say(settings, "publish", file, "--opens-in", 3600) == 0
    assert plain_id(file) in await store.drops()
    with pytest.raises(DropEngineError, match="This shop has no makers yet"):
        await say(settings, "publish", file, "--maker", "lamps")

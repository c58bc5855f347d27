"""Who runs the shop's machine lets the first person in, and who is locked out back."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection

from dropengine.cli import main
from dropengine.config import Settings
from dropengine.people import audit_trail, makers
from dropengine.sql.database import Database
from tests.kit import short_folder

folder = short_folder.folder

LONG_S = 30
PIN = str(files("dropengine") / "examples" / "eclipse-pin.toml")
LINK = re.compile(r"(http://localhost:\d+)(/studio/links/[\w-]{43})\b")
PASSWORD = "long enough a word"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[list[str]]:
    """A shop as people start it; what it says until it is ready, link or no link."""
    command = [sys.executable, "-m", "dropengine", "serve", "--with-parent", "--port", "0"]
    command += ["--data-dir", str(folder), "--disk-free-mib-min", "16", "--log-level", "warning"]
    one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert one.stdin is not None
    assert one.stdout is not None
    try:
        said = [one.stdout.readline()]
        assert said[0].startswith("Serving on"), said
        if not (folder / "set-up").exists():
            said.append(one.stdout.readline())
        yield said
    finally:
        one.stdin.close()
        rest = one.stdout.read()
        one.stdout.close()
        assert one.wait(LONG_S) == 0
        assert rest == ""


def spent(address: str, **form: str) -> int:
    """What a form on a link's page is answered, as a browser sends it."""
    found = LINK.search(address)
    assert found is not None, address
    # This machine by its number: its name may be another machine's first.
    origin = found[1].replace("localhost", "127.0.0.1")
    with httpx2.Client(base_url=origin, trust_env=False, headers={"origin": origin}) as http:
        assert http.get(found[2]).status_code == 200
        return http.post(found[2], data=form).status_code


def linked(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main.main(["account", "link", "--data-dir", str(folder), *more]) == 0
    return capsys.readouterr().out


def commanded(folder: Path, verb: str, *more: str, code: int = 0) -> None:
    signed = () if verb == "show" else ("--by", "mia")
    assert main.main(["drop", verb, *more, "--data-dir", str(folder), *signed]) == code


async def trail(folder: Path) -> list[tuple[str, ...]]:
    """What was done at the first maker, the newest first, without who signed in."""
    database = Database(Settings(data_dir=folder))

    def found(sql: Connection) -> list[tuple[str, ...]]:
        maker = makers.first(sql)
        assert maker is not None
        rows = audit_trail.page(sql, maker.id)
        return [(one.what, one.of, one.by, one.network, one.why, one.outcome) for one in rows]

    try:
        return await database.read(found)
    finally:
        await database.close()


def test_the_first_start_prints_a_link_and_what_the_machine_commands_is_noted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(folder) as said:
        assert spent(said[1], name="mia", password=PASSWORD, maker="Lamps") == 303
        # Another owner, while the shop runs: the address is the one that runs.
        second = linked(folder, capsys)
        assert spent(second, name="ned", password=PASSWORD) == 303
        back = linked(folder, capsys, "--account", "Mia")
        assert spent(back, password="another good sentence") == 303
        code = main.main(["account", "link", "--data-dir", str(folder), "--account", "eve"])
        assert code == 1
        assert "no account called 'eve'" in capsys.readouterr().err
        commanded(folder, "publish", PIN, "--id", "pin", "--opens-in", "3600")
        commanded(folder, "pause", "pin", "--why", "lunch", code=1)
        commanded(folder, "cancel", "pin", "--why", "lost", "--confirm", "pin")
        commanded(folder, "show", "pin")
        capsys.readouterr()
        assert asyncio.run(trail(folder)) == [
            ("cancel", "pin", "mia", "the shop's machine", "lost", "done"),
            ("pause", "pin", "mia", "the shop's machine", "lunch", "refused"),
            ("publish", "pin", "mia", "the shop's machine", "", "done"),
        ]
    (folder / "set-up").touch()
    with serving(folder):
        # `serving` sees that nothing more is said.
        pass


def test_a_link_needs_a_shop_that_ran_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["account", "link", "--data-dir", str(folder)]) != 0
    assert "SQL" in capsys.readouterr().err

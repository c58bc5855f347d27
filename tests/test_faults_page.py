"""The page of faults keeps its word: each names tests that exist, and each guard that was taken out
to see a test fail still stands where it was."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_docs import ROOT, rows, section, words

PAGE = (ROOT / "docs" / "faults.md").read_text()
TABLE = list(rows(section(PAGE, "The table")))
ELSEWHERE = list(rows(section(PAGE, "What is not here, and why")))
SEEN = list(rows(section(PAGE, "Seen to fail")))
LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./([^)]+)\)")


def holds(path: Path, name: str) -> bool:
    """Whether there is such a test in this file."""
    return path.exists() and bool(
        re.search(rf"(?m)^(async )?def {name}\(", path.read_text(encoding="utf-8"))
    )


def test_every_fault_of_the_table_is_shown_by_tests_that_exist() -> None:
    assert len(TABLE) > 50
    for number, *_, shown in TABLE:
        found = LINK.findall(shown)
        assert found, f"fault {number} names no test"
        # Whatever else stands in the cell is a name that is no link.
        assert words(shown) == [name for name, _ in found], number
        for name, path in found:
            assert holds(ROOT / path, name), f"fault {number}: {path} has no {name}"


def test_a_fault_stands_on_the_page_once_with_its_weight() -> None:
    numbers = [int(row[0]) for row in [*TABLE, *ELSEWHERE]]
    assert sorted(numbers) == sorted(set(numbers))
    assert all(1 <= int(row[1]) <= 25 for row in [*TABLE, *ELSEWHERE])


def test_what_is_not_tested_says_why() -> None:
    for number, _, _, why in ELSEWHERE:
        assert len(why.split()) >= 4, number
        for name, path in LINK.findall(why):
            assert holds(ROOT / path, name), f"fault {number}: {path} has no {name}"


def test_every_guard_that_was_taken_out_stands_where_it_was() -> None:
    assert len({row[0] for row in SEEN}) >= 15
    known = {row[0] for row in TABLE}
    for number, file, guard, shown in SEEN:
        assert number in known
        (path,), taken = words(file), words(guard)
        text = (ROOT / path).read_text()
        assert taken, number
        for one in taken:
            assert one in text, f"fault {number}: {path} no longer has {one}"
        for name, place in LINK.findall(shown):
            assert holds(ROOT / place, name), f"fault {number}: {place} has no {name}"

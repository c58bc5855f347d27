"""A draw is read from the log of its drop, by the events that its page names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropengine.errors import DrawFault
from dropengine.log.draw import Entry, Sealed, chance_of, commitment_of, order, sheet
from dropengine.log.draw.told import sheet_of, told_of
from dropengine.randomness import CommitReveal

SECRET = bytes(range(32))
AT_MS = 1_800_000_000_000
SOURCE = CommitReveal(commitment_of(SECRET))
STAYED = [Entry("e1", 2, b"\x01" * 16), Entry("e3", 1), Entry("e10", 1, b"\x0a" * 16)]

Line = dict[str, Any]


def joined(entry: Entry) -> Line:
    return {
        "e": "joined",
        "fan": "f",
        "entry": entry.id,
        "tickets": entry.tickets,
        "nonce": entry.nonce.hex(),
    }


def story() -> list[Line]:
    """e2 leaves before the seal, e3 after it; the clock was put right by 700 ms."""
    sealed = Sealed(STAYED)
    ids = order(sealed, chance_of(SOURCE, sealed.root, SECRET, sealed_ms=AT_MS))
    return [
        {"e": "published", "rules": {"mode": "draw", "randomness": msgspec.to_builtins(SOURCE)}},
        joined(STAYED[0]),
        joined(Entry("e2")),
        joined(STAYED[1]),
        {"e": "realigned", "lead": 700, "why": "leap"},
        {"e": "left", "entry": "e2"},
        joined(STAYED[2]),
        {"e": "sealed", "entries": 3},
        {"e": "rooted", "root": sealed.root.hex()},
        {"e": "revealed", "value": SECRET.hex()},
        {"e": "ordered", "n": 5, "ids": ids[:2]},
        {"e": "left", "entry": "e3"},
        {"e": "ordered", "n": 7, "ids": ids[2:]},
        {"e": "opened"},
        joined(Entry("e11")),
    ]


def written(lines: list[Line]) -> list[bytes]:
    return [
        msgspec.json.encode({"e": line["e"], "seq": seq, "at": AT_MS, **line})
        for seq, line in enumerate(lines, 1)
    ]


def test_the_draw_of_a_log_is_checked_from_the_log_alone() -> None:
    told = sheet_of(written(story()))
    assert told.sealed_ms == AT_MS - 700
    assert [entry.id for entry in told.entries] == ["e1", "e3", "e10"]
    assert [found.kept for found in sheet.findings(told)] == [True, True, True]


@pytest.mark.parametrize("seen", range(8, 15))
def test_a_log_is_read_as_far_as_it_goes(seen: int) -> None:
    """What it does not tell yet is open, and nothing is called wrong, but for half an order."""
    kept = [found.kept for found in sheet.findings(sheet_of(written(story()[:seen])))]
    assert kept[0] is (None if seen < 9 else True)
    if seen < 11:
        assert False not in kept


@pytest.mark.parametrize("seen", [8, 11, 12])
def test_the_part_of_an_order_that_a_drop_told_before_it_was_called_off_is_not_wrong(
    seen: int,
) -> None:
    told = told_of(written([*story()[:seen], {"e": "cancelled"}]))
    kept = [one.kept for one in sheet.findings(told.sheet, whole=told.opened)]
    assert (False in kept, None in kept, told.called_off) == (False, True, True)
    later = told_of(written([*story(), {"e": "cancelled"}]))
    assert (later.opened, later.called_off) == (True, False)
    with pytest.raises(DrawFault, match="called off before its list was sealed"):
        sheet_of(written([*story()[:3], {"e": "cancelled"}]))


def spoilt(at: int, **changed: Any) -> list[bytes]:
    lines = story()
    lines[at] = lines[at] | changed
    return written(lines)


@pytest.mark.parametrize(
    ("log", "wrong"),
    [
        (spoilt(1, tickets=3), "list"),
        (spoilt(8, root="00" * 32), "list"),
        (spoilt(9, value="00" * 32), "randomness"),
        (spoilt(10, ids=["e1", "e1"]), "order"),
    ],
)
def test_a_doctored_log_is_found_out(log: list[bytes], wrong: str) -> None:
    found = sheet.findings(sheet_of(log))
    assert wrong in [one.what for one in found if one.kept is False]


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        ([], "name no chance"),
        (written(story()[:7]), "is not sealed yet"),
        (spoilt(0, rules={"mode": "rush"}), "name no chance"),
        (spoilt(0, rules={"randomness": {"kind": "dice"}}), "line 1 cannot be read"),
        (spoilt(7, entries=4), "4 entries are sealed, 3 joined and stayed"),
        (written([*story()[:8], story()[7]]), "sealed twice"),
        (spoilt(12, n=8), "goes on with arrival 8, not with 7"),
        (spoilt(10, ids="e1"), "line 11 cannot be read"),
        ([b"\n", b"[]\n"], "line 2 cannot be read"),
    ],
)
def test_a_log_that_tells_no_draw_is_refused_with_the_reason(
    log: list[bytes], complaint: str
) -> None:
    with pytest.raises(DrawFault, match=complaint):
        sheet_of(log)

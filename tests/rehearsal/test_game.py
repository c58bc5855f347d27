"""The crowd plays the game of a line, and the latest turn that pages promise is judged by the log
alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from dropengine import events
from dropengine.config import Settings
from dropengine.model import SCHEMA, DropId
from dropengine.rehearsal import game, rehearse
from dropengine.rehearsal.rehearse import Rehearsal
from tests.kit.handwritten_logs import rules
from tests.kit.rows import EVERY

DROP = DropId("pins")
FANS = 40


def line(every: int, *, lapses: int = 0, busy: bool = False) -> list[bytes]:
    """Forty stand in line, of whom the later half have points: every so many calls goes to one of
    those, 0 for none. Of the first calls of the base lane so many come to nothing."""
    told: list[events.Event] = [events.Published(1, 0, "o1", "p", 1, SCHEMA, 0, "00", rules(k=5))]
    if busy:
        told += [events.Held(0, 0, f"f{n}", "k", f"b{n}", "pin", 1, 1, 9) for n in range(FANS)]
    told += [
        events.Joined(0, 0, f"f{n}", "k", f"e{n}", n, 1, ["pin"], 0, 0, "fan")
        for n in range(1, FANS + 1)
    ]
    base, boost = [*range(1, FANS + 1)], [*range(FANS, FANS // 2, -1)]
    call = 0
    while base:
        call += 1
        by_points = bool(every and boost and call % every == 0)
        n = (boost if by_points else base)[0]
        for lane in (base, boost):
            if n in lane:
                lane.remove(n)
        hold = f"h{call}"
        told.append(events.Offered(0, 0, f"f{n}", f"e{n}", n, int(by_points), hold, "pin", 1, 1, 9))
        if call <= lapses:
            told.append(events.Lapsed(0, 0, f"f{n}", f"e{n}", hold, "pin", 1, 9))
        else:
            told.append(events.Served(0, 0, f"f{n}", f"e{n}", n))
    return [
        msgspec.json.encode(msgspec.structs.replace(one, seq=seq))
        for seq, one in enumerate(told, 1)
    ]


@pytest.mark.parametrize(("every", "lapses"), [(0, 0), (5, 0), (5, 4)])
def test_a_line_that_keeps_its_word_has_no_faults(every: int, lapses: int) -> None:
    assert game.faults(DROP, line(every, lapses=lapses)) == []


def test_who_is_called_later_than_promised_is_found() -> None:
    found = game.faults(DROP, line(2))
    assert {one.inv for one in found} == {"INV-11"}
    assert "e3, 3 in pin, was called by call 5, 4 at the latest" in found[0].sentence
    # Who holds something beside his place may have no room for a turn: nothing was promised to him.
    assert game.faults(DROP, line(2, busy=True)) == []


def test_who_still_waits_after_his_latest_turn_is_found() -> None:
    cut = [text for text in line(5) if b'"e3"' not in text or b"joined" in text]
    (found,) = game.faults(DROP, cut)
    assert "e3, 3 in pin, is still to be called by call" in found.sentence


VERIFIED = ("limit = 1", 'limit = 1\nidentity = "verified"')
CASES = [("lobby", True), *([("rush", False), ("draw", True), ("rush", True)] if EVERY else [])]


@pytest.mark.parametrize(("mode", "verified"), CASES)
def test_points_move_a_fan_up_and_nobody_is_called_later_than_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, verified: bool
) -> None:
    """Links are shared, friends come by them, missions are done: everybody's book is in his place
    in line, and no judge finds anything."""
    example = Path(__file__).parents[2] / "examples" / "comet-print.toml"
    text = example.read_text(encoding="utf-8")
    file, report = tmp_path / "comet-print.toml", tmp_path / "report.json"
    file.write_text(text.replace(*VERIFIED) if verified else text, encoding="utf-8")
    wanted = Rehearsal(fans=60, units=20, seed=2, mode=mode, file=str(file), report=report)
    done = rehearse.run(Settings(), wanted)
    told = capsys.readouterr().out
    assert done == 0, told
    assert json.loads(report.read_bytes())["violations"] == []
    found = re.search(
        r"(\d+) shared their links, (\d+) friends came by them, missions were done (\d+) times; "
        r"points changed (\d+) times, \d+ of them back. Of (\d+) offers that were paid the boost "
        r"lane made (\d+)",
        told,
    )
    assert found is not None, told
    shared, came, done, changed, paid, boosted = map(int, found.groups())
    assert min(shared, came, done, changed) > 0, told
    assert paid >= boosted

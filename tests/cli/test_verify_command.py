"""Whoever has a draw sheet learns whether its order is right, and what is wrong if it is not."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from dropengine.cli import main
from dropengine.log.carried import carriable
from dropengine.log.draw import Entry, Sealed, chance_of, commitment_of, order
from dropengine.randomness import LATE_MS, QUICKNET, BeaconRound, CommitReveal
from tests.kit.handwritten_logs import text
from tests.log.draw.test_told import story, written
from tests.log.test_carried import next_drop, waiting_line

SECRET = bytes(range(32))
SIGNATURE_OF_123 = (
    "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482"
    "e26cd02df835d3546d23c4b13e0dfc92"
)
"""As quicknet published it."""
SEALED_MS = QUICKNET.due_ms(123) - LATE_MS
ENTRIES = [Entry(f"e{n}", 1 + n % 3, bytes([n]) * 16) for n in range(1, 8)]


def told(**changed: Any) -> dict[str, Any]:
    """A sheet in which everything is right, but for what is changed."""
    source, sealed = CommitReveal(commitment_of(SECRET)), Sealed(ENTRIES)
    chance = chance_of(source, sealed.root, SECRET, sealed_ms=SEALED_MS)
    return {
        "randomness": {"kind": "commit", "commitment": source.commitment},
        "entries": [{**one._asdict(), "nonce": one.nonce.hex()} for one in ENTRIES],
        "sealed_ms": SEALED_MS,
        "root": sealed.root.hex(),
        "revealed": SECRET.hex(),
        "order": order(sealed, chance),
        **changed,
    }


def told_by_a_beacon(**changed: Any) -> dict[str, Any]:
    source, sealed = BeaconRound(QUICKNET.hash, 123), Sealed(ENTRIES)
    revealed = bytes.fromhex(SIGNATURE_OF_123)
    chance = chance_of(source, sealed.root, revealed, sealed_ms=SEALED_MS)
    right = {
        "randomness": {"kind": "drand", "chain": QUICKNET.hash, "round": 123},
        "revealed": SIGNATURE_OF_123,
        "order": order(sealed, chance),
    }
    return told(**(right | changed))


class Verify:
    """The command on a sheet of this folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file = folder / "sheet.json"
        self._capsys = capsys

    def __call__(self, sheet: object, *more: str) -> tuple[int, str]:
        """The exit code, and what was printed."""
        self._file.write_text(sheet if isinstance(sheet, str) else json.dumps(sheet))
        code = main.main(["verify", str(self._file), *more])
        said = self._capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    return Verify(tmp_path, capsys)


@pytest.mark.parametrize("sheet", [told(), told_by_a_beacon()], ids=["commitment", "beacon"])
def test_a_draw_that_is_right_is_told_so(verify: Verify, sheet: dict[str, Any]) -> None:
    code, said = verify(sheet)
    assert code == 0
    assert "right list: 7 entries with 14 tickets, root " in said
    assert f"all 7 places are right: {', '.join(sheet['order'][:5])} ..." in said
    assert said.endswith("The order is the one that list and chance give.\n")


def test_what_proves_the_randomness_is_named(verify: Verify) -> None:
    assert "the secret is the one that was committed to" in verify(told())[1]
    assert (
        "round 123 of quicknet, due 30 s after the seal, is signed" in verify(told_by_a_beacon())[1]
    )


def swapped() -> list[str]:
    first, second, *rest = told()["order"]
    return [second, first, *rest]


@pytest.mark.parametrize(
    ("sheet", "complaint"),
    [
        (told(order=swapped()), "WRONG order: place 1 was told to be "),
        (told(order=told()["order"][:-1]), "is not of the entries of the list"),
        (told(root="00" * 32), "WRONG list: 7 entries with 14 tickets, root "),
        (told(revealed="00" * 32), "WRONG randomness: the secret is not the one that"),
        (told_by_a_beacon(sealed_ms=SEALED_MS + 1), "not the signature of round 124 of quicknet"),
        (told_by_a_beacon(revealed="00" * 48), "not the signature of round 123 of quicknet"),
    ],
)
def test_what_is_wrong_is_named(verify: Verify, sheet: dict[str, Any], complaint: str) -> None:
    code, said = verify(sheet)
    assert code == 1
    assert complaint in said
    assert said.endswith("This is not the order that list and chance give.\n")


def test_an_entry_that_was_added_afterwards_changes_everything(verify: Verify) -> None:
    sheet = told()
    sheet["entries"].append({"id": "e8", "tickets": 1, "nonce": ""})
    code, said = verify(sheet)
    assert code == 1
    assert "WRONG list: 8 entries" in said


def test_what_is_not_told_yet_is_left_open(verify: Verify) -> None:
    code, said = verify(told(revealed="", order=[]))
    assert code == 1
    assert "open  randomness: nothing is revealed yet" in said
    assert "Nothing is wrong so far, but not everything is told yet." in said


def test_the_secret_may_come_from_elsewhere(verify: Verify) -> None:
    assert verify(told(revealed=""), "--revealed", SECRET.hex())[0] == 0
    code, said = verify(told(), "--revealed", "11" * 32)
    assert code == 16
    assert "was revealed, not 1111" in said


def test_programs_read_the_same_as_json(verify: Verify) -> None:
    code, said = verify(told(), "--json")
    assert code == 0
    assert [(one["what"], one["kept"]) for one in json.loads(said)] == [
        ("list", True),
        ("randomness", True),
        ("order", True),
    ]


def test_a_sheet_is_read_from_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = io.TextIOWrapper(io.BytesIO(json.dumps(told()).encode()))
    monkeypatch.setattr("sys.stdin", text)
    assert main.main(["verify", "-"]) == 0


@pytest.mark.parametrize(
    ("sheet", "complaint"),
    [
        ("", "this is no draw sheet"),
        ("[" * 100_000, "this is no draw sheet"),
        (told(randomness={"kind": "dice"}), "this is no draw sheet: Invalid value 'dice'"),
        *(
            (told(randomness={"kind": "drand", "chain": "0" * 64, "round": number}), "`int` ")
            for number in (-1, 0, 2**53, 2**64)
        ),
        (told(sealed_ms=2**64), "no draw sheet"),
        (told(entries=[{"id": "e1", "tickets": 0, "nonce": ""}]), "e1 has 0 tickets"),
        (told(entries=[{"id": "e1", "tickets": 1, "nonce": "A1"}]), "the nonce of e1 is not"),
        (told(revealed="xyz"), "what is revealed is not written in lower-case hex digits"),
    ],
)
def test_what_is_no_sheet_is_refused_with_the_reason(
    verify: Verify, sheet: object, complaint: str
) -> None:
    code, said = verify(sheet)
    assert code == 16
    assert said.startswith("dropengine: ")
    assert complaint in said


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["verify", "nowhere.json"]) == 16
    assert "nowhere.json: No such file or directory" in capsys.readouterr().err


def test_a_log_is_checked_too_and_its_sheet_written(verify: Verify) -> None:
    log = b"\n".join(written(story())).decode()
    code, said = verify(log)
    assert code == 0
    assert said.endswith("The order is the one that list and chance give.\n")
    off = b"\n".join(written([*story()[:11], {"e": "cancelled"}])).decode()
    code, said = verify(off)
    assert code == 1
    assert said.endswith("The drop was called off before its order was told.\n")
    code, said = verify(log, "--sheet")
    assert code == 0
    assert verify(said)[0] == 0


def test_who_waited_in_vain_is_printed_and_held_against_the_next_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.ndjson", tmp_path / "new.ndjson"
    old.write_bytes(b"".join(text(waiting_line().log)))
    assert main.main(["verify", str(old), "--waiting"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["entry"] for one in listed["entries"]] == ["e2", "e4"]
    assert listed["hash"] == carriable(old.read_bytes().splitlines()).hash
    for digest, code, said in (
        (listed["hash"], 0, "Its places were carried over as it says."),
        ("ab" * 32, 1, "Its rules do not name the list of sol-1"),
    ):
        new.write_bytes(b"".join(text(next_drop(digest).log)))
        assert main.main(["verify", str(new), "--carried-from", str(old)]) == code
        assert said in capsys.readouterr().out

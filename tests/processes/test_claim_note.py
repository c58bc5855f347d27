"""What a data directory knows of its claim: the newest run, never less than the server was told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dropengine.errors import AlreadyRunning
from dropengine.processes.claim_note import NONCE_CHARS, ClaimNote, kept, noted_nonce


def opened(folder: Path) -> ClaimNote:
    one = ClaimNote(folder)
    one.open()
    return one


def test_a_run_goes_on_from_the_two_before_it(folder: Path) -> None:
    assert noted_nonce(folder) == ""
    seen: list[str] = []
    for turn in range(4):
        one = opened(folder)
        for _ in range(turn):
            one.renewed()
        assert one.count == turn + 1
        before = dict(run.split(":") for run in one.before.split())
        assert list(before) == seen[::-1][:2]
        assert [int(count) for count in before.values()] == [turn, turn - 1][: len(before)]
        assert noted_nonce(folder) == one.nonce
        seen.append(one.nonce)
        one.close()
        one.close()


def test_a_directory_is_one_runs(folder: Path) -> None:
    assert not kept(folder)
    one = opened(folder)
    assert kept(folder)
    with pytest.raises(AlreadyRunning):
        opened(folder)
    assert noted_nonce(folder) == one.nonce
    one.close()
    opened(folder).close()


def test_a_copy_of_a_living_one_stays_behind(folder: Path) -> None:
    original = opened(folder)
    (folder / "copy").mkdir()
    shutil.copy(folder / "claim", folder / "copy" / "claim")
    original.renewed()
    copy = opened(folder / "copy")
    nonce, count = copy.before.split()[0].split(":")
    assert nonce == original.nonce
    assert int(count) < original.count
    copy.close()
    original.close()


@pytest.mark.parametrize("rest", [b"", b"\n", b"\xff" * 300, b"x" * 9000, b"one two three", b"a:"])
def test_a_file_that_is_none_is_a_beginning(folder: Path, rest: bytes) -> None:
    (folder / "claim").write_bytes(rest)
    one = opened(folder)
    one.close()
    assert len(noted_nonce(folder)) == NONCE_CHARS
    again = opened(folder)
    assert again.before.split()[0] == f"{one.nonce}:{1:015}"
    again.close()

"""A backup is whole, to the letter, or none."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from dropengine.backup.folder import LIST, Contents, CopiedDrop, Folder, NewFolder
from dropengine.errors import BackupFault


def contents(folder: NewFolder) -> Contents:
    return Contents(
        version="1",
        shop="5e" * 16,
        name="Mia's",
        address="http://127.0.0.1:1",
        prefix="",
        secret="mark",
        own_secret=True,
        revision="0001",
        schema=1,
        begun_ms=1,
        drops={"pin": CopiedDrop(2, 1, 1)},
        files=folder.files,
    )


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = NewFolder(tmp_path / "copy")
    folder.write("secret", [b"s" * 32])
    folder.write("drops/pin/log", [b'{"e":1}\n', b'{"e":2}\n'])
    folder.seal(contents(folder))
    return folder.path


def test_what_was_written_is_read(made: Path) -> None:
    folder = Folder(made)
    assert folder.contents.drops == {"pin": CopiedDrop(2, 1, 1)}
    assert list(folder.lines("drops/pin/log")) == [b'{"e":1}', b'{"e":2}']
    assert folder.names("drops") == ["pin/log"]
    assert folder.names("payments") == []


def test_only_its_owner_can_read_it(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    files = [one for one in made.rglob("*") if one.is_file()]
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


def test_a_new_one_overwrites_nothing(made: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="is there already"):
        NewFolder(made)
    (tmp_path / "file").touch()
    with pytest.raises(BackupFault, match="is there already"):
        NewFolder(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    NewFolder(tmp_path / "empty")


@pytest.mark.parametrize("name", ["secret", "drops/pin/log"])
@pytest.mark.parametrize("how", ["cut", "longer", "other", "gone"])
def test_a_torn_file_is_named(made: Path, name: str, how: str) -> None:
    path = made / name
    text = path.read_bytes()
    match how:
        case "cut":
            path.write_bytes(text[:-1])
        case "longer":
            path.write_bytes(text + b"\n")
        case "other":
            path.write_bytes(bytes([text[0] ^ 1]) + text[1:])
        case _:
            path.unlink()
    with pytest.raises(BackupFault, match=f"is torn: {name}"):
        Folder(made)


def test_what_is_no_part_of_it_is_named(made: Path) -> None:
    (made / "sql").mkdir()
    (made / "sql" / "makers").touch()
    with pytest.raises(BackupFault, match="sql/makers, which is no part"):
        Folder(made)


def test_a_list_that_was_changed_is_none(made: Path) -> None:
    text = (made / LIST).read_bytes()
    (made / LIST).write_bytes(text.replace(b"Mia's", b"Moa's"))
    with pytest.raises(BackupFault, match=r"is torn: its backup\.json is not as it was"):
        Folder(made)
    for wrong in (b"", b"{}", text[:-1], b"[" * 5000, b"\xff"):
        (made / LIST).write_bytes(wrong)
        with pytest.raises(BackupFault, match=r"is torn: its backup\.json cannot be read"):
            Folder(made)


def test_a_folder_that_was_not_sealed_is_no_backup(tmp_path: Path) -> None:
    folder = NewFolder(tmp_path / "copy")
    folder.write("secret", [b"s"])
    with pytest.raises(BackupFault, match=r"is no backup: it has no backup\.json"):
        Folder(folder.path)
    with pytest.raises(BackupFault, match="is no backup: there is no folder"):
        Folder(tmp_path / "nowhere")
    with pytest.raises(BackupFault, match="is no backup: there is no folder"):
        Folder(folder.path / "secret")


def test_a_newer_layout_is_refused_with_its_number(tmp_path: Path) -> None:
    folder = NewFolder(tmp_path / "copy")
    folder.seal(msgspec.structs.replace(contents(folder), format=9))
    with pytest.raises(BackupFault, match="newer version of Drop Engine, in layout 9"):
        Folder(folder.path)

"""A backup as a folder of files. Its list, with the size and the digest of each, is written last: a
folder without it, or one that differs from it in a letter, is no backup.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from dropengine.errors import BackupFault

LIST = "backup.json"
FORMAT = 1
"""The number of this layout of the folder. A backup with a higher one is refused."""


class File(msgspec.Struct, frozen=True):
    """One file of a backup: its size, and its SHA-256 in hex."""

    size: int
    sha256: str


class CopiedDrop(msgspec.Struct, frozen=True):
    """A drop as it was copied: at its event `seq`. first: the first event of its own file; those
    before it stand in SQL alone. listed_ms: when it was published."""

    seq: int
    first: int
    listed_ms: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and of which shop.

    name, address: what people know the shop by. secret: by which another can be told from it.
    own_secret: it is in the backup; else it was a setting. revision: of the tables of SQL. schema:
    the highest layout of the truth. begun_ms: by the true clock.
    """

    format: int = FORMAT
    version: str
    shop: str
    name: str
    address: str
    prefix: str
    secret: str
    own_secret: bool
    revision: str
    schema: int
    begun_ms: int
    drops: dict[str, CopiedDrop]
    files: dict[str, File]


class _Sealed(msgspec.Struct, frozen=True):
    """sha256: of the contents as they stand there."""

    sha256: str
    contents: msgspec.Raw


class _Form(msgspec.Struct, frozen=True):
    format: int


class NewFolder:
    """A folder that is being filled: for its owner alone, each file on disk before the list."""

    def __init__(self, path: Path) -> None:
        """Makes it. Raises BackupFault when something is there already, OSError when it cannot be
        made."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise BackupFault(f"{path} is there already: a backup takes a new folder, or an empty.")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.files: dict[str, File] = {}

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """A file of these bytes. name: its path in the folder. Raises BackupFault when they find no
        room."""
        digest, size = hashlib.sha256(), 0
        with _new(self.path / name) as file:
            for piece in pieces:
                digest.update(piece)
                size += _written(file, piece)
        self.files[name] = File(size, digest.hexdigest())

    def discard(self) -> None:
        """It becomes no backup: leave the folder empty."""
        for one in self.path.iterdir():
            if one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink()

    def seal(self, contents: Contents) -> None:
        """Write the list: from now on it is a backup."""
        raw = msgspec.json.encode(contents)
        sealed = _Sealed(hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))
        with _new(self.path / f"{LIST}.new") as file:
            file.write(msgspec.json.encode(sealed))
        (self.path / f"{LIST}.new").rename(self.path / LIST)
        for folder in (self.path, *(one for one in self.path.rglob("*") if one.is_dir())):
            _sync(folder)


@contextlib.contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _written(file: BinaryIO, piece: bytes) -> int:
    try:
        return file.write(piece)
    except OSError as fault:
        raise BackupFault(f"{file.name}: {fault.strerror}. This is no backup yet.") from fault


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Folder:
    """A finished backup, read once as a whole before anything of it is believed."""

    def __init__(self, path: Path) -> None:
        """Raises BackupFault when it is none, or not as it was written."""
        self.path = path
        self.digest, self.contents = _read(path)
        there = {
            one.relative_to(path).as_posix()
            for one in path.rglob("*")
            if not one.is_dir() or one.is_symlink()
        }
        known = self.contents.files
        if strange := sorted(there - known.keys() - {LIST}):
            raise BackupFault(f"{path} holds {strange[0]}, which is no part of the backup.")
        for name, file in known.items():
            if name not in there or _measured(path / name) != file:
                raise BackupFault(
                    f"{path} is torn: {name} is not as it was written. Take another backup."
                )

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, each without its end."""
        with (self.path / name).open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def names(self, folder: str) -> list[str]:
        """The files under one folder of the backup, by their names in it."""
        return [
            name.removeprefix(f"{folder}/")
            for name in self.contents.files
            if name.startswith(f"{folder}/")
        ]


def _read(path: Path) -> tuple[str, Contents]:
    """The digest of the list, and the list."""
    try:
        raw = (path / LIST).read_bytes()
    except OSError as fault:
        if fault.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        why = f"it has no {LIST}, which is written last" if path.is_dir() else "there is no folder"
        raise BackupFault(f"{path} is no backup: {why}.") from None
    try:
        sealed = msgspec.json.decode(raw, type=_Sealed)
        form = msgspec.json.decode(sealed.contents, type=_Form).format
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise BackupFault(f"{path} is torn: its {LIST} cannot be read.") from fault
    if hashlib.sha256(sealed.contents).hexdigest() != sealed.sha256:
        raise BackupFault(f"{path} is torn: its {LIST} is not as it was written.")
    if form > FORMAT:
        raise BackupFault(
            f"{path} was written by a newer version of Drop Engine, in layout {form}; this one "
            f"knows layouts up to {FORMAT}."
        )
    return sealed.sha256, msgspec.json.decode(sealed.contents, type=Contents)


def _measured(path: Path) -> File:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return File(file.tell(), digest.hexdigest())

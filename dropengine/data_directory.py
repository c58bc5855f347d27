"""What a shop keeps beside its sales and makes on its first run: its secret, its id and
its key for push services.

Two processes that meet on the first run end with the same ones.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from dropengine.config import SECRET_CHARS_MIN, SHOP_ID_DIGITS, Settings
from dropengine.errors import ConfigError
from dropengine.model import ShopId

ORIGINS = "settings-from"


def secret(settings: Settings) -> bytes:
    """The key that signs passes: the setting, or `data_dir/secret`, made on the first run.

    Raises ConfigError when the file can be read by others or is too short.
    """
    if settings.secret_key is not None:
        return settings.secret_key.encode()
    path = data_dir(settings) / "secret"
    found = _kept(path, secrets.token_urlsafe(48))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError([f"{path}: others can read this secret; run: chmod 600 {path}"])
    if len(found) < SECRET_CHARS_MIN:
        remedy = "restore it, or remove it: a new one is made, and all passes end"
        raise ConfigError([f"{path}: shorter than {SECRET_CHARS_MIN} characters; {remedy}"])
    return found


def shop_id(settings: Settings) -> ShopId:
    """What providers know this shop by: the setting, or `data_dir/shop_id`, made on the first run.

    It is no secret, and it stays when the secret is changed. Raises ConfigError when the file holds
    something else.
    """
    if settings.shop_id is not None:
        return ShopId(settings.shop_id)
    path = data_dir(settings) / "shop_id"
    found = _kept(path, secrets.token_hex(SHOP_ID_DIGITS // 2))
    if re.fullmatch(rb"[0-9a-f]{%d}" % SHOP_ID_DIGITS, found) is None:
        remedy = "restore it, or remove it: a new one is made, and payments under way go back"
        raise ConfigError([f"{path}: expected {SHOP_ID_DIGITS} hex digits; {remedy}"])
    return ShopId(found.decode())


def push_key(settings: Settings, new: Callable[[], str]) -> bytes:
    """The private key that push services know this shop by: the setting, or `data_dir/push_key`,
    which holds `new` from the first run on.

    Raises ConfigError when others can read the file.
    """
    if settings.push_key is not None:
        return settings.push_key.encode()
    path = data_dir(settings) / "push_key"
    found = _kept(path, new())
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError([f"{path}: others can read this key; run: chmod 600 {path}"])
    return found


def keeps_shop(settings: Settings) -> bool:
    """Has a shop run here, so that its secret and its id are known?"""
    given = {"secret": settings.secret_key, "shop_id": settings.shop_id}
    return all(
        value is not None or (settings.data_dir / name).exists() for name, value in given.items()
    )


def life(settings: Settings) -> str:
    """Which restore of the shop this directory is of: '' before the first."""
    path = settings.data_dir / "life"
    return path.read_text().strip() if path.exists() else ""


def begin_life(settings: Settings, life: str) -> None:
    """The directory is of this restore from now on."""
    _kept(data_dir(settings) / "life", life)


def fill(settings: Settings, name: str, text: str) -> None:
    """Put what a backup keeps where the first run would make it."""
    _make(data_dir(settings) / name, text)


def note_origins(settings: Settings, origins: Mapping[str, str]) -> None:
    """Keep where each setting of this run came from, for whoever asks the shop. No value of any
    stands in it."""
    whole = data_dir(settings) / f".{ORIGINS}"
    # It sells nothing: where there is no room for it, it is not told.
    with contextlib.suppress(OSError):
        whole.write_text(json.dumps(dict(origins)))
        whole.replace(settings.data_dir / ORIGINS)


def noted_origins(settings: Settings) -> dict[str, str]:
    """Where each came from, as far as it was noted."""
    try:
        found: dict[str, str] = json.loads((settings.data_dir / ORIGINS).read_text())
    except (OSError, ValueError):
        return {}
    return found


def data_dir(settings: Settings) -> Path:
    """The data directory, made for its owner alone when missing.

    Raises ConfigError when it cannot be used, or when others could write into it: whoever can may
    put a secret of his own in the place of the shop's.
    """
    path = settings.data_dir
    try:
        # One that exists keeps its mode: somebody may have chosen a directory with other uses.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as fault:
        # A full disk is told apart later, by what needs the room.
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise ConfigError([f"data_dir: {path} cannot be written: {fault.strerror}"]) from fault
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError([f"data_dir: others can write into {path}; run: chmod go-w {path}"])
    return path


def _kept(path: Path, new: str) -> bytes:
    """What a file holds; `new` where there is none."""
    if not path.exists():
        _make(path, new)
    return path.read_bytes().strip()


def _make(path: Path, text: str) -> None:
    # Written whole under another name, then linked: who links first wins, nobody reads half of it.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
        # What is made once must still be there after the power has failed.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        Path(name).unlink()

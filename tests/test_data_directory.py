"""What a shop makes on its first run is made once, kept, and never mistaken for something else."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dropengine.config import Settings, load
from dropengine.data_directory import data_dir, secret, shop_id
from dropengine.errors import ConfigError


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    made = secret(settings)
    assert len(made) >= 32
    assert secret(settings) == made
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["secret"]


@pytest.mark.parametrize("made", [secret, shop_id])
def test_processes_that_meet_on_the_first_run_make_one(
    tmp_path: Path, made: Callable[[Settings], object]
) -> None:
    settings, found = Settings(data_dir=tmp_path), []
    meet = threading.Barrier(8)

    def make() -> None:
        meet.wait()
        found.append(made(settings))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    secret(settings)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret(settings)


def test_a_secret_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)
    with pytest.raises(ConfigError, match="shorter"):
        secret(Settings(data_dir=tmp_path))


def test_a_directory_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    data_dir(Settings(data_dir=tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702, 0o1777])
@pytest.mark.parametrize("made", [secret, shop_id])
def test_a_directory_that_others_can_write_is_refused(
    tmp_path: Path, mode: int, made: Callable[[Settings], object]
) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod go-w"):
        made(Settings(data_dir=tmp_path))


def test_a_file_in_the_place_of_the_directory_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        data_dir(Settings(data_dir=tmp_path / "data"))


def test_a_shop_has_an_id_for_good_that_no_other_has(tmp_path: Path) -> None:
    one, other = Settings(data_dir=tmp_path / "one"), Settings(data_dir=tmp_path / "other")
    made = shop_id(one)
    assert len(bytes.fromhex(made)) == 16
    assert shop_id(other) != made
    # Its secret may change; what providers know it by does not.
    for key in ("a" * 40, "b" * 40):
        assert shop_id(Settings(data_dir=one.data_dir, secret_key=key)) == made


def test_hosts_of_one_shop_are_given_its_id(tmp_path: Path) -> None:
    given = "0123456789abcdef" * 2
    for host in ("one", "other"):
        settings, _ = load({"data_dir": tmp_path / host}, {"DROPENGINE_SHOP_ID": given}, None)
        assert shop_id(settings) == given
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "g" * 32, "A" * 32])
def test_an_id_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop_id").write_text(text)
    with pytest.raises(ConfigError, match="32 hex digits"):
        shop_id(Settings(data_dir=tmp_path))
    if text:
        with pytest.raises(ConfigError, match="shop_id"):
            load({"shop_id": text}, {}, None)

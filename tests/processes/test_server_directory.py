"""Nobody else can enter, whatever the path looks like."""

import os
import stat
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.errors import ConfigError
from dropengine.processes import server_directory
from dropengine.processes.embedded_server import EmbeddedServer
from tests.kit.server_owner import ask


def test_nobody_else_can_reach_it(settings: Settings) -> None:
    with EmbeddedServer(settings) as one:
        socket = Path(one.url.removeprefix("unix://"))
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path) -> None:
    long = Settings(data_dir=folder / ("long-" * 25), disk_free_mib_min=16)
    with EmbeddedServer(long) as one, ask(one.url) as client:
        assert client.ping()
        path = Path(one.url.removeprefix("unix://"))
        assert len(os.fsencode(path)) <= server_directory.SOCKET_PATH_BYTES_MAX
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        # Whoever has only the settings finds it.
        assert EmbeddedServer(long).url == one.url
    assert not path.parent.exists()


def test_a_link_laid_in_the_way_of_the_socket_is_refused(folder: Path) -> None:
    long = Settings(data_dir=folder / ("long-" * 25), disk_free_mib_min=16)
    place = Path(EmbeddedServer(long).url.removeprefix("unix://")).parent
    (folder / "elsewhere").mkdir()
    place.symlink_to(folder / "elsewhere")
    try:
        with pytest.raises(ConfigError, match="not a directory of this user"):
            EmbeddedServer(long).start()
    finally:
        place.unlink()


def test_a_name_with_blanks_quotes_and_umlauts_is_no_trouble(folder: Path) -> None:
    odd = Settings(data_dir=folder / 'a "b" \\ #ü%41', disk_free_mib_min=16)
    with EmbeddedServer(odd) as one, ask(one.url) as client:
        assert client.ping()

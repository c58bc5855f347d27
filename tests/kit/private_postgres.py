"""A private PostgreSQL for tests: its own process, a unix socket in its own folder, no port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Literal

import psycopg

from dropengine.config import Settings
from dropengine.sql.migrate import migrate
from tests.kit.laid_tables import EMPTIED
from tests.kit.private_server import die_with_parent

BY_HAND = "TEST_POSTGRES_BIN"
"""Names another folder of programs than the newest that Debian has installed."""
OWNER = "postgres"
"""The programs refuse root, so they run as the user whom their package brings along."""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None."""
    if BY_HAND in os.environ:
        return Path(os.environ[BY_HAND])
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _version(program: Path) -> int:
    return int(program.parts[-3])


class Postgres:
    """One PostgreSQL with as many databases as are asked for. Its log goes to `folder/words`."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, f"no PostgreSQL here; {BY_HAND} may name its programs"
        self._programs = found
        self._own = tempfile.TemporaryDirectory(prefix="drop-pg-")
        self.folder = Path(self._own.name)
        self._user = OWNER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._numbers = count(1)
        self._laid: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        options = ["--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            [str(found / "initdb"), "--no-sync", "--pgdata", str(self._data), *options],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self.folder,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, name: str) -> str:
        """What `DATABASE_URL` says for one of its databases."""
        return f"postgresql://{OWNER}@/{name}?host={self.folder}"

    def start(self) -> Postgres:
        """Returns once it answers. Starting again goes on with its data."""
        assert self.process is None, "already started"
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "unix_socket_permissions=0700"
            if self._user is None
            else "unix_socket_permissions=0777",
        ]
        line = [str(self._programs / "postgres"), "-D", str(self._data)]
        with (self.folder / "words").open("ab") as words:
            self.process = subprocess.Popen(
                line + [word for option in options for word in ("-c", option)],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                user=self._user,
                cwd=self.folder,
                # Runs between fork and exec; it only calls the kernel.
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "words").read_text()
        # What must survive a power cut is PostgreSQL's own to test.
        self.sync("off")
        return self

    def sync(self, wanted: Literal["on", "off"]) -> None:
        """Is a commit on disk when it is answered?"""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET fsync = {wanted}".encode())
            connection.execute("SELECT pg_reload_conf()")
        told = ""
        while told != wanted:
            with psycopg.connect(self.url("postgres")) as connection:
                told = str(connection.execute("SHOW fsync").fetchall()[0][0])

    def _answers(self) -> bool:
        done = subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)],
            check=False,
            user=self._user,
            cwd=self.folder,
        )
        return done.returncode == 0

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"shop{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def laid(self) -> str:
        """The address of one that has its tables, and nothing in them. Making one takes longer than
        most tests: they take turns, see `give_back`."""
        if self._laid:
            return self._laid.pop()
        url = self.database()
        migrate(Settings(data_dir=self.folder, database_url=url))
        return url

    def give_back(self, url: str) -> None:
        """Empty it for the next. One that somebody still works with, or that has lost a table, is
        left where it is."""
        try:
            with psycopg.connect(url, options="-c lock_timeout=1s") as connection:
                connection.execute(EMPTIED.encode())
        except psycopg.Error:
            return
        self._laid.append(url)

    def stop(self) -> None:
        """End it at once, as a crash would; `start` goes on."""
        if self.process is not None:
            # SIGQUIT ends its children too, which SIGKILL would leave behind.
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
            self.process = None

    def close(self) -> None:
        self.stop()
        self._own.cleanup()

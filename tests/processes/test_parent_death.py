"""No process outlives the one that answers for it, and none is taken for another."""

import asyncio
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from dropengine.config import Settings
from dropengine.processes import parent_death
from dropengine.processes.embedded_server import EmbeddedServer, ServerState
from tests.kit.ending_processes import Ending
from tests.kit.server_owner import ask, kill, parent, parent_of
from tests.kit.watched_server import Watched


def test_it_ends_with_its_parent_and_the_next_start_has_everything(
    settings: Settings, folder: Path
) -> None:
    for turn in range(3):
        one, pid = parent(folder)
        ending = Ending(pid)
        with ask(EmbeddedServer(settings).url) as client:
            assert client.rpush("sold", turn) == turn + 1
        kill(one)
        ending.wait()
    with EmbeddedServer(settings) as again, ask(again.url) as client:
        assert client.lrange("sold", 0, -1) == [b"0", b"1", b"2"]


def test_a_killed_guard_takes_the_server_along_and_both_come_back(settings: Settings) -> None:
    async def story() -> None:
        async with Watched(EmbeddedServer(settings)) as watched:
            pid = watched.one.pid
            assert pid is not None
            ending = Ending(pid)
            os.kill(parent_of(pid), signal.SIGKILL)
            ending.wait()
            await watched.until(ServerState.UP)
            assert watched.one.pid not in (None, pid)

    asyncio.run(story())


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as one:
        mark = parent_death.started(one.pid)
        assert mark is not None
        assert parent_death.alive(one.pid, mark)
        assert not parent_death.alive(one.pid, mark + "0")
        assert one.stdin is not None
        one.stdin.close()
        ended, _, _ = select.select([os.pidfd_open(one.pid)], [], [], 10)
        # Ended, and not yet collected by us.
        assert ended
        assert parent_death.started(one.pid) is None
    assert parent_death.started(one.pid) is None


def test_a_note_is_written_over_an_earlier_one_of_any_length(tmp_path: Path) -> None:
    note = tmp_path / "note"
    assert parent_death.noted(note) is None
    parent_death.write_in_place(note, 4_000_000, "a long mark " * 5)
    parent_death.write_in_place(note, 7, "short")
    assert parent_death.noted(note) == (7, "short")
    size = note.stat().st_size
    parent_death.write_in_place(note, 8, "x")
    assert note.stat().st_size == size
    note.write_text(json.dumps([]))
    assert parent_death.noted(note) is None

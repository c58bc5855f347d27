"""What a person should know now, each with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dropengine.app import Runtime
from dropengine.config import Settings
from dropengine.doors.process_table import ProcessRow, ProcessTable
from dropengine.doors.prometheus import Sample
from dropengine.doors.studio.alarms import ASIDE, MAIL_AWAY, RESTART_S, Alarms
from dropengine.jobs.clock_watch import Reading
from dropengine.model import DropId
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.every_page import There, panel
from tests.kit.private_server import Server
from tests.kit.studio import Studio, new_draft
from tests.kit.web_process import SECRET

server = web_process.server
studio = studio_kit.studio


class Beside:
    """The other processes of a machine, as their pages tell of them."""

    number = 1

    def __init__(self, *rows: ProcessRow, aside: dict[str, int] | None = None) -> None:
        self.rows = [*rows]
        self.mail_away = 0
        self._aside = aside or {}

    def table(self) -> ProcessTable | None:
        return ProcessTable(1, 0.1, self.rows)

    def numbers(self) -> dict[int, bytes]:
        samples = [Sample(MAIL_AWAY, self.mail_away)]
        samples += [Sample(ASIDE, count, (("drop", drop),)) for drop, count in self._aside.items()]
        return {2: msgspec.json.encode([*samples, Sample("dropengine_seats", 3)])}


@pytest.fixture
async def runtime(server: Server, tmp_path: Path) -> AsyncIterator[Runtime]:
    """One that can sell."""
    one = Runtime(
        Settings(redis_url=server.url, data_dir=tmp_path, secret_key=SECRET, accept_weaker=True)
    )
    await one.check()
    await one.trial.round()
    yield one
    await one.close()


def kinds(alarms: Alarms, beside: Beside | None = None) -> list[tuple[str, str]]:
    found = alarms.now(beside)
    assert all(one.what and one.then for one in found)
    return [(one.kind, one.drop) for one in found]


async def test_where_all_is_well_there_is_none(runtime: Runtime) -> None:
    assert kinds(Alarms(runtime), Beside(ProcessRow(1, 7, "up", 1, 0))) == []


async def test_a_server_that_was_not_reached_is_away(runtime: Runtime) -> None:
    never = Runtime(msgspec.structs.replace(runtime.settings, redis_url="unix:///nowhere.sock"))
    await never.trial.round()
    assert kinds(Alarms(never)) == [("away", "")]
    await never.close()


async def test_memory_disk_and_clock_are_told(runtime: Runtime) -> None:
    facts = runtime.server_watch.facts
    assert facts is not None
    runtime.server_watch.hear(
        msgspec.structs.replace(facts, used_memory_bytes=85, maxmemory_bytes=100)
    )
    runtime.disk_watch.full = True
    runtime.clock_watch._trusted = Reading(0, 0)
    assert kinds(Alarms(runtime)) == [("disk", ""), ("memory", ""), ("clock", "")]


async def test_a_frozen_drop_and_a_payment_for_a_person_name_their_drop(runtime: Runtime) -> None:
    runtime.settling.frozen[DropId("lamp")] = "books"
    runtime.duties.set_aside[DropId("pin")] = frozenset({"refund:a"})
    runtime.drawing.stuck[DropId("cup")] = "the secret is not here any more"
    runtime.carrying.stuck[DropId("jug")] = "one of the two was changed"
    beside = Beside(aside={"mug": 2})
    assert kinds(Alarms(runtime), beside) == [
        *(("frozen", "lamp"), ("list", "cup"), ("list", "jug")),
        *(("duty", "pin"), ("duty", "mug")),
    ]


async def test_what_may_be_lost_is_told_where_nobody_accepted_it(runtime: Runtime) -> None:
    runtime.settings = msgspec.structs.replace(runtime.settings, accept_weaker=False)
    assert ("durability", "") in kinds(Alarms(runtime))


async def test_a_worker_that_was_started_again_is_told_for_a_while(runtime: Runtime) -> None:
    at = 0.0
    alarms = Alarms(runtime, clock=lambda: at)
    up, silent = ProcessRow(1, 7, "up", 1, 0), ProcessRow(2, 8, "silent", 1, 5)
    assert kinds(alarms, Beside(up, silent)) == [("worker", "")]
    back = Beside(up, ProcessRow(2, 9, "up", 2, 0))
    assert kinds(alarms, back) == [("worker", "")]
    at = RESTART_S
    assert kinds(alarms, back) == []


async def test_an_alarm_stands_on_every_page_of_the_panel_but_not_before_another_maker(
    studio: Studio,
) -> None:
    """A drop that nobody was named for is the first maker's."""
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        drop = await studio.publish(ada)
        # No job finds it among the drops, so none ends its alarm.
        studio.web.runtime.settling.frozen[DropId("a-lamp-that-stopped")] = "books"
        for path in ("", "/account", "/new", "/shop", f"/drops/{drop}", f"/drops/{drop}/night"):
            page = told(await ada.http.get(f"/studio{path}"))
            assert "It stopped itself: its counts did not add up." in page, path
            assert "dropengine audit a-lamp-that-stopped" in page
        assert "a-lamp-that-stopped" not in told(await dan.http.get("/studio"))


OUTSIDE = (
    *("/studio/sign-in", "/studio/links/{token}", "/studio/mail/{token}", "/studio/way-back"),
    "/studio/drafts/{draft}/preview",
)
"""Pages of nobody who is signed in, and the one that shows what fans see."""


async def test_every_page_of_the_panel_tells_the_alarms_that_stand_and_what_to_do(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = studio.web.runtime
    async with studio.person("ada") as ada:
        drop, soon = await studio.publish(ada), await studio.publish(ada)
        draft = await new_draft(ada, studio.lamps)
        there = There(studio.lamps.id, draft, drop, soon, "h1", "")
        strict = msgspec.structs.replace(runtime.settings, accept_weaker=False)
        monkeypatch.setattr(runtime, "settings", strict)
        monkeypatch.setattr(runtime.clock_watch, "_trusted", Reading(0, 0))
        # No job finds it among the drops, so none ends its alarm.
        monkeypatch.setitem(runtime.settling.frozen, DropId("a-lamp-stopped"), "books")
        expected = Alarms(runtime).now(None)
        assert {one.kind for one in expected} == {"frozen", "clock", "durability"}
        for row, addresses in panel(there).items():
            for path in addresses if row not in OUTSIDE else ():
                page = await ada.http.get(path)
                if page.status_code != 200:
                    # A draft that lacks everything is led back, and an order that is none is none.
                    assert page.status_code in (303, 404), path
                    continue
                said = told(page)
                for one in expected:
                    assert one.what in said, (path, one.kind)
                    assert one.then in said, (path, one.kind)


async def test_a_mail_server_that_takes_nothing_is_told(runtime: Runtime) -> None:
    beside = Beside()
    alarms = Alarms(runtime)
    assert kinds(alarms, beside) == []
    beside.mail_away = 1
    assert kinds(alarms, beside) == [("mail", "")]

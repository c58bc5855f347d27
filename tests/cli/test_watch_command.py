"""A drop of a real shop, watched at a terminal: on its own machine, from elsewhere, to its end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dropengine.cli import main
from dropengine.errors import DropEngineError, Unavailable
from dropengine.jobs.job_runner import ended
from dropengine.model import DropId
from dropengine.people.roles import Scope
from dropengine.terminal import watching
from dropengine.terminal.night import Night
from dropengine.terminal.own_shop import SILENT, OwnShop
from dropengine.terminal.shop_elsewhere import ShopElsewhere
from dropengine.truth.connections import client
from dropengine.truth.store import Store
from dropengine.wire import CloseCode
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.freezing import leave_mark
from tests.kit.manifests import manifest
from tests.kit.outages import away
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.studio import Studio
from tests.kit.web_process import LONG_S, WebProcess, front, settings, until

server = web_process.server
web = web_process.web
studio = studio_kit.studio


@contextlib.asynccontextmanager
async def seen(source: watching.Source) -> AsyncIterator[Night]:
    """What somebody sees, while he looks."""
    night = Night(time.monotonic)
    looking = asyncio.create_task(source.run(night))
    try:
        yield night
    finally:
        await ended(looking)


def own(sale: Sale) -> OwnShop:
    return OwnShop(sale.store, sale.drop)


async def test_the_shop_of_this_machine_is_seen_with_what_its_workers_tell(web: WebProcess) -> None:
    sale = await web.sale(title="Lamp")
    async with seen(own(sale)) as night, web.fan(sale.drop) as fan, web.watcher(sale.drop) as other:
        await fan.ask("hold", pool="pin", qty=1)
        assert (await other.ask("hold", pool="pin"))["code"] == "sign_in"
        await sale.hold("ben", qty=2)
        await sale.join("cyd")

        def whole() -> bool:
            desk = night.sight.desk if night.sight else None
            return bool(desk and desk.refused and desk.line.next and sum(desk.pace.commands))

        await until(whole)
        sight = night.sight
        assert sight is not None
        desk = sight.desk
        assert (sight.title, sight.state, sight.currency) == ("Lamp", "live", "EUR")
        assert (desk.units.carts, desk.units.left, desk.units.made) == (3, 0, 3)
        assert (desk.line.waiting, desk.line.next[0].n) == (1, 1)
        assert (desk.funnel.watching, desk.refused) == (2, {"sign_in": 1})
        assert [worker.pid for worker in desk.health.workers] == [os.getpid()]
        assert desk.health.server == "ok"
        assert "joined the line" in " ".join(line.text for line in desk.feed)
        await leave_mark(sale.store, sale.drop, int(time.time() * 1000))
        await until(lambda: night.sight is not None and night.sight.state == "frozen")
        await until(
            lambda: night.sight and "frozen" in [one.kind for one in night.sight.desk.alarms]
        )


async def test_a_shop_elsewhere_is_seen_by_a_key_and_by_nothing_else(studio: Studio) -> None:
    key = await studio.api_key(Scope.READ)
    other = await studio.api_key(Scope.READ, studio.pots)
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
    url = studio.web.url
    async with seen(ShopElsewhere(f"{url}/", drop, key)) as night:
        await until(lambda: night.sight)
        assert night.sight is not None
        assert (night.sight.title, night.sight.state) == ("Night lamp", "scheduled")
        assert night.sight.desk.units.left == 10
        assert night.sight.desk.people[0].startswith("key the read ")
    for shown, sentence in (("no", "does not know this key"), (other, "no such drop")):
        with pytest.raises(DropEngineError, match=sentence):
            await ShopElsewhere(url, drop, shown).run(Night(time.monotonic))
    with pytest.raises(Unavailable, match="does not answer"):
        await ShopElsewhere("http://127.0.0.1:9", drop, key).run(Night(time.monotonic))


async def test_a_line_that_broke_is_tried_again(studio: Studio) -> None:
    key = await studio.api_key(Scope.READ)
    sale = await studio.web.sale()
    async with seen(ShopElsewhere(studio.web.url, sale.drop, key)) as night:
        await until(lambda: night.sight)
        room = studio.web.runtime.hub.rooms[sale.drop]
        before = {*room.seats}
        for seat in before:
            seat.end(CloseCode.RESTART, "")
        await until(lambda: room.seats.keys() - before)
        await sale.creator("cancel")
        await until(lambda: night.sight and night.sight.over)


async def test_a_server_that_does_not_answer_is_told_and_the_night_goes_on(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(server.url, tmp_path, redis_timeout_ms=500)
    async with front(conf) as web:
        sale = await web.sale()
        store = Store(client(server.url, timeout_s=0.5, connections=2))
        try:
            async with seen(OwnShop(store, sale.drop)) as night:
                await until(lambda: night.whole)
                async with away(server, "frozen"):
                    await until(lambda: night.trouble == SILENT and night.stale)
                await until(lambda: not night.trouble and not night.stale)
        finally:
            await store.close()


async def test_where_no_web_process_tells_of_itself_that_is_said(
    server: Server, tmp_path: Path
) -> None:
    store = Store.connect(server.url, prefix="alone")
    try:
        await store.publish(manifest("lonely"), by="o1", key="publish")
        async with seen(OwnShop(store, DropId("lonely"))) as night:
            await until(lambda: night.whole)
            assert night.sight is not None
            assert night.sight.desk.health.server == "alone"
            assert "does it run?" in night.sight.desk.health.why
        with pytest.raises(DropEngineError, match="There is no drop gone in this shop"):
            await OwnShop(store, DropId("gone")).run(Night(time.monotonic))
    finally:
        await store.close()


async def test_without_a_screen_it_is_a_line_a_second_until_the_drop_is_over(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    out = io.StringIO()
    night, show = watching.begun(out, json=False, once=False)
    assert isinstance(show, watching.Lines)
    watched = asyncio.create_task(watching.watch(own(sale), night, show))
    await until(out.getvalue)
    await sale.creator("cancel")
    async with asyncio.timeout(LONG_S):
        assert await watched == 0
    lines = out.getvalue().splitlines()
    assert " live | 3 left" in lines[0]
    assert " cancelled | " in lines[-1]


async def test_once_is_one_object_with_what_workers_tell(web: WebProcess) -> None:
    sale = await web.sale()
    out = io.StringIO()
    night, show = watching.begun(out, json=True, once=True)
    async with web.watcher(sale.drop), asyncio.timeout(LONG_S):
        assert await watching.watch(own(sale), night, show, once=True) == 0
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["drop"], told["stale"]) == (sale.drop, False)
    assert told["desk"]["health"]["workers"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["pin", "--shop", "drops.example"], "--shop wants the address of a shop"),
        (["pin", "--shop", "file:///etc"], "--shop wants the address of a shop"),
        (["pin", "--shop", "http://127.0.0.1:9"], "DROPENGINE_KEY must hold an API key"),
        (["no drop", "--shop", "http://127.0.0.1:9"], "is no drop"),
        (["pin"], "No shop runs on"),
    ],
)
def test_what_cannot_be_watched_is_a_sentence(
    given: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DROPENGINE_KEY", raising=False)
    if given[0] == "no drop":
        monkeypatch.setenv("DROPENGINE_KEY", "key")
    more = [] if "--shop" in given else ["--data-dir", str(tmp_path)]
    assert main.main(["watch", *given, *more]) > 0
    assert sentence in capsys.readouterr().err


class Terminal:
    """A terminal of 80 by 24 with the command in it."""

    def __init__(self, *words: str, **env: str) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(80, 24)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dropengine", "watch", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
        )
        os.close(theirs)
        self.said = ""
        self._until = time.monotonic() + LONG_S

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, words: str) -> str:
        """All that was said from now on, until it was this."""
        begun = len(self.said)
        while words not in self.said[begun:]:
            self.said += self._read().decode(errors="replace")
        return self.said[begun:]

    def ends(self) -> int:
        """How it ended; what it said meanwhile is kept."""
        with contextlib.suppress(OSError):
            while chunk := self._read():
                self.said += chunk.decode(errors="replace")
        os.close(self._ours)
        return self.process.wait(LONG_S)

    def _read(self) -> bytes:
        left_s = max(0.0, self._until - time.monotonic())
        if not select.select([self._ours], [], [], left_s)[0] or not left_s:
            self.process.kill()
            raise AssertionError(f"it did not end, and said last {self.said[-200:]!r}")
        return os.read(self._ours, 65536)


ALTERNATE, BACK = "\x1b[?1049h", "\x1b[?1049l"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_terminal_is_as_it_was_however_it_ends(
    web: WebProcess, tmp_path: Path, number: int, code: int
) -> None:
    sale = await web.sale(title="Lamp of the night")
    conf = web.runtime.settings
    reach: list[Any] = ["--redis-url", conf.redis_url, "--data-dir", str(tmp_path)]
    terminal = Terminal(sale.drop, *reach)
    async with asyncio.timeout(LONG_S * 2):
        text = await asyncio.to_thread(terminal.until, "Ctrl-C ends this")
        assert ALTERNATE in text
        assert "Lamp of the night" in text
        terminal.resize(50, 10)
        # It is drawn for the new size without being asked.
        await asyncio.to_thread(terminal.until, "\x1b[H")
        terminal.process.send_signal(number)
        assert await asyncio.to_thread(terminal.ends) == code
    assert terminal.said.rindex(BACK) > terminal.said.rindex(ALTERNATE)
    assert " live | 3 left" in terminal.said[terminal.said.rindex(BACK) :]


class Deaf:
    """Somebody who looks, and does not hear the first time that he is asked to end."""

    async def run(self, night: Night) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(LONG_S)
        await asyncio.sleep(LONG_S)


async def test_a_signal_ends_it_though_its_source_does_not_hear_at_once() -> None:
    night, show = watching.begun(io.StringIO(), json=True, once=False)
    async with asyncio.timeout(LONG_S / 2):
        watched = asyncio.create_task(watching.watch(Deaf(), night, show))
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGHUP)
        assert await watched == 129


async def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    web: WebProcess, tmp_path: Path
) -> None:
    sale = await web.sale()
    reach: list[Any] = ["--redis-url", web.runtime.settings.redis_url, "--data-dir", str(tmp_path)]
    terminal = Terminal(sale.drop, *reach, TERM="dumb")
    async with asyncio.timeout(LONG_S * 2):
        await asyncio.to_thread(terminal.until, " live | 3 left")
        terminal.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(terminal.ends) == 130
    assert "\x1b" not in terminal.said

"""A drop of the shop on this machine, looked at once a second: what the truth says, and what the
web processes tell each other while somebody looks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import Final

import msgspec

from dropengine import refusals
from dropengine.errors import DropEngineError, Unavailable
from dropengine.live.desk import OK, DeskNumbers, Row
from dropengine.live.views import shown_state, why_stopped
from dropengine.model import DropId
from dropengine.studio_wire import AlarmView, HealthView
from dropengine.terminal.night import Night, Sight
from dropengine.truth.replies import BEYOND, Shown, ViewReply
from dropengine.truth.server_check import read_facts
from dropengine.truth.store import Store

EVERY_S: Final = 1.0
ROW_MS: Final = 4_000
"""Whoever looks says so for so long."""
SILENT: Final = "The server of the shop does not answer."
UNTOLD_MAX: Final = 4
"""After so many looks somebody should have told of himself."""

_rows = msgspec.json.Decoder(Row)


class OwnShop:
    """store: the truth of the shop."""

    def __init__(self, store: Store, drop: DropId) -> None:
        self._store = store
        self._drop = drop
        self._me = secrets.token_hex(8)
        self._untold = 0

    async def run(self, night: Night) -> None:
        """Look until the drop is over. Raises Unavailable where the shop is not there at the
        beginning; later that is told, and looked again."""
        shown = await self._store.show(self._drop)
        if shown is None:
            raise DropEngineError(
                f"There is no drop {self._drop} in this shop; `dropengine drop list` names them."
            )
        numbers = DeskNumbers(self._store, shown.manifest)
        while True:
            try:
                night.see(await self._look(shown, numbers))
            except Unavailable:
                if night.sight is None:
                    raise
                night.miss(SILENT)
            if night.sight is not None and night.sight.over:
                return
            await asyncio.sleep(EVERY_S)

    async def _look(self, shown: Shown, numbers: DeskNumbers) -> Sight:
        view = await self._view()
        found = await self._store.house.exchange(self._me, ROW_MS, [self._drop], b"")
        rows = [*_read(found.rows)]
        facts = await read_facts(self._store.client)
        await numbers.read()
        server, why = self._server(rows)
        percent = 0
        if facts.maxmemory_bytes:
            percent = 100 * facts.used_memory_bytes // facts.maxmemory_bytes
        health = HealthView(server, why, facts.durable, percent, [row.worker for row in rows])
        return Sight(
            self._drop,
            shown.manifest.title,
            shown.manifest.zone,
            shown.manifest.currency,
            shown_state(view),
            why_stopped(view),
            view.opens_ms,
            view.closes_ms,
            numbers.desk(view, health, alarms_of(rows, self._drop), rows),
        )

    async def _view(self) -> ViewReply:
        for _ in range(2):
            view = await self._store.view(self._drop, BEYOND, BEYOND)
            if isinstance(view, ViewReply):
                return view
            # It froze just now: the next look sees it frozen.
            if not isinstance(view, refusals.Frozen):
                break
        raise Unavailable(f"{self._drop} cannot be read now.")

    def _server(self, rows: Iterable[Row]) -> tuple[str, str]:
        """Whether all can sell who tell of themselves."""
        told = [(row.server, row.why) for row in rows]
        self._untold = 0 if told else self._untold + 1
        if self._untold >= UNTOLD_MAX:
            return "alone", "no web process of the shop tells of itself: does it run?"
        return next((one for one in told if one[0] != OK), (OK, ""))


def alarms_of(rows: Iterable[Row], drop: DropId) -> list[AlarmView]:
    """What any of them knows of the shop and of this drop, each once."""
    found = (one for row in rows for one in row.alarms if one.drop in ("", drop))
    return [*dict.fromkeys(found)]


def _read(texts: Iterable[str]) -> Iterable[Row]:
    for text in texts:
        # A worker of another version may tell something else.
        try:
            yield _rows.decode(text)
        except msgspec.MsgspecError:
            continue

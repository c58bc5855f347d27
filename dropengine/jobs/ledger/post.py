"""Sends the letters that people are owed, while this process has the lease.

A letter is marked after it was taken: whoever dies in between sends it once more, under the same
Message-ID. What cannot be marked, because SQL is away, is remembered and marked before anything
else is sent.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from dropengine import smtp_address
from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.lease import Lease
from dropengine.mail import outbox
from dropengine.mail.carriers import (
    Away,
    Carried,
    Carrier,
    FileCarrier,
    Refused,
    SmtpCarrier,
    letters_in,
    remove_files,
)
from dropengine.mail.letter import Letter, as_mail, sender_of
from dropengine.mail.outbox import Standing
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S = 1.0
AWAY_S_MAX = 60.0
"""A server that is away is tried again after a second, then after twice as long every time."""
LEASE_MS = 10_000
RENEW_S = 2.0
LANES = 4
"""Letters that are on their way at once, each over a connection of its own."""
TIDY_S = 3_600.0


class _Way:
    """Letters of one round that are still to go, and how it went."""

    def __init__(self, letters: deque[Letter]) -> None:
        self.letters = letters
        self.carried = 0
        self.away = ""


class Post:
    """clock: monotonic, s. now_ms: the time."""

    name = "post"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        *,
        carriers: Sequence[Carrier] = (),
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = EVERY_S
        self._database = database
        self._sender = sender_of(settings)
        self._folder = settings.data_dir / "mail"
        self._carriers = carriers or carriers_of(settings)
        self._clock = clock
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._renewed_at = -RENEW_S
        self._tidied_at = -TIDY_S
        self._carried: dict[str, Carried] = {}
        """Letter -> what became of it, until that is written down."""
        self._marking = asyncio.Lock()
        self._way = _Way(deque())
        self.standing = Standing(0, 0)
        self.away = ""
        """Why nothing is carried, at the last try; '' where something is."""

    @property
    def held(self) -> bool:
        """Whether this process sends for all."""
        return self._lease.held

    @property
    def oldest_s(self) -> float:
        """For so long the oldest letter that waits has waited."""
        oldest_ms = self.standing.oldest_ms
        return max(0, self._now_ms() - oldest_ms) / 1000 if oldest_ms else 0.0

    async def round(self) -> None:
        """Send what is due. Raises DatabaseAway and Unavailable: the next round goes on."""
        await self._renew()
        if not self.held:
            self.every_s, self.standing, self.away = EVERY_S, Standing(0, 0), ""
            return
        await self._mark()
        await self._tidy()
        found = await self._database.read(self._due)
        if found:
            self._tell(await self._send(found))
        self.standing = await self._database.read(outbox.standing)
        if self.away and found:
            self.every_s = min(2 * max(self.every_s, EVERY_S), AWAY_S_MAX)
        else:
            self.every_s = 0.0 if len(found) == outbox.AT_ONCE else EVERY_S

    def _due(self, sql: Connection) -> list[Letter]:
        return outbox.due(sql, self._now_ms())

    async def _send(self, found: list[Letter]) -> str:
        """Why nothing could be carried; '' where something was."""
        self._way = _Way(deque(found))
        ended = await asyncio.gather(*map(self._lane, self._carriers), return_exceptions=True)
        await asyncio.gather(*(one.leave() for one in self._carriers))
        for fault in ended:
            if fault is not None:
                raise fault
        return "" if self._way.carried else self._way.away

    async def _lane(self, carrier: Carrier) -> None:
        """Carry one letter after another, until this way is shut; the others go on then.

        Raises DatabaseAway, after which nobody begins another letter.
        """
        way = self._way
        while way.letters:
            letter = way.letters.popleft()
            now_ms = self._now_ms()
            await self._renew()
            if not self.held:
                return
            try:
                if 0 < letter.until_ms <= now_ms:
                    await self._database.write(functools.partial(outbox.end_late, now_ms=now_ms))
                    continue
                carried = await self._carry(carrier, letter)
                self._carried[letter.id] = carried
                await self._mark(letter.id)
            except DatabaseAway:
                way.letters.clear()
                raise
            if isinstance(carried, Away):
                way.away = carried.said
                return
            way.carried += 1

    async def _carry(self, carrier: Carrier, letter: Letter) -> Carried:
        try:
            mail = as_mail(letter, self._sender)
        except ValueError as fault:
            return Refused(str(fault))
        return await carrier.carry(mail)

    async def _mark(self, letter: str | None = None) -> None:
        """Write down what became of letters: of all, where this one is among them or none is
        named."""
        async with self._marking:
            known = dict(self._carried)
            if not known or (letter is not None and letter not in known):
                return
            gone = await self._database.write(
                functools.partial(_noted, known=known, now_ms=self._now_ms())
            )
            await asyncio.to_thread(remove_files, self._folder, gone)
            for one in known:
                del self._carried[one]

    async def _tidy(self) -> None:
        """Let go of what ended long ago, of what waits past its moment, and of files whose reader
        was forgotten while somebody died over them."""
        if self._clock() - self._tidied_at < TIDY_S:
            return
        self._tidied_at = self._clock()
        now_ms = self._now_ms()
        files = await asyncio.to_thread(letters_in, self._folder)

        def tidied(sql: Connection) -> set[str]:
            outbox.end_late(sql, now_ms)
            outbox.forget_old(sql, now_ms)
            return outbox.unknown(sql, files)

        gone = await self._database.write(tidied)
        await asyncio.to_thread(remove_files, self._folder, gone)

    async def _renew(self) -> None:
        """Take the lease, keep it, or see that another has it; asked anew after a while."""
        now = self._clock()
        if now - self._renewed_at < RENEW_S and self.held:
            return
        self._renewed_at = now
        await self._lease.keep()

    def _tell(self, away: str) -> None:
        if away and away != self.away:
            log.warning("letters wait, the mail server takes none: %s", away)
        elif self.away and not away:
            log.info("letters are sent again")
        self.away = away


def _noted(sql: Connection, known: dict[str, Carried], now_ms: int) -> list[str]:
    """Those whose reader was forgotten while they were carried."""
    told = known.items()
    return [letter for letter, how in told if not outbox.note(sql, letter, how, now_ms)]


def carriers_of(settings: Settings) -> list[Carrier]:
    """The ways that letters leave this shop."""
    if settings.smtp_url is None:
        return [FileCarrier(settings.data_dir / "mail")]
    address = smtp_address.parse(settings.smtp_url)
    return [SmtpCarrier(address) for _ in range(LANES)]

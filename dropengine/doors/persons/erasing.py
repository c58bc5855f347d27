"""A person is erased: his address, devices, passkeys, letters, and the key that ties his drops
together. What was sold stays, as numbers that are nobody's.

Who he was in drops that are not over is kept under the hash of his mailbox until they are: whoever
erases himself and comes back has one limit there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from dropengine.doors.persons import sign_in_letter
from dropengine.doors.persons.my_drops import OVER, MyDrops
from dropengine.doors.persons.signing_in import SigningIn
from dropengine.mail import outbox
from dropengine.mail.carriers import remove_files
from dropengine.people import answers, cohorts, devices, game_data, persons
from dropengine.people.one_after_another import change
from dropengine.people.persons import Person
from dropengine.people.tickets import Ticket
from dropengine.push import followers, of_person
from dropengine.sql.database import Database

log = logging.getLogger(__name__)

AGAIN_S: Final = 10.0


def letters_of(person: Person) -> tuple[str, ...]:
    """By what all letters to him are found."""
    return (f"person:{person.id}", sign_in_letter.whose(person.normal))


class Erasing:
    """Also a job: what the database still held back for those who were reading is wiped later.

    folder: of letters that are files.
    """

    name = "wiping"
    every_s = AGAIN_S

    def __init__(
        self, database: Database, signing_in: SigningIn, drops: MyDrops, folder: Path
    ) -> None:
        self._database = database
        self._signing_in = signing_in
        self._drops = drops
        self._folder = folder
        # Whoever ran before may have died over it.
        self._unwiped = True

    async def erase(self, person: Person, ticket: Ticket) -> None:
        """Raises Unavailable and DatabaseAway: it is asked again, which is harmless."""
        mine = await self._database.read(lambda sql: devices.of_person(sql, person.id))
        # Before it is asked what he has: what another device began meanwhile counts for his limit.
        await self._signing_in.end([one.id for one in mine])
        drops = await self._drops.of(ticket)
        traces = [one.trace for one in drops if one.state not in OVER]
        said = [thing for one in drops for thing in one.things]
        now_ms = int(time.time() * 1000)

        def erased(sql: Connection) -> list[str]:
            answers.erase(sql, answers.whose_key(person.key), said)
            cohorts.erase(sql, person)
            game_data.erase(sql, ticket.any_fan)
            persons.erase(sql, person, traces, now_ms)
            of_person.forget(sql, ticket.any_fan)
            followers.forget(sql, person.id)
            gone: list[str] = []
            for whose in letters_of(person):
                gone += outbox.forget_whose(sql, whose)
            return gone

        letters = await change(self._database, erased)
        self._unwiped = True
        await asyncio.to_thread(remove_files, self._folder, letters)
        await self.round()

    async def round(self) -> None:
        """Raises DatabaseAway."""
        if self._unwiped:
            self._unwiped = not await self._database.wipe()

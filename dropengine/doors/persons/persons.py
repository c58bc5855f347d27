"""The doors of fans who are known, put together."""

from __future__ import annotations

from typing import Protocol

from starlette.routing import Route

from dropengine.config import Settings
from dropengine.doors.identity import Identity
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.persons.bringing_together import BringingTogether
from dropengine.doors.persons.call_doors import CallDoors
from dropengine.doors.persons.called import Called
from dropengine.doors.persons.erasing import Erasing
from dropengine.doors.persons.letters_off import LettersOff
from dropengine.doors.persons.my_drops import MyDrops
from dropengine.doors.persons.one_visit import OneVisit
from dropengine.doors.persons.own_data import OwnData
from dropengine.doors.persons.passkey_doors import PasskeyDoors
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.person_pages import PersonPages
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.persons.signing_doors import SigningDoors
from dropengine.doors.persons.signing_in import SigningIn
from dropengine.doors.shown_things import ShownThings
from dropengine.live.hub import Hub
from dropengine.model import ShopId
from dropengine.people.tickets import Tickets
from dropengine.sql.database import Database
from dropengine.truth.store import Store


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def renewing(self) -> Renewing: ...
    @property
    def shop(self) -> ShopId: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...
    @property
    def secret(self) -> bytes: ...


class Persons:
    """erasing, visits: jobs, which whoever starts jobs repeats."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._cookies = PersonCookies(deps.identity, deps.shop)
        self._drops = MyDrops(deps.store, deps.database)
        self._signing_in = SigningIn(deps, self._cookies, deps.secret)
        self.visits = OneVisit(deps.database)
        letters = deps.settings.data_dir / "mail"
        self.erasing = Erasing(deps.database, self._signing_in, self._drops, letters)

    def routes(self, writer: PageWriter) -> list[Route]:
        """Every door."""
        deps, drops, signing_in = self._deps, self._drops, self._signing_in
        together = BringingTogether(deps.store, deps.database, drops, signing_in, self.visits)
        called = Called(deps.store, deps.database)
        pages = PersonPages(deps, writer, signing_in, drops, called)
        signing = SigningDoors(deps, writer, pages, self._cookies, signing_in, together)
        passkeys = PasskeyDoors(deps, pages, signing, self._cookies, signing_in)
        data = OwnData(deps, writer, pages, self._cookies, drops, self.erasing)
        off = LettersOff(deps.database, writer, deps.secret)
        calls = CallDoors(deps, writer, pages)
        doors = (pages, signing, passkeys, data, off, calls)
        return [route for one in doors for route in one.routes()]

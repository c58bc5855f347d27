"""The doors at which creators say who is in the cohorts of a drop, and see who came."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.doors.studio.changes import Changes, Once, Result, Work
from dropengine.doors.studio.studio_answers import refused, told
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.manifest import Cohort
from dropengine.model import DropId
from dropengine.people import cohorts
from dropengine.people.addresses import AddressNames
from dropengine.people.cohorts import TYPED_CHARS_MAX
from dropengine.sql.database import Database
from dropengine.truth.store import Store

COHORTS: Final = "/drops/{drop}/cohorts"
AT_ONCE: Final = 1000
"""Addresses or codes of one request."""


class CohortLine(msgspec.Struct, frozen=True):
    """One cohort. `most`: units that may count against it, for each pool in the manifest's order.
    `listed`: addresses on its list, `came`: of those, whose owners were enrolled; `codes`: that
    were made, `used`: of those, that somebody used."""

    id: str
    title: str
    most: tuple[int, ...]
    listed: int
    came: int
    codes: int
    used: int


class ListedRow(msgspec.Struct, frozen=True):
    """An address on a list. `came_ms`: when its owner was enrolled, 0: he was not."""

    address: str
    came_ms: int


class CodeRow(msgspec.Struct, frozen=True):
    """A code. `used_ms`: when it was used, 0: it was not."""

    code: str
    used_ms: int


class CohortPage(msgspec.Struct, frozen=True):
    """A part of a cohort's list and of its codes. `after_address`, `after_code`: where each goes
    on, '' where that was all."""

    addresses: list[ListedRow]
    codes: list[CodeRow]
    after_address: str
    after_code: str


class ListAddresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Put these addresses on the list of a cohort."""

    addresses: Annotated[list[str], Meta(min_length=1, max_length=AT_ONCE)]


class AddressesListed(msgspec.Struct, frozen=True):
    """`new`: how many are new on the list, `known`: how many were on it; `wrong`: which are no
    addresses; `beyond`: how many the list has no room for."""

    new: int
    known: int
    wrong: list[str]
    beyond: int


class MakeCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make so many codes for a cohort."""

    count: Annotated[int, Meta(ge=1, le=AT_ONCE)]


class CodesMade(msgspec.Struct, frozen=True):
    """`codes`: each for one person. A repeat of the request is told none."""

    codes: list[str]


class Struck(msgspec.Struct, frozen=True):
    """`gone`: how many addresses were on the list."""

    gone: int


class StrikeCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Strike a code that nobody used; without `code` all of them."""

    code: Annotated[str, Meta(max_length=TYPED_CHARS_MAX)] = ""


class CodesStruck(msgspec.Struct, frozen=True):
    """`gone`: how many codes are no more; `used`: how many of those that were meant stay, for
    somebody used them."""

    gone: int
    used: int


class CohortDoors:
    """One method a door. secret: the shop's key."""

    def __init__(self, store: Store, database: Database, changes: Changes, secret: bytes) -> None:
        self._store = store
        self._database = database
        self._changes = changes
        self._names = AddressNames(secret)

    def routes(self, doors: Doors) -> list[Route]:
        """What is read and changed."""
        one = f"{COHORTS}/{{cohort}}"
        return [
            doors.route("GET", COHORTS, self.cohorts),
            doors.route("GET", one, self.cohort),
            doors.route("POST", f"{one}/addresses", self.put),
            doors.route("DELETE", f"{one}/addresses", self.strike),
            doors.route("POST", f"{one}/codes", self.make),
            doors.route("POST", f"{one}/codes/strike", self.strike_codes),
        ]

    async def cohorts(self, call: Call) -> Response:
        """The cohorts of a drop, and how many came."""
        drop = DropId(call.named("drop"))
        shown = await self._store.show(drop)
        if shown is None:
            return refused(refusals.NotFound())
        known = await self._database.read(lambda sql: cohorts.counts(sql, drop))
        return told(lines_of(shown.manifest.cohorts, known))

    async def cohort(self, call: Call) -> Response:
        """Its list and its codes, by letters."""
        drop, one = DropId(call.named("drop")), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())
        query = call.request.query_params
        after = query.get("after_address", ""), query.get("after_code", "")
        if len(after[1]) > TYPED_CHARS_MAX or any("\0" in text for text in after):
            raise Unfit("after_code is a code")

        def asked(sql: Connection) -> CohortPage:
            listed = cohorts.listed(sql, drop, one.id, after[0])
            codes = cohorts.codes(sql, drop, one.id, after[1])
            full = cohorts.AT_ONCE
            return CohortPage(
                [ListedRow(*row) for row in listed],
                [CodeRow(*row) for row in codes],
                listed[-1].address if len(listed) == full else "",
                codes[-1].code if len(codes) == full else "",
            )

        return told(await self._database.read(asked))

    async def put(self, call: Call) -> Response:
        """More addresses on its list."""
        asked, drop, one = call.read(ListAddresses), call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())
        if not one.listed:
            raise Unfit("this cohort has no list of addresses")

        def done(sql: Connection) -> Result:
            taken = cohorts.put(
                sql, self._names, DropId(drop), one.id, asked.addresses, call.now_ms
            )
            return AddressesListed(*taken)

        return await self._once(call, "list_addresses", done, drop, one)

    async def strike(self, call: Call) -> Response:
        """Nobody is on its list any more."""
        drop, one = call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())

        def done(sql: Connection) -> Result:
            return Struck(cohorts.strike(sql, DropId(drop), one.id))

        return await self._once(call, "strike_addresses", done, drop, one)

    async def make(self, call: Call) -> Response:
        """New codes, told once."""
        asked, drop, one = call.read(MakeCodes), call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())
        if not one.codes:
            raise Unfit("this cohort has no codes")

        def done(sql: Connection) -> Result:
            made = cohorts.make_codes(sql, DropId(drop), one.id, asked.count, call.now_ms)
            return Once(CodesMade([cohorts.spelled(code) for code in made]), CodesMade([]))

        return await self._once(call, "make_codes", done, drop, one)

    async def strike_codes(self, call: Call) -> Response:
        """A code that nobody used, or all of them, let nobody in any more."""
        asked, drop, one = call.read(StrikeCodes), call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())

        def done(sql: Connection) -> Result:
            return CodesStruck(*cohorts.strike_codes(sql, DropId(drop), one.id, asked.code))

        return await self._once(call, "strike_codes", done, drop, one)

    async def _once(self, call: Call, what: str, work: Work, drop: str, one: Cohort) -> Response:
        of = f"{drop} {one.id}"
        return await self._changes.once(call, what, work, of=of, maker=call.maker.id)

    async def _of(self, call: Call) -> Cohort | None:
        shown = await self._store.show(DropId(call.named("drop")))
        found = () if shown is None else shown.manifest.cohorts
        return next((one for one in found if one.id == call.named("cohort")), None)


def lines_of(found: tuple[Cohort, ...], known: dict[str, cohorts.Counts]) -> list[CohortLine]:
    """Each cohort of a manifest with what is known of it."""
    return [
        CohortLine(one.id, one.title, one.most, *known.get(one.id, cohorts.Counts()))
        for one in found
    ]

"""The doors at which creators check a manifest, and publish it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import manifest, outcomes, refusals
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.drop_messages import Checked, CheckManifest, Publish, Published
from dropengine.doors.studio.studio_answers import mistaken, refused, told
from dropengine.doors.studio.studio_door import Call, Doors
from dropengine.errors import ManifestError
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.people import known_changes, makers
from dropengine.people.known_changes import Answered
from dropengine.people.one_after_another import change
from dropengine.randomness import Chain
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from dropengine.truth.carried_list import mistake_in
from dropengine.truth.opening_at_once import open_at_once
from dropengine.truth.store import Store

SOURCE = "manifest"
TRIES_MAX = 100
"""So many numbers are looked at for one that is free."""
UNDERWAY = 0
"""The status of an answer that only says under which id a key publishes."""
OPENING_PAST = "opens_at: has passed; publish it with opens_ms 0 and open it by hand"
CLOSING_PAST = "closes_at: has passed, nobody could buy"
_NUMBERED = re.compile(r"-[0-9]{1,3}$")


class PublishDoors:
    """One method a door. origin: the address people type."""

    def __init__(
        self, store: Store, database: Database, changes: Changes, origin: str, chain: Chain
    ) -> None:
        self._store = store
        self._database = database
        self._changes = changes
        self._origin = origin
        self._chain = chain

    def routes(self, doors: Doors) -> list[Route]:
        """Check, then publish."""
        return [
            doors.route("POST", "/makers/{maker}/drops/check", self.check),
            doors.route("POST", "/makers/{maker}/drops", self.publish),
        ]

    async def check(self, call: Call) -> Response:
        """Every mistake of a manifest at once, or what would be published. Changes nothing."""
        asked = call.read(CheckManifest)
        try:
            text = manifest.parse(asked.manifest.encode(), SOURCE)
            wanted = await self.under_makers_id(call, text)
            _refuse_past(wanted, call.now_ms)
            if why := draw_secrets.fault_in_chance(wanted, self._chain):
                raise ManifestError(SOURCE, [why])
            await self._looks_at_carried(call, wanted)
        except ManifestError as fault:
            return mistaken(fault)
        return told(Checked(wanted.id, manifest.digest(wanted), wanted))

    async def publish(self, call: Call) -> Response:
        """Publish under the maker's name. What it says never changes."""
        asked = call.read(Publish)
        try:
            text = manifest.parse(asked.manifest.encode(), SOURCE)
            drop = text.id if asked.id is None else asked.id
            if why := manifest.fault_in_drop_id(drop):
                raise ManifestError(SOURCE, [f"id: {why}"])
            opens_ms = text.opens_ms if asked.opens_ms is None else asked.opens_ms
            wanted = text
            if (drop, opens_ms) != (text.id, text.opens_ms):
                wanted = manifest.with_opening(text, drop, opens_ms)
            wanted = await self.under_makers_id(call, wanted)
            known = await self._known(call)
            if isinstance(known, Response):
                return known
            if not known:
                # What was begun under this key goes on, whatever time it is by now.
                _refuse_past(wanted, call.now_ms)
            if asked.open:
                manifest.to_open_at_once(wanted)
            if why := draw_secrets.fault_in_chance(wanted, self._chain):
                raise ManifestError(SOURCE, [why])
            if not known:
                await self._looks_at_carried(call, wanted)
        except ManifestError as fault:
            return mistaken(fault)
        found = known or await self._free_id(call, wanted.id, next_free=asked.next_free)
        if isinstance(found, Response):
            return found
        final = manifest.with_opening(wanted, found, wanted.opens_ms)

        async def given() -> Response | msgspec.Struct:
            return await self._published(call, final, at_once=asked.open)

        return await self._changes.noted(call, "publish", given, of=found, why=asked.why)

    async def _published(
        self, call: Call, text: Manifest, *, at_once: bool
    ) -> Response | msgspec.Struct:
        # What it commits to is on disk before anybody can read of it.
        chance = await self._database.write(
            lambda sql: draw_secrets.named(sql, text, self._chain, call.now_ms)
        )
        # The same words whatever the clock says: repeated, it is one command.
        outcome = await self._store.publish(
            text,
            by=self._changes.signs(call),
            key=call.key,
            asked=manifest.digest(text) + (" open" if at_once else ""),
            chance=chance,
        )
        if isinstance(outcome, refusals.Refusal):
            return refused(outcome)
        assert isinstance(outcome, outcomes.Changed), outcome
        if at_once and (refusal := await self.opened(call, DropId(text.id))):
            return refused(refusal)
        shown = await self._store.show(DropId(text.id))
        assert shown is not None, "nothing takes a drop away"
        address = f"{self._origin}/drops/{text.id}"
        return Published(text.id, shown.hash, shown.state, shown.revision, address)

    async def opened(self, call: Call, drop: DropId) -> refusals.Refusal | None:
        """In the breath in which it was published; who asks again finishes what was cut off."""
        return await open_at_once(self._store, drop, by=self._changes.signs(call), key=call.key)

    async def _looks_at_carried(self, call: Call, wanted: Manifest) -> None:
        """The places that it carries over must be there, and of a drop of this maker. Raises
        ManifestError."""
        if not wanted.carried_from:
            return
        whose = await self._database.read(lambda sql: makers.whose(sql, wanted.carried_from))
        if whose != call.maker.id:
            raise ManifestError(SOURCE, [f"carried_from: there is no {wanted.carried_from} here"])
        if mistake := await mistake_in(self._store, wanted):
            raise ManifestError(SOURCE, [mistake])

    async def under_makers_id(self, call: Call, text: Manifest) -> Manifest:
        """Where there is more than one maker, an id begins with the short name of its own. Raises
        ManifestError."""
        if await self._database.read(makers.count) == 1:
            return text
        drop = makers.id_under(call.maker, text.id)
        return text if drop == text.id else manifest.with_opening(text, drop, text.opens_ms)

    async def _known(self, call: Call) -> str | Response:
        """The id that this key began to publish under; '' for a new key."""
        asked, who = self._changes.asked(call), call.caller.id
        known = await self._database.read(
            lambda sql: known_changes.find(sql, who, call.key, call.now_ms)
        )
        if known is None:
            return ""
        if known.asked != asked or known.status != UNDERWAY:
            return refused(refusals.KeyReused())
        return known.answer.decode()

    async def _free_id(self, call: Call, wanted: str, *, next_free: bool) -> str | Response:
        """Set an id aside for this maker and this key. An id that was published once, cancelled or
        not, is free never again."""
        asked, who = self._changes.asked(call), call.caller.id
        async for drop, published in self._candidates(wanted, next_free=next_free):

            def aside(sql: Connection, drop: str = drop, published: bool = published) -> str:
                known = known_changes.find(sql, who, call.key, call.now_ms)
                if known is not None:
                    return known.answer.decode()
                mine = call.maker.id
                if not makers.own(sql, drop, mine, call.now_ms, published=published):
                    return ""
                underway = Answered(asked, UNDERWAY, drop.encode())
                known_changes.keep(sql, who, call.key, underway, call.now_ms)
                return drop

            if found := await change(self._database, aside):
                return found
        return refused(refusals.Exists())

    async def _candidates(self, wanted: str, *, next_free: bool) -> AsyncIterator[tuple[str, bool]]:
        """Ids to try, and whether each is published."""
        published = await self._store.show(DropId(wanted)) is not None
        if not (next_free and published):
            yield wanted, published
        if not next_free:
            return
        stem = _NUMBERED.sub("", wanted)
        for number in range(2, TRIES_MAX + 2):
            drop = f"{stem[: manifest.DROP_ID_CHARS_MAX - 4]}-{number}"
            if await self._store.show(DropId(drop)) is None:
                yield drop, False


def _refuse_past(text: Manifest, now_ms: int) -> None:
    """A time that has passed would begin or end the sale this moment. Raises ManifestError."""
    past = []
    if 0 < text.opens_ms <= now_ms:
        past.append(OPENING_PAST)
    if 0 < text.closes_ms <= now_ms:
        past.append(CLOSING_PAST)
    if past:
        raise ManifestError(SOURCE, past)

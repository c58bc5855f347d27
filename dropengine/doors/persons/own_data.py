"""What a shop knows of a fan: he takes it with him, and ends it."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.page_writer import PageWriter
from dropengine.doors.persons.erasing import Erasing, letters_of
from dropengine.doors.persons.my_drops import MyDrops
from dropengine.doors.persons.passkey_doors import PROVE_AGAIN
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.person_pages import JSON, YOU, Deps, PersonPages
from dropengine.doors.small_forms import fields_of
from dropengine.mail import outbox
from dropengine.people import answers, cohorts, devices, game_data, interests, passkeys, wishes
from dropengine.push import followers, of_person
from dropengine.sql.schema.mails import MAILS


class OwnData:
    """One method a door."""

    def __init__(
        self,
        deps: Deps,
        writer: PageWriter,
        pages: PersonPages,
        cookies: PersonCookies,
        drops: MyDrops,
        erasing: Erasing,
    ) -> None:
        self._identity = deps.identity
        self._database = deps.database
        self._writer = writer
        self._pages = pages
        self._cookies = cookies
        self._drops = drops
        self._erasing = erasing

    def routes(self) -> list[Route]:
        """Both."""
        return [
            self._pages.read(f"{YOU}/data.json", self.data),
            self._pages.form(f"{YOU}/erase", self.erase),
        ]

    async def data(self, request: Request) -> Response:
        """GET /you/data.json: all that the shop knows of me."""
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)

        drops = await self._drops.of(me.ticket)
        said = [thing for one in drops for thing in one.things]

        def asked(sql: Connection) -> dict[str, object]:
            keys = passkeys.of_account(sql, me.person.id, passkeys.PERSONS)
            letters = outbox.every(sql, MAILS.c.whose.in_(letters_of(me.person)))
            return {
                "address": me.person.address,
                "since_ms": me.person.created_ms,
                "language": me.person.language,
                "zone": me.person.zone,
                "devices": [
                    {"browser": one.browser, "how": one.how, "since_ms": one.since_ms}
                    | {"seen_ms": one.seen_ms, "here": one.id == me.device.id}
                    for one in devices.of_person(sql, me.person.id)
                ],
                "called_on": [
                    {"drop": one.drop, "since_ms": one.since_ms, "language": one.language}
                    | {"quiet": one.quiet}
                    for one in of_person.subscriptions_of(sql, me.ticket.any_fan)
                ],
                **_told_of(sql, me.person.id),
                "passkeys": [
                    {"label": one.label, "created_ms": one.created_ms, "used_ms": one.used_ms}
                    for one in keys
                ],
                "letters": [
                    {"about": one.kind, "to": one.reader, "at_ms": one.written_ms}
                    | {"state": one.state}
                    for one in letters
                ],
                "early_access": cohorts.export(sql, me.person),
                "games": game_data.export(sql, me.ticket.any_fan),
                "answers": answers.export(sql, answers.whose_key(me.person.key), said),
            }

        known = await self._database.read(asked)
        told = known | {"drops": drops}
        text = msgspec.json.format(msgspec.json.encode(told), indent=2)
        named = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(text, headers={**named, "Cache-Control": "no-store"}, media_type=JSON)

    async def erase(self, request: Request) -> Response:
        """POST /you/erase: nothing is left of me but counts, serials and proofs."""
        fields = await fields_of(request)
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        if isinstance(fields, str):
            return await self._pages.page(request, 400, wrong=fields, at="erase")
        if self._pages.stale(me):
            return await self._pages.page(request, 403, wrong=PROVE_AGAIN, at="erase")
        if fields.get("sure") != "yes":
            return await self._pages.page(request, 400, wrong="person.not_sure", at="erase")
        await self._erasing.erase(me.person, me.ticket)
        response = self._writer.page(request, "you-erased.html", 200)
        self._identity.take_person(response)
        self._identity.take_guest(response)
        self._cookies.forget(response)
        return response


def _told_of(sql: Connection, person: str) -> dict[str, object]:
    return {
        "told_of": [
            {one.what: one.thing, "since_ms": one.since_ms}
            for one in interests.of_person(sql, person)
        ],
        "told_on": [
            {"maker": one.maker, "since_ms": one.since_ms, "language": one.language}
            for one in followers.of_person(sql, person)
        ],
        "not_called_for": [
            {"kind": wish, "by": way} for wish, way in sorted(wishes.unwished(sql, person))
        ],
    }

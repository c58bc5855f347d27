"""What was written to people, and what became of it. Where letters are files, whoever owns the shop
reads them here.

Whoever runs drops sees what was written about those of his makers; an owner of the first maker also
what is about none, and everybody what was written to himself. Only owners of a drop's maker see
whole addresses of its fans.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from email import message_from_bytes
from email.policy import default
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Column, ColumnElement, Connection, false, or_, select
from starlette.responses import Response
from starlette.routing import Route

from dropengine.config import Settings
from dropengine.doors import readers_zone
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.mail import makers_letters, outbox
from dropengine.mail.carriers import file_of
from dropengine.mail.letter import Kind
from dropengine.mail.outbox import PAGE_MAX, MailState, Row
from dropengine.people import makers
from dropengine.people.roles import May
from dropengine.push import outbox as pushes
from dropengine.push import subscriptions
from dropengine.push.outbox import PushState
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from dropengine.sql.schema.people import MAKERS_DROPS
from dropengine.sql.schema.pushes import PUSHES, SUBSCRIPTIONS

LETTERS = "/studio/letters"
ONE = "/studio/letters/{letter}"
FATES = {
    MailState.QUEUED: "waits to be sent",
    MailState.SENT: "sent",
    MailState.DEFERRED: "put off, tried again",
    MailState.FAILED: "not taken",
    MailState.BOUNCED: "nobody there",
    MailState.OVER: "not sent: its moment passed",
}
ABOUT = {
    Kind.SIGN_IN: "a way to sign in",
    Kind.TEN_BEFORE: "soon his turn in the line",
    Kind.OFFER: "an offer of the line",
    Kind.HOLD_ENDS: "the end of a hold",
    Kind.SOLD: "what he bought",
    Kind.REFUND: "a refund",
    Kind.MESSAGE: "a word from the maker",
    Kind.CARRIED: "a place from the drop before",
    Kind.HAND_ENDS: "the end of a payment by hand",
    Kind.REMINDER: "a reminder before the opening",
    Kind.OPENED: "the opening",
    Kind.NEW_DROP: "a new drop",
    Kind.CONFIRM: "an address to confirm",
    Kind.CHANGED: "an address that changed",
    Kind.INVITE: "an invitation",
    Kind.BACK: "the way back into an account",
    Kind.ALARM: "an alarm",
    Kind.HAND_LIST: "payments by hand that are open",
}
PUSHES_FATES = {
    PushState.QUEUED: "waiting",
    PushState.SENT: "sent",
    PushState.DEFERRED: "put off, tried again",
    PushState.FAILED: "not taken",
    PushState.GONE: "browser gone",
    PushState.OVER: "over before",
}
SECRETS = frozenset({Kind.CONFIRM, Kind.INVITE, Kind.BACK})
"""Of makers' accounts, and they let somebody in: nobody reads those of others here."""
_LETTER = re.compile(r"[a-z0-9-]{1,64}")
_BEFORE = re.compile(r"([0-9]{1,15})-([a-z0-9-]{1,64})")


class Whole(NamedTuple):
    """A letter as its file has it; `words` is '' where there is none."""

    row: Row
    words: str


class Called(NamedTuple):
    """How a drop calls browsers: how many there are, and what became of its calls."""

    drop: str
    browsers: int
    calls: dict[PushState, int]


class LetterPages:
    """One method a page."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def routes(self, panel: Panel) -> list[Route]:
        """Both."""
        self._panel = panel
        return [panel.route("GET", LETTERS, self.letters), panel.route("GET", ONE, self.letter)]

    async def letters(self, call: PanelCall) -> Response:
        """GET /studio/letters: `?state=` one of them, `?before=` where the page before ended."""
        wanted = call.request.query_params.get("state", "")
        state = wanted if wanted in FATES else ""
        found = _BEFORE.fullmatch(call.request.query_params.get("before", ""))
        before = (int(found[1]), found[2]) if found else None

        def asked(sql: Connection) -> tuple[list[Row], dict[MailState, int], list[Called]]:
            seen = _seen(sql, call)
            which = [seen, MAILS.c.state == state] if state else [seen]
            rows = self._shown(sql, call, outbox.page(sql, *which, before=before))
            return rows, outbox.counts(sql, seen), _called(sql, call)

        rows, counts, calls = await self._database.read(asked)
        last = rows[-1] if len(rows) == PAGE_MAX else None
        return self._panel.page(
            call,
            "studio-letters.html",
            rows=rows,
            zone=readers_zone.told(call.request) or "UTC",
            counts={one: counts[one] for one in FATES if counts[one]},
            fates=FATES,
            about=ABOUT,
            state=state,
            before=f"{last.written_ms}-{last.id}" if last else "",
            files=self._settings.smtp_url is None,
            calls=calls,
            called={one: sum(of.calls[one] for of in calls) for one in PUSHES_FATES},
            called_fates=PUSHES_FATES,
        )

    async def letter(self, call: PanelCall) -> Response:
        """GET /studio/letters/{letter}: what it says, where letters are files."""
        wanted = call.request.path_params["letter"]
        if not _LETTER.fullmatch(wanted):
            return self._panel.missing(call)

        def asked(sql: Connection) -> tuple[Row | None, bool]:
            rows = outbox.page(sql, _seen(sql, call), MAILS.c.id == wanted)
            return next(iter(self._shown(sql, call, rows)), None), _owns(sql, call)

        row, owns = await self._database.read(asked)
        if row is None:
            return self._panel.missing(call)
        mine = row.whose == makers_letters.whose(call.caller.id)
        reads = mine or (owns and row.kind not in SECRETS)
        words = await asyncio.to_thread(self._words, row.id) if reads else ""
        return self._panel.page(
            call,
            "studio-letter.html",
            row=row,
            zone=readers_zone.told(call.request) or "UTC",
            words=words,
            fates=FATES,
            about=ABOUT,
        )

    def _shown(self, sql: Connection, call: PanelCall, rows: Sequence[Row]) -> list[Row]:
        """Whoever does not own a drop's maker sees of others' addresses only where they are. A code
        is read by whom it was sent to; it is shown where no letter is sent."""
        manages = {maker.id for maker, may in call.caller.makers.values() if may >= May.MANAGE}
        owned = {drop: makers.whose(sql, drop) in manages for drop in {row.drop for row in rows}}
        mine = makers_letters.whose(call.caller.id)
        found = []
        for row in rows:
            one = row
            if row.kind == Kind.SIGN_IN and self._settings.smtp_url is not None:
                one = replace(one, subject="A code and a link to sign in")
            # What is about no drop is seen by owners alone, or was written to himself.
            if row.drop and not owned[row.drop] and row.whose != mine:
                name, _, host = row.reader.rpartition("@")
                one = replace(one, reader=f"{name[:1]}…@{host}")
            found.append(one)
        return found

    def _words(self, letter: str) -> str:
        if self._settings.smtp_url is not None:
            return ""
        try:
            content = file_of(self._settings.data_dir / "mail", letter).read_bytes()
        except OSError:
            return ""
        body = message_from_bytes(content, policy=default).get_body(("plain",))
        return "" if body is None else str(body.get_content())


def _owns(sql: Connection, call: PanelCall) -> bool:
    """Does the caller own the shop's first maker?"""
    first = makers.first(sql)
    here = call.caller.makers.get(first.id) if first is not None else None
    return here is not None and here[1] >= May.MANAGE


def _seen(sql: Connection, call: PanelCall) -> ColumnElement[bool]:
    """The letters that the caller may know of."""
    belongs = call.caller.makers.values()
    manages = [f"maker:{maker.id}" for maker, may in belongs if may >= May.MANAGE]
    of_drops = _of_drops(sql, call, MAILS.c.drop_id)
    return or_(
        MAILS.c.whose == makers_letters.whose(call.caller.id),
        MAILS.c.whose.in_(manages),
        # Alarms of a drop are written to accounts, each of whom sees his own.
        of_drops & ~MAILS.c.whose.startswith("account:"),
        MAILS.c.drop_id == "" if _owns(sql, call) else false(),
    )


def _of_drops(sql: Connection, call: PanelCall, drop: Column[str]) -> ColumnElement[bool]:
    """Of a drop that the caller runs. drop: the column that names it."""
    runs = [maker.id for maker, may in call.caller.makers.values() if may >= May.RUN]
    mine: ColumnElement[bool] = drop.in_(
        select(MAKERS_DROPS.c.drop_id).where(MAKERS_DROPS.c.maker.in_(runs))
    )
    first = makers.first(sql)
    if first is not None and first.id in runs:
        # What nobody gave a maker is the first one's.
        mine = mine | ((drop != "") & drop.not_in(select(MAKERS_DROPS.c.drop_id)))
    return mine


def _called(sql: Connection, call: PanelCall) -> list[Called]:
    """The drops of his that call browsers. Nobody is shown where a browser is reached."""
    calls = pushes.by_drop(sql, _of_drops(sql, call, PUSHES.c.drop_id))
    browsers = subscriptions.counts(sql, _of_drops(sql, call, SUBSCRIPTIONS.c.drop_id))
    none = dict.fromkeys(PushState, 0)
    return [
        Called(drop, browsers.get(drop, 0), calls.get(drop, none))
        for drop in sorted(calls.keys() | browsers.keys())
    ]

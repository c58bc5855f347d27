"""Changes by creators: each happens once under its key, and leaves a row in the audit trail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from dropengine import refusals
from dropengine.doors.http_answers import Written
from dropengine.doors.studio.studio_answers import refused, told
from dropengine.doors.studio.studio_door import Call
from dropengine.people import audit_trail, known_changes, operators, order_notes
from dropengine.people.audit_trail import AuditRow
from dropengine.people.known_changes import Answered
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database


class Once(NamedTuple):
    """What is told once, for a secret stands in it, and what a repeat is told."""

    shown: msgspec.Struct
    kept: msgspec.Struct


Result = Response | Once | msgspec.Struct
"""What a change comes to: a refusal, before anything was written, or what is told of it."""
Work = Callable[[Connection], Result]


class Changes:
    """secret: the shop's key."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    def asked(self, call: Call) -> str:
        """What tells this change from another under the same key."""
        what = f"{call.request.method} {call.request.url.path}"
        return known_changes.asked(self._secret, what, call.raw)

    def signs(self, call: Call) -> str:
        """How the log of a drop calls whoever commands it: `noted` keeps who that is."""
        return operators.word(self._secret, call.caller.id)

    async def handed_over(self, drop: str, order: str) -> bool:
        """Has its fan got it already?"""
        found = await self._database.read(lambda sql: order_notes.of_orders(sql, drop, [order]))
        return order in found and found[order].handed_ms > 0

    async def once(
        self, call: Call, what: str, work: Work, *, of: str = "", maker: str = "", why: str = ""
    ) -> Response:
        """Change people in one transaction, with its answer and its row of the trail. what: the
        verb, of: of which thing, maker: at whom. A repeat is answered as the first time."""
        asked, who = self.asked(call), call.caller.id

        def done(sql: Connection) -> Response:
            known = known_changes.find(sql, who, call.key, call.now_ms)
            if known is not None:
                return _again(known, asked)
            result = work(sql)
            if isinstance(result, Response):
                return result
            shown, kept = result if isinstance(result, Once) else (result, result)
            answered = Answered(asked, 200, msgspec.json.encode(kept))
            known_changes.keep(sql, who, call.key, answered, call.now_ms)
            audit_trail.write(sql, audit_row(call, what, of, maker, why, audit_trail.DONE))
            return told(shown)

        return await change(self._database, done)

    async def noted(
        self,
        call: Call,
        what: str,
        command: Callable[[], Awaitable[Response | msgspec.Struct]],
        *,
        of: str,
        why: str = "",
    ) -> Response:
        """A command to a drop. It is written down before it is given, and after it how it ended:
        where SQL is away no command is given that nobody would know of. What the drop answers to a
        key that came before is known by the row: nothing was done by it."""
        asked, key = self.asked(call), f"{call.key}@{of}"
        row = audit_row(call, what, of, call.maker.id, why, "")

        def begun(sql: Connection) -> None:
            audit_trail.write(sql, row)
            operators.remember(sql, self.signs(call), row.by, row.account)

        await self._database.write(begun)
        result = await command()

        def conclude(sql: Connection) -> None:
            if isinstance(result, Response):
                outcome = msgspec.json.decode(result.body, type=_Code).code
            elif known_changes.find(sql, call.caller.id, key, call.now_ms) is not None:
                outcome = audit_trail.REPEATED
            else:
                outcome = audit_trail.DONE
                known_changes.keep(sql, call.caller.id, key, Answered(asked, 200, b""), call.now_ms)
            audit_trail.conclude(sql, row.id, outcome)

        # One after another: of two processes that come with one key, the second sees the first.
        await change(self._database, conclude)
        return result if isinstance(result, Response) else told(result)


class _Code(msgspec.Struct):
    code: str


def _again(known: Answered, asked: str) -> Response:
    if known.asked != asked:
        return refused(refusals.KeyReused())
    return Written(known.answer, known.status)


def audit_row(call: Call, what: str, of: str, maker: str, why: str, outcome: str) -> AuditRow:
    """The row of a change by this call. outcome: '' before it is known."""
    caller = call.caller
    return AuditRow(
        id=audit_trail.new_id(call.now_ms),
        at_ms=call.now_ms,
        maker=maker,
        account=caller.account.id if caller.account is not None else "",
        api_key=caller.api_key.id if caller.api_key is not None else "",
        by=caller.by,
        network=call.network,
        what=what,
        of=of,
        why=why,
        outcome=outcome,
    )

"""Whether letters reach somebody: what became of the last one."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import Connection, select

from dropengine.mail.outbox import MailState
from dropengine.sql.schema.mails import MAILS

KNOWN = (MailState.SENT, MailState.BOUNCED, MailState.FAILED)
"""What became of a letter that tells whether its reader can be reached."""


class Unreached(Struct, frozen=True):
    """`said`: the last words of a mail server, or ''. `at_ms`: when the letter was given up."""

    address: str
    said: str
    at_ms: int


def unreached(sql: Connection, whose: Iterable[str], mended_ms: int = 0) -> Unreached | None:
    """Where somebody could not be reached; None where a later letter went through, or he said
    later that it is mended. whose: by what all letters to him are found."""
    asked = (
        select(MAILS.c.reader, MAILS.c.said, MAILS.c.state, MAILS.c.ended_ms)
        .where(MAILS.c.whose.in_([*whose]), MAILS.c.state.in_(KNOWN))
        .order_by(MAILS.c.ended_ms.desc(), MAILS.c.id.desc())
        .limit(1)
    )
    row = sql.execute(asked).first()
    if row is None or row.state == MailState.SENT or row.ended_ms <= mended_ms:
        return None
    return Unreached(row.reader, row.said, row.ended_ms)

"""Drops that are being written. Each save says which version it saw: nobody's is lost unseen."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.people import DRAFTS

PER_MAKER_MAX = 200
FORM_BYTES_MAX = 400_000

Form = dict[str, str]


class Draft(msgspec.Struct, frozen=True):
    """`form`: path -> what was typed. `by` saved it last. `drop_id`: as what it was published."""

    id: str
    maker: str
    form: Form
    version: int
    by: str
    created_ms: int
    saved_ms: int
    drop_id: str


_FORM = msgspec.json.Decoder(Form)


def _draft(row: Row[tuple[object, ...]]) -> Draft:
    fields = dict(row._mapping)
    return Draft(**{**fields, "form": _FORM.decode(fields["form"])})


def make(sql: Connection, maker: str, form: Form, by: str, now_ms: int) -> str:
    """A new draft; its id."""
    row = {
        "id": tokens.new_id(),
        "maker": maker,
        "form": msgspec.json.encode(form).decode(),
        "version": 1,
        "by": by,
        "created_ms": now_ms,
        "saved_ms": now_ms,
        "drop_id": "",
    }
    sql.execute(insert(DRAFTS).values(row))
    return str(row["id"])


def find(sql: Connection, draft: str) -> Draft | None:
    """Whichever has this id."""
    row = sql.execute(select(DRAFTS).where(DRAFTS.c.id == draft)).first()
    return None if row is None else _draft(row)


def maker_of(sql: Connection, draft: str) -> str:
    """Whose it is; '' for none."""
    found: str | None = sql.execute(select(DRAFTS.c.maker).where(DRAFTS.c.id == draft)).scalar()
    return found or ""


def of_makers(sql: Connection, makers: Collection[str]) -> list[Draft]:
    """Those that are still being written, what was saved last first."""
    mine = (DRAFTS.c.maker.in_(list(makers)), DRAFTS.c.drop_id == "")
    rows = sql.execute(select(DRAFTS).where(*mine).order_by(DRAFTS.c.saved_ms.desc(), DRAFTS.c.id))
    return [_draft(row) for row in rows]


def count(sql: Connection, maker: str) -> int:
    """How many are being written."""
    mine = (DRAFTS.c.maker == maker, DRAFTS.c.drop_id == "")
    return sql.execute(select(func.count()).select_from(DRAFTS).where(*mine)).scalar_one()


def latest_form(sql: Connection, maker: str) -> Form:
    """What this maker wrote last, published or not; empty where it was nothing."""
    newest = select(DRAFTS.c.form).where(DRAFTS.c.maker == maker)
    text = sql.execute(newest.order_by(DRAFTS.c.saved_ms.desc()).limit(1)).scalar()
    return _FORM.decode(text) if text else {}


def save(sql: Connection, draft: str, version: int, form: Form, by: str, now_ms: int) -> int:
    """Save over the version that was seen; the new one, or 0 when another was saved since."""
    seen = (DRAFTS.c.id == draft, DRAFTS.c.version == version, DRAFTS.c.drop_id == "")
    fields = {
        "form": msgspec.json.encode(form).decode(),
        "version": version + 1,
        "by": by,
        "saved_ms": now_ms,
    }
    done = sql.execute(update(DRAFTS).where(*seen).values(fields)).rowcount
    return version + 1 if done else 0


def published(sql: Connection, draft: str, drop: str) -> None:
    """It is a drop now. Harmless to repeat."""
    sql.execute(update(DRAFTS).where(DRAFTS.c.id == draft).values(drop_id=drop))


def remove(sql: Connection, draft: str) -> None:
    """Throw away one that was not published."""
    sql.execute(delete(DRAFTS).where(DRAFTS.c.id == draft, DRAFTS.c.drop_id == ""))

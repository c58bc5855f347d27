"""Who receives a unit for the fan who bought it: a friend who collects it, or somebody it is a gift
for. A link is made by the fan, is revoked by him, works once, and stays written down."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.answers import RECEIVED_ANSWERS, RECEIVERS

COLLECTS: Final = "collects"
GIFT: Final = "gift"
KINDS: Final = (COLLECTS, GIFT)
LABEL_CHARS_MAX: Final = 80
PER_UNIT_MAX: Final = 20
"""Links that are made for one unit, revoked ones too."""
PARTS: Final = 200
_MAC_CHARS: Final = 32


class Receiver(msgspec.Struct, frozen=True):
    """`answers`: what the receiver said of himself: field -> text."""

    id: str
    drop_id: str
    hold: str
    unit: int
    serial: int
    kind: str
    label: str
    giver: str
    whose: str
    made_ms: int
    revoked_ms: int
    taken_ms: int
    answers: dict[str, str] = {}

    @property
    def open(self) -> bool:
        """May the link still be used?"""
        return not self.revoked_ms and not self.taken_ms

    @property
    def taken(self) -> bool:
        """Does somebody receive the unit by it?"""
        return self.taken_ms > 0 and not self.revoked_ms


class Tokens:
    """What stands in a link: made of its id, so that the fan sees it as often as he likes and the
    database has none. secret: the shop's key."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dropengine:receivers", "sha256")

    def of(self, receiver: str) -> str:
        """The last part of the link's address."""
        return f"{receiver}.{self._mac(receiver)}"

    def read(self, token: str) -> str:
        """Whose link it is; '' for one that is not ours."""
        receiver, _, mac = token.partition(".")
        good = token.isascii() and hmac.compare_digest(mac, self._mac(receiver))
        return receiver if good else ""

    def _mac(self, receiver: str) -> str:
        return hmac.digest(self._key, receiver.encode(), "sha256").hex()[:_MAC_CHARS]


class Meant(msgspec.Struct, frozen=True):
    """Whom a fan wants to receive a unit of his."""

    unit: int
    serial: int
    kind: str
    label: str = ""
    giver: str = ""


def make(
    sql: Connection, drop: str, hold: str, meant: Meant, whose: str, now_ms: int
) -> Receiver | None:
    """A link for a unit, in place of the one that was there; None where too many were made. Asked
    twice it is one."""
    before = [one for one in of_order(sql, drop, hold) if one.unit == meant.unit]
    for one in before:
        same = Meant(one.unit, one.serial, one.kind, one.label, one.giver)
        if one.open and same == meant:
            return one
    if len(before) >= PER_UNIT_MAX:
        return None
    for one in before:
        if not one.revoked_ms:
            revoke(sql, one.id, now_ms)
    made = {
        "id": tokens.new_id(),
        "drop_id": drop,
        "hold": hold,
        **msgspec.structs.asdict(meant),
        "whose": whose,
        "made_ms": now_ms,
        "revoked_ms": 0,
        "taken_ms": 0,
    }
    sql.execute(insert(RECEIVERS).values(made))
    return msgspec.convert(made, Receiver)


def revoke(sql: Connection, receiver: str, now_ms: int) -> None:
    """Nobody receives a unit by it any more; what he had said of himself goes."""
    here = (RECEIVERS.c.id == receiver, RECEIVERS.c.revoked_ms == 0)
    sql.execute(update(RECEIVERS).where(*here).values(revoked_ms=now_ms))
    sql.execute(delete(RECEIVED_ANSWERS).where(RECEIVED_ANSWERS.c.receiver == receiver))


def take(sql: Connection, receiver: str, said: Mapping[str, str], now_ms: int) -> bool:
    """Somebody says that he receives it. False: the link is over, or somebody was first."""
    here = (RECEIVERS.c.id == receiver, RECEIVERS.c.revoked_ms == 0, RECEIVERS.c.taken_ms == 0)
    taken = sql.execute(update(RECEIVERS).where(*here).values(taken_ms=now_ms))
    if taken.rowcount != 1:
        return False
    for field, text in said.items():
        if text:
            sql.execute(insert(RECEIVED_ANSWERS).values(receiver=receiver, field=field, text=text))
    return True


def find(sql: Connection, receiver: str) -> Receiver | None:
    """One link."""
    found = _with_answers(sql, [*sql.execute(select(RECEIVERS).where(RECEIVERS.c.id == receiver))])
    return found[0] if found else None


def of_order(sql: Connection, drop: str, hold: str) -> list[Receiver]:
    """All links of an order, in the order in which they were made."""
    return of_orders(sql, drop, [hold]).get(hold, [])


def of_orders(
    sql: Connection, drop: str, holds: Sequence[str] | None = None
) -> dict[str, list[Receiver]]:
    """Order -> its links. holds: of these, None for all of a drop."""
    asked = select(RECEIVERS).where(RECEIVERS.c.drop_id == drop)
    asked = asked.order_by(RECEIVERS.c.made_ms, RECEIVERS.c.id)
    rows: list[Any] = []
    if holds is None:
        rows += sql.execute(asked)
    else:
        for start in range(0, len(holds), PARTS):
            rows += sql.execute(asked.where(RECEIVERS.c.hold.in_(holds[start : start + PARTS])))
    found: dict[str, list[Receiver]] = {}
    for one in _with_answers(sql, rows):
        found.setdefault(one.hold, []).append(one)
    return found


def _with_answers(sql: Connection, rows: Sequence[Any]) -> list[Receiver]:
    said: dict[str, dict[str, str]] = {}
    ids = [row.id for row in rows]
    for start in range(0, len(ids), PARTS):
        some = RECEIVED_ANSWERS.c.receiver.in_(ids[start : start + PARTS])
        for row in sql.execute(select(RECEIVED_ANSWERS).where(some)):
            said.setdefault(row.receiver, {})[row.field] = row.text
    return [Receiver(**row._mapping, answers=said.get(row.id, {})) for row in rows]


def erase_giver(sql: Connection, *where: ColumnElement[bool]) -> None:
    """What a giver said goes: links that nobody took as a whole, of the others his words."""
    sql.execute(delete(RECEIVERS).where(*where, RECEIVERS.c.taken_ms == 0))
    sql.execute(update(RECEIVERS).where(*where).values(label="", giver="", whose=""))

"""One click ends letters (RFC 8058): the address of it proves itself, without a session.

It names a person by an id that proves nothing else, under the shop's secret.
"""

from __future__ import annotations

import base64
import hmac
import re

from sqlalchemy import Connection, delete, insert, select

from dropengine.people import persons
from dropengine.sql.schema.mails import UNCALLED

PAGE = "/mail/off/"
_PURPOSE = b"dropengine:no more letters:"
_MAC_BYTES = 16
_TOKEN = re.compile(r"([0-9a-f]{1,64})\.([A-Za-z0-9_-]{22})")


def token(secret: bytes, person: str) -> str:
    """What stands in the address that a person's letters carry."""
    return f"{person}.{_mac(secret, person)}"


def person_of(secret: bytes, text: str) -> str | None:
    """Whose letters this ends; None for what we did not write."""
    found = _TOKEN.fullmatch(text)
    if found is None or not hmac.compare_digest(_mac(secret, found[1]), found[2]):
        return None
    return found[1]


def calls(sql: Connection, person: str) -> bool:
    """Is he written to about more than his orders?"""
    asked = select(UNCALLED.c.person).where(UNCALLED.c.person == person)
    return sql.execute(asked).first() is None


def wish(sql: Connection, person: str, *, letters: bool) -> None:
    """From now on he is, or is not. Harmless to repeat, and for who is forgotten."""
    sql.execute(delete(UNCALLED).where(UNCALLED.c.person == person))
    if not letters and persons.by_id(sql, person) is not None:
        sql.execute(insert(UNCALLED).values(person=person))


def _mac(secret: bytes, person: str) -> str:
    mac = hmac.digest(secret, _PURPOSE + person.encode(), "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

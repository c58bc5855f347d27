"""A person's sessions, a device each. His tickets name the one that they come from, and end with
it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.persons import DEVICES

DAYS: Final = 180
"""One that is not used for so long is over."""
LIFE_MS: Final = DAYS * 86_400_000
PER_PERSON_MAX: Final = 50
BROWSER_CHARS_MAX: Final = 160

_BROWSERS: Final = (
    (re.compile(r"\bEdgA?/"), "Edge"),
    (re.compile(r"\bOPR/"), "Opera"),
    (re.compile(r"\b(Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\bSamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"\b(Chrome|CriOS|HeadlessChrome)/"), "Chrome"),
    (re.compile(r"\bSafari/"), "Safari"),
)
_SYSTEMS: Final = (
    (re.compile(r"\biPhone\b"), "iPhone"),
    (re.compile(r"\biPad\b"), "iPad"),
    (re.compile(r"\bAndroid\b"), "Android"),
    (re.compile(r"\bWindows\b"), "Windows"),
    (re.compile(r"\bMac OS X\b"), "Mac"),
    (re.compile(r"\bCrOS\b"), "ChromeOS"),
    (re.compile(r"\bLinux\b"), "Linux"),
)


class Device(msgspec.Struct, frozen=True):
    """`browser`: what it calls itself. `how`: code, link or passkey."""

    id: str
    person: str
    browser: str
    how: str
    since_ms: int
    seen_ms: int

    @property
    def name(self) -> str:
        """What its owner knows it by."""
        return called(self.browser)


def begin(sql: Connection, person: str, browser: str, how: str, now_ms: int) -> Device:
    """Somebody signed in."""
    made = Device(tokens.new_id(), person, browser[:BROWSER_CHARS_MAX], how, now_ms, now_ms)
    sql.execute(insert(DEVICES).values(msgspec.structs.asdict(made)))
    return made


def crowd_out(sql: Connection, person: str, now_ms: int) -> list[str]:
    """End those that are over or too many; which ones."""
    rows = of_person(sql, person)
    over = [
        one.id
        for place, one in enumerate(rows)
        if place >= PER_PERSON_MAX or one.seen_ms < now_ms - LIFE_MS
    ]
    sql.execute(delete(DEVICES).where(DEVICES.c.id.in_(over)))
    return over


def of_person(sql: Connection, person: str) -> list[Device]:
    """Where somebody is signed in, what was used last first."""
    rows = sql.execute(
        select(DEVICES)
        .where(DEVICES.c.person == person)
        .order_by(DEVICES.c.seen_ms.desc(), DEVICES.c.since_ms.desc(), DEVICES.c.id)
    )
    return [msgspec.convert(row, Device, from_attributes=True) for row in rows]


def find(sql: Connection, device: str, now_ms: int) -> Device | None:
    """A session that is not over."""
    row = sql.execute(select(DEVICES).where(DEVICES.c.id == device)).first()
    if row is None or row.seen_ms < now_ms - LIFE_MS:
        return None
    return msgspec.convert(row, Device, from_attributes=True)


def seen(sql: Connection, used: Mapping[str, int]) -> None:
    """Sessions were used: which, and when."""
    for device, at_ms in used.items():
        sql.execute(
            update(DEVICES)
            .where(DEVICES.c.id == device, DEVICES.c.seen_ms < at_ms)
            .values(seen_ms=at_ms)
        )


def end(sql: Connection, person: str, device: str) -> bool:
    """One is over; False when the person has none of this id."""
    here = (DEVICES.c.person == person, DEVICES.c.id == device)
    return sql.execute(delete(DEVICES).where(*here)).rowcount > 0


def end_these(sql: Connection, which: Sequence[str]) -> None:
    """All of these are over."""
    sql.execute(delete(DEVICES).where(DEVICES.c.id.in_(which)))


def called(browser: str) -> str:
    """`Mozilla/5.0 (iPhone; ...) ... Safari/604.1` -> `Safari, iPhone`; '' of what says neither."""
    found = [
        next((name for pattern, name in kinds if pattern.search(browser)), "")
        for kinds in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found))

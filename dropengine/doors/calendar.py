"""A drop's opening and closing as entries for a calendar (RFC 5545)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import wire
from dropengine.catalogue import Catalogue
from dropengine.doors import calendar_zone
from dropengine.doors.page_formats import prices
from dropengine.doors.page_writer import VARY, PageWriter, names_drop
from dropengine.errors import Unavailable
from dropengine.live.hub import Hub
from dropengine.manifest.zones import in_zone
from dropengine.model import ShopId

DAY_MS = 86_400_000
SHOP_DIGITS = 8
LINE_BYTES_MAX = 75
"""RFC 5545, 3.1: longer lines are folded."""
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


class Moment(msgspec.Struct, frozen=True):
    """`word`: of its address. `warn_min`: how long before it a calendar rings."""

    word: str
    at_ms: int
    warn_min: int


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def hub(self) -> Hub: ...
    @property
    def shop(self) -> ShopId: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The calendar entries of a drop."""
    doors = Calendar(deps, writer)
    return [
        Route("/drops/{drop}/opens.ics", doors.opens, methods=["GET"]),
        Route("/drops/{drop}/closes.ics", doors.closes, methods=["GET"]),
    ]


class Calendar:
    """One file a moment: what a phone opens should ask one question."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def opens(self, request: Request) -> Response:
        """GET /drops/{drop}/opens.ics: rings five minutes before."""
        return await self._answer(request, lambda drop: Moment("opens", drop.opens_ms, 5))

    async def closes(self, request: Request) -> Response:
        """GET /drops/{drop}/closes.ics: rings an hour before."""
        return await self._answer(request, lambda drop: Moment("closes", drop.closes_ms, 60))

    async def _answer(self, request: Request, told: Callable[[wire.DropView], Moment]) -> Response:
        drop = request.path_params["drop"]
        try:
            found = await self._deps.hub.snapshot(drop, None) if names_drop(drop) else None
        except Unavailable as error:
            return self._writer.away(request, error)
        if found is None:
            return self._writer.no_drop(request)
        moment = told(found.drop)
        if not moment.at_ms:
            return self._writer.missing(request, "no_time")
        address = f"{self._writer.origin(request)}/drops/{drop}"
        say = self._writer.say(request, found.drop.language)
        return Response(
            entry(found.drop, moment, address, say, self._deps.shop),
            headers={
                "Cache-Control": "no-cache",
                "Content-Language": say.language,
                "Vary": VARY,
                "Content-Disposition": f'inline; filename="{drop}-{moment.word}.ics"',
            },
            media_type="text/calendar; charset=utf-8",
        )


def entry(drop: wire.DropView, moment: Moment, address: str, say: Catalogue, shop: ShopId) -> bytes:
    """One event that rings before it. The same event under a later `SEQUENCE` replaces this
    one."""
    start, zone = _start(drop.zone, moment.at_ms)
    cap = sum(item.cap for item in drop.items)
    about = say("entry.about", cap=cap, maker=drop.maker, prices=prices(drop, say))
    says = say(f"entry.{moment.word}", title=drop.title)
    language = say.language.upper()
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Drop Engine//{language}",
        "METHOD:PUBLISH",
        *zone,
        "BEGIN:VEVENT",
        # Not of its words: an event whose maker puts them right is still the same one.
        f"UID:{moment.word}.{drop.id}.{shop[:SHOP_DIGITS]}@dropengine",
        f"SEQUENCE:{drop.revision}",
        f"DTSTAMP:{_utc(drop.now)}",
        start,
        f"SUMMARY:{_text(says)}",
        f"DESCRIPTION:{_text(about)}\\n{_text(address)}",
        f"URL:{address}",
        f"STATUS:{'CANCELLED' if drop.state == 'cancelled' else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(says)}",
        f"TRIGGER:-PT{moment.warn_min}M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line.encode()))


def _start(zone: str, at_ms: int) -> tuple[str, tuple[str, ...]]:
    """When it begins, as clocks at the drop show it, and the zone that they keep. By UTC where they
    keep that, and in an hour that they show twice: not every calendar takes the first of them
    (RFC 5545, 3.3.5)."""
    here = in_zone(at_ms, zone)
    if here is None or here.tzinfo is UTC or zone in ("UTC", "Etc/UTC") or _twice(here):
        return f"DTSTART:{_utc(at_ms)}", ()
    start = f"DTSTART;TZID={zone}:{here:%Y%m%dT%H%M%S}"
    return start, calendar_zone.lines(zone, at_ms // DAY_MS)


def _twice(shown: datetime) -> bool:
    return shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()


def _text(words: str) -> str:
    return words.translate(_ESCAPED)


def _utc(ms: int) -> str:
    """`20270716T160000Z`: exact whatever the reader's calendar knows of zones."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: bytes) -> Iterator[bytes]:
    """A line in parts that are short enough; none of them ends within a letter."""
    begin, room = 0, LINE_BYTES_MAX
    while len(line) - begin > room:
        end = begin + room
        while line[end] & 0xC0 == 0x80:
            end -= 1
        yield b" " * (begin > 0) + line[begin:end]
        # The space that begins a continued line counts.
        begin, room = end, LINE_BYTES_MAX - 1
    yield b" " * (begin > 0) + line[begin:]

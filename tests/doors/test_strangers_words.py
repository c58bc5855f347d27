"""Whatever a stranger writes into an address, a form or a header: no door leads out of the shop, no
answer gets a header of his, and nothing that is only looked at changes anything.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from sqlalchemy import Connection

from dropengine.doors.access import LIVE, SOCKET, TABLE, Row
from dropengine.sql import copied_rows
from tests.kit import callers, web_process
from tests.kit import studio as studio_kit
from tests.kit.callers import World
from tests.kit.persons import address
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio
world = callers.world

EVIL = "evil.example"
OUT = (
    f"x\r\nLocation: https://{EVIL}/\r\nX-{EVIL}: 1",
    f"https://{EVIL}/",
    f"//{EVIL}/",
    f"/\\{EVIL}",
    f"/\t/{EVIL}",
    f"\\\\{EVIL}",
    f"/drops/..//{EVIL}",
    f"https:{EVIL}",
    f"/studio//{EVIL}",
    f"/studio/..//{EVIL}",
    f"/@{EVIL}",
    f"/drops/x\r\nX-{EVIL}: 1",
    f"/drops/x\nX-{EVIL}: 1",
    f"javascript:location='https://{EVIL}'",
)
FIELDS = ("to", "next", "back", "return", "url", "redirect", "continue", "referer")
"""What such a place is called, here or elsewhere."""
MADE = {"POST /language": {"language": "de"}, "POST /you/sign-in": {"address": "x@example.org"}}
"""What a door must be told before it leads anywhere."""
PAGES = [row for row in TABLE.values() if row.path != SOCKET and row not in LIVE]
STREAM = "/drops/{drop}/events"


def named(row: Row) -> str:
    return f"{row.method} {row.path}"


def callers_of(row: Row) -> tuple[str, str]:
    """Somebody without a session, and one whose session counts there."""
    return "nobody", "owner" if "/studio" in row.path else "known A"


def address_of(studio: Studio, row: Row, parts: dict[str, str]) -> str:
    return studio.web.url + re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row.path)


def leads(studio: Studio, asked: str, place: str) -> str:
    """The host that a browser asks after this answer."""
    # A browser reads \\ as / and leaves tabs and line ends out.
    heard = re.sub(r"[\t\r\n]", "", place).replace("\\", "/")
    return urlsplit(urljoin(asked, heard)).netloc


@pytest.mark.parametrize("place", OUT[1:5])
def test_such_a_place_would_lead_out(studio: Studio, place: str) -> None:
    assert leads(studio, f"{studio.web.url}/you", place) == EVIL


@pytest.mark.parametrize("row", PAGES, ids=named)
async def test_no_door_leads_out_of_the_shop_or_gets_a_header_of_a_stranger(
    studio: Studio, world: World, row: Row
) -> None:
    asked = address_of(studio, row, world.theirs)
    home = urlsplit(studio.web.url).netloc
    for caller in callers_of(row):
        brought = world.headers(caller)
        for place in OUT:
            answer = await tried(studio, row, asked, brought, place)
            for name, value in answer.headers.multi_items():
                assert EVIL not in name.lower(), (caller, place)
                assert name == "location" or EVIL not in value, (caller, place, name, value)
            if "location" not in answer.headers:
                # A door that leads nowhere does so wherever it is asked to lead.
                break
            where = answer.headers["location"]
            assert leads(studio, asked, where) == home, (caller, place, where)


async def tried(
    studio: Studio, row: Row, asked: str, brought: dict[str, str], place: str
) -> httpx2.Response:
    """As a page of ours sends it; the place is everywhere where one could be read."""
    # A header has one line: a client that would send two is stopped before it is here.
    plain = re.sub(r"[\t\r\n]", "", place)
    headers = brought | {"referer": plain, "x-forwarded-host": EVIL, "x-original-url": plain}
    fields = dict.fromkeys(FIELDS, place)
    given: dict[str, Any] = {"params": fields}
    if row.method != "GET":
        given["data"] = fields | MADE.get(named(row), {})
    async with (
        studio.web.http() as http,
        http.stream(row.method, asked, headers=headers, **given) as answer,
    ):
        if row.path != STREAM:
            await answer.aread()
        return answer


@pytest.mark.parametrize(
    "path", [f"//{EVIL}", f"//{EVIL}/", f"//{EVIL}/..", f"/\\{EVIL}/", f"/%2f{EVIL}/", "/you/"]
)
async def test_no_address_that_is_written_otherwise_leads_out(studio: Studio, path: str) -> None:
    home = urlsplit(studio.web.url).netloc
    for host in (home, EVIL):
        async with studio.web.http() as http:
            answer = await http.get(studio.web.url + path, headers={"host": host})
        if "location" in answer.headers:
            assert leads(studio, studio.web.url, answer.headers["location"]) == home, host


async def rows_of_all_tables(studio: Studio) -> dict[str, list[bytes]]:
    def asked(sql: Connection) -> dict[str, list[bytes]]:
        return {t.name: sorted(copied_rows.lines(sql, t)) for t in copied_rows.tables(sql)}

    return await studio.web.runtime.database.read(asked)


USED = {"sessions", "devices", "counted_arrivals", "visits", "tallies", "fan_sessions"}
"""In which it is noted that somebody was there."""
LOOKS = [row for row in PAGES if row.method == "GET"]


async def test_whoever_only_looks_changes_nothing(studio: Studio, world: World) -> None:
    before = await rows_of_all_tables(studio)
    for row in LOOKS:
        asked = address_of(studio, row, world.theirs)
        for caller in callers_of(row):
            await tried(studio, row, asked, world.headers(caller), OUT[0])
    after = await rows_of_all_tables(studio)
    assert {name for name in after if after[name] != before.get(name)} <= USED
    # Whoever asks for a letter does change something.
    async with studio.web.http() as http:
        answer = await http.post("/you/sign-in", data={"address": address()})
    assert answer.status_code == 303
    assert (await rows_of_all_tables(studio))["mails"] != after["mails"]

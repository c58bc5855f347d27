"""Whose language a page speaks, and how a fan chooses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.catalogue import CATALOGUES, COOKIE, LANGUAGES
from dropengine.manifest.canonical import canonical
from tests.kit import web_process
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.8"}
FRENCH = {"accept-language": "fr"}


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path)) as one:
        yield one


async def language(
    web: WebProcess, path: str, headers: dict[str, str] | None = None, chosen: str = ""
) -> str:
    """Of a page, as it says in its headers and in its first tag alike."""
    async with web.http(headers=headers, cookies={COOKIE: chosen} if chosen else {}) as http:
        answer = await http.get(path)
    said = answer.headers["content-language"]
    assert f'<html lang="{said}">' in answer.text
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))
    return said


async def test_a_page_speaks_what_its_reader_does(web: WebProcess) -> None:
    sale = await web.sale()
    drop = f"/drops/{sale.drop}"
    for path in ("/", drop, f"{drop}/wall", f"{drop}/orders/none", "/drops/none"):
        assert await language(web, path) == "en"
        assert await language(web, path, GERMAN) == "de"
        assert await language(web, path, GERMAN, "en") == "en"
        assert await language(web, path, chosen="de") == "de"
        assert await language(web, path, FRENCH, "xx") == "en"


async def test_a_drops_own_language_is_for_who_asks_for_none(web: WebProcess) -> None:
    drop = f"/drops/{(await web.sale(language='de')).drop}"
    for path in (drop, f"{drop}/wall"):
        assert await language(web, path) == "de"
        assert await language(web, path, FRENCH) == "de"
        assert await language(web, path, {"accept-language": "en"}) == "en"
    assert await language(web, "/") == "en"


async def test_what_a_maker_wrote_is_marked_as_his_language(web: WebProcess) -> None:
    drop = f"/drops/{(await web.sale(language='de')).drop}"
    async with web.http() as http:
        german = (await http.get(drop)).text
        english = (await http.get(drop, headers={"accept-language": "en"})).text
    assert '<h1 dir="auto" lang="de">' in english
    assert '<h1 dir="auto">' in german


async def test_the_shops_language_is_the_last_to_be_asked(server: Server, tmp_path: Path) -> None:
    async with front(settings(server.url, tmp_path, language="de")) as web:
        assert await language(web, "/") == "de"
        english = await web.sale(language="en")
        assert await language(web, f"/drops/{english.drop}") == "en"
        assert await language(web, f"/drops/{(await web.sale()).drop}") == "de"


async def test_each_page_loads_the_modules_of_its_language(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.http(headers=GERMAN) as http:
        for path, name in ((f"/drops/{sale.drop}", "fan"), ("/", "index")):
            page = (await http.get(path)).text
            address = page.partition(f'src="/static/{name}.de.js?v=')[2].partition('"')[0]
            loaded = await http.get(f"/static/{name}.de.js?v={address}")
            assert "immutable" in loaded.headers["cache-control"]
        fan = (await http.get("/static/fan.de.js")).text
    assert str(CATALOGUES["de"].take) in fan
    assert str(CATALOGUES["en"].take) not in fan


async def test_a_choice_is_kept_and_leads_back(web: WebProcess) -> None:
    path = f"/drops/{(await web.sale()).drop}"
    async with web.http(headers={"origin": web.url}) as http:
        for chosen in LANGUAGES:
            came = {"referer": f"{web.url}{path}?via=x"}
            answer = await http.post("/language", data={"language": chosen}, headers=came)
            assert (answer.status_code, answer.headers["location"]) == (303, path)
            assert "HttpOnly" in answer.headers["set-cookie"]
            page = await http.get(path, headers=GERMAN)
            assert page.headers["content-language"] == chosen


@pytest.mark.parametrize(
    ("referer", "leads"),
    [
        ("https://evil.example/drops/a", "/drops/a"),
        ("https://evil.example//evil.example/", "/"),
        ("https://x/%2F%2Fevil.example", "/"),
        ("https://x/\\evil.example", "/"),
        ("https://x/\r\nset-cookie: a=b", "/"),
        ("//[", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_a_choice_leads_to_no_other_site(web: WebProcess, referer: str, leads: str) -> None:
    headers = {"origin": web.url, "referer": referer.replace("\r\n", " ")}
    async with web.http(headers=headers) as http:
        answer = await http.post("/language", data={"language": "de"})
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


async def test_nobody_else_chooses_and_nothing_else_is_chosen(web: WebProcess) -> None:
    async with web.http() as http:
        evil = {"origin": "https://evil.example"}
        foreign = await http.post("/language", data={"language": "de"}, headers=evil)
        assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
        for content in (b"language=xx", b"", b"language=%ff", b"a=b&" * 100, b"\xff"):
            ours = {"origin": web.url, "content-type": "application/x-www-form-urlencoded"}
            answer = await http.post("/language", content=content, headers=ours)
            assert (answer.status_code, "set-cookie" in answer.headers) == (400, False), content


async def test_programs_are_refused_in_english(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.http(headers=GERMAN, cookies={COOKIE: "de"}) as http:
        answer = await http.get(f"/api/drops/{sale.drop}x")
    assert answer.json()["title"] == CATALOGUES["en"]("refused.not_found")


async def test_what_is_shared_is_the_same_for_everybody(web: WebProcess) -> None:
    sale = await web.sale(language="de")
    pictures = []
    for headers in (GERMAN, FRENCH, {"accept-language": "en"}):
        async with web.http(headers=headers) as http:
            pictures.append((await http.get(f"/drops/{sale.drop}/share.png")).content)
    assert len(set(pictures)) == 1


def test_a_drop_that_says_no_language_is_the_drop_that_it_was() -> None:
    plain = manifest("a")
    assert b"language" not in canonical(plain)

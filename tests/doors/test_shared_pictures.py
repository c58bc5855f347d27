"""A drop's pictures as strangers fetch them: for previews of links, for walls and lists."""

from __future__ import annotations

import asyncio
import html
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from unicodedata import combining
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from dropengine.doors import shared_pictures
from dropengine.doors.badge_marks import SIGNS, mark
from dropengine.doors.cover_art import cover
from dropengine.doors.picture_words import fitted, from_right, parts
from dropengine.doors.qr import qr
from dropengine.doors.share_picture import (
    CARD_TITLE_SIZES,
    SHARED_HEIGHT,
    SHARED_WIDTH,
    TITLE_SIZES,
    Poster,
    png,
)
from dropengine.doors.shared_pictures import KEPT_MAX, WAITING_MAX, Drawn
from dropengine.people.badges import KINDS
from tests.kit import persons, web_process
from tests.kit.manifests import item, manifest, playing
from tests.kit.persons import Shop
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server
shop = persons.shop

ADDRESS = "https://drops.example"


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path, public_url=ADDRESS)) as one:
        yield one


def a_poster(n: int, title: str = "Eclipse pin") -> Poster:
    return Poster(cover(f"drop-{n}"), title, "Taller Umbra · €24.00 · Edition of 200")


def opened(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture), formats=["PNG"]) as image:
        image.load()
        return image.convert("RGB")


@pytest.mark.parametrize(
    "title", ["Eclipse pin", "Lámpara «Ø» №", "x" * 400, "word " * 80, "日本の灯り", "🎟", " ", ""]
)
def test_a_picture_has_the_size_that_previews_ask_for_whatever_its_title(title: str) -> None:
    picture = png(a_poster(1, title))
    assert opened(picture).size == (SHARED_WIDTH, SHARED_HEIGHT)
    assert len(picture) < 300_000
    assert picture == png(a_poster(1, title))


def test_words_that_cannot_be_written_are_left_away() -> None:
    assert png(a_poster(1, "日本の灯り")) == png(a_poster(1, ""))
    assert png(a_poster(1, "Lamp")) != png(a_poster(1, ""))


@pytest.mark.parametrize(
    ("line", "leftwards", "read"),
    [
        ("Eclipse pin", False, ["Eclipse pin"]),
        # Its readers begin at the right, and read numbers and our words from the left.
        ("סיכה 200 Eclipse", True, ["Eclipse", " ", "200", " ", "סיכה"]),
        ("with عربي inside", False, ["with ", "عربي", " inside"]),
        ("a 👩‍🚀🇪🇸 b", False, ["a ", "👩‍🚀🇪🇸", " b"]),
    ],
)
def test_words_stand_in_the_order_in_which_people_read_them(
    line: str, leftwards: bool, read: list[str]
) -> None:
    assert [part.text for part in parts(line, leftwards=leftwards)] == read
    assert from_right(line) == leftwards


@pytest.mark.parametrize(
    "title", ["دبوس الكسوف، ٢٠٠ قطعة", "סיכת ליקוי", "Pin 🌘 👩‍🚀", "ग्रहण पिन"]
)
def test_a_title_in_other_letters_is_written(title: str) -> None:
    assert png(a_poster(1, title)) != png(a_poster(1, ""))


@pytest.mark.parametrize(
    ("title", "between"),
    [
        (
            "Eclipse pin, cast in May, numbered by hand, and the mould is broken afterwards !!"[
                :80
            ],
            " ",
        ),
        # One word, and letters that are read without spaces: none is torn from its marks.
        ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", ""),
        ("แหวนสุริยุปราคาเต็มดวงรุ่นพิเศษหล่อด้วยมือทีละชิ้นพร้อมหมายเลขกำกับจากโรงงานเงา", ""),
    ],
)
def test_a_title_of_eighty_letters_stands_there_whole(title: str, between: str) -> None:
    for sizes, most, lines in ((TITLE_SIZES, 1088, 2), (CARD_TITLE_SIZES, 684, 3)):
        found = fitted(title, "Semibold", sizes, most, lines)
        assert between.join(found.lines) == title
        assert not any(combining(line[0]) for line in found.lines)
        assert max(found.pen.length(line) for line in found.lines) <= most


def test_a_badge_has_the_mark_of_its_drop_and_of_its_kind() -> None:
    marks = [mark(drop, kind) for drop in ("a", "b") for kind in SIGNS]
    assert len({*marks}) == 2 * len(KINDS)
    assert {*SIGNS} == {*KINDS}
    assert marks[0] == mark("a", next(iter(SIGNS)))
    for one in marks:
        assert {node.tag.rpartition("}")[2] for node in ET.fromstring(one).iter()} <= {  # noqa: S314 - ours
            *("svg", "circle", "path", "polygon")
        }


async def test_a_fan_shares_a_card_with_his_place_and_his_link(shop: Shop) -> None:
    sale = Sale(shop.web.runtime.store, "card", now=0)
    await sale.publish(playing(manifest("card", item("pin", {"pin": 1})), "guest"))
    async with shop.browser() as fan:
        await fan.get("/drops/card")
        told = (await fan.get("/api/drops/card/game")).json()
        assert told["card"].endswith(f"/drops/card/card/{told['code']}.png")
        picture = await fan.get(f"/drops/card/card/{told['code'].lower()}.png")
        for name in ("AAAAAAAA", "x"):
            assert (await fan.get(f"/drops/card/card/{name}.png")).status_code == 404
        badge = await fan.get("/drops/long-gone/badges/mission.svg")
        assert (await fan.get("/drops/long-gone/badges/none.svg")).status_code == 404
    assert opened(picture.content).size == (SHARED_WIDTH, SHARED_HEIGHT)
    assert badge.text == mark("long-gone", "mission")


@pytest.mark.parametrize("n", range(12))
def test_the_picture_shows_the_face_of_the_page(n: int) -> None:
    face = cover(f"drop-{n}")
    image = opened(png(a_poster(n)))
    on_face = {image.getpixel((x, y)) for x in range(0, SHARED_WIDTH, 8) for y in range(0, 400, 8)}
    made_of = {tuple(bytes.fromhex(one.fill[1:])) for one in face.shapes}
    assert len(made_of & on_face) >= min(3, len(made_of))


async def test_a_preview_finds_the_picture_and_what_it_is_of(web: WebProcess) -> None:
    sale = await web.sale(
        item("pin", {"pin": 1200}), title='Pin "7" & <co>', maker="Ana", opens_ms=2_000_000_000_000
    )
    async with web.http() as http:
        page = (await http.get(f"/drops/{sale.drop}")).text
        told = {
            name: html.unescape(text)
            for name, text in re.findall(r'<meta property="og:([a-z:_]+)" content="([^"]*)">', page)
        }
        assert told["title"] == 'Pin "7" & <co>'
        assert told["url"] == f"{ADDRESS}/drops/{sale.drop}"
        assert told["image"] == f"{ADDRESS}/drops/{sale.drop}/share.png"
        assert "An edition of 1,200 by Ana" in told["description"]
        picture = await http.get(told["image"].removeprefix(ADDRESS))
        again = await http.get(
            f"/drops/{sale.drop}/share.png", headers={"if-none-match": picture.headers["etag"]}
        )
    assert picture.headers["content-type"] == "image/png"
    assert "set-cookie" not in picture.headers
    size = (int(told["image:width"]), int(told["image:height"]))
    assert opened(picture.content).size == size == (SHARED_WIDTH, SHARED_HEIGHT)
    assert (again.status_code, again.content) == (304, b"")


async def test_a_face_is_an_image_that_can_run_nothing(web: WebProcess) -> None:
    sale = await web.sale(title="<script>alert(1)</script>")
    async with web.http() as http:
        answer = await http.get(f"/drops/{sale.drop}/face.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    tags = {node.tag.rpartition("}")[2] for node in ET.fromstring(answer.text).iter()}  # noqa: S314 - ours
    assert tags <= {"svg", "rect", "circle", "polygon", "polyline"}
    assert len(tags) > 2


async def test_a_drop_that_is_not_there_has_no_picture(web: WebProcess) -> None:
    async with web.http() as http:
        for name in ("face.svg", "share.png"):
            assert (await http.get(f"/drops/none/{name}")).status_code == 404
            assert (await http.get(f"/drops/%7Ba%7D/{name}")).status_code == 404


async def test_a_crowd_that_asks_for_one_picture_has_it_drawn_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def counted(poster: Poster) -> bytes:
        drawn.append(poster.title)
        return png(poster)

    monkeypatch.setattr(shared_pictures, "png", counted)
    pictures = Drawn()
    got = await asyncio.gather(*(pictures.get(a_poster(n % 2)) for n in range(40)))
    assert len(drawn) == 2
    assert len({*got}) == 2
    assert None not in got


async def test_what_waits_and_what_is_kept_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_pictures, "png", lambda poster: poster.title.encode())
    pictures = Drawn()
    asked = [pictures.get(a_poster(0, str(n))) for n in range(WAITING_MAX + 9)]
    got = await asyncio.gather(*asked)
    assert got[:WAITING_MAX] == [str(n).encode() for n in range(WAITING_MAX)]
    assert got[WAITING_MAX:] == [None] * 9
    for n in range(3 * KEPT_MAX):
        assert await pictures.get(a_poster(1, str(n))) == str(n).encode()
    assert len(pictures._kept) <= KEPT_MAX


async def test_a_picture_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(poster: Poster) -> bytes:
        raise MemoryError

    pictures = Drawn()
    with monkeypatch.context() as broken:
        broken.setattr(shared_pictures, "png", fails)
        with pytest.raises(MemoryError):
            await pictures.get(a_poster(1))
    assert await pictures.get(a_poster(1)) == png(a_poster(1))


async def test_who_goes_away_does_not_end_a_picture_for_the_others() -> None:
    pictures = Drawn()
    first, second = (asyncio.ensure_future(pictures.get(a_poster(3))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == png(a_poster(3))


async def test_a_wall_shows_the_way_in_by_the_public_address(web: WebProcess) -> None:
    sale = await web.sale(opened=False)
    async with web.http() as http:
        wall = (await http.get(f"/drops/{sale.drop}/wall")).text
    assert qr(f"{ADDRESS}/drops/{sale.drop}") in wall
    assert f"<strong>drops.example/drops/{sale.drop}</strong>" in wall


@pytest.mark.parametrize("address", ["1", ADDRESS, "http://127.0.0.1:8000/drops/a", "x" * 400])
def test_a_code_is_none_of_the_small_kind_and_carries_no_style(address: str) -> None:
    drawn = ET.fromstring(qr(address))  # noqa: S314 - ours
    side = int(drawn.attrib["viewBox"].split()[2])
    # The smallest that every camera reads has 21 modules and 4 around them.
    assert side >= 21 + 8
    assert "style" not in qr(address)

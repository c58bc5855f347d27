"""Pictures of the things that are sold: taken, shown to everybody, and nobody else's to change."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy import Connection

from dropengine.doors.studio.panel_forms import HEARD_BYTES_MAX
from dropengine.people import draw_picture
from tests.doors.studio.test_drafts import EVIL, WHOLE, begun, published, saved, version_of
from tests.doors.test_orders import buys
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.studio import Hand, Studio, new_drop, opened
from tests.kit.web_process import key, settings

server = web_process.server
studio = studio_kit.studio

NAMES = re.compile(r"/pictures/([0-9a-f]{64})")


def photo(colour: str = "#c02020", size: tuple[int, int] = (2000, 1500)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


async def sent(
    hand: Hand,
    draft: str,
    file: bytes,
    name: str = "a.jpg",
    field: str = "items[0].file",
    **more: str,
) -> httpx2.Response:
    version = version_of(await hand.http.get(draft))
    form = {"key": key(), "version": str(version), "do": "save", **WHOLE, **more}
    files: dict[str, Any] = {field: (name, file, "image/jpeg")}
    return await hand.http.post(draft, data=form, files=files)


async def test_a_photo_is_shown_wherever_the_drop_is(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.stranger() as stranger:
        draft = await begun(ben, studio)
        assert (await sent(ben, draft, photo(), id=new_drop())).status_code == 303
        preview = await ben.http.get(f"{draft}/preview")
        names = set(NAMES.findall(preview.text))
        assert len(names) == 3
        drop = (await published(ben, draft)).rpartition("/")[2]
        for path in (f"/drops/{drop}", f"/drops/{drop}/wall", "/"):
            assert set(NAMES.findall((await stranger.http.get(path)).text)) >= names, path
        assert names & set(NAMES.findall((await ben.http.get("/studio")).text))
        widths = set()
        for name in names:
            answer = await stranger.http.get(f"/pictures/{name}")
            assert answer.headers["content-type"] == "image/webp"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            widths.add(Image.open(io.BytesIO(answer.content)).width)
        assert widths == {480, 960, 1600}
        # Where no page knows of it, as at a provider's, its face is the photo all the same.
        face = await stranger.http.get(f"/drops/{drop}/face.svg")
        assert (face.status_code, NAMES.findall(face.headers["location"])[0] in names) == (
            307,
            True,
        )
        share = await stranger.http.get(f"/drops/{drop}/share.png")
        shared = Image.open(io.BytesIO(share.content)).convert("RGB")
        assert shared.size == (1200, 630)
        red = shared.getpixel((600, 100))
        assert isinstance(red, tuple)
        assert red[0] > 150 > red[1]


async def test_pictures_come_and_go_and_an_item_has_so_many(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        for colour in ("red", "green", "blue", "black"):
            await sent(ada, draft, photo(colour, (100, 100)))
        five = await sent(ada, draft, photo("white", (100, 100)))
        page = await ada.http.get(five.headers["location"])
        assert "An item has at most 4 pictures" in page.text
        assert page.text.count('class="shot"') == 4
        await saved(ada, draft, version_of(page), "unpicture items[0] 1", **WHOLE)
        page = await ada.http.get(draft)
        assert page.text.count('class="shot"') == 3
        # What is typed meanwhile touches them not.
        await saved(ada, draft, version_of(page), **WHOLE | {"story": "New."})
        assert (await ada.http.get(draft)).text.count('class="shot"') == 3


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"GIF89a" + b"\0" * 30, draw_picture.MOVES),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", draw_picture.DRAWING),
        (b"words", draw_picture.NO_PICTURE),
        (b"", draw_picture.EMPTY),
        (photo()[:900], draw_picture.CUT),
    ],
)
async def test_a_file_that_is_no_photo_is_refused_and_the_words_are_kept(
    studio: Studio, file: bytes, why: str
) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        answer = await sent(ada, draft, file, story="Typed beside it.")
        page = await ada.http.get(answer.headers["location"])
        assert why in page.text
        assert 'class="wrong" role="alert"' in page.text
        assert "Typed beside it." in page.text
        assert 'class="shot"' not in page.text


async def test_a_file_that_is_too_heavy_is_refused_before_it_is_read_whole(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        heavy = b"\xff\xd8" + b"\0" * (draw_picture.SENT_BYTES_MAX + 300_000)
        answer = await sent(ada, draft, heavy, story="Typed beside it.")
        assert answer.status_code == 413
        assert "this form may have 8.3 MB, and it has more" in answer.text
        assert 'href="/studio"' in answer.text
        # What is a little too heavy is said on the page, and the words beside it are kept.
        heavy = b"\xff\xd8" + b"\0" * draw_picture.SENT_BYTES_MAX
        answer = await sent(ada, draft, heavy, story="Typed beside it.")
        page = await ada.http.get(answer.headers["location"])
        assert draw_picture.HEAVY in page.text
        assert "Typed beside it." in page.text


async def test_what_is_far_too_heavy_is_not_even_heard_to_its_end(studio: Studio) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        for _ in range(HEARD_BYTES_MAX // 1_000_000 + 1):
            yield b"x" * 1_000_000

    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        kind = {"content-type": "multipart/form-data; boundary=x"}
        # The shop may hang up while there is more to come.
        with contextlib.suppress(httpx2.TransportError):
            answer = await ada.http.post(draft, content=endless(), headers=kind)
            assert answer.status_code == 413
        assert 'class="shot"' not in (await ada.http.get(draft)).text


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "a\x00.jpg", "C:\\evil.exe", "", "x" * 3_000, "<script>.svg", "..%2f"],
)
async def test_the_name_of_a_file_means_nothing(studio: Studio, name: str) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        answer = await sent(ada, draft, photo(size=(100, 100)), name)
        assert answer.status_code in (303, 400)
        page = await ada.http.get(draft)
        for part in ("passwd", "evil.exe", "<script>"):
            assert part not in page.text


@pytest.mark.parametrize(
    "path",
    [
        "0" * 64,
        "../../shop.sqlite",
        "..%2f..%2fsecret",
        "A" * 64,
        "0" * 63,
        "%00",
        "0" * 64 + ".webp",
    ],
)
async def test_there_is_no_other_file_behind_the_door_of_pictures(
    studio: Studio, path: str
) -> None:
    async with studio.stranger() as stranger:
        assert (await stranger.http.get(f"/pictures/{path}")).status_code == 404


async def test_nobody_gives_a_draft_a_picture_by_its_name(studio: Studio) -> None:
    """What pictures there are is what was sent as files, and no field of a form."""
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        draft = await begun(ada, studio)
        await sent(ada, draft, photo())
        name = NAMES.findall((await ada.http.get(draft)).text)[0]
        path = f"/studio/makers/{studio.pots.id}/drafts"
        other = (await dan.http.post(path, data={"key": key()})).headers["location"]
        laid = f'[{{"width":9,"height":9,"files":{{"9":"{name}"}}}}]'
        await saved(dan, other, 1, **WHOLE | {"items[0].pictures": laid})
        page = await dan.http.get(other)
        assert name not in page.text
        assert 'class="shot"' not in page.text
        # Nor are those of others taken away.
        theirs = {"key": key(), "version": "2", "do": "unpicture items[0] 0"}
        assert (await dan.http.post(draft, data=theirs)).status_code == 404
        for field in ("items[99].file", "file", "items[0].pictures", "items[x].file"):
            await sent(dan, other, photo(), field=field)
        assert 'class="shot"' not in (await dan.http.get(other)).text


async def test_what_stands_beside_the_rules_is_text_and_moves_no_fingerprint(
    studio: Studio,
) -> None:
    facts = {"delivery": EVIL, "returns": EVIL, "contact": EVIL, "items[0].care": EVIL}
    sizes = {"items[0].sizes": f"Size | Width\nS | 12 cm\n{EVIL[:20]} | 9"}
    async with studio.person("ada") as ada:
        prints = []
        for more in ({}, facts | sizes):
            draft = await begun(ada, studio)
            await saved(ada, draft, 1, **WHOLE | more | {"id": "same"})
            page = await ada.http.get(f"{draft}/publish")
            prints += re.findall(r"[0-9a-f]{64}", page.text)
        assert len(set(prints)) == 1
        page = await ada.http.get(f"{draft}/preview")
        for there in ("12 cm", "<caption>Sizes</caption>", "How it gets to you", "Care"):
            assert there in page.text
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("items[0].sizes", "Size | Width\nS", "as many cells in row 2 as in the first, 2"),
        ("items[0].sizes", "\n".join("x" * 50), "at most 40 rows"),
        ("items[0].sizes", "|".join("abcdefghij"), "at most 8 columns"),
        ("delivery", "x" * 1_001, "must be at most 1000 characters"),
        ("items[0].care", "a\u202eb", ""),
    ],
)
async def test_what_is_wrong_beside_the_rules_is_said_at_its_field(
    studio: Studio, path: str, text: str, why: str
) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        answer = await saved(ada, draft, 1, "auto", **WHOLE | {path: text})
        (sentence,) = answer.json()["mistakes"][path]
        assert why in sentence


async def test_a_new_draft_keeps_the_habits_of_the_last_one(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        first = await begun(ada, studio)
        habits = {"delivery": "By post.", "zone": "Europe/Madrid", "currency": "CHF"}
        await saved(ada, first, 1, **WHOLE | habits)
        page = await ada.http.get(await begun(ada, studio))
        for there in ("By post.", "Europe/Madrid", "CHF"):
            assert there in page.text
        assert "Night lamp" not in page.text


async def test_what_is_shown_is_changed_after_publishing_and_no_rule_with_it(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada, studio.stranger() as fan:
        drop = await studio.publish(ada)
        before = (await ada.get(f"/drops/{drop}")).json()["hash"]
        path = f"/studio/drops/{drop}/words"

        def form(version: int, **more: str) -> dict[str, str]:
            return {"key": key(), "version": str(version), "do": "save", **more}

        files = {"items[0].file": ("a.jpg", photo(), "image/jpeg")}
        told = await ada.http.post(path, data=form(0, delivery="By post."), files=files)
        assert told.headers["location"] == f"/studio/drops/{drop}"
        page = await fan.http.get(f"/drops/{drop}")
        assert "By post." in page.text
        assert NAMES.search(page.text)
        late = await ada.http.post(path, data=form(0, delivery="Typed by the other."))
        assert late.status_code == 409
        assert "Typed by the other." in late.text
        wrong = await ada.http.post(path, data=form(1, delivery="x" * 1_001))
        assert wrong.status_code == 400
        assert "Must be at most 1000 characters" in wrong.text
        odd = {"items[99999999999].care": "x", "items[0].pictures": "[1]", "limit": "9"}
        assert (await ada.http.post(path, data=form(1, contact="Me.", **odd))).status_code == 303
        page = await fan.http.get(f"/drops/{drop}")
        assert "Me." in page.text
        assert NAMES.search(page.text)
        gone = form(2) | {"do": "unpicture items[0] 0"}
        assert (await ada.http.post(path, data=gone)).status_code == 303
        assert not NAMES.search((await fan.http.get(f"/drops/{drop}")).text)
        assert (await ada.get(f"/drops/{drop}")).json()["hash"] == before
        async with studio.person("dan") as dan:
            assert (await dan.http.post(path, data=form(3))).status_code == 404


async def test_words_and_what_is_shown_beside_the_rules_are_saved_by_one_press(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada, studio.stranger() as fan:
        drop = await studio.publish(ada)
        path = f"/studio/drops/{drop}/words"

        def form(revision: int, version: int, do: str = "save", **more: str) -> dict[str, str]:
            return {
                "key": key(),
                "revision": str(revision),
                "version": str(version),
                "do": do,
            } | more

        files = {"items[0].file": ("a.jpg", photo(), "image/jpeg")}
        both = form(1, 0, story="Cast in June.", delivery="By post.")
        assert (await ada.http.post(path, data=both, files=files)).status_code == 303
        page = await fan.http.get(f"/drops/{drop}")
        for there in ("Cast in June.", "By post."):
            assert there in page.text
        # Who sent the same words again, or only other facts, made no new version of the words.
        same = form(2, 1, story="Cast in June.", delivery="By hand.")
        assert (await ada.http.post(path, data=same)).status_code == 303
        assert (await ada.get(f"/drops/{drop}")).json()["revision"] == 2
        # A picture is taken away while somebody writes.
        half = form(2, 2, "unpicture items[0] 0", story="Cast in Ju", delivery="By hand.")
        answer = await ada.http.post(path, data=half)
        assert answer.status_code == 200
        assert "Cast in Ju</textarea>" in answer.text
        page = await fan.http.get(f"/drops/{drop}")
        assert "Cast in June." in page.text
        assert not NAMES.search(page.text)
        # A form that is not whole, or says rubbish.
        for rubbish in ("", "-1", str(2**63), "x" * 120_000):
            odd = form(2, 3, story="Cast in May.", delivery="By hand.") | {"revision": rubbish}
            assert (await ada.http.post(path, data=odd)).status_code in (400, 409, 413)
            odd = form(2, 3, delivery="Lost.") | {"version": rubbish}
            assert (await ada.http.post(path, data=odd)).status_code in (400, 409, 413)
        page = await fan.http.get(f"/drops/{drop}")
        assert "Cast in June." in page.text
        assert "By hand." in page.text
        # Somebody else commanded meanwhile: what was typed stands there.
        late = await ada.http.post(
            path, data=form(1, 3, story="Cast in July.", delivery="By hand.")
        )
        assert late.status_code == 409
        assert "Cast in July." in late.text


async def test_while_sql_is_away_fans_see_the_drawn_face_and_buy(
    server: Server, tmp_path: Path
) -> None:
    async with opened(settings(server.url, tmp_path)) as one:
        sale = await one.web.sale()

        def spoil(sql: Connection) -> None:
            sql.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

        await one.web.runtime.database.write(spoil)
        one.web.runtime.database._fits = False
        _, ticket = one.web.ticket()
        async with one.web.http(ticket) as fan:
            for path in (f"/drops/{sale.drop}", f"/drops/{sale.drop}/wall", "/"):
                page = await fan.get(path)
                assert page.status_code == 200
                assert "/pictures/" not in page.text
            assert (await fan.get(f"/drops/{sale.drop}/share.png")).status_code == 200
            assert (await fan.get(f"/pictures/{'0' * 64}")).status_code == 503


async def test_a_copy_of_a_drop_shows_what_the_drop_showed(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        await sent(ada, draft, photo(), id=new_drop(), delivery="By post.")
        drop = (await published(ada, draft)).rpartition("/")[2]
        for copied in (
            await begun(ada, studio, how="copy", **{"from": drop}),
            (await ada.http.post(f"/studio/drops/{drop}/copy", data={"key": key()})).headers[
                "location"
            ],
        ):
            page = await ada.http.get(copied)
            assert "By post." in page.text
            assert NAMES.search(page.text)


async def test_who_has_bought_sees_the_thing_and_how_it_comes(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("ada") as ada:
        path = f"/studio/drops/{sale.drop}/words"
        form = {"key": key(), "version": "0", "delivery": "By post within a week."}
        files = {"items[0].file": ("a.jpg", photo(), "image/jpeg")}
        saved = await ada.http.post(path, data=form, files=files)
        assert saved.status_code == 303, saved.text
    fan, ticket = studio.web.ticket(sale.drop)
    hold = await buys(studio.web, sale, fan)
    async with studio.web.http(ticket) as owner:
        page = await owner.get(f"/drops/{sale.drop}/orders/{hold}")
        assert page.status_code == 200
        assert "By post within a week." in page.text
        assert NAMES.search(page.text)

"""Makers say who they are; what they send as a picture is drawn anew."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from dropengine.people import pictures
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio

SECRET = b"where this was taken"


def picture(kind: str, width: int = 40, height: int = 20, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    drawn = Image.new(mode, (width, height))
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    drawn.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", pictures.FORMATS)
async def test_a_picture_is_drawn_anew_and_shown_to_everybody(studio: Studio, kind: str) -> None:
    sent = picture(kind, 900, 450)
    assert SECRET in sent
    async with studio.person("ada") as ada:
        body = {"name": "Lamps & more", "picture": base64.b64encode(sent).decode()}
        changed = await ada.send("PATCH", f"/makers/{studio.lamps.id}", body)
        assert changed.status_code == 200, changed.text
        address = changed.json()["picture"]
    async with studio.stranger() as anybody:
        shown = await anybody.http.get(address)
        assert shown.headers["content-type"] == "image/png"
        assert "immutable" in shown.headers["cache-control"]
        assert SECRET not in shown.content
        assert Image.open(io.BytesIO(shown.content)).size == (512, 256)
    async with studio.person("ada") as ada:
        gone = await ada.send("PATCH", f"/makers/{studio.lamps.id}", {"picture": ""})
        assert (gone.json()["picture"], gone.json()["name"]) == ("", "Lamps & more")


@pytest.mark.parametrize(
    "sent",
    [
        b"no picture",
        picture("PNG")[:-30],
        picture("GIF"),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        picture("PNG", 6_000, 5_000, "1"),
    ],
    ids=["text", "half", "gif", "svg", "bomb"],
)
async def test_what_is_no_picture_changes_nothing(studio: Studio, sent: bytes) -> None:
    async with studio.person("dan") as dan:
        body = {"name": "Other", "picture": base64.b64encode(sent).decode()}
        answer = await dan.send("PATCH", f"/makers/{studio.pots.id}", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
        assert (await dan.get(f"/makers/{studio.pots.id}")).json()["name"] == "Potters"


async def test_a_large_picture_bursts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a few kilobytes can unfold to as much memory as its maker likes."""
    for width in (20_000, 200_000):
        header = bytearray(picture("PNG"))
        header[16:24] = width.to_bytes(4, "big") * 2
        assert pictures.drawn(bytes(header)) is None


@pytest.mark.parametrize("name", ["0" * 64, "x", "0" * 63 + "G"])
async def test_a_picture_that_is_none_is_not_found(studio: Studio, name: str) -> None:
    async with studio.stranger() as anybody:
        for _ in range(2):
            assert (await anybody.http.get(f"/makers/pictures/{name}")).status_code == 404


async def test_an_owner_of_a_maker_makes_another_and_nobody_else_does(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("ada") as ada:
        body = {"name": "Badges", "short": "badges"}
        assert (await ben.post("/makers", body)).status_code == 403
        made = (await ada.post("/makers", body)).json()
        assert (made["short"], made["may"]) == ("badges", "manage")
        taken = await ada.post("/makers", {**body, "name": "Other badges"})
        assert (taken.status_code, taken.json()["code"]) == (409, "exists")
        listed = (await ada.get("/makers")).json()
        assert [one["short"] for one in listed] == ["lamps", "badges"]
        assert made["id"] not in [one["id"] for one in (await ben.get("/makers")).json()]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "short": "ok"},
        {"name": "\u202eevil", "short": "ok"},
        {"name": "a\nb", "short": "ok"},
        {"name": "fine", "short": "No"},
        {"name": "fine", "short": "a-b"},
        {"name": "fine", "short": "1a"},
        {"name": "fine", "short": "ok", "colour": "red"},
        {"name": "fine", "short": "ok", "owner": "eve"},
    ],
)
async def test_a_name_is_only_ever_a_line_of_text(studio: Studio, body: dict[str, str]) -> None:
    async with studio.person("ada") as ada:
        answer = await ada.post("/makers", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")

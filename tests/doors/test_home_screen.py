"""What a home screen is told of the shop."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dropengine.doors.home_screen import PAPER, SIZES
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path, public_url="https://pins.example")
    async with front(conf) as one:
        yield one


async def test_the_manifest_names_the_shop_and_icons_that_are_there(web: WebProcess) -> None:
    async with web.http() as http:
        answer = await http.get("/shop.webmanifest")
        assert answer.headers["content-type"].startswith("application/manifest+json")
        told = answer.json()
        assert (told["name"], told["display"]) == ("pins.example", "standalone")
        assert {one["sizes"] for one in told["icons"]} == {f"{size}x{size}" for size in SIZES}
        for one in told["icons"]:
            picture = Image.open(io.BytesIO((await http.get(one["src"])).content), formats=["PNG"])
            assert f"{picture.width}x{picture.height}" == one["sizes"]
            # Whoever cuts a circle out of it cuts off nothing but paper.
            assert picture.getpixel((0, 0)) == (255, 254, 250)
            assert len(picture.getcolors(100_000) or []) > 2
        assert told["background_color"] == PAPER


@pytest.mark.parametrize("size", ["1", "0192", "100000", "192.0"])
async def test_no_other_size_is_drawn(web: WebProcess, size: str) -> None:
    async with web.http() as http:
        assert (await http.get(f"/icons/{size}.png")).status_code == 404


async def test_every_page_leads_to_it_and_its_policy_lets_it(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.http() as http:
        for path in ("/", f"/drops/{sale.drop}", "/drops/none", "/studio/sign-in"):
            page = await http.get(path)
            assert '<link rel="manifest" href="/shop.webmanifest">' in page.text
            assert '<link rel="apple-touch-icon" href="/icons/180.png">' in page.text
            assert "manifest-src 'self';" in page.headers["content-security-policy"]

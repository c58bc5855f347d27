"""Makes the picture of the README, as a maker comes to it: starts a shop, opens the link that it
prints, writes a first drop with a photo, opens it, and buys in it as a fan.

    .venv/bin/python docs/pictures.py

It needs what the browser tests need (`make test` installs it) and takes about a minute.
"""
# ruff: noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import base64
import io
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, expect, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FANS = 7
"""So many buy before somebody presses whom the picture shows."""
PATIENCE_S = 120

FRAME = """
<style>
  body {{ margin: 0; padding: 40px; width: max-content; background: #d9dce3;
         display: flex; gap: 40px; align-items: center }}
  img {{ display: block; border-radius: 18px; box-shadow: 0 12px 40px #0004 }}
</style>
<img src="{desk}" height="640"><img src="{phone}" height="720">
"""


def main() -> None:
    """Set up, write, publish, open, buy, photograph, stop."""
    PICTURES.mkdir(exist_ok=True)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit("No Chromium here: `make test` installs it, or put one on the PATH.")
    with tempfile.TemporaryDirectory() as data:
        shop = serve(Path(data))
        try:
            link = set_up_link(shop, Path(data) / "said")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
                photograph(browser, link)
        finally:
            shop.send_signal(signal.SIGINT)
            shop.wait(PATIENCE_S)


def serve(data: Path) -> subprocess.Popen[bytes]:
    """`dropengine serve` on a free port; what it says goes to `data/said`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dropengine", "serve"]
    with (data / "said").open("wb") as said:
        return subprocess.Popen(
            [*command, "--port", str(port), "--data-dir", str(data / "shop")],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def set_up_link(shop: subprocess.Popen[bytes], said: Path) -> str:
    """The link to the first account, as the shop prints it."""
    while shop.poll() is None:
        if found := re.search(r"http://\S+/studio/links/\S+", said.read_text()):
            return found.group()
        time.sleep(0.2)
    sys.exit(f"The shop ended before it printed its link:\n{said.read_text()}")


def photograph(browser: Browser, link: str) -> None:
    """What the maker sees of the drop, and a fan who holds one, side by side in one picture."""
    maker = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=2)
    write(maker, link)
    address = maker.locator(".facts a").first.inner_text()
    for _ in range(FANS):
        buy(browser, address).context.close()
    phone = hold(browser, address)
    maker.get_by_role("link", name="The night").click()
    expect(maker.locator("night-link")).to_contain_text("Up to date")
    maker.wait_for_timeout(1_500)
    both = browser.new_page(viewport={"width": 1600, "height": 800}, device_scale_factor=1)
    both.set_content(FRAME.format(desk=shot(maker), phone=shot(phone)))
    both.locator("body").screenshot(path=PICTURES / "drop.png")


def write(page: Page, link: str) -> None:
    """An account, a first drop with a photo, published and opened."""
    page.goto(link)
    page.get_by_label("Your name").fill("rosa")
    page.get_by_label("What fans call you").fill("Rosa Pins")
    page.get_by_label("A new password").fill("pins and needles")
    page.get_by_role("button", name="Go on with a password").click()
    page.get_by_role("link", name="New drop").first.click()
    page.get_by_role("button", name="Start with an empty form").click()
    typed = {"Title": "Night star pin", "What": "Star pin", "Price": "24", "How many exist": "20"}
    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("A picture of it").set_input_files(
        {"name": "pin.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    expect(page.locator(".shot")).to_have_count(1, timeout=10_000)
    for press in ("Check and go on", "Publish", "Open now"):
        page.get_by_role("button", name=press).click()
    expect(page.get_by_role("status").first).to_contain_text("It is open")


def hold(browser: Browser, address: str) -> Page:
    """A fan on a phone who has pressed and holds one."""
    page = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    page.goto(address)
    page.get_by_role("button", name=re.compile("^Hold one")).click()
    expect(page.get_by_role("button", name=re.compile("^Pay "))).to_be_visible(timeout=10_000)
    return page


def buy(browser: Browser, address: str) -> Page:
    """A fan who pays what he holds."""
    page = hold(browser, address)
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    page.wait_for_url("**/pay/**")
    page.get_by_role("button", name=re.compile("^Pay €")).click()
    expect(page.get_by_text("#", exact=False).first).to_be_visible(timeout=10_000)
    page.wait_for_url("**/drops/**")
    return page


def photo() -> bytes:
    """Of a pin on a table, or nearly."""
    picture = Image.new("RGB", (1600, 1200), "#dccfba")
    shadow = Image.new("L", picture.size)
    ImageDraw.Draw(shadow).ellipse((470, 820, 1190, 980), fill=130)
    picture.paste("#5a463c", mask=shadow.filter(ImageFilter.GaussianBlur(28)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((467, 200, 1133, 866), fill="#c6a04a")
    draw.ellipse((493, 226, 1107, 840), fill="#1c3e62")
    around = [(250 if n % 2 == 0 else 105, math.radians(36 * n - 90)) for n in range(10)]
    star = [(800 + far * math.cos(turn), 533 + far * math.sin(turn)) for far, turn in around]
    draw.polygon(star, fill="#f0ce6e")
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(1)).save(out, "JPEG", quality=90)
    return out.getvalue()


def shot(page: Page) -> str:
    """What the page shows, as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(page.screenshot()).decode()


if __name__ == "__main__":
    main()

"""Makes the pictures of the README: plays the demo, buys in it with a real browser, photographs it.

    .venv/bin/python docs/pictures.py

It needs what the browser tests need (`make test` installs it) and takes about a minute.
"""
# ruff: noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

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
SEED = 7
SOLD_LEAST = 40
"""The wall is photographed when it has something to show."""
PATIENCE_S = 120

FRAME = """
<style>
  body {{ margin: 0; padding: 40px; width: max-content; background: #d9dce3;
         display: flex; gap: 40px; align-items: center }}
  img {{ display: block; border-radius: 18px; box-shadow: 0 12px 40px #0004 }}
</style>
<img src="{phone}" height="720"><img src="{wall}" height="560">
"""


def main() -> None:
    """Play, buy, photograph, stop."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        demo = play(Path(data))
        try:
            address = link(demo, Path(data) / "said")
            with sync_playwright() as playwright:
                found = next(filter(None, map(shutil.which, BROWSERS)), None)
                if found is None:
                    sys.exit("No Chromium here: `make test` installs it, or put one on the PATH.")
                browser = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
                photograph(browser, address)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(PATIENCE_S)


def play(data: Path) -> subprocess.Popen[bytes]:
    """`dropengine demo` on a free port; what it says goes to `data/said`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dropengine", "demo", "--seed", str(SEED)]
    with (data / "said").open("wb") as said:
        return subprocess.Popen(
            [*command, "--port", str(port), "--data-dir", str(data / "shop")],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def link(demo: subprocess.Popen[bytes], said: Path) -> str:
    """The address of the fan page, as the demo prints it."""
    while demo.poll() is None:
        if found := re.search(r"http://[^\s/]+/drops/[a-z0-9-]+", said.read_text()):
            return found.group()
        time.sleep(0.2)
    sys.exit(f"The demo ended before it printed its links:\n{said.read_text()}")


def photograph(browser: Browser, address: str) -> None:
    """A fan with a hold on a phone, and the wall, side by side in one picture."""
    phone = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    phone.goto(address)
    hold = phone.get_by_role("button", name=re.compile("^Hold one"))
    expect(hold).to_be_enabled(timeout=PATIENCE_S * 1000)
    hold.click()
    expect(phone.get_by_role("button", name=re.compile("^Pay "))).to_be_visible(timeout=10_000)
    wall = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=2)
    wall.goto(f"{address}/wall")
    until_sold(address)
    wall.wait_for_timeout(500)
    both = browser.new_page(viewport={"width": 1600, "height": 800}, device_scale_factor=1)
    both.set_content(FRAME.format(phone=shot(phone), wall=shot(wall)))
    both.locator("body").screenshot(path=PICTURES / "drop.png")


def until_sold(address: str) -> None:
    """Wait until the crowd has bought something. Raises TimeoutError."""
    shop, drop = address.split("/drops/")
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{shop}/api/drops/{drop}", timeout=10) as reply:  # noqa: S310 - http only
            pools = json.load(reply)["drop"]["pools"].values()
        if sum(pool["sold"] for pool in pools) >= SOLD_LEAST:
            return
        time.sleep(0.5)
    raise TimeoutError(f"Fewer than {SOLD_LEAST} units were sold in {PATIENCE_S} s.")


def shot(page: Page) -> str:
    """What the page shows, as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(page.screenshot()).decode()


if __name__ == "__main__":
    main()

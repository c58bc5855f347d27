"""What the server writes into a page: nothing that could run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from dropengine import model
from dropengine.config import Settings
from dropengine.doors import page_templates, page_writer, pages
from dropengine.manifest import canonical
from dropengine.payments import providers
from dropengine.truth import keys
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path)) as one:
        yield one


@given(st.text())
def test_no_text_can_end_the_block_that_carries_it(text: str) -> None:
    block = str(pages.data_block(msgspec.json.encode([text])))
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == [text]


def test_a_template_fails_on_a_name_that_nobody_gave_it() -> None:
    with pytest.raises(jinja2.UndefinedError):
        page_templates.environment().get_template("error.html").render(static=str)


def test_over_https_a_page_keeps_to_https() -> None:
    assert "Strict-Transport-Security" in page_writer.page_headers(secure=True)
    assert "Strict-Transport-Security" not in page_writer.page_headers(secure=False)


async def test_a_drop_that_cannot_be_shown_takes_no_list_down(web: WebProcess) -> None:
    """What an earlier version published stays where it is; the others are shown, and it is said
    that there is more."""
    plain, strange, broken, newer = [await web.sale() for _ in range(4)]
    store = web.runtime.store
    shown = await store.show(strange.drop)
    assert shown is not None
    for opens_ms in (10**16, -1, 2**62):
        kept = msgspec.structs.replace(shown.manifest, opens_ms=opens_ms)
        await store.client.hset(
            keys.one(strange.drop, "drop"), mapping={"manifest": canonical(kept)}
        )
        await store.client.hset(keys.one(broken.drop, "drop"), "manifest", b"{}")
        await store.client.hset(keys.one(newer.drop, "drop"), "schema", model.SCHEMA + 1)
        async with web.http() as http:
            page = await http.get("/")
            listed = await http.get("/api/drops")
        assert (page.status_code, listed.status_code) == (200, 200)
        assert f"/drops/{plain.drop}" in page.text
        assert "3 more cannot be shown on this page." in page.text
        assert [line["id"] for line in listed.json()] == [plain.drop]


def told_why(message: dict[str, Any]) -> str:
    return str(message.get("drop", message).get("why", ""))


async def test_a_page_tells_why_its_drop_stands_still(web: WebProcess) -> None:
    sale = await web.sale()
    for verb, why in (("pause", "Lunch & <tea>"), ("cancel", "The box is lost")):
        await sale.creator(verb, why=why)
        async with web.fan(sale.drop) as fan:
            # By the snapshot, or by the tick that follows an older one.
            while why not in map(told_why, fan.heard):
                await fan.hear()
        async with web.http() as http:
            for place in ("", "/wall"):
                page = (await http.get(f"/drops/{sale.drop}{place}")).text
                assert str(escape(why)) in page


async def test_a_page_runs_no_script_that_its_policy_does_not_know(web: WebProcess) -> None:
    """Of what stands in a page, the content policy names each script by its hash, and nothing
    else."""
    sale = await web.sale()
    async with web.http() as http:
        for path in ("", "/wall"):
            page = await http.get(f"/drops/{sale.drop}{path}")
            policy = page.headers["content-security-policy"]
            (allowed,) = re.findall(r"script-src ([^;]*);", policy)
            inside = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
            assert len(inside) == 1
            assert inside[0].strip()
            known = [
                f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
                for one in inside
            ]
            assert allowed.split() == ["'self'", *known]


async def test_a_form_leads_to_no_place_but_where_payers_pay(tmp_path: Path) -> None:
    """With cards at Stripe a form of ours may lead there; without them nowhere but home."""
    cards = Settings(data_dir=tmp_path, stripe_key="sk_test_x", stripe_webhook_secrets=("whsec_x",))
    for shop, led in ((Settings(data_dir=tmp_path), ""), (cards, " https://checkout.stripe.com")):
        headers = page_writer.page_headers(secure=True, forms=providers.pages(shop))
        assert f"form-action 'self'{led}; " in headers["Content-Security-Policy"]

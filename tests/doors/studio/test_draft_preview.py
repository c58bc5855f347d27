"""The fan's page of a draft: every state, whatever was typed so far, and in no other frame."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec
import pytest

from dropengine import manifest
from dropengine.catalogue import CATALOGUES
from dropengine.doors.studio.draft_preview import STAGES, snapshot
from dropengine.manifest import Form
from dropengine.randomness import QUICKNET
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
FORMS: dict[str, Form] = {
    "empty": {},
    "begun": {"title": "Lamp", "items[0].cap": "1", "items[0].withheld": "1"},
    "wrong": {"currency": "eur", "zone": "Nowhere", "limit": "x", "items[0].price": "x"},
    "lobby": {"mode": "lobby", "identity": "verified", "items[0].cap": "3"},
    "early": {
        "identity": "verified",
        "items[0].cap": "3",
        "cohorts[0].title": "The club",
        "cohorts[0].units": "1",
        "cohorts[0].listed": "yes",
    },
    "holes": {"items[0].title": "a", "items[1].pools[0].cap": "2", "items[1].pools[1].cap": "x"},
    **{path.stem: manifest.form_of(manifest.parse(path.read_bytes(), "x")) for path in EXAMPLES},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("stage", STAGES)
def test_every_state_can_be_shown_of_whatever_was_typed(form: Form, stage: str) -> None:
    found, _ = manifest.judged_form(form)
    shown = snapshot(found, stage, int(time.time() * 1000), QUICKNET)
    drop = shown.drop
    assert drop.pools
    for pool in drop.pools.values():
        parts = (pool.free, pool.held, pool.sold, pool.withheld, pool.leased)
        assert min(parts) >= 0
        assert sum(parts) == pool.cap
    assert {pool for item in drop.items for pool in item.pools} == set(drop.pools)
    assert (drop.early is not None) == bool(drop.cohorts) == ("cohorts[0].title" in form)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=type(shown)) == shown


async def test_what_others_than_the_known_see_is_a_state_of_its_own(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        path = f"/studio/makers/{studio.lamps.id}/drafts"
        draft = (await ada.http.post(path, data={"key": key()})).headers["location"]
        assert "Before they sign in" in (await ada.http.get(draft)).text

        async def seen(stage: str) -> str:
            return (await ada.http.get(f"{draft}/preview", params={"state": stage})).text

        assert "/you?to=" in await seen("sign-in")
        for version, identity in enumerate(("guest", "verified"), 1):
            fields = {"key": key(), "version": str(version), "identity": identity}
            assert (await ada.http.post(draft, data=fields)).status_code == 303
            for stage in STAGES:
                told = await seen(stage)
                stranger = identity == "verified" and stage == "sign-in"
                assert ('"you":null' in told) == stranger
                assert (CATALOGUES["en"].verified_first in told) == stranger, stage


async def test_the_preview_alone_may_stand_in_a_frame_and_only_of_ours(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        path = f"/studio/makers/{studio.lamps.id}/drafts"
        draft = (await ada.http.post(path, data={"key": key()})).headers["location"]
        for stage in (*STAGES, "nonsense", "../soon", ""):
            page = await ada.http.get(f"{draft}/preview", params={"state": stage})
            assert page.status_code == 200
            policy = page.headers["content-security-policy"]
            assert "frame-ancestors 'self'" in policy
            assert "frame-src" not in policy
            assert page.headers["x-frame-options"] == "SAMEORIGIN"
        form = await ada.http.get(draft)
        policy = form.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "frame-src 'self'" in policy
        assert form.headers["x-frame-options"] == "DENY"
        assert re.search(rf'<iframe [^>]*src="{draft}/preview', form.text)

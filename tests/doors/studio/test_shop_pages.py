"""How the shop is, in sentences, its settings for its owners, and what was done at a maker."""

from __future__ import annotations

from dropengine.data_directory import note_origins
from tests.doors.studio.test_night import NASTY, told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio


async def test_the_shop_says_in_sentences_how_it_is(studio: Studio) -> None:
    await studio.web.runtime.trial.round()
    async with studio.person("cyd") as cyd:
        page = told(await cyd.http.get("/studio/shop"))
        assert "A sale can run here" in page
        assert "A hold can be granted and written down now." in page
        assert "People and books are kept in SQLite." in page
        # Who does not own the shop reads no setting of it.
        assert "Settings in force" not in page
    async with studio.person("dan") as dan:
        assert "Settings in force" not in told(await dan.http.get("/studio/shop"))


async def test_owners_read_the_settings_and_where_each_came_from(studio: Studio) -> None:
    settings = studio.web.runtime.settings
    note_origins(settings, {"tick_ms": "--tick-ms", "redis_url": "REDIS_URL"})
    async with studio.person("ada") as ada:
        page = await ada.http.get("/studio/shop")
        assert "tick_ms 20 --tick-ms" in told(page)
        assert str(settings.secret_key) not in page.text
        assert "(hidden)" in page.text


async def test_what_was_done_is_told_to_owners(studio: Studio) -> None:
    path = f"/studio/makers/{studio.lamps.id}/audit"
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        drop = await studio.publish(ada)
        await ben.post(f"/drops/{drop}/open", {"revision": 1, "why": NASTY})
        await ben.post(f"/drops/{drop}/pause", {"revision": 1})
        page = await ada.http.get(path)
        said = told(page)
        assert f"ben open {drop}" in said
        assert "refused: stale_revision" in said
        assert "127.0.0.1" in said
        assert "<img src=x" not in page.text
        assert (await ben.http.get(path)).status_code == 403
        for before in ("x", "0", "'"):
            answer = await ada.http.get(path, params={"before": before})
            assert answer.status_code == 200

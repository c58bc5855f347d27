"""After the server's clock leapt a person says in the panel that it is right."""

from __future__ import annotations

import pytest

from dropengine.jobs.clock_watch import Reading
from tests.doors.studio.test_night import Night, told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio


async def test_a_drop_in_doubt_offers_to_trust_the_clock_and_one_that_is_not_does_not(
    studio: Studio,
) -> None:
    opens_ms = studio.now_ms + 3_600_000
    sale = await studio.web.sale(opened=False, opens_ms=opens_ms)
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        assert "Trust the clock" not in told(await night.look())
        await sale.store.doubt_clock(sale.drop)
        assert "Trust the clock" in told(await night.look())
        page = await night.look("realign")
        assert "nobody loses a second" in told(page)
        assert "It opens at the time that was planned" in told(page)
        said = await night.do("realign")
        assert "The drop goes by the clock again." in said
        assert "The drop's own time was put right" in said
        assert "Trust the clock" not in said.partition("What you can do")[2].partition("Money")[0]


async def test_while_the_alarm_of_the_clock_stands_every_drop_offers_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = await studio.web.sale()
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        await sale.creator("pause", by="clock")
        monkeypatch.setattr(studio.web.runtime.clock_watch, "_trusted", Reading(0, 0))
        page = told(await night.look())
        assert "say so on the night of each drop: Trust the clock" in page
        assert "Trust the clock" in page.partition("What you can do")[2]
        assert "It stays paused until you let it go on." in told(await night.look("realign"))


async def test_where_nobody_doubts_the_clock_nothing_is_done(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("ben") as ben:
        said = await Night(ben, sale).do("realign")
        assert "It goes by the clock already: there was nothing to be done." in said


async def test_who_looks_only_may_not(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("cyd") as cyd:
        night = Night(cyd, sale)
        assert (await night.look("realign")).status_code == 403

"""After a drop: its figures, beside the last one of its maker, without a script."""

from __future__ import annotations

import re

from markupsafe import escape

from dropengine.doors.studio.charts import bars
from tests.doors.studio.test_night import NASTY, told
from tests.doors.studio.test_orders import booked, sold
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio


async def test_a_report_tells_the_figures_and_the_numbers_behind_its_charts(
    studio: Studio,
) -> None:
    sale, _ = await sold(studio, 4, title="First lamp")
    async with studio.person("cyd") as cyd:
        page = await cyd.http.get(f"/studio/drops/{sale.drop}/report")
        said = told(page)
        assert "Units sold 4" in said
        assert "Revenue €96.00" in said
        assert "Sell-through 6.7 %" in said
        assert '<svg class="chart" role="img"' in page.text
        assert "Sold over time" in said
        assert "How it goes so far" in said
        # Those who came are counted once a minute: four sales to nobody would be a lie.
        assert "Fans who came none counted yet" in said


async def test_it_stands_beside_the_makers_last_drop(studio: Studio) -> None:
    before, _ = await sold(studio, 2, title="Earlier lamp")
    later, _ = await sold(studio, 3, title="Later lamp")
    async with studio.person("cyd") as cyd:
        page = told(await cyd.http.get(f"/studio/drops/{later.drop}/report"))
        assert "Earlier lamp" in page
        assert "Units sold 3 2" in page
        chosen = {"with": before.drop}
        assert "Units sold 3 2" in told(
            await cyd.http.get(f"/studio/drops/{later.drop}/report", params=chosen)
        )
        for none in ("nothing", "../x", NASTY):
            answer = await cyd.http.get(f"/studio/drops/{later.drop}/report", params={"with": none})
            assert answer.status_code == 200
            assert "<img src=x" not in answer.text


async def test_anothers_drop_is_not_compared_with(studio: Studio) -> None:
    sale, _ = await sold(studio, 1)
    async with studio.person("dan") as dan, studio.person("cyd") as cyd:
        theirs = await studio.publish(dan, maker=studio.pots)
        page = await cyd.http.get(f"/studio/drops/{sale.drop}/report", params={"with": theirs})
        assert page.status_code == 200
        assert theirs not in page.text
        assert (await dan.http.get(f"/studio/drops/{sale.drop}/report")).status_code == 404


async def test_a_drop_that_the_books_do_not_know_yet_says_so(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("cyd") as cyd:
        path = f"/studio/drops/{sale.drop}/report"
        assert "know nothing of this drop yet" in told(await cyd.http.get(path))
        await booked(studio, sale)
        assert "Units sold 0" in told(await cyd.http.get(path))


def test_a_chart_is_drawn_of_numbers_and_its_labels_are_text() -> None:
    drawn = str(bars([(NASTY, 2), ("b", 4), ("c", 0)], "Two & more"))
    assert str(escape(NASTY)) in drawn
    assert "<img" not in drawn
    heights = [float(one) for one in re.findall(r'height="([\d.]+)"', drawn)]
    assert heights == [69.5, 139.0, 0.0]
    assert bars([("a", 0)], "none") == bars([], "none") == ""

"""Drafts, pictures, orders and notes that are there: another maker reaches none of them by any
address, and who may only look changes none."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from dropengine.doors.access import TABLE
from tests.doors.studio.test_drafts import WHOLE, begun, saved, version_of
from tests.doors.studio.test_night import Night, told
from tests.doors.studio.test_orders import sold
from tests.doors.studio.test_pictures import NAMES, photo, sent
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.sale import Sale
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

NOTE = "lives on the third floor"


async def noted(studio: Studio, hand: Hand) -> tuple[Sale, str]:
    """A drop of the lamps, and its order with a note."""
    sale, (order,) = await sold(studio, 1)
    path = f"/studio/drops/{sale.drop}/orders/{order}/note"
    assert (await hand.http.post(path, data={"key": key(), "note": NOTE})).status_code == 303
    return sale, order


def forms(base: str, order: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """Whatever changes an order."""
    return (
        (f"{base}/orders/{order}/note", {"note": "changed"}),
        (f"{base}/orders/{order}/note", {"note": ""}),
        (f"{base}/orders/{order}/handed-over", {}),
        (f"{base}/orders/refund", {"order": order, "why": "mine"}),
        (f"{base}/orders/{order}/came-back", {}),
        (f"{base}/payments", {"id": f"capture:paid-{order}", "as": "given_up"}),
    )


async def unchanged(hand: Hand, base: str, order: str) -> None:
    page = told(await hand.http.get(f"{base}/orders/{order}"))
    assert NOTE in page
    assert "Handed over not yet" in page
    assert "Why it went back" not in page


async def test_another_maker_reads_and_changes_no_order_and_no_note(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        sale, order = await noted(studio, ada)
        base, his = f"/studio/drops/{sale.drop}", await studio.publish(dan, maker=studio.pots)
        for path in (f"/orders/{order}", "/orders", "/orders.csv", "/orders.ndjson", "/report"):
            answer = await dan.http.get(f"{base}{path}")
            assert (answer.status_code, NOTE in answer.text) == (404, False)
        for path, form in forms(base, order):
            assert (await dan.http.post(path, data={"key": key(), **form})).status_code == 404
        # Nor through the address of a drop of his own.
        through = f"/studio/drops/{his}"
        assert (await dan.http.get(f"{through}/orders/{order}")).status_code == 404
        for path, form in forms(through, order):
            answer = await dan.http.post(path, data={"key": key(), **form})
            assert NOTE not in answer.text
        asked = await dan.http.get(f"{through}/orders", params={"asked": order})
        assert "None like that." in told(asked)
        beside = await dan.http.get(f"{through}/report", params={"with": sale.drop})
        assert sale.drop not in beside.text
        await unchanged(ada, base, order)


async def test_who_may_only_look_reads_an_order_and_changes_none(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("cyd") as cyd:
        sale, order = await noted(studio, ada)
        base = f"/studio/drops/{sale.drop}"
        assert NOTE in told(await cyd.http.get(f"{base}/orders/{order}"))
        for path, form in forms(base, order):
            assert (await cyd.http.post(path, data={"key": key(), **form})).status_code == 403
        night = Night(cyd, sale)
        for verb in ("pause", "message", "cancel"):
            assert (await night.look(verb)).status_code == 403
            answer = await cyd.http.post(f"{night.path}/{verb}", data={"key": key()})
            assert answer.status_code == 403
        await unchanged(ada, base, order)


async def test_a_draft_and_its_pictures_are_of_its_maker(studio: Studio) -> None:
    async with (
        studio.person("ada") as ada,
        studio.person("cyd") as cyd,
        studio.person("dan") as dan,
    ):
        draft = await begun(ada, studio)
        await sent(ada, draft, photo(), story="Only ours.")
        page = await ada.http.get(draft)
        assert NAMES.search(page.text)
        for hand, status in ((cyd, 403), (dan, 404)):
            version = version_of(page)
            changed = await saved(hand, draft, version, **WHOLE | {"story": "Mine now."})
            assert changed.status_code == status
            taken = await saved(hand, draft, version, "unpicture items[0] 0", **WHOLE)
            assert taken.status_code == status
            form = {"key": key(), "version": str(version)}
            assert (await hand.http.post(f"{draft}/publish", data=form)).status_code == status
            assert (await hand.http.post(f"{draft}/remove", data=form)).status_code == status
        for part in ("", "/preview", "/publish", "/manifest.toml"):
            assert (await dan.http.get(f"{draft}{part}")).status_code == 404
            assert (await cyd.http.get(f"{draft}{part}")).status_code == 200
        after = await ada.http.get(draft)
        assert "Only ours." in after.text
        assert NAMES.findall(after.text) == NAMES.findall(page.text)


async def test_a_drop_of_others_is_copied_by_no_one(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        theirs = await studio.publish(ada)
        path = f"/studio/makers/{studio.pots.id}/drafts"
        form = {"key": key(), "how": "copy", "from": theirs}
        assert (await dan.http.post(path, data=form)).status_code == 404
        practice = {"key": key(), "practice": "yes"}
        answer = await dan.http.post(f"/studio/drops/{theirs}/copy", data=practice)
        assert answer.status_code == 404


ELSEWHERE = ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)")
LEADING = ("to", "next", "back", "return", "url", "redirect", "continue", "from", "with", "after")


@pytest.mark.parametrize("wanted", ELSEWHERE)
async def test_no_parameter_of_any_page_leads_out_of_the_shop(studio: Studio, wanted: str) -> None:
    async with studio.person("ada") as ada, studio.stranger() as stranger:
        parts = {
            "maker": studio.lamps.id,
            "drop": await studio.publish(ada),
            "draft": (await begun(ada, studio)).rpartition("/")[2],
        }
        query = dict.fromkeys(LEADING, wanted)
        for method, row in TABLE:
            # A stream has no end, and a socket is none of these.
            if row.startswith("/api/") or row.endswith(("/live", "/events")):
                continue
            path = re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row)
            for hand in (stranger, ada):
                if method == "POST" and path.endswith(("/sign-out", "/end-others")):
                    continue
                form = {"key": key(), **query} if method == "POST" else None
                answer = await hand.http.request(method, path, params=query, data=form)
                where = urlsplit(answer.headers.get("location", "/"))
                assert where.netloc in ("", urlsplit(studio.web.url).netloc), (path, where)
                assert where.scheme in ("", "http"), (path, where)
                assert re.match(r"/(?![/\\])", where.path), (path, where)

"""Writing a drop: begun in three ways, kept for both of two editors, checked, published."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from dropengine import manifest
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import MANIFEST, Hand, Studio, new_drop
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

WHOLE = {
    "title": "Night lamp",
    "maker": "Lamp makers",
    "currency": "EUR",
    "limit": "3",
    "items[0].title": "Lamp",
    "items[0].price": "24.00",
    "items[0].cap": "10",
}
EVIL = "<img src=x onerror=alert(1)>\"'>{{7*7}}</textarea><script>alert(2)</script>"


async def begun(hand: Hand, studio: Studio, **more: Any) -> str:
    """A fresh draft; the address of it."""
    path = f"/studio/makers/{studio.lamps.id}/drafts"
    answer = await hand.http.post(path, data={"key": key(), **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def saved(
    hand: Hand, draft: str, version: int, do: str = "save", **more: str
) -> httpx2.Response:
    form = {"key": key(), "version": str(version), "do": do, **more}
    return await hand.http.post(draft, data=form)


def version_of(page: httpx2.Response) -> int:
    found = re.search(r'name="version" value="(\d+)"', page.text)
    assert found is not None
    return int(found[1])


async def published(hand: Hand, draft: str) -> str:
    version = version_of(await hand.http.get(draft))
    answer = await hand.http.post(f"{draft}/publish", data={"key": key(), "version": str(version)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_an_empty_form_becomes_a_drop(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        draft, drop = await begun(ben, studio), new_drop()
        answer = await saved(ben, draft, 1, "check", **WHOLE | {"id": drop})
        assert answer.headers["location"] == f"{draft}/publish"
        page = await ben.http.get(f"{draft}/publish")
        alone = "\N{FIRST STRONG ISOLATE}Lamp\N{POP DIRECTIONAL ISOLATE}: 10 made, €24.00 each."
        for sentence in ("10 made. All sold is €240.00", "At most 3 to a person", alone):
            assert sentence in page.text
        where = await published(ben, draft)
        assert where == f"/studio/drops/lamps-{drop}"
        drop = f"lamps-{drop}"
        page = await ben.http.get(where)
        shown = (await ben.get(f"/drops/{drop}")).json()
        for there in ("Published. Its rules stand.", shown["hash"], f"/drops/{drop}/wall", "<svg"):
            assert there in page.text
        # It is a draft no more: whoever comes back to it is led to the drop.
        assert (await ben.http.get(draft)).headers["location"] == where
        again = await ben.http.post(f"{draft}/publish", data={"key": key(), "version": "2"})
        assert again.headers["location"] == where
        late = await saved(ben, draft, 2, **WHOLE | {"title": "Too late"})
        assert late.status_code == 409


async def test_a_draft_in_more_than_one_shop_gets_its_makers_name_before_it(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        await saved(ada, draft, 1, **WHOLE | {"id": "night"})
        assert await published(ada, draft) == "/studio/drops/lamps-night"


async def test_five_mistakes_stand_each_at_its_field_and_nothing_typed_is_lost(
    studio: Studio,
) -> None:
    wrong = {
        "limit": "two",
        "currency": "eur",
        "items[0].price": "24 euros",
        "items[0].cap": "0",
        "opens_at": "soon",
    }
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        answer = await saved(ada, draft, 1, "check", **WHOLE | wrong)
        page = await ada.http.get(answer.headers["location"])
        assert "5 mistakes, each beside its field" in page.text
        for path, text in wrong.items():
            field = re.search(rf'<input id="{re.escape(path)}"[^>]*>', page.text)
            assert field is not None
            assert 'aria-invalid="true"' in field[0]
            assert f'value="{text}"' in field[0] or path == "opens_at"
            assert f'id="{path}-fault-1"' in page.text
        assert "did you mean EUR?" in page.text
        refused = await ada.http.get(f"{draft}/publish")
        assert refused.headers["location"] == f"{draft}?check=1"


async def test_a_new_draft_keeps_the_habits_of_the_last_and_none_of_its_mistakes(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        habits = {"currency": "JPY", "zone": "Asia/Tokyo", "limit": "4", "contact": "Write to me."}
        await saved(ben, draft, 1, **WHOLE | habits | {"items[0].price": "no price"})
        page = (await ben.http.get(await begun(ben, studio))).text
        assert all(f'value="{habits[name]}"' in page for name in ("currency", "zone", "limit"))
        assert "Write to me." in page
        wrong = {"currency": "Eur0", "zone": "Tokio", "limit": "two", "contact": "x" * 1_001}
        await saved(ben, draft, 2, **WHOLE | habits | wrong)
        page = (await ben.http.get(await begun(ben, studio))).text
        assert not any(f">{text}" in page or f'"{text}"' in page for text in wrong.values())
        assert 'aria-invalid="true"' not in page
        assert 'value="EUR"' in page


async def test_what_is_only_missing_is_said_to_who_asks(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        assert "Is missing" not in (await ada.http.get(draft)).text
        asked = await ada.http.get(f"{draft}?check=1")
        assert asked.text.count("Is missing") == 3


async def test_two_editors_never_overwrite_each_other_unseen(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        draft = await begun(ada, studio)
        assert (await saved(ada, draft, 1, **WHOLE | {"title": "Of ada"})).status_code == 303
        twice = await saved(ben, draft, 1, **WHOLE | {"title": "Of ben", "story": "His."})
        assert twice.status_code == 409
        for text in ("Of ada", "Of ben", "His.", "Somebody else saved"):
            assert text in twice.text
        # By himself the page's script hears the same.
        auto = await saved(ben, draft, 1, "auto", **WHOLE | {"title": "Of ben"})
        assert (auto.status_code, auto.json()["by"]) == (409, "ada")
        assert "Of ada" in (await ben.http.get(draft)).text
        chosen = await saved(ben, draft, version_of(twice), **WHOLE | {"title": "Of both"})
        assert chosen.status_code == 303
        assert "Of both" in (await ada.http.get(draft)).text


async def test_the_same_words_saved_twice_are_one_save(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        first = await saved(ada, draft, 1, "auto", **WHOLE)
        assert first.json() == {"version": 2, "mistakes": {}, "checked": True}
        assert (await saved(ada, draft, 2, "auto", **WHOLE)).json()["version"] == 2


async def test_items_and_places_come_and_go_without_a_script(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        await saved(ada, draft, 1, "item", **WHOLE)
        page = await ada.http.get(draft)
        assert 'id="items[1].title"' in page.text
        two = WHOLE | {"items[1].title": "Shade", "items[1].price": "5", "items[1].cap": "2"}
        await saved(ada, draft, 2, "pool items[1]", **two)
        page = await ada.http.get(draft)
        assert 'id="items[1].pools[0].node"' in page.text
        await saved(ada, draft, 3, "remove items[0]", **two)
        page = await ada.http.get(draft)
        assert 'value="Shade"' in page.text
        assert 'value="Lamp"' not in page.text


async def test_a_file_is_taken_and_given_back_the_same(studio: Studio) -> None:
    text = MANIFEST.format(drop="from-a-file").encode()
    async with studio.person("ada") as ada:
        path = f"/studio/makers/{studio.lamps.id}/drafts"
        answer = await ada.http.post(
            path, data={"key": key(), "how": "file"}, files={"file": ("../../x.toml", text)}
        )
        draft = answer.headers["location"]
        back = await ada.http.get(f"{draft}/manifest.toml")
        assert back.headers["content-disposition"] == 'attachment; filename="from-a-file.toml"'
        assert back.headers["content-type"].startswith("text/plain")
        assert manifest.parse(back.content, "back") == manifest.parse(text, "sent")
        for nothing in (b"", b"\xff\xfe", b"id ="):
            refused = await ada.http.post(
                path, data={"key": key(), "how": "file"}, files={"file": ("a.toml", nothing)}
            )
            assert refused.status_code == (303 if nothing == b"" else 400)


async def test_a_copy_gets_the_next_id_that_is_free_and_no_time(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        drop = await studio.publish(ada)
        draft = await begun(ada, studio, how="copy", **{"from": drop})
        assert f'value="{drop}-2"' in (await ada.http.get(draft)).text
        await published(ada, draft)
        third = await begun(ada, studio, how="copy", **{"from": drop})
        assert f'value="{drop}-3"' in (await ada.http.get(third)).text


async def test_a_drop_of_another_maker_is_not_copied(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        drop = await studio.publish(ada)
        path = f"/studio/makers/{studio.pots.id}/drafts"
        for wanted in (drop, "no-such-drop", "", "../x", "a\x00b"):
            answer = await dan.http.post(path, data={"key": key(), "how": "copy", "from": wanted})
            assert answer.status_code == 404


async def test_a_draft_of_another_maker_is_none(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        draft = await begun(ada, studio)
        form = {"key": key(), "version": "1", "title": "Taken over"}
        for path in (draft, f"{draft}/manifest.toml", f"{draft}/publish"):
            theirs, none = await dan.http.get(path), await dan.http.get(path[:16] + "0" * 18)
            assert theirs.status_code == none.status_code == 404
            assert theirs.content == none.content
        for path in (draft, f"{draft}/publish", f"{draft}/remove"):
            assert (await dan.http.post(path, data=form)).status_code == 404
        assert "Taken over" not in (await ada.http.get(draft)).text
        async with studio.person("cyd") as cyd:
            assert (await cyd.http.get(draft)).status_code == 200
            for path in (draft, f"{draft}/publish", f"{draft}/remove"):
                assert (await cyd.http.post(path, data=form)).status_code == 403


async def test_a_draft_that_is_thrown_away_is_gone_and_a_drop_is_not(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        answer = await ada.http.post(f"{draft}/remove", data={"key": key()})
        assert answer.headers["location"] == "/studio"
        assert (await ada.http.get(draft)).status_code == 404


@pytest.mark.parametrize("path", [*WHOLE, "story", "id", "zone", "items[0].about", "opens_at"])
async def test_what_was_typed_is_only_ever_text(studio: Studio, path: str) -> None:
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        draft = await begun(ada, studio)
        await saved(ada, draft, 1, **WHOLE | {path: EVIL})
        twice = await saved(ben, draft, 1, **WHOLE | {path: EVIL + "2"})
        pages = [await ada.http.get(f"{draft}?check=1"), twice, await ada.http.get("/studio")]
        for page in pages:
            assert "<img src=x" not in page.text
            assert "<script>alert" not in page.text
            assert "{{7*7}}" in page.text or "49" not in page.text


async def test_a_form_beyond_all_bounds_is_refused(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        huge = await ada.http.post(draft, data={"key": key(), "story": "x" * 300_000})
        assert huge.status_code in (400, 413)
        long = await ada.http.post(draft, data={"key": key(), "story": "x" * 20_001})
        assert long.status_code == 413
        assert "xxx" not in (await ada.http.get(draft)).text
        many = {f"field{n}": "x" for n in range(3_000)}
        answer = await ada.http.post(draft, data={"key": key(), "version": "1", **many})
        assert answer.status_code in (303, 400)
        for version in ("", "-1", "x", "9" * 50, "٣"):
            form = {"key": key(), "version": version, "title": "No"}
            assert (await ada.http.post(draft, data=form)).status_code == 409


async def test_it_is_moved_corrected_and_cancelled_before_it_opens(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft, drop = await begun(ada, studio), new_drop()
        when = {"zone": "Europe/Madrid", "opens_at": "2087-07-16T18:00"}
        await saved(ada, draft, 1, **WHOLE | when | {"id": drop})
        here = await published(ada, draft)
        drop = here.rpartition("/")[2]
        page = await ada.http.get(here)
        assert "at 18:00 in Madrid" in page.text
        assert "09:00 in Los Angeles" in page.text

        def form(revision: int, **more: str) -> dict[str, str]:
            return {"key": key(), "revision": str(revision), **more}

        later = await ada.http.post(f"{here}/reschedule", data=form(1, by="30"))
        assert later.headers["location"] == here
        assert "It opens at 18:30 in Madrid" in (await ada.http.get(here)).text
        stale = await ada.http.post(f"{here}/reschedule", data=form(1, by="30"))
        assert stale.status_code == 409
        assert "ada" in stale.text
        wrong = await ada.http.post(f"{here}/reschedule", data=form(2, opens_at="soon"))
        assert wrong.status_code == 400
        assert "must be a time like" in wrong.text
        words = {"story": "Cast in June.", "items[0].about": "Of brass."}
        told = await ada.http.post(f"{here}/words", data=form(2, **words))
        assert told.headers["location"] == here
        assert "Cast in June." in (await ada.http.get(f"/drops/{drop}")).text
        bad = await ada.http.post(f"{here}/words", data=form(3, story="x" * 9_000))
        assert bad.status_code == 400
        untitled = await ada.http.post(f"{here}/cancel", data=form(3, title="Another"))
        assert "Write the title" in untitled.text
        gone = await ada.http.post(f"{here}/cancel", data=form(3, title="Night lamp", why="Rain"))
        assert gone.headers["location"] == here
        assert (await ada.get(f"/drops/{drop}")).json()["state"] == "cancelled"


async def test_a_form_that_is_sent_twice_is_carried_out_once(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        here = f"/studio/drops/{await studio.publish(ada)}"
        form = {"key": key(), "revision": "1"}
        first = await ada.http.post(f"{here}/open", data=form)
        again = await ada.http.post(f"{here}/open", data=form)
        assert first.headers["location"] == again.headers["location"] == here
        other = await ada.http.post(f"{here}/open", data=form | {"key": key()})
        assert other.status_code == 409


async def test_a_copy_to_practise_with_is_one_and_says_so(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        drop = await studio.publish(ada)
        answer = await ada.http.post(
            f"/studio/drops/{drop}/copy", data={"key": key(), "practice": "yes"}
        )
        page = await ada.http.get(answer.headers["location"])
        assert "A practice drop: every page says so, no list shows it." in page.text
        draft = answer.headers["location"].removesuffix("/publish")
        where = await published(ada, draft)
        practice = where.rpartition("/")[2]
        assert f"/drops/{practice}" not in (await ada.http.get("/")).text
        assert f"/drops/{drop}" in (await ada.http.get("/")).text


async def test_a_draft_whose_press_was_cut_short_is_the_drop_that_it_became(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        draft, drop = await begun(ada, studio), new_drop()
        await saved(ada, draft, 1, **WHOLE | {"id": drop})
        text = (await ada.http.get(f"{draft}/manifest.toml")).text
        made = await ada.post(f"/makers/{studio.lamps.id}/drops", {"manifest": text})
        assert made.status_code == 200
        assert await published(ada, draft) == f"/studio/drops/{made.json()['id']}"
        other = await begun(ada, studio)
        await saved(ada, other, 1, **WHOLE | {"id": drop, "limit": "1"})
        version = version_of(await ada.http.get(other))
        form = {"key": key(), "version": str(version)}
        refused = await ada.http.post(f"{other}/publish", data=form)
        assert refused.status_code == 409
        assert "Take another id" in refused.text


async def test_a_title_that_a_drop_has_already_gets_the_next_number(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        title = f"Little owl {new_drop()}"
        named = "lamps-" + title.lower().replace(" ", "-")
        made = []
        for limit in "123":
            draft = await begun(ada, studio)
            await saved(ada, draft, 1, **WHOLE | {"title": title, "limit": limit})
            look = await ada.http.get(f"{draft}/publish")
            where = await published(ada, draft)
            assert f"/drops/{where.rpartition('/')[2]}<" in look.text
            made.append(where.removeprefix("/studio/drops/"))
        assert made == [named, f"{named}-2", f"{named}-3"]


@pytest.mark.parametrize("time", ["opens_at", "closes_at"])
async def test_a_time_that_has_passed_is_told_in_the_words_of_the_form(
    studio: Studio, time: str
) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        await saved(ada, draft, 1, **WHOLE | {"id": new_drop(), time: "2020-07-16T18:00"})
        version = version_of(await ada.http.get(draft))
        form = {"key": key(), "version": str(version)}
        refused = await ada.http.post(f"{draft}/publish", data=form)
        assert refused.status_code == 409
        assert "time has passed" in refused.text
        assert time not in refused.text


async def test_words_that_no_text_can_hold_are_refused(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        draft = await begun(ada, studio)
        body = (
            f'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n{key()}\r\n'
            '--x\r\nContent-Disposition: form-data; name="version"\r\n\r\n1\r\n'
            '--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n+2AA-\r\n--x--\r\n'
        )
        for kind in ("utf-7", "utf-16", "no-such-charset", "utf-8"):
            headers = {"content-type": f"multipart/form-data; boundary=x; charset={kind}"}
            answer = await ada.http.post(draft, content=body.encode(), headers=headers)
            assert answer.status_code in (303, 400, 409), kind

"""The game of a line in the panel without scripts: its rules, its missions, and what is cured."""

from __future__ import annotations

from tests.doors.studio.test_drafts import WHOLE, begun, published, saved, version_of
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio

GAME = {
    "identity": "verified",
    "k": "4",
    "friends.worth": "2",
    "collectors.missed": "1",
    "missions[0].title": "The word in tonight's stream",
    "missions[0].kind": "code",
    "missions[1].title": "Our first street?",
    "missions[1].kind": "answer",
    "missions[1].worth": "5",
    "missions[2].title": "Come to the stall",
    "missions[2].kind": "tap",
}
PIN = {"items[0].id": "pin"}


async def test_what_gives_points_is_written_by_forms_and_told_before_it_is_published(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        await saved(ben, draft, 1, "mission", **WHOLE | PIN)
        page = await ben.http.get(draft)
        assert page.text.count('name="missions[0].kind"') == 1
        # Both sentences are of a mission that is not written yet: nothing is said of it so early.
        assert "Is missing" not in told(page)
        wrong = GAME | {"points_until": "seal", "friends.most": "1"}
        await saved(ben, draft, version_of(page), **WHOLE | PIN | wrong)
        page = await ben.http.get(f"{draft}?check=1")
        for sentence in ("until when points count", "points for friends at most"):
            assert sentence in told(page)
        await saved(ben, draft, version_of(page), "remove missions[1]", **WHOLE | PIN | GAME)
        page = await ben.http.get(draft)
        assert "Our first street?" not in page.text
        # Where a friend is worth nothing, no rule of friends is kept.
        kept = {path: text for path, text in GAME.items() if path != "friends.worth"}
        await saved(ben, draft, version_of(page), **WHOLE | PIN | kept | {"friends.most": "9"})
        assert "friends" not in (await ben.http.get(f"{draft}/manifest.toml")).text
        page = await ben.http.get(draft)
        await saved(ben, draft, version_of(page), **WHOLE | PIN | GAME)
        said = told(await ben.http.get(f"{draft}/publish"))
        assert (
            "Fans earn points until they are called: 2 for a friend who takes part, 10 at most; 1 "
            "for each earlier drop of yours in which somebody bought and 1 for each earlier drop "
            "of yours in which somebody waited in vain, 3 at most; 3 for “The word in tonight's "
            "stream”; 5 for “Our first street?”; 3 for “Come to the stall”."
        ) in said
        assert "Every 4th call of the line goes to whoever has most points." in said
        where = await published(ben, draft)
        copied = await ben.http.post(f"{where}/copy", data={"key": web_process.key()})
        exported = (await ben.http.get(f"{copied.headers['location']}/manifest.toml")).text
        assert exported.count("[[missions]]") == 3
        assert "[collectors]" in exported

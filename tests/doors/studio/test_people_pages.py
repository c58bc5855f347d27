"""People and keys in the panel: the same laws as by the API, and secrets that are shown once."""

from __future__ import annotations

import re

from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

PEOPLE = "/studio/people"


async def test_an_owner_invites_by_a_link_that_is_shown_once(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.stranger() as newcomer:
        path = f"/studio/makers/{studio.lamps.id}/invitations"
        form = {"key": key(), "role": "viewer"}
        page = await ada.http.post(path, data=form)
        assert page.status_code == 200
        link = re.search(r"/studio/links/[\w-]{20,}", page.text)
        assert link is not None
        again = await ada.http.post(path, data=form)
        assert link[0] not in again.text
        assert "shown once already" in again.text
        assert link[0] not in (await ada.http.get(PEOPLE)).text
        taken = {"name": "gil", "password": "long enough a word"}
        assert (await newcomer.http.post(link[0], data=taken)).status_code == 303
        assert "gil" in (await ada.http.get(PEOPLE)).text


async def test_a_link_is_taken_back_and_a_key_revoked(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        at = f"/studio/makers/{studio.lamps.id}"
        page = await ada.http.post(f"{at}/invitations", data={"key": key(), "role": "owner"})
        link = re.search(r"/studio/links/[\w-]{20,}", page.text)
        waits = re.search(r"/invitations/(\w+)/withdraw", page.text)
        assert link is not None
        assert waits is not None
        gone = await ada.http.post(f"{at}{waits[0]}", data={"key": key()})
        assert gone.headers["location"] == PEOPLE
        assert (await ada.http.get(link[0])).status_code == 404

        made = await ada.http.post(
            f"{at}/keys", data={"key": key(), "label": "Till <b>", "scope": "read"}
        )
        secret = re.search(r"dropkey_read_[\w-]+", made.text)
        assert secret is not None
        assert "Till &lt;b&gt;" in made.text
        async with studio.program(secret[0]) as till:
            assert (await till.get("/drops")).status_code == 200
            revoke = re.findall(r"/keys/\w+/revoke", made.text)[-1]
            assert (await ada.http.post(f"{at}{revoke}", data={"key": key()})).status_code == 303
            assert (await till.get("/drops")).status_code == 401


async def test_the_last_owner_stays_and_a_role_is_one(studio: Studio) -> None:
    async with studio.person("dan") as dan, studio.person("ben") as ben:
        at = f"/studio/makers/{studio.pots.id}"
        for role in ("viewer", "none"):
            page = await dan.http.post(f"{at}/members/id-dan", data={"key": key(), "role": role})
            assert page.status_code == 409
            assert "at least one owner" in page.text
        odd = await dan.http.post(f"{at}/members/id-dan", data={"key": key(), "role": "king"})
        assert odd.status_code == 400
        # Who runs drops sees his colleagues, and no form to change them.
        page = await ben.http.get(PEOPLE)
        assert "cyd" in page.text
        assert "/members/" not in page.text
        assert "Potters" not in page.text


async def test_a_maker_gets_another_name_and_colour(studio: Studio) -> None:
    async with studio.person("dan") as dan:
        at = f"/studio/makers/{studio.pots.id}"
        form = {"key": key(), "name": "Potters & Co", "colour": "#112233"}
        assert (await dan.http.post(at, data=form)).headers["location"] == PEOPLE
        page = await dan.http.get(PEOPLE)
        assert "Potters &amp; Co" in page.text
        for wrong in ({"name": ""}, {"colour": "red"}, {"name": "x" * 81}):
            answer = await dan.http.post(at, data={**form, "key": key(), **wrong})
            assert answer.status_code == 400
        back = {"key": key(), "name": "Potters", "colour": "#0055aa"}
        assert (await dan.http.post(at, data=back)).status_code == 303

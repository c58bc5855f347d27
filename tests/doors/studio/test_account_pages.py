"""One's own account in the panel: a new password, and passkeys that are removed but for the last
proof."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from dropengine.people import accounts, passkeys
from dropengine.people.passkeys import Passkey
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import PASSWORD, Hand, Studio, password_hash
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

ACCOUNT = "/studio/account"
NEWER = "another long enough sentence"


async def given(studio: Studio, account: str, *names: str, password: bool = True) -> None:
    """Passkeys of these names, which nobody can sign with; and no password, if said so."""
    hashed = password_hash() if password else ""

    def made(sql: Connection) -> None:
        for name in names:
            passkeys.keep(sql, Passkey(f"{account}-{name}", account, name, b"key", 0, 1, 0))
        accounts.set_password(sql, account, hashed)

    await studio.web.runtime.database.write(made)


async def sent(hand: Hand, path: str, **fields: str) -> tuple[int, str]:
    """A form of the page, and what is said after it."""
    answer = await hand.http.post(f"{ACCOUNT}/{path}", data={"key": key(), **fields})
    if answer.status_code != 303:
        return answer.status_code, told(answer)
    assert answer.headers["location"] == ACCOUNT
    return 303, told(await hand.http.get(ACCOUNT))


async def test_a_new_password_ends_every_other_session(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("ben") as elsewhere:
        status, said = await sent(ben, "password", old=PASSWORD, password=NEWER)
        assert status == 303
        assert "Your password is new, and you are signed out everywhere else." in said
        assert (await elsewhere.http.get(ACCOUNT)).status_code == 303
        await ben.post("/sign-out")
        assert (await ben.post("/sign-in", {"name": "ben", "password": PASSWORD})).is_error
        assert (await ben.post("/sign-in", {"name": "ben", "password": NEWER})).is_success
        assert (await sent(ben, "password", old=NEWER, password=PASSWORD))[0] == 303


async def test_who_does_not_know_the_present_password_sets_none(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("ben") as elsewhere:
        for old in ("", "not that one at all", "x" * 300):
            status, said = await sent(ben, "password", old=old, password=NEWER)
            assert (status, "That is not your present password." in said) == (403, True)
        for wrong in ("", "short", "x" * 257):
            status, said = await sent(ben, "password", old=PASSWORD, password=wrong)
            assert (status, "has 10 to 256 characters" in said) == (400, True)
            assert wrong == "" or wrong not in said
        assert (await elsewhere.http.get(ACCOUNT)).status_code == 200


async def test_who_has_no_password_sets_one_by_his_session_alone(studio: Studio) -> None:
    async with studio.person("cyd") as cyd:
        await given(studio, "id-cyd", "phone", password=False)
        page = await cyd.http.get(ACCOUNT)
        assert 'name="old"' not in page.text
        assert "Set a password" in page.text
        assert (await sent(cyd, "password", password=PASSWORD))[0] == 303
        assert 'name="old"' in (await cyd.http.get(ACCOUNT)).text
        assert (await sent(cyd, "passkeys/id-cyd-phone/remove"))[0] == 303


async def test_a_passkey_is_removed_but_never_the_last_proof(studio: Studio) -> None:
    async with studio.person("cyd") as cyd:
        await given(studio, "id-cyd", "phone", "laptop", password=False)
        status, said = await sent(cyd, "passkeys/id-cyd-phone/remove")
        assert (status, "lets nobody in any more" in said) == (303, True)
        status, said = await sent(cyd, "passkeys/id-cyd-laptop/remove")
        assert (status, "It is the last that proves you." in said) == (409, True)
        await given(studio, "id-cyd", password=True)
        assert (await sent(cyd, "passkeys/id-cyd-laptop/remove"))[0] == 303


async def test_nobody_removes_a_passkey_of_another(studio: Studio) -> None:
    await given(studio, "id-ben", "till")
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        assert (await sent(ada, "passkeys/id-ben-till/remove"))[0] == 404
        assert "till" in (await ben.http.get(ACCOUNT)).text
        assert (await sent(ben, "passkeys/id-ben-till/remove"))[0] == 303


async def test_what_no_device_made_is_no_passkey(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        for made in ("", "[]", "nonsense", "[" * 5_000):
            status, said = await sent(ada, "passkeys", label="My phone", credential=made)
            assert (status, "made no passkey" in said) == (400, True), made
        for label in ("", " ", "x" * 41):
            status, said = await sent(ada, "passkeys", label=label, credential="{}")
            assert (status, "Give the passkey a name" in said) == (400, True), label
        # The browser asked for nothing, so whatever it shows was not asked for.
        forged = json.dumps({"id": "x", "rawId": "x", "response": {}, "type": "public-key"})
        assert (await sent(ada, "passkeys", label="My phone", credential=forged))[0] == 400
        assert "My phone" not in told(await ada.http.get(ACCOUNT))

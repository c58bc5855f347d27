"""Letters end by one click, from a mail program too, and by nobody else's."""

from __future__ import annotations

from dropengine.mail import unsubscribing
from dropengine.people import persons, wishes
from dropengine.people.wishes import Way, Wish
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def address(studio: Studio, name: str) -> tuple[str, str]:
    """A person, and where his letters are ended."""
    database = studio.web.runtime.database
    person = await database.write(
        lambda sql: persons.make(sql, name, f"{name}@example.org", studio.now_ms)
    )
    token = unsubscribing.token(studio.web.runtime.secret, person.id, Wish.OFFER)
    return person.id, f"{unsubscribing.PAGE}{token}"


async def called(studio: Studio, person: str) -> bool:
    return await wants(studio, person, Wish.OFFER)


async def wants(studio: Studio, person: str, wish: Wish) -> bool:
    return await studio.web.runtime.database.read(
        lambda sql: wishes.wants(sql, person, wish, Way.MAIL)
    )


async def test_a_mail_program_ends_them_without_a_session_and_looking_ends_nothing(
    studio: Studio,
) -> None:
    person, path = await address(studio, "ana")
    async with studio.web.http() as http:
        http.cookies.clear()
        del http.headers["origin"]
        for _ in range(3):
            assert (await http.get(path)).status_code == 200
        assert await called(studio, person)
        for _ in range(2):
            assert (await http.post(path, data=ONE_CLICK)).status_code == 200
            assert not await called(studio, person)
        assert (await http.post(path, data={"again": "yes"})).status_code == 200
        assert await called(studio, person)
        parts = {"List-Unsubscribe": (None, b"One-Click")}
        assert (await http.post(path, files=parts)).status_code == 200
        assert not await called(studio, person)


async def test_a_letter_ends_its_own_kind_and_an_old_one_all_of_them(studio: Studio) -> None:
    person, path = await address(studio, "dora")
    async with studio.web.http() as http:
        assert (await http.post(path, data=ONE_CLICK)).status_code == 200
        assert [wish for wish in Wish if not await wants(studio, person, wish)] == [Wish.OFFER]
        old = unsubscribing.token(studio.web.runtime.secret, person, None)
        assert (await http.post(f"{unsubscribing.PAGE}{old}", data=ONE_CLICK)).status_code == 200
        assert not any([await wants(studio, person, wish) for wish in Wish])
        # They come again, and by push they always did.
        again = await http.post(f"{unsubscribing.PAGE}{old}", data={"again": "yes"})
        assert again.status_code == 200
        assert all([await wants(studio, person, wish) for wish in Wish])


async def test_nobody_ends_those_of_others(studio: Studio) -> None:
    person, path = await address(studio, "bo")
    other, _ = await address(studio, "cy")
    async with studio.web.http() as http:
        other_kind = path.replace("offer", "news")
        for wrong in (path[:-1], path.replace(person, other), f"{path}x", other_kind):
            assert (await http.post(wrong, data=ONE_CLICK)).status_code == 404
            assert (await http.get(wrong)).status_code == 404
    assert await called(studio, person)
    assert await called(studio, other)

"""Drafts and what is shown beside rules, on both engines: saved over what was seen, or not."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection

from dropengine.people import drafts, makers, showcases
from dropengine.people.drafts import Draft
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database

STRANGE = {"title": "a\x00b \U0001f319 \u202e \u2028", "story": "\r\n'\"; DROP TABLE drafts;--"}
NOW_MS = 1_800_000_000_000


def maker(sql: Connection) -> str:
    made = makers.new("lamps", "Lamps", "#112233", NOW_MS)
    makers.make(sql, made)
    return made.id


async def test_of_ten_who_save_at_once_over_one_version_one_does(database: Database) -> None:
    def begun(sql: Connection) -> str:
        return drafts.make(sql, maker(sql), {}, "ada", NOW_MS)

    draft = await database.write(begun)

    async def saves(n: int) -> int:
        def saved(sql: Connection) -> int:
            return drafts.save(sql, draft, 1, {"title": f"of {n}"}, f"editor {n}", NOW_MS + n)

        return await change(database, saved)

    done = await asyncio.gather(*(saves(n) for n in range(10)))
    assert sorted(done) == [0] * 9 + [2]
    kept = await database.read(lambda sql: drafts.find(sql, draft))
    assert isinstance(kept, Draft)
    winner = done.index(2)
    assert (kept.form, kept.by, kept.version) == (
        {"title": f"of {winner}"},
        f"editor {winner}",
        2,
    )


async def test_what_was_typed_comes_back_letter_by_letter(database: Database) -> None:
    def kept(sql: Connection) -> dict[str, str]:
        draft = drafts.make(sql, maker(sql), STRANGE, "ada", NOW_MS)
        found = drafts.find(sql, draft)
        assert found is not None
        return found.form

    assert await database.write(kept) == STRANGE


async def test_a_draft_that_became_a_drop_is_saved_and_removed_no_more(
    database: Database,
) -> None:
    def tried(sql: Connection) -> tuple[int, int, Draft | None]:
        mine = maker(sql)
        draft = drafts.make(sql, mine, {"title": "a"}, "ada", NOW_MS)
        drafts.published(sql, draft, "lamp")
        late = drafts.save(sql, draft, 1, {"title": "b"}, "ben", NOW_MS)
        drafts.remove(sql, draft)
        assert drafts.of_makers(sql, [mine]) == []
        assert drafts.latest_form(sql, mine) == {"title": "a"}
        return late, drafts.count(sql, mine), drafts.find(sql, draft)

    late, counted, left = await database.write(tried)
    assert (late, counted) == (0, 0)
    assert left is not None
    assert left.drop_id == "lamp"


async def test_what_a_drop_shows_is_saved_over_what_was_seen(database: Database) -> None:
    async def saves(version: int, text: str) -> bool:
        return await change(
            database, lambda sql: showcases.save(sql, "lamp", version, {"delivery": text})
        )

    assert sorted(await asyncio.gather(*(saves(0, str(n)) for n in range(6)))) == [False] * 5 + [
        True
    ]
    assert not await saves(2, "of the future")
    assert await saves(1, "newer")
    found = await database.read(lambda sql: showcases.find(sql, "lamp"))
    assert found == ({"delivery": "newer"}, 2)


async def test_a_picture_is_kept_once_under_its_hash(database: Database) -> None:
    def kept(sql: Connection) -> tuple[str, str, bytes | None, bytes | None]:
        first, again = showcases.keep_file(sql, b"webp"), showcases.keep_file(sql, b"webp")
        return first, again, showcases.find_file(sql, first), showcases.find_file(sql, "none")

    first, again, found, none = await database.write(kept)
    assert first == again
    assert (found, none) == (b"webp", None)

"""Letters that are owed reach their readers, once as far as anybody can tell, whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.ledger.post import LANES, Post
from dropengine.mail import outbox
from dropengine.mail.carriers import Carried, FileCarrier, remove_files
from dropengine.mail.letter import Kind, Letter
from dropengine.mail.outbox import AT_ONCE, FIRST_WAIT_MS, KEPT_MS, MailState
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.post_office import STEPS, PostOffice

LETTER = Letter(
    id="m0",
    kind=Kind.SIGN_IN,
    to="ana@example.org",
    subject="Your code",
    words="123456",
    written_ms=1_000,
)


class Clock:
    """The time of a test, ms."""

    def __init__(self) -> None:
        self.ms = 10_000

    def now_ms(self) -> int:
        return self.ms

    def s(self) -> float:
        return self.ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with PostOffice().at_work() as one:
        yield one


MakePost = Callable[[], Post]


@pytest.fixture
def make_post(
    store: Store, database: Database, sql_settings: Settings, office: PostOffice, clock: Clock
) -> MakePost:
    told = msgspec.structs.replace(
        sql_settings,
        smtp_url=f"smtp://127.0.0.1:{office.port}",
        mail_from="shop@example.org",
    )

    def make() -> Post:
        return Post(store, database, told, clock=clock.s, now_ms=clock.now_ms)

    return make


async def owe(database: Database, *letters: Letter) -> None:
    def work(sql: Connection) -> None:
        for one in letters:
            outbox.put(sql, one)

    await database.write(work)


async def counts(database: Database) -> dict[MailState, int]:
    found = await database.read(outbox.counts)
    return {state: number for state, number in found.items() if number}


async def rounds(post: Post, clock: Clock, count: int) -> None:
    """So many, with the pauses between them."""
    for _ in range(count):
        await post.round()
        clock.ms += int(post.every_s * 1000)


async def test_a_letter_is_sent_once(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    post = make_post()
    await owe(database, LETTER)
    await rounds(post, clock, 5)
    [mail] = office.mails()
    assert (mail["To"], mail["Subject"]) == ("ana@example.org", "Your code")
    assert await counts(database) == {MailState.SENT: 1}
    assert post.standing.waiting == 0


async def test_a_thousand_letters_are_sent_once_each_over_few_connections(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    many = [
        msgspec.structs.replace(LETTER, id=f"m{n}", to=f"fan{n}@example.org") for n in range(1_000)
    ]
    await owe(database, *many)
    post = make_post()
    await rounds(post, clock, 1_000 // AT_ONCE)
    assert Counter(mail["To"] for mail in office.mails()) == Counter(one.to for one in many)
    assert await counts(database) == {MailState.SENT: 1_000}
    assert office.open_most <= LANES


async def test_4xx_is_tried_again_with_growing_pauses(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    post = make_post()
    await owe(database, LETTER)
    office.to_mail = "451 Come back later"
    pauses = []
    for tries in range(1, 5):
        begun, known = clock.ms, len(office.took)
        while len(office.took) == known:
            await post.round()
            clock.ms += 1_000
        pauses.append(clock.ms - begun)
        assert len(office.took) == tries
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 4 * FIRST_WAIT_MS
    office.to_mail = "250 OK"
    clock.ms += 3_600_000
    await post.round()
    assert await counts(database) == {MailState.SENT: 1}
    assert {*office.took} == {office.took[0]}


async def test_5xx_is_final_and_no_other_letter_waits_for_it(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    post = make_post()
    await owe(database, LETTER)
    office.to_recipient = "550 No such person"
    await rounds(post, clock, 3)
    assert await counts(database) == {MailState.BOUNCED: 1}
    office.to_recipient = "250 OK"
    await owe(database, msgspec.structs.replace(LETTER, id="m1"))
    await rounds(post, clock, 3)
    assert await counts(database) == {MailState.BOUNCED: 1, MailState.SENT: 1}
    assert len(office.took) == 1


@pytest.mark.parametrize("step", STEPS)
async def test_a_connection_cut_at_any_step_loses_nothing_and_doubles_only_an_id(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock, step: str
) -> None:
    post = make_post()
    await owe(database, LETTER)
    office.cut = step
    await rounds(post, clock, 2)
    assert await counts(database) == {MailState.DEFERRED: 1}
    office.cut = ""
    clock.ms += 60_000
    await rounds(post, clock, 2)
    assert await counts(database) == {MailState.SENT: 1}
    assert office.took
    assert {*office.took} == {office.took[-1]}


async def test_a_server_that_is_away_costs_one_letter_a_lane_a_try_and_is_told(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    post = make_post()
    await owe(database, *(msgspec.structs.replace(LETTER, id=f"m{n}") for n in range(30)))
    office.cut = "connect"
    await post.round()
    assert post.away
    assert office.connections == LANES
    assert (await counts(database))[MailState.QUEUED] == 30 - LANES
    waited = post.every_s
    await rounds(post, clock, 3)
    assert post.every_s > waited
    assert post.oldest_s >= (10_000 - LETTER.written_ms) / 1000
    office.cut = ""
    clock.ms += 60_000
    await rounds(post, clock, 3)
    assert (post.away, post.oldest_s) == ("", 0)
    assert await counts(database) == {MailState.SENT: 30}


async def test_who_dies_between_sending_and_marking_sends_the_same_mail_again(
    make_post: MakePost,
    database: Database,
    office: PostOffice,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await owe(database, LETTER)
    dying = make_post()
    mark = dying._mark

    async def dies_over_a_letter(letter: str | None = None) -> None:
        if letter is not None:
            raise DatabaseAway("gone")
        await mark(letter)

    with monkeypatch.context() as patch:
        patch.setattr(dying, "_mark", dies_over_a_letter)
        with pytest.raises(DatabaseAway):
            await dying.round()
    assert len(office.took) == 1
    assert await counts(database) == {MailState.QUEUED: 1}
    # Its lease has run out.
    await store.client.flushall()
    await make_post().round()
    assert office.took[0] == office.took[1]
    assert await counts(database) == {MailState.SENT: 1}


async def test_what_could_not_be_marked_is_marked_before_anything_is_sent_again(
    make_post: MakePost, database: Database, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owe(database, LETTER)
    post = make_post()
    write = database.write

    async def away_after_the_first_mail(work: object) -> object:
        if office.took:
            raise DatabaseAway("the disk is full")
        return await write(work)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", away_after_the_first_mail)
        for _ in range(5):
            with pytest.raises(DatabaseAway):
                await post.round()
    assert len(office.took) == 1
    await post.round()
    assert len(office.took) == 1
    assert await counts(database) == {MailState.SENT: 1}


async def test_a_letter_whose_moment_passed_is_not_sent(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock
) -> None:
    await owe(
        database,
        msgspec.structs.replace(LETTER, id="late", until_ms=clock.ms),
        msgspec.structs.replace(LETTER, id="soon", until_ms=clock.ms + 1),
    )
    await make_post().round()
    assert [mail["Message-ID"] for mail in office.mails()] == ["<soon@example.org>"]
    assert await counts(database) == {MailState.OVER: 1, MailState.SENT: 1}


async def test_one_of_several_sends_and_the_next_goes_on_when_it_is_gone(
    make_post: MakePost, database: Database, office: PostOffice, clock: Clock, store: Store
) -> None:
    first, second = make_post(), make_post()
    await first.round()
    await second.round()
    assert (first.held, second.held) == (True, False)
    await owe(database, LETTER)
    await second.round()
    assert not office.took
    await first.round()
    assert len(office.took) == 1


async def test_letters_go_while_the_server_of_the_truth_is_away(
    database: Database, sql_settings: Settings, office: PostOffice, clock: Clock, store: Store
) -> None:
    told = msgspec.structs.replace(
        sql_settings, smtp_url=f"smtp://127.0.0.1:{office.port}", mail_from="shop@example.org"
    )
    post = Post(store, database, told, clock=clock.s, now_ms=clock.now_ms)
    await post.round()
    nobody = Store(connections.client(f"unix://{sql_settings.data_dir}/nobody.sock"))
    post._lease._store = nobody
    await owe(database, LETTER)
    clock.ms += 60_000
    await post.round()
    assert len(office.took) == 1
    stranger = Post(nobody, database, told, clock=clock.s, now_ms=clock.now_ms)
    with pytest.raises(Unavailable):
        await stranger.round()
    await nobody.close()


async def test_without_a_mail_server_letters_are_files_and_go_when_they_are_forgotten(
    database: Database, sql_settings: Settings, clock: Clock, store: Store
) -> None:
    post = Post(store, database, sql_settings, clock=clock.s, now_ms=clock.now_ms)
    await owe(database, LETTER)
    await post.round()
    folder = sql_settings.data_dir / "mail"
    assert [file.name for file in folder.iterdir()] == ["m0.eml"]
    assert await counts(database) == {MailState.SENT: 1}
    clock.ms += KEPT_MS
    await post.round()
    assert [*folder.iterdir()] == []
    assert await counts(database) == {}


class Forgetful(FileCarrier):
    """Its reader is forgotten, file and all, when the letter is on its way already."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder)
        self._at = folder
        self._database = database

    async def carry(self, mail: EmailMessage) -> Carried:
        gone = await self._database.write(lambda sql: outbox.forget(sql, MAILS.c.id == LETTER.id))
        remove_files(self._at, gone)
        return await super().carry(mail)


async def test_of_who_is_forgotten_while_his_letter_is_on_its_way_no_file_is_left(
    database: Database, sql_settings: Settings, clock: Clock, store: Store
) -> None:
    folder = sql_settings.data_dir / "mail"
    carriers = [Forgetful(folder, database)]
    post = Post(
        store, database, sql_settings, carriers=carriers, clock=clock.s, now_ms=clock.now_ms
    )
    other = msgspec.structs.replace(LETTER, id="m1", written_ms=LETTER.written_ms + 1)
    await owe(database, LETTER, other)
    await post.round()
    assert [file.name for file in folder.iterdir()] == ["m1.eml"]
    assert await counts(database) == {MailState.SENT: 1}


async def test_what_a_sender_left_who_died_over_somebody_who_was_forgotten_goes_at_the_next_start(
    database: Database, sql_settings: Settings, clock: Clock, store: Store
) -> None:
    folder = sql_settings.data_dir / "mail"
    folder.mkdir()
    for name in ("gone.eml", "half.part"):
        (folder / name).write_text("To: ana@example.org")
    await owe(database, LETTER)
    post = Post(store, database, sql_settings, clock=clock.s, now_ms=clock.now_ms)
    await post.round()
    assert [file.name for file in folder.iterdir()] == ["m0.eml"]


async def test_a_row_that_no_mail_can_be_made_of_keeps_no_other_from_being_sent(
    make_post: MakePost, database: Database, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("dropengine.mail.letter.check", lambda _: None)
        await owe(database, msgspec.structs.replace(LETTER, to="ana@example.org\r\nBcc: x"))
    await owe(database, msgspec.structs.replace(LETTER, id="m1"))
    await make_post().round()
    assert [mail["Message-ID"] for mail in office.mails()] == ["<m1@example.org>"]
    assert await counts(database) == {MailState.FAILED: 1, MailState.SENT: 1}

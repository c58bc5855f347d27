"""The book of points: who counts for whom, what is refused and why, and what a maker cures."""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

import msgspec
import pytest
from sqlalchemy import Connection, select
from sqlalchemy.event import listen

from dropengine.manifest import Collectors, Friends, GameRules, Mission
from dropengine.model import DropId, FanId
from dropengine.people import (
    badges,
    becoming,
    boards,
    collecting,
    game_data,
    game_fans,
    missions,
    points_book,
    referrals,
)
from dropengine.people.missions import Told
from dropengine.people.points_book import COUNTED, COUNTS, DAY_MS, REASONS, REFUSED
from dropengine.people.referrals import Came
from dropengine.sql.database import Database
from dropengine.sql.schema.game import (
    CREDITED,
    GAME_DEVICES,
    GAME_FANS,
    MISSIONS,
    POINTS_BOOK,
    REFERRALS,
)
from dropengine.sql.schema.ledger import DROPS, ENTRIES, ORDERS
from tests.kit import databases
from tests.people.test_draw_losses_in_sql import MIA, NOW, people, put

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

DROP: Final = DropId("pin")
FRIENDS: Final = Friends(worth=2, most=10, delay_ms=600_000, network_most=3, domain_most=5)
RULES: Final = GameRules(points_until="close", friends=FRIENDS, collectors=None, missions=())
WORD: Final = Mission(id="word", title="The word", kind="code", worth=3, ends_ms=0)
TAPPED: Final = Mission(id="badge", title="A badge", kind="tap", worth=1, ends_ms=NOW + 9_000)


def fan(name: object) -> FanId:
    return FanId(f"fan{name}")


def link(sql: Connection, name: object) -> str:
    return game_fans.enter(sql, DROP, fan(name), NOW).code


def comes(
    sql: Connection, friend: object, by: object, at: int = NOW, network: str = "", domain: str = ""
) -> bool:
    whence = Came(network, domain)
    return referrals.came(sql, DROP, fan(friend), link(sql, by), whence, at)


def joins(sql: Connection, friend: object, at: int = NOW + 1) -> None:
    came = referrals.find(sql, DROP, fan(friend))
    if came is not None and not came.first_ms:
        points_book.friend(sql, DROP, FRIENDS, referrals.took_part(sql, DROP, came, at), at)


def decided(sql: Connection, now_ms: int = NOW + DAY_MS) -> None:
    while points_book.due(sql, DROP, now_ms):
        points_book.decide(sql, DROP, RULES, now_ms)


def points(sql: Connection, name: object) -> int:
    found = game_fans.find(sql, DROP, fan(name))
    return 0 if found is None else found.points


def states(sql: Connection, name: object) -> Counter[tuple[str, str]]:
    return Counter((row.state, row.reason) for row in points_book.of_fan(sql, DROP, fan(name)))


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_graph_of_friends_gives_more_than_the_rules(database: Database, seed: int) -> None:
    """Whoever brings whom, in whatever order: self, circles, stars, chains, and honest people."""
    chance = random.Random(seed)
    names = range(120)

    def lived(sql: Connection) -> None:
        for step in range(500):
            friend, by = chance.choice(names), chance.choice(names[:20])
            if chance.random() < 0.3:
                # A chain, and now and then the way back.
                friend, by = by, max(0, by - chance.choice((-1, 1)))
            network = f"n{chance.randrange(40)}"
            comes(sql, friend, by, NOW + step, network, chance.choice(("", "", "firm")))
            if chance.random() < 0.5:
                joins(sql, chance.choice(names), NOW + step)
        for friend in names:
            joins(sql, friend, NOW + 1_000)
        decided(sql)

    def judged(sql: Connection) -> None:
        rows = [row for name in names for row in points_book.of_fan(sql, DROP, fan(name))]
        counted = [row for row in rows if row.state in COUNTS]
        assert len(counted) > 20
        # Nobody is a friend twice, or of himself, or of those who came by him.
        by = {row.source_id: row.fan for row in counted}
        assert len(by) == len(counted)
        for start in by:
            met, here = [start], start
            while (here := by.get(here, "")) and here not in met:
                met.append(here)
            assert here == "", f"a circle: {met}"
        for what, most in (("network", 3), ("domain", 5)):
            times = Counter(getattr(row, what) for row in counted if getattr(row, what))
            assert max(times.values()) <= most
        for name in names:
            mine = [row.worth for row in counted if row.fan == fan(name)]
            assert sum(mine) == points(sql, name) <= FRIENDS.most
        refused = [row for row in rows if row.state == REFUSED]
        assert {row.reason for row in refused} >= {"cycle", "network", "domain"}
        assert all(REASONS[row.reason] == REFUSED for row in refused)

    await database.write(lived)
    await database.write(judged)


async def test_five_hundred_throwaways_give_what_three_friends_do(database: Database) -> None:
    def lived(sql: Connection) -> None:
        for one in range(500):
            assert comes(sql, f"t{one}", "star", network="cellar", at=NOW + one)
            joins(sql, f"t{one}", NOW + 1_000)
        # On other networks it is the cap that holds, and a mail domain before it.
        for one in range(12):
            comes(sql, f"u{one}", "wide", network=f"n{one}", at=NOW)
            comes(sql, f"v{one}", f"firm{one % 2}", network=f"m{one}", domain="firm", at=NOW)
            joins(sql, f"u{one}", NOW + 1 + one)
            joins(sql, f"v{one}", NOW + 1 + one)
        decided(sql, NOW + FRIENDS.delay_ms)
        assert points_book.tallies(sql, DROP) == {"waiting": (524, 1048)}, "the delay"
        decided(sql)

    def judged(sql: Connection) -> None:
        counted = (COUNTED, "")
        assert states(sql, "star")[counted] == 3
        assert points_book.tallies(sql, DROP)[REFUSED].rows == 497 + 7 + 7
        assert states(sql, "wide") == {counted: 5, (REFUSED, "most"): 7}
        assert states(sql, "firm0") == {counted: 3, (REFUSED, "domain"): 3}
        assert states(sql, "firm1") == {counted: 2, (REFUSED, "domain"): 4}
        assert [points(sql, name) for name in ("star", "wide", "firm0")] == [6, 10, 6]
        told = {one.kind for one in badges.of_somebody(sql, lambda _: [fan("wide"), "other"])}
        assert told == {badges.FIRST_FRIEND, badges.FIVE_FRIENDS}
        # Who runs the drop reads what was refused, page by page, and lets one count.
        first = points_book.refused(sql, DROP, 0, 300)
        second = points_book.refused(sql, DROP, first[-1].id, 300)
        assert len({row.id for row in (*first, *second)}) == 511
        theirs = next(row for row in second if row.fan == fan("star"))
        assert points_book.cure(sql, DROP, theirs.id, NOW + DAY_MS)
        assert not points_book.cure(sql, DROP, theirs.id, NOW + DAY_MS)
        assert points(sql, "star") == 8
        assert states(sql, "star")["cured", "network"] == 1
        # The next day is another one.
        comes(sql, "late", "star", network="cellar", at=NOW + 2 * DAY_MS)
        joins(sql, "late", NOW + 2 * DAY_MS)
        decided(sql, NOW + 3 * DAY_MS)
        assert points(sql, "star") == 10

    await database.write(lived)
    await database.write(judged)


async def test_money_given_back_takes_points_back_and_the_truth_is_told(database: Database) -> None:
    def lived(sql: Connection) -> None:
        for friend in ("ben", "cy"):
            comes(sql, friend, "ana")
            joins(sql, friend)
        decided(sql)
        (told,) = game_fans.untold(sql, DROP, 9)
        assert (told.points, told.at, told.why) == (4, 1, "friend")
        game_fans.told(sql, DROP, [told])
        assert game_fans.untold(sql, DROP, 9) == []
        points_book.take_back(sql, DROP, fan("cy"))
        points_book.take_back(sql, DROP, fan("cy"))
        (told,) = game_fans.untold(sql, DROP, 9)
        assert (told.points, told.at, told.why) == (2, 2, "taken_back")
        assert states(sql, "ana") == {(COUNTED, ""): 1, ("taken_back", "refunded"): 1}
        # What was told meanwhile does not tick off the newer.
        game_fans.tell_again(sql, DROP, [fan("ana"), fan("ben")])
        game_fans.told(sql, DROP, [told])
        assert [one.at for one in game_fans.untold(sql, DROP, 9)] == [3]

    await database.write(lived)


async def test_who_was_let_count_takes_no_place_also_when_his_money_went_back(
    database: Database,
) -> None:
    def lived(sql: Connection) -> None:
        for one in range(4):
            comes(sql, one, "ana", network="n", at=NOW + 5)
            joins(sql, one, NOW + (1 if one == 0 else 10 + one))
        decided(sql, NOW + FRIENDS.delay_ms + 12)
        (refused,) = points_book.refused(sql, DROP, 0, 9)
        assert refused.reason == "here_before"
        points_book.cure(sql, DROP, refused.id, NOW + FRIENDS.delay_ms + 12)
        assert points(sql, "ana") == 6
        points_book.take_back(sql, DROP, fan(0))
        decided(sql)
        assert states(sql, "ana") == {(COUNTED, ""): 3, ("taken_back", "refunded"): 1}

    await database.write(lived)


async def test_who_was_here_before_or_comes_late_is_nobodys_friend(database: Database) -> None:
    def lived(sql: Connection) -> None:
        comes(sql, "ben", "ana", NOW + 50)
        # The books hear of what he did before only now.
        joins(sql, "ben", NOW + 10)
        assert not comes(sql, "ana", "ana"), "a link of one's own"
        assert not referrals.came(sql, DROP, fan("cy"), "NOSUCHCO", Came("", ""), NOW)
        assert comes(sql, "cy", "ana")
        assert not comes(sql, "cy", "ben"), "the first link counts"
        comes(sql, "di", "ana")
        joins(sql, "di", NOW + 5)
        joins(sql, "cy", NOW + 100)
        assert missions.start(sql, DROP, WORD, "moon", 0, NOW)
        points_book.end(sql, DROP, RULES, NOW + FRIENDS.delay_ms + 50)
        points_book.end(sql, DROP, RULES, NOW + DAY_MS)
        found = states(sql, "ana")
        assert found == {(COUNTED, ""): 1, (REFUSED, "here_before"): 1, (REFUSED, "late"): 1}
        assert missions.say(sql, DROP, WORD, fan("ana"), "moon", NOW) is Told.NOT_RUNNING

    await database.write(lived)


async def test_a_guest_who_becomes_a_person_is_no_friend_of_his_own(database: Database) -> None:
    def lived(sql: Connection) -> None:
        # Ana opens her own link where she is not signed in, and so does a friend.
        mine = link(sql, "guest")
        comes(sql, "guest", "ana")
        comes(sql, "ben", "guest")
        joins(sql, "guest")
        joins(sql, "ben")
        missions.start(sql, DROP, WORD, "moon", 0, NOW)
        for name in ("guest", "ana"):
            missions.say(sql, DROP, WORD, fan(name), "moon", NOW)
        decided(sql)
        assert (points(sql, "ana"), points(sql, "guest")) == (5, 5)
        for _ in range(2):
            becoming.becomes(sql, DROP, fan("guest"), fan("ana"))
        assert states(sql, "ana") == {(COUNTED, ""): 2, (REFUSED, "self"): 1}
        assert game_fans.find(sql, DROP, fan("guest")) == game_fans.find(sql, DROP, fan("ana"))
        assert game_fans.fan_of_code(sql, DROP, mine.lower()) == fan("ana")
        for rubbish in ("", "\0" * 8, "\u00df" * 8, f"{mine}X"):
            assert game_fans.fan_of_code(sql, DROP, rubbish) is None
        (told,) = [one for one in game_fans.untold(sql, DROP, 9) if one.fan == fan("ana")]
        # Above both numbers that the truth may have heard.
        assert (told.points, told.at) == (5, 3)
        assert not comes(sql, "guest", "ben"), "who she was cannot close a circle"

    await database.write(lived)


async def test_who_comes_with_the_fans_own_browser_does_not_count(database: Database) -> None:
    def lived(sql: Connection) -> None:
        def comes_with(friend: str, device: str) -> None:
            whence = Came("", "", device)
            assert referrals.came(sql, DROP, fan(friend), link(sql, "ana"), whence, NOW)

        points_book.plays_with(sql, DROP, fan("ana"), "phone")
        for friend, device in (("ben", "phone"), ("cy", "desk"), ("di", "his"), ("eve", "desk")):
            comes_with(friend, device)
            joins(sql, friend, NOW + (1 if friend != "eve" else DAY_MS))
        # She sits there herself, before one of them counts.
        points_book.plays_with(sql, DROP, fan("guest"), "desk")
        decided(sql, NOW + 1)
        game_fans.enter(sql, DROP, fan("guest"), NOW)
        becoming.becomes(sql, DROP, fan("guest"), fan("ana"))
        points_book.plays_with(sql, DROP, fan("ana"), "desk")
        decided(sql, NOW + 3 * DAY_MS)
        assert states(sql, "ana") == {(COUNTED, ""): 1, (REFUSED, "device"): 3}
        for one in range(30):
            points_book.plays_with(sql, DROP, fan("ana"), f"made up {one}")
        mine = select(GAME_DEVICES).where(GAME_DEVICES.c.fan == fan("ana"))
        assert len(sql.execute(mine).all()) == referrals.DEVICES_MOST

    await database.write(lived)


async def test_a_mission_is_done_once_by_who_says_it_while_it_runs(database: Database) -> None:
    def lived(sql: Connection) -> None:
        def says(said: str, at: int = NOW) -> Told:
            return missions.say(sql, DROP, WORD, fan("ana"), said, at)

        assert says("moon") is Told.NOT_RUNNING
        assert not missions.start(sql, DROP, WORD, "  ", 0, NOW), "nothing to say"
        assert missions.start(sql, DROP, WORD, " Full Moon ", NOW + 5_000, NOW)
        assert not missions.start(sql, DROP, WORD, "other", 0, NOW)
        assert says("full sun") is Told.WRONG
        assert says("FULLmoon") is Told.RIGHT
        assert says("full moon") is Told.RIGHT
        assert says("full moon", NOW + 5_000) is Told.NOT_RUNNING
        assert missions.start(sql, DROP, TAPPED, "", 0, NOW + 1)
        assert missions.tap(sql, DROP, TAPPED, [fan("ana"), fan("ben"), fan("ana")], NOW) == 2
        assert missions.tap(sql, DROP, TAPPED, [fan("ben")], NOW) == 0
        assert missions.end(sql, DROP, "badge", NOW + 1)
        assert not missions.end(sql, DROP, "badge", NOW + 1)
        word, badge = missions.of_drop(sql, DROP, NOW + 2)
        assert (word.said, word.state, word.done) == ("Full Moon", "running", 1)
        assert (badge.said, badge.state, badge.done) == ("", "over", 2)
        assert (points(sql, "ana"), points(sql, "ben")) == (4, 1)
        # On the board by consent, ties as ties.
        for name, at in (("ben", "Ben"), ("cy", "Cy")):
            missions.say(sql, DROP, WORD, fan(name), "full moon", NOW)
            boards.show(sql, DROP, game_fans.enter(sql, DROP, fan(name), NOW).fan, at)
        missions.say(sql, DROP, WORD, fan("di"), "full moon", NOW)
        boards.show(sql, DROP, fan("di"), "Di")
        rows = [(one.rank, one.name, one.points) for one in boards.rows(sql, DROP)]
        assert rows == [(1, "Ben", 4), (2, "Cy", 3), (2, "Di", 3)]
        assert [boards.rank_of(sql, DROP, points) for points in (4, 3, 1)] == [1, 2, 4]
        assert boards.fault_in("a" * 25)
        assert boards.fault_in("\u202eliam")
        assert not boards.fault_in("Zoë 🦊")
        # When points count no more, nothing is begun, runs on or is let count.
        assert comes(sql, "ed", "ana", NOW + 2)
        joins(sql, "ed", NOW + 1)
        (refused,) = points_book.refused(sql, DROP, 0, 9)
        points_book.end(sql, DROP, RULES, NOW + 3)
        other = msgspec.structs.replace(WORD, id="other")
        assert not missions.start(sql, DROP, other, "moon", 0, NOW + 4)
        assert {one.state for one in missions.of_drop(sql, DROP, NOW + 4)} == {"over"}
        assert not points_book.cure(sql, DROP, refused.id, NOW + 4)

    await database.write(lived)


async def test_a_whole_line_is_ticked_off_in_a_few_statements(database: Database) -> None:
    many = [fan(n) for n in range(2_000)]

    def lived(sql: Connection) -> None:
        missions.start(sql, DROP, TAPPED, "", 0, NOW)
        missions.start(sql, DROP, WORD, "moon", 0, NOW)
        for one in (3, "guest"):
            assert missions.say(sql, DROP, WORD, fan(one), "moon", NOW) == Told.RIGHT
        becoming.becomes(sql, DROP, fan("guest"), fan(4))
        asked: list[str] = []
        listen(sql, "before_cursor_execute", lambda *said: asked.append(said[2]))
        assert missions.tap(sql, DROP, TAPPED, [*many, fan("guest"), fan(1)], NOW + 1) == 2_000
        # Some engines take a part of the rows with each.
        assert len(asked) < 40
        assert missions.tap(sql, DROP, TAPPED, [*many[:5], fan("late")], NOW + 2) == 1
        assert [points(sql, one) for one in (3, 4, 5, "late")] == [4, 4, 1, 1]
        (mine,) = badges.of_fan(sql, DROP, fan(1_999))
        assert mine.kind == badges.MISSION
        told = {one.fan: (one.points, one.at) for one in game_fans.untold(sql, DROP, 3_000)}
        assert (len(told), told[fan(1_999)], told[fan(3)]) == (2_001, (1, 1), (4, 2))
        codes = sql.execute(select(GAME_FANS.c.code)).scalars().all()
        assert len({*codes}) == len(codes) == 2_002

    await database.write(lived)


async def test_earlier_drops_of_the_maker_are_worth_points_once(database: Database) -> None:
    rules = Collectors(bought=2, missed=1, most=4)

    def lived(sql: Connection) -> None:
        ana, _ = people(sql)
        for place, drop in enumerate(("one", "two", "three", "four", DROP)):
            ended_ms = NOW if drop != DROP else 0
            put(sql, DROPS, drop_id=drop, published_ms=NOW + place, ended_ms=ended_ms)
        put(sql, DROPS, drop_id="play", practice=1, ended_ms=NOW)
        him = {drop: ana.fan(DropId(drop), {}) for drop in ("one", "two", "three", "four", "play")}
        for drop, fan_there in him.items():
            put(sql, ENTRIES, drop_id=drop, entry="e1", fan=fan_there)
        for drop in ("two", "three", "play"):
            put(sql, ORDERS, drop_id=drop, hold="h1", fan=him[drop], state="done")
        here = game_fans.enter(sql, DROP, ana.fan(DROP, {}), NOW).fan
        for _ in range(2):
            collecting.collect(sql, DROP, rules, ana, {}, here, NOW)
        found = points_book.of_source(sql, DROP, here, points_book.COLLECTOR)
        assert found == {"missed:one": 1, "bought:two": 2, "bought:three": 1}
        told = game_data.export(sql, lambda drop: [ana.fan(drop, {})])
        assert [row["of"] for row in told[0]["book"]] == [  # type: ignore[attr-defined]
            "bought:three",
            "bought:two",
            "missed:one",
        ]

    assert MIA.id
    await database.write(lived)


async def test_who_erases_himself_leaves_no_name_and_a_drop_that_is_over_no_friends(
    database: Database,
) -> None:
    def lived(sql: Connection) -> None:
        comes(sql, "ben", "ana", network="n1")
        joins(sql, "ben")
        decided(sql)
        missions.start(sql, DROP, WORD, "moon", 0, NOW)
        missions.say(sql, DROP, WORD, fan("ben"), "moon", NOW)
        boards.show(sql, DROP, fan("ben"), "Ben")
        game_data.erase(sql, lambda _: [fan("ben")])
        assert (points(sql, "ben"), boards.rows(sql, DROP)) == (0, [])
        assert badges.of_fan(sql, DROP, fan("ben")) == []
        assert game_fans.find(sql, DROP, fan("ben")).why == "taken_back"  # type: ignore[union-attr]
        # Whose friend he was counts on, until the drop is over.
        assert points(sql, "ana") == 2
        assert not comes(sql, "ben", "cy")
        assert not game_data.any_over(sql)
        sql.execute(CREDITED.update().values(over=1))
        assert game_data.any_over(sql)
        game_data.forget_over(sql)
        assert not game_data.any_over(sql)
        assert sql.execute(select(REFERRALS)).all() == []
        (row,) = sql.execute(select(POINTS_BOOK)).all()
        assert (row.source_id, row.network, row.worth) == ("1", "", 2)
        assert sql.execute(select(MISSIONS.c.said, MISSIONS.c.hash)).one() == ("", "")
        assert not comes(sql, "di", "ana"), "it is over"

    await database.write(lived)

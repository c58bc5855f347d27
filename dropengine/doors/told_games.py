"""What a fan is told of the game: what is everybody's, read now and then, and what is his, read
when he asks."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from sqlalchemy import Connection

from dropengine import errors
from dropengine.live import views
from dropengine.manifest import GameRules, Manifest, Mission
from dropengine.model import DropId, FanId
from dropengine.people import badges, boards, game_fans, missions, points_book, referrals
from dropengine.people.badges import Badge
from dropengine.people.boards import Standing
from dropengine.people.game_fans import GameFan
from dropengine.people.missions import MissionRow
from dropengine.people.points_book import BookRow
from dropengine.people.referrals import Referral
from dropengine.people.tickets import VERIFIED
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from dropengine.wire_game import BadgeView, BoardRow, BoardView, Game, MissionView, PointRow

PUBLIC_S: Final = 2.0
"""What is everybody's is read so often."""
KNOWN_MAX: Final = 1_000


class _Public(NamedTuple):
    """What is everybody's. ended: points count no more."""

    missions: dict[str, MissionRow]
    ended: bool
    board: list[Standing]
    boosts_hour: int


class _His(NamedTuple):
    """What is one fan's. pending: friends who are in no row of his book yet. rank: on the board."""

    him: GameFan
    rows: list[BookRow]
    pending: list[Referral]
    badges: list[Badge]
    came: bool
    rank: int


class ToldGames:
    """One for a process. Every method raises Unavailable and DatabaseAway."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._public: dict[DropId, tuple[float, _Public]] = {}
        self._titles: dict[DropId, str] = {}

    def changed(self, drop: DropId) -> None:
        """What is everybody's is to be read anew: somebody waits to see it."""
        self._public.pop(drop, None)

    async def of(self, manifest: Manifest, link: str, fan: FanId | None, *, acts: bool) -> Game:
        """link: of the drop's page. fan: who asks, as far as anybody knows; acts: he may act in
        the drop, else only by whom he came is known of him."""
        drop, game, rules = DropId(manifest.id), manifest.game, views.game_view(manifest)
        assert game is not None, "only drops with a game are told of"
        assert rules is not None, "they have rules"
        public = await self._everybodys(drop)
        his = None
        if fan is not None:
            his = await self._database.read(lambda sql: _his(sql, drop, fan))
        may = his if acts else None
        code = may.him.code if may and game.friends is not None else ""
        done = set[str]()
        if may:
            done = {row.source_id for row in may.rows if row.source == points_book.MISSION}
        return Game(
            link=f"{link}?ref={code}" if code else link,
            card=f"{link}/card/{code}.png" if code else "",
            code=code,
            rules=rules,
            points=may.him.points if may else 0,
            came=his is not None and his.came,
            rows=await self._rows(manifest, game, may) if may else [],
            missions=[_mission_view(one, public, done=one.id in done) for one in game.missions],
            board=_board_view(public.board, may),
            badges=[
                BadgeView(one.kind, drop, manifest.title, one.at_ms)
                for one in (may.badges if may else [])
            ],
            boosts_hour=public.boosts_hour,
        )

    async def _everybodys(self, drop: DropId) -> _Public:
        now_s = time.monotonic()
        known = self._public.get(drop)
        if known is not None and now_s - known[0] < PUBLIC_S:
            return known[1]
        found = await self._database.read(lambda sql: _everybodys(sql, drop))
        if len(self._public) >= KNOWN_MAX:
            self._public.clear()
        self._public[drop] = (now_s, found)
        return found

    async def _rows(self, manifest: Manifest, game: GameRules, his: _His) -> list[PointRow]:
        worth = 0 if game.friends is None else game.friends.worth
        paid = manifest.identity != VERIFIED
        waiting = [
            PointRow(
                why=points_book.FRIEND,
                title="",
                points=worth,
                state=points_book.WAITING,
                reason="unpaid" if paid and one.first_ms else "not_yet",
                at=one.at_ms,
            )
            for one in his.pending
        ]
        titles = {one.id: one.title for one in game.missions}
        rows = []
        for row in his.rows:
            title = titles.get(row.source_id, "") if row.source == points_book.MISSION else ""
            if row.source == points_book.COLLECTOR:
                title = await self._title(DropId(row.source_id.partition(":")[2]))
            rows.append(
                PointRow(
                    why=row.source,
                    title=title,
                    points=row.worth,
                    state=row.state,
                    reason=row.reason,
                    at=row.made_ms,
                    until=row.due_ms if row.state == points_book.WAITING else 0,
                )
            )
        return [*waiting, *rows]

    async def _title(self, drop: DropId) -> str:
        """What an earlier drop is called."""
        if drop not in self._titles:
            try:
                shown = await self._store.show(drop)
            except (errors.NewerSchema, errors.ManifestError):
                shown = None
            self._titles[drop] = drop if shown is None else shown.manifest.title
        return self._titles[drop]


def _everybodys(sql: Connection, drop: DropId) -> _Public:
    now_ms = time.time_ns() // 1_000_000
    running = {one.id: one for one in missions.of_drop(sql, drop, now_ms)}
    ended = points_book.ended_ms(sql, drop) > 0
    return _Public(
        running, ended, boards.rows(sql, drop), points_book.counted_lately(sql, drop, now_ms)
    )


def _his(sql: Connection, drop: DropId, fan: FanId) -> _His | None:
    him = game_fans.find(sql, drop, fan)
    if him is None:
        return None
    return _His(
        him,
        points_book.of_fan(sql, drop, him.fan),
        referrals.pending(sql, drop, him.fan),
        badges.of_fan(sql, drop, him.fan),
        referrals.find(sql, drop, him.fan) is not None,
        boards.rank_of(sql, drop, him.points) if him.name else 0,
    )


def _mission_view(rule: Mission, public: _Public, *, done: bool) -> MissionView:
    row = public.missions.get(rule.id)
    unbegun = missions.OVER if public.ended else missions.WAITING
    return MissionView(
        id=rule.id,
        title=rule.title,
        kind=rule.kind,
        worth=rule.worth,
        state=unbegun if row is None else row.state,
        ends=rule.ends_ms if row is None else row.ends_ms,
        done=done,
    )


def _board_view(board: list[Standing], his: _His | None) -> BoardView:
    him = None if his is None else his.him
    rows = [
        BoardRow(one.rank, one.name, one.points, you=him is not None and one.fan == him.fan)
        for one in board
    ]
    if his is not None and him is not None and him.name and not any(row.you for row in rows):
        # Where he stands, however far down.
        rows.append(BoardRow(his.rank, him.name, him.points, you=True))
    return BoardView(on=him is not None and him.name != "", name=him.name if him else "", rows=rows)

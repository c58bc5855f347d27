"""Tells those who asked for it that a drop opens soon, or is open, and who follows a maker that he
has a new drop, while this process has the lease.

Some at a time: each page of letters is one short transaction, which marks who was told, and those
who keep the books come in between. Whoever dies in the middle leaves nobody out and tells nobody
twice.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.catalogue import CATALOGUES, ENGLISH, Catalogue
from dropengine.config import Settings, public_url
from dropengine.data_directory import secret
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.jobs.ledger.calling import TIME
from dropengine.mail import outbox, unsubscribing
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.manifest import Manifest
from dropengine.manifest.moments import named
from dropengine.manifest.zones import listed
from dropengine.model import DropId, DropState
from dropengine.people import interests, makers, wishes
from dropengine.people.interests import What
from dropengine.people.persons import Person
from dropengine.people.wishes import Way, Wish
from dropengine.push import followers
from dropengine.push import outbox as pushes
from dropengine.push.followers import Follower
from dropengine.push.outbox import Call
from dropengine.push.outbox import Kind as PushKind
from dropengine.push.whom import OPENED_MS
from dropengine.sql.database import Database
from dropengine.sql.schema.interests import INTERESTS, TOLD_DROPS
from dropengine.sql.schema.ledger import DROPS
from dropengine.sql.schema.mails import MAILS
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
PAUSE_S: Final = 0.2
"""Between two pages, while there is more to tell."""
LEASE_MS: Final = 5_000
PAGE: Final = 200
REMIND_MS: Final = 15 * 60_000
"""Before a drop opens: a letter takes its time."""
NEWS_MS: Final = 24 * 3_600_000
"""So long after it was published a drop is news."""
TIDY_S: Final = 3_600.0
TO_COME: Final = (DropState.SCHEDULED, DropState.LOBBY, DropState.LIVE, DropState.PAUSED)


class Event(NamedTuple):
    """What a list is told. `drop`: of which one; `what`, `thing`: whose list. `instead`: who was
    told this is not told that; '' for nothing. `before_ms`: who came later is not told. `open`: one
    can press in it already."""

    name: str
    kind: Kind
    drop: DropId
    what: What
    thing: str
    at_ms: int
    until_ms: int
    instead: str = ""
    before_ms: int = 2**62
    open: bool = False


class CallingListed:
    """One round over drops about to open, just opened, or new. clock: monotonic, s. now_ms: the
    time."""

    name = "calling-listed"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = EVERY_S
        self._store = store
        self._database = database
        self._origin = public_url(settings)
        self._secret = secret(settings)
        self._language = settings.language
        self._clock = clock
        self._now_ms = now_ms
        self._tidied_at = -TIDY_S
        self._lease = Lease(store, self.name, LEASE_MS)

    async def round(self) -> None:
        """Tell one page of each list that is due. Raises DatabaseAway and Unavailable: the next
        round goes on."""
        await self._lease.renew()
        self.every_s = EVERY_S
        if not self._lease.held:
            return
        await self._tidy()
        openings = await self._database.read(functools.partial(_openings, now_ms=self._now_ms()))
        await self._take_back(openings)
        news = await self._database.read(functools.partial(_news, now_ms=self._now_ms()))
        for event in (*openings, *news):
            await self._look(event)

    async def _tidy(self) -> None:
        if self._clock() - self._tidied_at >= TIDY_S:
            self._tidied_at = self._clock()
            await self._database.write(interests.forget_over)

    async def _look(self, event: Event) -> None:
        """One drop that cannot be told of does not keep the others from it."""
        try:
            if await self._tell(event):
                self.every_s = PAUSE_S
        except (DatabaseAway, Unavailable):
            raise
        except Exception:
            log.exception("who asked for it cannot be told of %s", event.drop)

    async def _take_back(self, openings: Sequence[Event]) -> None:
        """Letters about an opening that was moved or has been are not sent any more; to whom they
        went is told of the next one."""
        true = {(one.drop, one.name) for one in openings if one.kind is Kind.REMINDER}
        stale = await self._database.read(functools.partial(_stale, true=true))
        if stale:
            await self._database.write(functools.partial(_taken_back, stale=stale))

    async def _tell(self, event: Event) -> bool:
        """One page. True while there is more."""
        shown = await self._store.show(event.drop)
        if shown is None:
            return False
        manifest, now_ms = shown.manifest, self._now_ms()

        def page(sql: Connection) -> bool:
            told = [name for name in (event.name, event.instead) if name]
            here = (event.what, event.thing)
            whom = interests.untold(sql, *here, told, PAGE, before_ms=event.before_ms)
            for person in whom:
                self._put(sql, event, manifest, person, now_ms)
            interests.mark(sql, *here, event.name, [one.id for one in whom])
            if event.kind is not Kind.NEW_DROP:
                return len(whom) == PAGE
            called = _call(sql, event, manifest, now_ms)
            if max(len(whom), called) == PAGE:
                return True
            row = {"drop_id": event.drop, "at_ms": now_ms}
            sql.execute(sa.insert(TOLD_DROPS).values(row))
            return False

        return await self._database.write(page)

    def _put(
        self, sql: Connection, event: Event, manifest: Manifest, person: Person, now_ms: int
    ) -> None:
        wish = wishes.wish_of(event.kind)
        assert wish is not None, "nobody's order asks for it"
        if not wishes.wants(sql, person.id, wish, Way.MAIL):
            return
        # His own language wins, then the drop's.
        language = person.language or manifest.language or self._language
        say = CATALOGUES.get(language, ENGLISH)
        off = self._off(person.id, wish)
        link = f"{self._origin}/drops/{manifest.id}"
        zone = listed(person.zone) or manifest.zone
        words = (told(event, manifest, say, zone), link, say("calls.off"), off)
        letter = Letter(
            id=letter_id(event.kind, event.drop, event.name, person.id),
            kind=event.kind,
            to=person.address,
            subject=say(f"calls.{event.kind}", title=manifest.title, maker=manifest.maker),
            words="\n\n".join(words),
            written_ms=now_ms,
            whose=f"person:{person.id}",
            drop=event.drop,
            about=event.name,
            until_ms=event.until_ms,
            urgent=event.open,
            sender=manifest.maker,
            language=say.language,
            unsubscribe=off,
        )
        outbox.put(sql, letter)

    def _off(self, person: str, wish: Wish) -> str:
        token = unsubscribing.token(self._secret, person, wish)
        return f"{self._origin}{unsubscribing.PAGE}{token}"


def told(event: Event, manifest: Manifest, say: Catalogue, zone: str) -> str:
    """What a letter says first. zone: by whose clocks it tells times, which it names."""
    if event.kind is Kind.REMINDER:
        return say("calls.reminder_says", when=named(event.at_ms, zone, say))
    if event.kind is Kind.OPENED:
        return say("calls.opened_says")
    if event.open:
        return say("calls.new_drop_open", maker=manifest.maker)
    if event.at_ms:
        when = named(event.at_ms, zone, say)
        return say("calls.new_drop_says", maker=manifest.maker, when=when)
    return say("calls.new_drop_by_hand", maker=manifest.maker)


def _openings(sql: Connection, now_ms: int) -> list[Event]:
    """Lists of drops that are due now."""
    wanted = sa.select(INTERESTS.c.thing).where(INTERESTS.c.what == What.DROP).distinct()
    states = (DropState.SCHEDULED, DropState.LIVE)
    here = (DROPS.c.practice == 0, DROPS.c.state.in_(states), DROPS.c.drop_id.in_(wanted))
    found = [_opening(row, now_ms) for row in sql.execute(sa.select(DROPS).where(*here))]
    return [one for one in found if one is not None]


def _opening(row: Any, now_ms: int) -> Event | None:
    drop, planned_ms = DropId(row.drop_id), _planned(row.rules)
    reminder = f"opens-{planned_ms}"
    if row.state == DropState.SCHEDULED:
        if not 0 < planned_ms - now_ms <= REMIND_MS:
            return None
        return Event(reminder, Kind.REMINDER, drop, What.DROP, drop, planned_ms, planned_ms)
    until_ms = row.opened_ms + OPENED_MS
    if now_ms >= until_ms:
        return None
    instead = reminder if 0 < planned_ms <= row.opened_ms else ""
    return Event("opened", Kind.OPENED, drop, What.DROP, drop, 0, until_ms, instead)


def _news(sql: Connection, now_ms: int) -> list[Event]:
    """The oldest new drop of each maker, of which not all were told."""
    done = sa.select(TOLD_DROPS.c.drop_id)
    here = (
        DROPS.c.practice == 0,
        DROPS.c.state.in_(TO_COME),
        DROPS.c.published_ms > now_ms - NEWS_MS,
        DROPS.c.drop_id.not_in(done),
    )
    order = (DROPS.c.published_ms, DROPS.c.drop_id)
    found: dict[str, Event] = {}
    for row in sql.execute(sa.select(DROPS).where(*here).order_by(*order)):
        drop, maker = DropId(row.drop_id), makers.whose(sql, row.drop_id)
        if maker is not None and maker not in found:
            found[maker] = Event(
                name=drop,
                kind=Kind.NEW_DROP,
                drop=drop,
                what=What.MAKER,
                thing=maker,
                at_ms=_planned(row.rules) if row.state == DropState.SCHEDULED else 0,
                until_ms=row.published_ms + NEWS_MS,
                before_ms=row.published_ms,
                open=row.state == DropState.LIVE,
            )
    return [*found.values()]


def _planned(rules: str) -> int:
    return msgspec.json.decode(rules, type=events.Rules).opens_ms


def _call(sql: Connection, event: Event, manifest: Manifest, now_ms: int) -> int:
    """One page of a maker's browsers is owed a call; how many those are."""
    found = followers.untold(sql, event.thing, event.drop, event.before_ms, PAGE)
    call = Call("new", PushKind.NEW_DROP, "new", now_ms, event.until_ms)
    for one in found:
        if _silent(sql, one):
            continue
        say = CATALOGUES.get(one.language, ENGLISH)
        if event.open:
            words = say("call_new_drop_open", maker=manifest.maker)
        elif event.at_ms:
            words = say("call_new_drop", maker=manifest.maker, time=TIME)
        else:
            words = say("call_new_drop_by_hand", maker=manifest.maker)
        pushes.put(sql, one.within(event.drop), call, manifest.title, words, at_ms=event.at_ms)
    followers.mark(sql, event.thing, event.drop, [one.browser for one in found])
    return len(found)


def _silent(sql: Connection, one: Follower) -> bool:
    return one.person != "" and not wishes.wants(sql, one.person, Wish.NEWS, Way.PUSH)


def _stale(sql: Connection, true: set[tuple[DropId, str]]) -> list[tuple[DropId, str]]:
    """Openings of which letters wait although they are not so any more."""
    here = (MAILS.c.kind == Kind.REMINDER, MAILS.c.state.in_(outbox.OPEN))
    rows = sql.execute(sa.select(MAILS.c.drop_id, MAILS.c.about).where(*here).distinct())
    return [(DropId(drop), about) for drop, about in rows if (drop, about) not in true]


def _taken_back(sql: Connection, stale: list[tuple[DropId, str]]) -> None:
    for drop, about in stale:
        here = (
            MAILS.c.drop_id == drop,
            MAILS.c.about == about,
            MAILS.c.kind == Kind.REMINDER,
            MAILS.c.state.in_(outbox.OPEN),
        )
        whose = [*sql.execute(sa.select(MAILS.c.whose).where(*here)).scalars()]
        outbox.forget(sql, *here)
        for start in range(0, len(whose), PAGE):
            whom = [one.removeprefix("person:") for one in whose[start : start + PAGE]]
            interests.mark(sql, What.DROP, drop, "", whom)

"""Reads in the books whom each drop calls, and puts down the letters that persons are owed, while
this process has the lease.

How far a log was read moves in the transaction of the letters that it made: whoever dies in the
middle leaves none out and owes none twice. What is over when it is read is not written any more.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.catalogue import CATALOGUES, ENGLISH, Catalogue
from dropengine.config import Settings, public_url
from dropengine.data_directory import secret
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.jobs.settle import FINAL
from dropengine.mail import outbox, unsubscribing
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.manifest import Manifest
from dropengine.manifest.currencies import MINOR_DIGITS, money
from dropengine.manifest.moments import named
from dropengine.manifest.zones import listed
from dropengine.model import STANDING, DropId, EntryState, FanId
from dropengine.order_number import number_of
from dropengine.people import persons, wishes
from dropengine.people.tickets import pseudonym
from dropengine.people.wishes import Way, Wish, wish_of
from dropengine.push.whom import Called, Due, Ended, Follower
from dropengine.sql.database import Database
from dropengine.sql.log_rows import page
from dropengine.sql.schema.ledger import CURSORS, DROPS
from dropengine.sql.schema.mails import FOLLOWED, MAILS
from dropengine.sql.schema.persons import ERASED, PERSONS
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S = 1.0
LEASE_MS = 5_000
STRETCHES_MAX = 10
"""Of one drop, before the next one has its turn."""
URGENT = frozenset({Kind.OFFER, Kind.TEN_BEFORE, Kind.HOLD_ENDS})


class CallingByMail:
    """One round over every drop that is not over. clock: monotonic, s. now_ms: the time."""

    name = "calling-by-mail"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = EVERY_S
        self._store = store
        self._database = database
        self._origin = public_url(settings)
        self._secret = secret(settings)
        self._language = settings.language
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._followers: dict[DropId, Follower] = {}
        self._fans: dict[DropId, dict[FanId, str]] = {}
        """Drop -> who persons are there."""
        self._keys: dict[str, bytes] = {}
        self._was: dict[tuple[DropId, FanId], str] = {}
        """Who came back after he had erased himself, in drops where he goes on as he was."""

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next round goes on where the letters end."""
        await self._lease.renew()
        if not self._lease.held:
            self._followers.clear()
            return
        self._keys, self._was, drops = await self._database.read(_looked_at)
        if not self._keys:
            return
        for drop in self._followers.keys() - drops:
            del self._followers[drop]
            self._fans.pop(drop, None)
        for drop in sorted(drops):
            await self._look(drop)

    async def _look(self, drop: DropId) -> None:
        """One drop that cannot be followed does not keep the others from it."""
        try:
            await self._follow(drop)
        except (DatabaseAway, Unavailable):
            # What was to be written last may have been.
            self._followers.pop(drop, None)
            raise
        except Exception:
            self._followers.pop(drop, None)
            log.exception("whom %s calls by mail cannot be read from its log", drop)

    async def _follow(self, drop: DropId) -> None:
        follower = self._followers.get(drop)
        if follower is None:
            follower = self._followers[drop] = await self._caught_up(drop)
        for _ in range(STRETCHES_MAX):
            stretch = await self._stretch(drop, follower.seq)
            if not stretch:
                break
            seq = follower.seq
            due = follower.follow(stretch)
            await self._write(drop, follower, due, seq)

    async def _caught_up(self, drop: DropId) -> Follower:
        """To where the letters end: of what was before that nobody is told again."""
        until = await self._database.write(functools.partial(_begun, drop=drop))
        follower = Follower()
        while follower.seq < until:
            stretch = await self._stretch(drop, follower.seq, until)
            if not stretch:
                break
            follower.follow(stretch)
        return follower

    async def _stretch(
        self, drop: DropId, after: int, until: int = 2**62
    ) -> Sequence[events.AnyEvent]:
        found = await self._database.read(lambda sql: page(sql, drop, after, until))
        return [events.parse(line) for line in found]

    async def _write(self, drop: DropId, follower: Follower, due: list[Due], after: int) -> None:
        shown = await self._store.show(drop) if any(map(_tells, due)) else None
        now_ms, to = self._now_ms(), follower.seq
        manifest = None if shown is None else shown.manifest
        fans = self._persons_in(drop)

        def write(sql: Connection) -> None:
            moved = sa.update(FOLLOWED).where(FOLLOWED.c.drop_id == drop, FOLLOWED.c.seq == after)
            if sql.execute(moved.values(seq=to)).rowcount != 1:
                raise DatabaseAway(f"{drop}: somebody else reads whom it calls by mail.")
            for one in due:
                if isinstance(one, Ended):
                    _end(sql, drop, one, now_ms)
                elif isinstance(one, Called) and manifest is not None:
                    whom = [one.fan] if one.fan is not None else _concerned(follower)
                    known = [fans[fan] for fan in whom if fan in fans]
                    self._put(sql, manifest, one, known, now_ms)

        await self._database.write(write)

    def _persons_in(self, drop: DropId) -> dict[FanId, str]:
        """Who the shop's persons are in a drop. Nobody's list has it: it is made of their keys."""
        fans = self._fans.setdefault(drop, {})
        new = self._keys.keys() - fans.values()
        fans.update({pseudonym(self._keys[person], drop): person for person in new})
        fans.update({fan: person for (of, fan), person in self._was.items() if of == drop})
        return fans

    def _put(
        self, sql: Connection, manifest: Manifest, one: Called, whom: Iterable[str], now_ms: int
    ) -> None:
        call = one.call
        kind = Kind(str(call.kind))
        if 0 < call.until_ms <= now_ms:
            return
        wish = wish_of(kind)
        for name in whom:
            person = persons.by_id(sql, name)
            if person is None or (wish and not wishes.wants(sql, name, wish, Way.MAIL)):
                continue
            off = self._off(name, wish) if wish else ""
            # His own language wins, then the drop's.
            language = person.language or manifest.language or self._language
            say = CATALOGUES.get(language, ENGLISH)
            letter = Letter(
                id=letter_id(kind, manifest.id, call.id, name),
                kind=kind,
                to=person.address,
                subject=say(f"calls.{kind}", title=manifest.title),
                words=self._words(manifest, one, kind, say, person.zone, off),
                written_ms=now_ms,
                whose=f"person:{name}",
                drop=manifest.id,
                about=call.about,
                from_ms=call.from_ms,
                until_ms=call.until_ms,
                urgent=kind in URGENT,
                sender=manifest.maker,
                language=say.language,
                unsubscribe=off,
            )
            outbox.put(sql, letter)

    def _off(self, person: str, wish: Wish) -> str:
        token = unsubscribing.token(self._secret, person, wish)
        return f"{self._origin}{unsubscribing.PAGE}{token}"

    def _words(
        self, manifest: Manifest, one: Called, kind: Kind, say: Catalogue, zone: str, off: str
    ) -> str:
        link = f"{self._origin}/drops/{manifest.id}"
        parts = [told(one, kind, say, listed(zone) or manifest.zone)]
        parts += [_sum(one, kind, manifest, say)] if one.amount else []
        parts += [say("order.title", number=number_of(one.order))] if one.order else []
        parts += [link]
        parts += [say("calls.off"), off] if off else []
        return "\n\n".join(parts)


def told(one: Called, kind: Kind, say: Catalogue, zone: str) -> str:
    """What a letter says first. zone: by whose clocks it tells times, which it names."""
    when = named(one.at_ms, zone, say)
    match kind:
        case Kind.TEN_BEFORE:
            return say("calls.ten_before_says", count=one.count)
        case Kind.OFFER:
            return say("calls.offer_says", when=when)
        case Kind.HOLD_ENDS:
            return say("calls.hold_ends_says", when=when)
        case Kind.CARRIED:
            return say("calls.carried_says", count=one.count)
        case Kind.SOLD:
            serials = ", ".join(f"#{serial}" for serial in one.serials)
            return say("calls.sold_says", serials=serials) if serials else say("calls.sold_plain")
        case Kind.REFUND:
            return say("calls.refund_says")
        case _:
            return one.text


def _sum(one: Called, kind: Kind, manifest: Manifest, say: Catalogue) -> str:
    """What was paid, or goes back, as his language writes it."""
    digits = MINOR_DIGITS[manifest.currency]
    amount = money(one.amount, manifest.currency, digits, say)
    return say("calls.paid" if kind is Kind.SOLD else "calls.back", sum=amount)


def _tells(one: Due) -> bool:
    return isinstance(one, Called)


def _concerned(follower: Follower) -> list[FanId]:
    """Who has something in the drop: whom its maker's word is for."""
    truth = follower.truth
    waiting = (EntryState.WAITING, EntryState.OFFERED)
    found = [one.fan for one in truth.entries.values() if one.state in waiting]
    found += [one.fan for one in truth.holds.values() if one.state in STANDING]
    found += [truth.holds[hold].fan for hold in truth.orders if hold in truth.holds]
    return [*dict.fromkeys(FanId(fan) for fan in found)]


def _end(sql: Connection, drop: DropId, ended: Ended, now_ms: int) -> None:
    if ended.about:
        outbox.end(sql, now_ms, MAILS.c.drop_id == drop, MAILS.c.about.in_(ended.about))
    else:
        outbox.end(sql, now_ms, MAILS.c.drop_id == drop, MAILS.c.about != "")


def _looked_at(
    sql: Connection,
) -> tuple[dict[str, bytes], dict[tuple[DropId, FanId], str], set[DropId]]:
    """The keys of persons, who some of them were before, and the drops that are not over or not
    read to their end."""
    before = sa.select(ERASED.c.drop_id, ERASED.c.fan, PERSONS.c.id).join(
        PERSONS, PERSONS.c.normal == ERASED.c.normal
    )
    was = {(DropId(row.drop_id), FanId(row.fan)): row.id for row in sql.execute(before)}
    keys = {row.id: row.key for row in sql.execute(sa.select(PERSONS.c.id, PERSONS.c.key))}
    going = sa.select(DROPS.c.drop_id).where(
        DROPS.c.state.not_in(sorted(FINAL)), DROPS.c.practice == 0
    )
    ended = (
        sa.select(FOLLOWED.c.drop_id)
        .join(CURSORS, CURSORS.c.drop_id == FOLLOWED.c.drop_id)
        .where(CURSORS.c.seq > FOLLOWED.c.seq)
    )
    found = [*sql.execute(going).scalars(), *sql.execute(ended).scalars()]
    return keys, was, {DropId(drop) for drop in found}


def _begun(sql: Connection, drop: DropId) -> int:
    """Where the letters of a drop end."""
    asked = sa.select(FOLLOWED.c.seq).where(FOLLOWED.c.drop_id == drop)
    found = sql.execute(asked).scalar()
    if found is None:
        sql.execute(sa.insert(FOLLOWED).values(drop_id=drop, seq=0))
    return int(found or 0)

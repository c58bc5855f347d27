"""The truth: one method per script, typed arguments in, an outcome out.

No decision is taken here. A reply that does not come means *unknown* and is raised as
`Unavailable`; what the scripts decide is a value.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import redis.asyncio as redis
from hiredis import ReplyError
from redis.exceptions import RedisError

from dropengine import model, outcomes, refusals
from dropengine.creator_commands import (
    CameBack,
    ChargedBack,
    Correct,
    CreatorCommand,
    EndDuty,
    MoreTime,
    Refund,
    Seen,
    Signature,
    fault_in,
)
from dropengine.errors import Broken, NewerSchema, Unavailable
from dropengine.log.replay import Truth
from dropengine.manifest import (
    Manifest,
    canonical,
    digest,
    fault_in_correction,
    fault_in_drop_id,
    rules,
    what_scripts_read,
)
from dropengine.model import DropId, FanId
from dropengine.randomness import Source
from dropengine.truth import keys, outbox, replies, scripts, stored_log, true_time
from dropengine.truth.archive import Archive
from dropengine.truth.audit import at_one_moment
from dropengine.truth.charge_ids import ChargeIds
from dropengine.truth.command_rows import BEGINNING, Row, command_row, packed_texts
from dropengine.truth.connections import Connections, client
from dropengine.truth.copies import Copies
from dropengine.truth.glances import Glances
from dropengine.truth.house import House
from dropengine.truth.last_command import last_command
from dropengine.truth.networks import NetworkNames, Whence, new_key
from dropengine.truth.operator_names import OperatorNames
from dropengine.truth.past import Past
from dropengine.truth.refused_requests import NEWER, MemoryFull, fault, no_reply
from dropengine.truth.replies import (
    Doubted,
    OtherKey,
    Pressed,
    Settled,
    Shown,
    ViewReply,
    YouReply,
    _Again,
)
from dropengine.wire import FanCommand

log = logging.getLogger(__name__)


RootReply = (
    replies.Rooted
    | replies.OtherRoot
    | replies.NotSealed
    | refusals.Frozen
    | refusals.NotFound
    | refusals.BadMessage
)
RevealReply = (
    replies.Revealed
    | replies.OtherValue
    | replies.NotRooted
    | replies.NotSealed
    | refusals.Frozen
    | refusals.NotFound
    | refusals.BadMessage
)
OrderReply = (
    replies.Placed
    | replies.OtherRoot
    | replies.OtherOrder
    | replies.NotRevealed
    | replies.NotSealed
    | refusals.Frozen
    | refusals.NotFound
    | refusals.BadMessage
)
CarryReply = (
    replies.Carried
    | replies.OtherList
    | replies.NotCarrying
    | refusals.Frozen
    | refusals.NotFound
    | refusals.BadMessage
)
PointReply = replies.Pointed | refusals.Frozen | refusals.NotFound | refusals.BadMessage
StartReply = (
    replies.Started | replies.NotPlaced | replies.NotSealed | refusals.Frozen | refusals.NotFound
)

LIST_AT_ONCE = 250
"""Entries of a list that are read in one call: it takes some 2 ms."""
AGAIN_MAX = 4000
"""How often a script may answer `again` before something is wrong: 64 things each time."""

KEYS_MAX = 4
"""How often the drop may call networks by another key than a moment ago."""

_pack = msgspec.msgpack.Encoder().encode


def _decoder(union: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(union)


_PRESSED = _decoder(Pressed | OtherKey | _Again | refusals.Frozen | refusals.NotFound)
_PUBLISH = _decoder(outcomes.PublishOutcome)
_CREATOR = _decoder(outcomes.CreatorOutcome | _Again)
_PAYMENT = _decoder(outcomes.PaymentOutcome | _Again)
_ADOPT = _decoder(outcomes.AdoptOutcome | _Again)
_ENROLL = _decoder(outcomes.EnrollOutcome | _Again)
_UNPAID = _decoder(outcomes.UnpaidOutcome | _Again)
_REFUND = _decoder(outcomes.RefundOutcome | _Again)
_CAME_BACK = _decoder(outcomes.CameBackOutcome | _Again)
_CHARGED_BACK = _decoder(outcomes.ChargedBackOutcome | _Again)
_MORE_TIME = _decoder(outcomes.MoreTimeOutcome | _Again)
_DISCHARGE = _decoder(outcomes.DischargeOutcome | _Again)
_DUTY = _decoder(outcomes.EndDutyOutcome | _Again)
_SETTLED = _decoder(Settled | _Again | refusals.Frozen | refusals.NotFound)
_DOUBTED = _decoder(Doubted | refusals.NotFound)
_VIEW = _decoder(ViewReply | refusals.Frozen | refusals.NotFound)
_YOU = _decoder(YouReply | _Again | refusals.Frozen | refusals.NotFound)
_ROOT = _decoder(RootReply | _Again)
_REVEAL = _decoder(RevealReply | _Again)
_ORDER = _decoder(OrderReply | _Again)
_CARRY = _decoder(CarryReply | _Again)
_POINT = _decoder(PointReply | _Again)
_START = _decoder(StartReply | _Again)
_SEALED = _decoder(replies.Sealed | refusals.NotFound)
_REWRITE = _decoder(replies.Rewritten | replies.NotFrozen | refusals.NotFound)


class CarriedRow(NamedTuple):
    """A place of an earlier drop: its entry there; who its fan is in this drop, '' for nobody."""

    entry: str
    fan: str
    qty: int
    pools: list[str]


class Pointing(NamedTuple):
    """So many points in all has a fan now, for his open entry. at: the running number of his book
    of points, which rises by one with each change: a row that is not newer than what is known is
    `same`. why: of the newest change: `friend`, `mission`, `collector` or `taken_back`."""

    fan: FanId
    at: int
    points: int
    why: str


class Whences(NamedTuple):
    """Where the commands of a batch come from: one for each, None for nowhere that is counted."""

    names: NetworkNames
    each: Sequence[Whence | None]


class Store:
    """The scripts of one server. Every method that talks to it raises `Unavailable` when no reply
    comes, and `NewerSchema` for a drop that only a newer version knows.

    `loaded`: tests hand in mutilated scripts. `prefix`: before all names of this shop. `house`:
    what belongs to no drop. `copies`: what a backup needs. `charge_ids`: what the provider calls
    the charges that logs number. `operators`: what those are called who command. `past`: what is
    taken out of the truth; `in_the_books`: where rows of logs are read that were. `archive`: where
    drops are that left as a whole; asked when the server says that it had them. `nearly_full`: only
    what was begun may go on.
    """

    def __init__(
        self,
        client: redis.Redis,
        loaded: dict[str, scripts.Script] | None = None,
        prefix: str | None = None,
    ) -> None:
        # Replies are bytes here; the library's types cannot say so.
        self.client: Any = client
        assert isinstance(client.connection_pool, Connections), "make it with `connections.client`"
        self._connections = client.connection_pool
        self._scripts = loaded or scripts.load()
        self.prefix = prefix
        self.house = House(self._once, self._ask, prefix)
        self.copies = Copies(self._once, self._ask, prefix)
        self.glances = Glances(self._once, self._ask, prefix)
        self.past = Past(self._once, self._run, self._ask, prefix)
        self.charge_ids = ChargeIds(self._once, self._ask, prefix)
        self.operators = OperatorNames()
        self.in_the_books: stored_log.InTheBooks | None = None
        self.archive: Archive | None = None
        self._keys: dict[str, list[str]] = {}
        self._told_newer: set[DropId] = set()
        self.nearly_full = False

    @classmethod
    def connect(cls, url: str, prefix: str | None = None) -> Store:
        """url: redis://, rediss:// or unix://. Nothing is sent before the first call."""
        return cls(client(url), prefix=prefix)

    async def close(self) -> None:
        await self.client.aclose(close_connection_pool=True)

    def keys_of(self, drop: str) -> list[str]:
        known = self._keys.get(drop)
        if known is None:
            if len(self._keys) > 1000:
                self._keys.clear()
            known = self._keys[drop] = keys.of(drop, self.prefix)
        return known

    def _key(self, drop: str, name: str) -> str:
        return keys.one(drop, name, self.prefix)

    async def _reply(self, what: str, *words: bytes | str | int) -> Any:
        """The reply to one request, in bytes; a refusal is a value."""
        try:
            return await self._connections.ask(*words)
        except (RedisError, OSError) as error:
            raise no_reply(what, error) from error

    async def _ask(self, what: str, *words: bytes | str | int) -> Any:
        """The same for what only reads or lists: a refusal is as good as no reply."""
        reply = await self._reply(what, *words)
        if isinstance(reply, ReplyError):
            raise Unavailable(f"the server refuses {what}: {reply}") from reply
        return reply

    async def _once(
        self, verb: str, names: Sequence[str], args: Sequence[bytes | str | int]
    ) -> Any:
        script = self._scripts[verb]
        head = (len(names), *names, *args)
        reply = await self._reply(verb, "EVALSHA", script.sha, *head)
        if isinstance(reply, ReplyError) and str(reply).startswith("NOSCRIPT"):
            reply = await self._reply(verb, "EVAL", script.text, *head)
        if isinstance(reply, ReplyError):
            words = str(reply).split()
            if words[0] == NEWER:
                raise self._newer(keys.drop_of(names[0]), int(words[1])) from reply
            raise fault(verb, str(reply)) from reply
        return reply

    def _newer(self, drop: DropId, schema: int) -> NewerSchema:
        """The fault of a drop that only a newer version knows; told in the log of this process
        once a drop."""
        newer = NewerSchema(drop, schema, model.SCHEMA)
        if drop not in self._told_newer:
            self._told_newer.add(drop)
            log.error("%s", newer)
        return newer

    async def _run(
        self,
        verb: str,
        drop: str,
        args: Sequence[bytes | str | int],
        decoder: msgspec.msgpack.Decoder[Any],
    ) -> Any:
        for _ in range(AGAIN_MAX):
            reply = decoder.decode(await self._once(verb, self.keys_of(drop), args))
            if not isinstance(reply, _Again):
                return reply
            # Let the others of this process have the loop between two rounds of settling.
            await asyncio.sleep(0)
        raise Broken(f"{drop}: {verb} was answered 'again' {AGAIN_MAX} times")

    async def _or_brought_back(
        self,
        verb: str,
        drop: DropId,
        args: Sequence[bytes | str | int],
        decoder: msgspec.msgpack.Decoder[Any],
    ) -> Any:
        """`_run`, for what may concern a drop that left: then it comes back first."""
        reply = await self._run(verb, drop, args, decoder)
        if not isinstance(reply, refusals.NotFound):
            return reply
        if archive := await self.left(drop):
            await archive.bring_back(self.house, self.copies, drop)
        elif not (await self.stands(drop))[0]:
            return reply
        # Also where somebody else brought it back meanwhile: money for a drop that is not known is
        # given back.
        return await self._run(verb, drop, args, decoder)

    async def left(self, drop: DropId) -> Archive | None:
        """Where a drop is that the server does not have, if it ever had it."""
        return self.archive if self.archive and await self.is_archived(drop) else None

    async def is_archived(self, drop: DropId) -> bool:
        """Did the server have it, until it left?"""
        return await self._field(drop, "archived") is not None

    async def press(
        self,
        drop: DropId,
        commands: Sequence[tuple[FanId, FanCommand]],
        *,
        whence: Whences | None = None,
        clock_ms: int = 0,
    ) -> Sequence[outcomes.PressOutcome | refusals.Away]:
        """A batch in the order given, one outcome each. A drop that does not exist: NotFound for
        each."""
        rows = [command_row(fan, command) for fan, command in commands]
        return await self.press_rows(drop, rows, whence=whence, clock_ms=clock_ms)

    async def press_rows(
        self,
        drop: DropId,
        rows: Sequence[Row],
        *,
        whence: Whences | None = None,
        clock_ms: int = 0,
    ) -> Sequence[outcomes.PressOutcome | refusals.Away]:
        """The same for commands that are rows already (`command_row`). whence: where each comes
        from; None: nobody counts that.

        Where memory is short, what would begin something is `away`; the rest is decided.
        """
        if self.nearly_full:
            return await self._press_full(drop, rows, clock_ms)
        try:
            return await self._press("press", drop, rows, clock_ms, whence)
        except MemoryFull:
            return await self._press_full(drop, rows, clock_ms)

    async def _press(
        self,
        verb: str,
        drop: DropId,
        rows: Sequence[Row],
        clock_ms: int,
        whence: Whences | None = None,
    ) -> list[outcomes.PressOutcome]:
        batch = (clock_ms, _pack(rows))
        args: tuple[int | bytes | str, ...] = batch
        for _ in range(KEYS_MAX):
            if whence is not None:
                names, each = whence.names, whence.each
                args = (*batch, names.packed(each), names.key, names.domains(each))
            reply = await self._run(verb, drop, args, _PRESSED)
            if not isinstance(reply, OtherKey):
                break
            assert whence is not None, "only who names networks is told their key"
            whence.names.know(reply.key)
        else:
            raise Broken(f"{drop}: the key of its networks changed {KEYS_MAX} times")
        if isinstance(reply, Pressed):
            true_time.outcomes(reply.outcomes, reply.leads)
            return reply.outcomes
        if isinstance(reply, refusals.NotFound) and (archive := await self.left(drop)):
            cancelled = (await archive.shown(drop)).state == model.DropState.CANCELLED
            return [refusals.Cancelled() if cancelled else refusals.Closed()] * len(rows)
        return [reply] * len(rows)

    async def _press_full(
        self, drop: DropId, rows: Sequence[Row], clock_ms: int
    ) -> list[outcomes.PressOutcome | refusals.Away]:
        """Memory is short: what was begun goes on, nothing new begins."""
        going_on = [i for i, row in enumerate(rows) if row[0] not in BEGINNING]
        answers: list[outcomes.PressOutcome | refusals.Away] = [refusals.Away()] * len(rows)
        if going_on:
            decided = await self._press("go_on", drop, [rows[i] for i in going_on], clock_ms)
            for i, outcome in zip(going_on, decided, strict=True):
                answers[i] = outcome
        return answers

    async def you(
        self, drop: DropId, fans: Sequence[FanId], *, clock_ms: int = 0
    ) -> YouReply | refusals.Frozen | refusals.NotFound:
        """The whole state of at most 256 fans, in true time."""
        reply: YouReply | refusals.Frozen | refusals.NotFound
        reply = await self._run("you", drop, (clock_ms, _pack(list(fans))), _YOU)
        if isinstance(reply, YouReply):
            true_time.rows(reply.rows, reply.leads)
        elif isinstance(reply, refusals.NotFound) and (archive := await self.left(drop)):
            return await archive.you(drop, fans)
        return reply

    async def adopt(
        self, drop: DropId, guest: FanId, person: FanId, *, clock_ms: int = 0
    ) -> outcomes.AdoptOutcome | refusals.Closed:
        """What `guest` has in this drop becomes the person's, and the guest's id answers as him; a
        repeat is harmless. `LimitReached` says what each has, and nothing moved. In a drop that
        left for the archive what a guest had stays under his id: `Closed`."""
        args = (clock_ms, guest, person)
        outcome: outcomes.AdoptOutcome = await self._run("adopt", drop, args, _ADOPT)
        if isinstance(outcome, refusals.NotFound) and await self.left(drop):
            return refusals.Closed()
        return outcome

    async def enroll(
        self, drop: DropId, fan: FanId, cohorts: Sequence[str], *, clock_ms: int = 0
    ) -> outcomes.EnrollOutcome:
        """He is in these cohorts from now on; a repeat is harmless. In a drop that is open to all
        nothing is written."""
        args = (clock_ms, fan, _pack(list(cohorts)))
        return await self._run("enroll", drop, args, _ENROLL)  # type: ignore[no-any-return]

    async def point(
        self, drop: DropId, rows: Sequence[Pointing], *, clock_ms: int = 0
    ) -> PointReply:
        """The newest totals of 1 to 100 fans, in the order given; repeats and what comes late are
        harmless."""
        return await self._run("point", drop, (clock_ms, _pack(rows)), _POINT)  # type: ignore[no-any-return]

    async def publish(
        self,
        manifest: Manifest,
        *,
        by: str,
        key: str,
        asked: str = "",
        chance: Source | None = None,
        test: bool = False,
        clock_ms: int = 0,
    ) -> outcomes.PublishOutcome:
        """asked: what was asked for, in words, where the manifest alone does not say it. chance:
        where it comes from, in a drop whose arrivals it gives out. test: scripts of this drop
        accept a clock argument; never for a real sale."""
        if why := fault_in(Signature(by, key)):
            return refusals.BadMessage(why)
        if why := fault_in_drop_id(manifest.id):
            return refusals.BadMessage(f"id {why}")
        wanted = rules(manifest, clock_ms or await self.time_ms(), chance)
        drop = DropId(manifest.id)
        twice = (_pack(what_scripts_read(wanted)), msgspec.json.encode(wanted))
        sealed = (digest(manifest), canonical(manifest), *twice, asked or digest(manifest))
        args = (clock_ms, by, key, 1 if test else 0, *sealed)
        outcome: outcomes.PublishOutcome = await self._run("publish", drop, args, _PUBLISH)
        if not isinstance(outcome, refusals.BadMessage):
            # The index decides nothing; whoever published it may have died before it was listed.
            at = int(await self._field(drop, "at") or 0)
            await self.house.enlist(drop, at)
        return outcome

    async def command(
        self,
        drop: DropId,
        command: CreatorCommand,
        *,
        revision: int,
        by: str,
        key: str,
        clock_ms: int = 0,
    ) -> outcomes.CreatorOutcome:
        """A creator's command. revision: the drop's, as the creator saw it; by: his word, never his
        name (`model.OPERATOR`)."""
        if why := fault_in(Seen(by, key, revision), command):
            return refusals.BadMessage(why)
        if isinstance(command, Correct):
            # Whether the drop still is what is looked at here, the script says.
            shown = await self.show(drop)
            if shown and (why := fault_in_correction(shown.manifest, command)):
                return refusals.BadMessage(why)
        args = (clock_ms, revision, by, key, *command.row())
        outcome: outcomes.CreatorOutcome
        outcome = await self._or_brought_back(command.verb, drop, args, _CREATOR)
        if isinstance(outcome, refusals.StaleRevision):
            by_name = await self.operators.name(outcome.by)
            return msgspec.structs.replace(outcome, by=by_name)
        if isinstance(outcome, refusals.Already):
            # It was decided at this revision, so the event that made it is a fact of the log.
            last = await last_command(self._ask, self._key(drop, "log"), revision)
            if last is not None:
                what = model.snake(type(last).__name__)
                at_ms = true_time.happened(last.at, await self._leads(drop))
                by_name = await self.operators.name(last.by)
                return refusals.Already(outcome.state, what, by_name, at_ms)
        return outcome

    async def succeeded(
        self,
        drop: DropId,
        payment: str,
        charge: str,
        amount: int,
        currency: str,
        captured: bool,
        *,
        card: str = "",
        key: str = "",
        clock_ms: int = 0,
    ) -> outcomes.PaymentOutcome:
        """A charge for `payment` succeeded at the provider; what was begun before there were
        payments names its hold. charge: the provider's id of it. amount: minor units. card: by
        what the provider knows the card. key: what cards are called by in a drop that has no such
        key yet; one by chance where it is not given."""
        told = (payment, charge, amount, currency, 1 if captured else 0)
        args = (clock_ms, *told, card, key or new_key())
        return await self._or_brought_back("succeeded", drop, args, _PAYMENT)  # type: ignore[no-any-return]

    async def unpaid(
        self, drop: DropId, payment: str, *, clock_ms: int = 0
    ) -> outcomes.UnpaidOutcome:
        """The provider cancelled a payment: nobody paid, and nobody can any more. What was begun
        before there were payments names its hold."""
        return await self._or_brought_back("unpaid", drop, (clock_ms, payment), _UNPAID)  # type: ignore[no-any-return]

    async def payment(self, drop: DropId, payment: str) -> model.PaymentRecord | None:
        """One payment as it is kept, without settling: by the drop's own time."""
        (raw,) = await self.records(drop, "payments", [payment])
        return None if raw is None else msgspec.msgpack.decode(raw, type=model.PaymentRecord)

    async def refund(
        self,
        drop: DropId,
        order: str,
        *,
        by: str,
        key: str,
        why: str = "",
        serials: Sequence[int] = (),
        back: Literal["line", "withheld", ""] = "line",
        amount: int | None = None,
        clock_ms: int = 0,
    ) -> outcomes.RefundOutcome:
        """why: a reason that the order's fan reads, or ''. serials: of the units that are given
        back, none for all that are left; back: where they go, '': they stay. amount: how much of
        the order's share goes back; None: as much as the units are of it."""
        if fault := fault_in(Signature(by, key), Refund(order, why, back)):
            return refusals.BadMessage(fault)
        told = (order, by, key, why, back, "" if amount is None else amount, _pack(list(serials)))
        return await self._or_brought_back("refund", drop, (clock_ms, *told), _REFUND)  # type: ignore[no-any-return]

    async def came_back(
        self,
        drop: DropId,
        order: str,
        *,
        by: str,
        key: str,
        serials: Sequence[int] = (),
        clock_ms: int = 0,
    ) -> outcomes.CameBackOutcome:
        """Units of an order that were given back as withheld came back in order. serials: of these
        units, none for all that are out."""
        if fault := fault_in(Signature(by, key), CameBack(order)):
            return refusals.BadMessage(fault)
        args = (clock_ms, order, by, key, _pack(list(serials)))
        return await self._or_brought_back("came_back", drop, args, _CAME_BACK)  # type: ignore[no-any-return]

    async def charged_back(
        self, drop: DropId, payment: str, amount: int, *, by: str, key: str, clock_ms: int = 0
    ) -> outcomes.ChargedBackOutcome:
        """The provider took `amount` of a payment back for its fan, for good."""
        if fault := fault_in(Signature(by, key), ChargedBack(payment, amount)):
            return refusals.BadMessage(fault)
        args = (clock_ms, payment, amount, by, key)
        return await self._or_brought_back("charged_back", drop, args, _CHARGED_BACK)  # type: ignore[no-any-return]

    async def more_time(
        self, drop: DropId, payment: str, *, by: str, key: str, clock_ms: int = 0
    ) -> outcomes.MoreTimeOutcome:
        """An open payment by hand gets as much time again as it had, once."""
        if fault := fault_in(Signature(by, key), MoreTime(payment)):
            return refusals.BadMessage(fault)
        outcome: outcomes.MoreTimeOutcome
        outcome = await self._run("more_time", drop, (clock_ms, payment, by, key), _MORE_TIME)
        if isinstance(outcome, outcomes.MoreTime):
            leads = await self._leads(drop)
            deadline_ms = outcome.deadline_ms - true_time.present(leads)
            return msgspec.structs.replace(outcome, deadline_ms=deadline_ms)
        return outcome

    async def discharge(
        self, drop: DropId, duty: str, result: str, *, clock_ms: int = 0
    ) -> outcomes.DischargeOutcome:
        """result: done or failed."""
        return await self._run("discharge", drop, (clock_ms, duty, result), _DISCHARGE)  # type: ignore[no-any-return]

    async def end_duty(
        self, drop: DropId, ending: EndDuty, *, by: str, key: str, clock_ms: int = 0
    ) -> outcomes.EndDutyOutcome:
        """The creator ends a duty that the provider does not do."""
        if why := fault_in(Signature(by, key), ending):
            return refusals.BadMessage(why)
        args = (clock_ms, by, key, *msgspec.structs.astuple(ending))
        return await self._or_brought_back("duty", drop, args, _DUTY)  # type: ignore[no-any-return]

    async def outbox(self, drop: DropId) -> outbox.Outbox:
        """See `outbox.owed`."""
        outbox_key, holds, payments = (
            self._key(drop, name) for name in ("outbox", "holds", "payments")
        )
        leads = await self._leads(drop)
        found = await outbox.owed(self._ask, outbox_key, holds, payments, leads)
        return found._replace(waits=await self.waits(drop))

    async def waits(self, drop: DropId) -> bool:
        """Was the drop restored, and has nobody compared it with the provider yet?"""
        return bool(await self._field(drop, "froze") == b"restore")

    async def duties(self, drop: DropId) -> dict[str, model.DutyRecord]:
        """What stands in the outbox and can be done."""
        return (await self.outbox(drop)).duties

    async def settle(
        self, drop: DropId, *, clock_ms: int = 0
    ) -> Settled | refusals.Frozen | refusals.NotFound:
        return await self._run("settle", drop, (clock_ms,), _SETTLED)  # type: ignore[no-any-return]

    async def doubt_clock(self, drop: DropId, *, clock_ms: int = 0) -> Doubted | refusals.NotFound:
        """The server's clock leapt: a scheduled drop does not open by it until `realign`."""
        return await self._run("doubt_clock", drop, (clock_ms,), _DOUBTED)  # type: ignore[no-any-return]

    async def root(self, drop: DropId, root: str, *, clock_ms: int = 0) -> RootReply:
        """The Merkle root of the sealed list, as hex digits."""
        return await self._run("root", drop, (clock_ms, root), _ROOT)  # type: ignore[no-any-return]

    async def reveal(self, drop: DropId, value: str, *, clock_ms: int = 0) -> RevealReply:
        """What the sealed list is ordered by, proven by whoever sends it; hex digits."""
        return await self._run("reveal", drop, (clock_ms, value), _REVEAL)  # type: ignore[no-any-return]

    async def order(
        self, drop: DropId, root: str, first: int, ids: Sequence[str], *, clock_ms: int = 0
    ) -> OrderReply:
        """These entries, at most 500, get the arrivals from `first` on. A repeat is harmless."""
        return await self._run("order", drop, (clock_ms, root, first, _pack(list(ids))), _ORDER)  # type: ignore[no-any-return]

    async def carry(
        self,
        drop: DropId,
        digest: str,
        first: int,
        of: int,
        rows: Sequence[CarriedRow],
        *,
        clock_ms: int = 0,
    ) -> CarryReply:
        """These of an earlier drop's list of `of`, at most 500, from the place `first` on, get
        arrivals here. A repeat is harmless. digest: of that list, as the rules name it."""
        args = (clock_ms, digest, first, of, _pack(list(rows)))
        return await self._run("carry", drop, args, _CARRY)  # type: ignore[no-any-return]

    async def start(self, drop: DropId, *, clock_ms: int = 0) -> StartReply:
        """The sealed list has all its arrivals: the drop opens."""
        return await self._run("start", drop, (clock_ms,), _START)  # type: ignore[no-any-return]

    async def sealed(
        self, drop: DropId, first: int = 1, most: int = LIST_AT_ONCE
    ) -> replies.Sealed | refusals.NotFound:
        """A part of the list that chance orders, from the number of an entry on."""
        names = (self._key(drop, "drop"), self._key(drop, "entries"))
        return _SEALED.decode(await self._once("sealed", names, (first, most)))  # type: ignore[no-any-return]

    async def view(
        self, drop: DropId, moves_at: int = 0, mail_at: int = 0, *, clock_ms: int = 0
    ) -> ViewReply | refusals.Frozen | refusals.NotFound:
        """The newest public state in true time, and the rows after the two cursors; arms the
        nudge."""
        reply: ViewReply | refusals.Frozen | refusals.NotFound
        reply = await self._run("view", drop, (clock_ms, moves_at, mail_at), _VIEW)
        if isinstance(reply, refusals.NotFound) and (archive := await self.left(drop)):
            return await archive.view(drop)
        return true_time.view(reply) if isinstance(reply, ViewReply) else reply

    async def drops(self) -> list[DropId]:
        """Every drop that the server has, the newest first."""
        return await self.house.drops()

    async def every_drop(self) -> list[DropId]:
        """And behind them those that left."""
        return list(dict.fromkeys(await self.drops() + await self.house.archived()))

    async def time_ms(self) -> int:
        """The server's clock, ms since 1970."""
        seconds, micros = await self._ask("the clock", "TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    async def show(self, drop: DropId) -> Shown | None:
        """The manifest and where the drop stands; None without such a drop. Raises NewerSchema."""
        row = await self._ask("the drop", "HMGET", self._key(drop, "drop"), *replies.SHOWN)
        if row[0] is None:
            archive = await self.left(drop)
            return None if archive is None else await archive.shown(drop)
        if int(row[5]) > model.SCHEMA:
            raise self._newer(drop, int(row[5]))
        return replies.shown(row)

    async def hold(self, drop: DropId, hold: str) -> model.HoldRecord | None:
        """One hold as it is kept, without settling: by the drop's own time."""
        (raw,) = await self.records(drop, "holds", [hold])
        return None if raw is None else msgspec.msgpack.decode(raw, type=model.HoldRecord)

    async def records(self, drop: DropId, key: str, names: Sequence[str]) -> list[bytes | None]:
        """What stands under these names in one of a drop's hashes, as it is kept."""
        return await self._ask(f"its {key}", "HMGET", self._key(drop, key), *names)  # type: ignore[no-any-return]

    async def fields(self, drop: DropId, key: str) -> dict[str, bytes]:
        """All of one of a drop's hashes, as it is kept."""
        flat = await self._ask(f"its {key}", "HGETALL", self._key(drop, key))
        return {name.decode(): value for name, value in zip(*[iter(flat)] * 2, strict=True)}

    async def published_layout(self, drop: DropId) -> int:
        return await stored_log.published_layout(self._ask, self._key(drop, "log"))

    def log(self, drop: DropId, after: int = 0) -> AsyncIterator[bytes]:
        """See `stored_log.texts`."""
        names = self._key(drop, "log"), self._key(drop, "drop")
        found = stored_log.texts(self._ask, drop, *names, after, self.in_the_books)
        return self._or_archived(found, drop, after)

    async def _or_archived(
        self, found: AsyncIterator[bytes], drop: DropId, after: int
    ) -> AsyncIterator[bytes]:
        # Rows that the server has of a drop that left are of one who began to bring it back.
        archive = await self.left(drop)
        if archive is None:
            async for text in found:
                after += 1
                yield text
            # It may have left between two pages: the rest is in the other place.
            archive = await self.left(drop)
        if archive is not None:
            async for text in archive.texts(drop, after):
                yield text

    async def stretch(self, drop: DropId, after: int, least: int) -> list[bytes]:
        """See `stored_log.stretch`."""
        names = self._key(drop, "log"), self._key(drop, "drop")
        found = await stored_log.stretch(self._ask, drop, *names, after, self.in_the_books, least)
        if len(found) < least and (archive := await self.left(drop)):
            async for text in archive.texts(drop, after + len(found)):
                found.append(text)
                if len(found) == least:
                    break
        return found

    async def stands(self, drop: DropId) -> tuple[int, str]:
        """The number of the drop's last event, and its state; (0, "") without such a drop."""
        row = await self._ask("the drop", "HMGET", self._key(drop, "drop"), "seq", "state")
        return int(row[0] or 0), (row[1] or b"").decode()

    async def truth(self, drop: DropId, *, attempts: int = 50) -> Truth | None:
        """See `audit.at_one_moment`."""
        return await at_one_moment(self._once, drop, attempts, self.prefix)

    async def rewrite(
        self, drop: DropId, part: str, kind: str, put: Sequence[bytes | str], gone: Sequence[str]
    ) -> None:
        """Put rows of one key of a frozen drop in order: `truth/repair.py` knows which. Raises
        Broken when it is not frozen."""
        names = (self._key(drop, "drop"), self._key(drop, part))
        reply = _REWRITE.decode(
            await self._once("rewrite", names, (kind, packed_texts(put), packed_texts(gone)))
        )
        if not isinstance(reply, replies.Rewritten):
            raise Broken(f"{drop} is not frozen and is left alone")

    async def standing_orders(self, drop: DropId) -> int:
        """How many orders were not refunded."""
        found = int(await self._ask("its orders", "ZCARD", self._key(drop, "sales")))
        archive = None if found else await self.left(drop)
        return found if archive is None else await archive.standing(drop)

    async def newest(self, drop: DropId, most: int) -> list[bytes]:
        """The last texts of its log, in order."""
        found = await stored_log.newest(self._ask, self._key(drop, "log"), most)
        if archive := await self.left(drop):
            last = int(await self._field(drop, "archived"))
            return [text async for text in archive.texts(drop, max(0, last - most))]
        return found

    async def _leads(self, drop: DropId) -> list[tuple[int, int]]:
        """See `true_time`; a drop that an older engine left has none."""
        raw = await self._field(drop, "leads")
        return [] if raw is None else msgspec.msgpack.decode(raw, type=list[tuple[int, int]])

    async def _field(self, drop: DropId, field: str) -> Any:
        return await self._ask("the drop", "HGET", self._key(drop, "drop"), field)

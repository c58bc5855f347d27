"""The doors at which creators command their drops: one a command, all of one union."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from dropengine import manifest, outcomes, plain_text, refusals
from dropengine.creator_commands import (
    COMMANDS,
    ChargedBack,
    Correct,
    CreatorCommand,
    EndDuty,
    FromCreator,
    MoreTime,
    Revision,
    Thaw,
    Why,
)
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.drop_messages import (
    CameBackAsked,
    CheckManifest,
    Commanded,
    RefundAsked,
)
from dropengine.doors.studio.studio_answers import mistaken, refused
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.errors import ManifestError
from dropengine.model import DropId
from dropengine.order_number import order_of
from dropengine.truth import repair
from dropengine.truth.store import Store

NO_REVISION = (
    "say which revision of the drop you saw: as `revision`, or by the tag of the drop in `If-Match`"
)
DIFFERS = "Its records are not as its log says. `dropengine audit` shows where, and rewrites them."
NOT_COMPARED = "It was restored. `dropengine reconcile` compares it with what was paid first."
HANDED_OVER = (
    "it is handed over: its units are kept back (`withheld`) until they came back in order"
)
_TAG = re.compile(r'(?:W/)?"?([0-9]{1,16})"?')


class Nothing(msgspec.Struct):
    """A command whose fields are known by the drop alone."""


_SAID: dict[type[msgspec.Struct], type[msgspec.Struct]] = {Thaw: Nothing, Correct: CheckManifest}
"""Commands that people say in other words than the scripts: the rest comes from the drop."""


@cache
def body_of(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """What a command's door reads: the command's fields, the revision, and why it is given."""
    fields: list[Any] = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(_SAID.get(kind, kind))
    ]
    if issubclass(kind, FromCreator):
        fields.append(("revision", Revision | None, None))
    if not any(name == "why" for name, *_ in fields):
        fields.append(("why", Why, ""))
    renamed = {"as_": "as"} if kind is EndDuty else None
    return msgspec.defstruct(
        f"{kind.__name__}Asked",
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        rename=renamed,
    )


class CommandDoors:
    """One method for all commands of a drop, one each for its orders and duties."""

    def __init__(self, store: Store, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    def routes(self, doors: Doors) -> list[Route]:
        """A door a verb."""
        made = [
            doors.route("POST", f"/drops/{{drop}}/{verb}", partial(self.command, kind))
            for verb, kind in COMMANDS.items()
        ]
        return [
            *made,
            doors.route("POST", "/drops/{drop}/refund", self.refund),
            doors.route("POST", "/drops/{drop}/came-back", self.came_back),
            doors.route("POST", "/drops/{drop}/charged-back", self.charged_back),
            doors.route("POST", "/drops/{drop}/more-time", self.more_time),
            doors.route("POST", "/drops/{drop}/duty", self.duty),
        ]

    async def command(self, kind: type[CreatorCommand], call: Call) -> Response:
        """A command of the union, by the revision that was seen."""
        fields = _fields(call, kind)
        why = fields["why"]
        revision = _revision(call, fields.pop("revision"))
        if "why" not in kind.__struct_fields__:
            fields.pop("why")
        drop = DropId(call.named("drop"))

        async def given() -> Response | msgspec.Struct:
            command = await self._whole(kind, fields, drop)
            if isinstance(command, Response):
                return command
            outcome = await self._store.command(
                drop, command, revision=revision, by=self._changes.signs(call), key=call.key
            )
            return _told(outcome)

        return await self._changes.noted(call, kind.verb, given, of=drop, why=why)

    async def _whole(
        self, kind: type[CreatorCommand], fields: dict[str, Any], drop: DropId
    ) -> CreatorCommand | Response:
        """The command, with what only the drop itself tells."""
        if kind is Thaw:
            return await self._thaw(drop)
        if kind is Correct:
            return await self._correct(drop, fields["manifest"])
        return kind(**fields)

    async def _thaw(self, drop: DropId) -> Thaw | Response:
        """A frozen drop goes on when its records agree with its log. What differs is rewritten on
        the machine of the shop, where somebody reads what it is."""
        await self._store.settle(drop)
        found = await repair.audit(self._store, drop)
        if found is None:
            return refused(refusals.NotFound())
        if found.shown.froze and not found.agrees:
            return refused(refusals.Frozen(), detail=DIFFERS)
        if found.shown.froze == "restore":
            return refused(refusals.Frozen(), detail=NOT_COMPARED)
        return Thaw(0)

    async def _correct(self, drop: DropId, text: str) -> Correct | Response:
        """The words of a manifest, put right; its rules stay as they were published."""
        shown = await self._store.show(drop)
        if shown is None:
            return refused(refusals.NotFound())
        try:
            wanted = manifest.parse(text.encode(), "manifest")
            return manifest.correction(manifest.corrected(shown.manifest, wanted))
        except ManifestError as fault:
            return mistaken(fault)

    async def refund(self, call: Call) -> Response:
        """An order is given back, or units or an amount of it, by its id or its number."""
        fields = _fields(call, RefundAsked)
        drop, order = DropId(call.named("drop")), _order(fields)

        async def given() -> Response | msgspec.Struct:
            if fields["back"] == "line" and await self._changes.handed_over(drop, order):
                return refused(refusals.BadMessage(HANDED_OVER))
            outcome = await self._store.refund(
                drop,
                order,
                by=self._changes.signs(call),
                key=call.key,
                why=fields["why"],
                serials=fields["serials"],
                back=fields["back"],
                amount=fields["amount"],
            )
            return _told(outcome)

        of = f"{drop} {order}"
        return await self._changes.noted(call, "refund", given, of=of, why=fields["why"])

    async def came_back(self, call: Call) -> Response:
        """Units that were given back after the handover came back in order."""
        fields = _fields(call, CameBackAsked)
        drop, order = DropId(call.named("drop")), _order(fields)

        async def given() -> Response | msgspec.Struct:
            outcome = await self._store.came_back(
                drop,
                order,
                by=self._changes.signs(call),
                key=call.key,
                serials=fields["serials"],
            )
            return _told(outcome)

        of = f"{drop} {order}"
        return await self._changes.noted(call, "came-back", given, of=of, why=fields["why"])

    async def charged_back(self, call: Call) -> Response:
        """A dispute about a payment is lost."""
        fields = _fields(call, ChargedBack)
        drop, payment, amount = DropId(call.named("drop")), fields["payment"], fields["amount"]

        async def given() -> Response | msgspec.Struct:
            by = self._changes.signs(call)
            outcome = await self._store.charged_back(drop, payment, amount, by=by, key=call.key)
            return _told(outcome)

        of = f"{drop} {payment}"
        return await self._changes.noted(call, "charged-back", given, of=of, why=fields["why"])

    async def more_time(self, call: Call) -> Response:
        """A payment by hand gets as much time again, once."""
        fields = _fields(call, MoreTime)
        drop, payment = DropId(call.named("drop")), fields["payment"]

        async def given() -> Response | msgspec.Struct:
            by = self._changes.signs(call)
            return _told(await self._store.more_time(drop, payment, by=by, key=call.key))

        of = f"{drop} {payment}"
        return await self._changes.noted(call, "more-time", given, of=of, why=fields["why"])

    async def duty(self, call: Call) -> Response:
        """A duty ends that the provider does not do."""
        fields = _fields(call, EndDuty)
        drop, ending = DropId(call.named("drop")), EndDuty(**fields)

        async def given() -> Response | msgspec.Struct:
            outcome = await self._store.end_duty(
                drop, ending, by=self._changes.signs(call), key=call.key
            )
            return _told(outcome)

        of = f"{drop} {ending.id}"
        return await self._changes.noted(call, "duty", given, of=of, why=ending.why)


def _fields(call: Call, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The body by its fields' names. Raises Unfit."""
    fields = msgspec.structs.asdict(call.read(body_of(kind)))
    if why := plain_text.unfit(fields["why"]):
        raise Unfit(f"why {why}")
    return fields


def _order(fields: dict[str, Any]) -> str:
    """Which order it is about. Raises Unfit."""
    order = order_of(fields["order"])
    if not order:
        raise Unfit("order is no number as it was given: a digit of it is wrong")
    return order


def _revision(call: Call, said: int | None) -> int:
    """The revision that the creator saw. Raises Unfit."""
    tag = call.request.headers.get("if-match")
    if tag is None:
        if said is None:
            raise Unfit(NO_REVISION)
        return said
    found = _TAG.fullmatch(tag.strip())
    if found is None or said not in (None, int(found[1])):
        raise Unfit("If-Match is the tag of a drop: its revision in quotes, the same as `revision`")
    return int(found[1])


def _told(outcome: object) -> Response | msgspec.Struct:
    if isinstance(outcome, refusals.Refusal):
        return refused(outcome)
    told = _TOLD[type(outcome)]
    return told(outcome)


_TOLD: dict[type, Callable[[Any], Commanded]] = {
    outcomes.Changed: lambda one: Commanded(one.seq, one.revision, one.state),
    outcomes.Refunded: lambda one: Commanded(one.seq, of=one.hold, why=one.why, amount=one.amount),
    outcomes.CameBack: lambda one: Commanded(one.seq, of=one.hold),
    outcomes.ChargedBack: lambda one: Commanded(one.seq, of=one.payment),
    outcomes.MoreTime: lambda one: Commanded(one.seq, of=one.payment, deadline_ms=one.deadline_ms),
    outcomes.Discharged: lambda one: Commanded(one.seq, of=one.duty),
}

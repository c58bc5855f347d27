"""The creator's commands on the machine of the shop: `dropengine drop ...`.

They speak to the truth directly, as accounts for creators would through the doors. Each carries the
revision that the creator saw, so that of two opposite commands the second is refused, not obeyed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import msgspec

from dropengine import manifest, outcomes, refusals
from dropengine.cli import cohort_commands, makers_drops
from dropengine.cli.noted_commands import noted
from dropengine.cli.operators_terms import (
    REFUSED,
    Arguments,
    connect,
    drop_id,
    fault_in_name,
    key_of,
    no_such,
    own,
    read,
    refuse,
    signer,
    word_of,
)
from dropengine.config import Settings
from dropengine.creator_commands import (
    COMMANDS,
    Add,
    Cancel,
    Close,
    Correct,
    CreatorCommand,
    EndDuty,
    Exempt,
    Message,
    Open,
    Pause,
    Realign,
    Reschedule,
    Restrict,
    Resume,
    Seal,
    Widen,
    Withdraw,
)
from dropengine.errors import ManifestError, NewerSchema
from dropengine.model import DropId, OrderState
from dropengine.order_number import order_of
from dropengine.terminal import summary
from dropengine.truth.carried_list import list_of
from dropengine.truth.opening_at_once import open_at_once
from dropengine.truth.outbox import Outbox
from dropengine.truth.replies import BEYOND, Shown, ViewReply
from dropengine.truth.store import Store

READING = frozenset({"show", "waiting", "networks", "log"})
"""Verbs that change nothing."""
UNDONE_MS = 10_000
"""What is owed for this long was tried more than once, or is refused for good: it is shown."""


def run(verb: str, arguments: Arguments, settings: Settings) -> int:
    """Carry out one command on the running shop; its exit code. Raises DropEngineError."""
    # What goes wrong is told once, by its sentence: the log is for those who run the shop.
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    return asyncio.run(_run(verb, arguments, settings))


async def _run(verb: str, arguments: Arguments, settings: Settings) -> int:
    if verb == "publish":
        # A manifest's mistakes are told whether a shop runs or not.
        read(arguments.file)
    store = connect(settings)
    try:
        await own(store, settings)
        if verb == "list":
            return await _list(store, settings)
        if code := await _about(verb, store, settings, arguments):
            return code
        if verb == "cohorts":
            return await cohort_commands.run(store, settings, arguments)
        if verb in READING:
            return await _DO[verb](store, arguments)
        if why := fault_in_name(arguments):
            return refuse(refusals.BadMessage(why))
        arguments.word = word_of(settings, arguments)
        return await noted(
            settings,
            lambda: _DO[verb](store, arguments),
            by=signer(arguments),
            what=verb,
            of=_named(verb, arguments),
            word=arguments.word,
            why=getattr(arguments, "why", None) or "",
        )
    finally:
        await store.close()


async def _about(verb: str, store: Store, settings: Settings, arguments: Arguments) -> int:
    """Find out which drop a command is about; the exit code of a refusal, else 0."""
    if verb == "publish":
        arguments.chance = None
        refused = await makers_drops.set_aside(store, settings, arguments)
        if not refused:
            text = _to_publish(arguments, int(time.time() * 1000))
            arguments.chance = await makers_drops.chance_of(settings, text)
            await makers_drops.look_at_carried(store, settings, text)
        return refused
    if verb == "correct":
        arguments.drop = arguments.file if arguments.id is None else arguments.id
    await makers_drops.name(store, settings, arguments)
    return 0


def _named(verb: str, arguments: Arguments) -> str:
    """The drop that a command is about."""
    if verb != "publish":
        return drop_id(arguments)
    return str(read(arguments.file).id if arguments.id is None else arguments.id)


def _to_publish(arguments: Arguments, now_ms: int) -> manifest.Manifest:
    """The drop of the file, under the id and with the opening that were asked for."""
    text = read(arguments.file)
    opens_ms = text.opens_ms
    if arguments.opens_in is not None:
        opens_ms = now_ms + int(arguments.opens_in * 1000)
    elif arguments.now and not 0 < opens_ms <= now_ms:
        opens_ms = now_ms
    if arguments.open:
        manifest.to_open_at_once(text)
    drop = text.id if arguments.id is None else arguments.id
    if (drop, opens_ms) == (text.id, text.opens_ms):
        return text
    return manifest.with_opening(text, drop, opens_ms)


def _asked(arguments: Arguments) -> str:
    """The same in words that do not change while the clock goes on: repeated, it is one command."""
    text = read(arguments.file)
    if arguments.id is not None:
        text = manifest.with_opening(text, arguments.id, text.opens_ms)
    when = "now" if arguments.now else ""
    if arguments.opens_in is not None:
        when = f"in {arguments.opens_in} s"
    if arguments.open:
        when = "open"
    return f"{manifest.digest(text)} {when}".rstrip()


def _refuse_past(text: manifest.Manifest, now_ms: int, *, at_once: bool) -> None:
    """A time that has passed would begin or end the sale this moment. Raises ManifestError."""
    if 0 < text.closes_ms <= now_ms:
        when = summary.moment(text.closes_ms, text.zone)
        raise ManifestError(text.id, [f"closes_at: {when} has passed, nobody could buy"])
    if 0 < text.opens_ms <= now_ms and not at_once:
        when = summary.moment(text.opens_ms, text.zone)
        hint = "say --now to open it at once, or --opens-in SECONDS"
        raise ManifestError(text.id, [f"opens_at: {when} has passed; {hint}"])


async def _publish(store: Store, arguments: Arguments) -> int:
    now_ms = int(time.time() * 1000)
    text = _to_publish(arguments, now_ms)
    # Who publishes the same file again is told what became of it.
    if await store.show(DropId(text.id)) is None:
        at_once = arguments.now or arguments.opens_in is not None
        _refuse_past(text, now_ms, at_once=at_once)
    key = key_of(arguments)
    outcome = await store.publish(
        text,
        by=arguments.word,
        key=key,
        asked=_asked(arguments),
        chance=arguments.chance,
    )
    if not isinstance(outcome, outcomes.Changed):
        return refuse(outcome)
    # A repeat is told of what the first one made.
    shown = await store.show(DropId(text.id))
    assert shown is not None, "nothing takes a drop away"
    text = shown.manifest
    if arguments.open and (
        refusal := await open_at_once(store, DropId(text.id), by=arguments.word, key=key)
    ):
        return _not_open_yet(refusal, text.id, key)
    when = summary.moment(text.opens_ms, text.zone) if text.opens_ms else "when you open it"
    if arguments.open:
        when = "now"
    print(f"{text.id} is published: {summary.units(text)} on sale {when}.")
    print(f"Its rules have the hash {manifest.digest(text)}.")
    # The shop that runs says where people reach it: here its settings need not be known.
    if address := await store.house.address():
        print(f"Its page is {address}/drops/{text.id}")
    return 0


def _not_open_yet(refusal: refusals.Refusal, drop: str, key: str) -> int:
    if isinstance(refusal, refusals.NotCarried):
        print(
            f"{drop} is published. It opens when the places of the earlier drop are carried over: "
            f"say the same again, with --key {key}.",
            file=sys.stderr,
        )
    return refuse(refusal)


SAID: dict[type[CreatorCommand], str] = {
    Open: "{drop} is open.",
    Seal: "The list of {drop} is sealed: chance orders it, then it opens.",
    Widen: "{drop} is open to all: the line first, then everybody.",
    Pause: "{drop} is paused: holds go on and can be paid.",
    Resume: "{drop} goes on: the line first, then everybody.",
    Realign: "The time of {drop} goes on by the server's clock as it is now.",
    Add: "More units of {drop} are on sale, to the line first.",
    Withdraw: "Units of {drop} are withheld.",
    Reschedule: "The times of {drop} are changed, and every screen counts to the new ones.",
    Correct: "The words of {drop} are put right; its rules are as they were.",
    Message: "Everybody at {drop} reads it now.",
    Exempt: "The network may have as much of {drop} as its people like.",
    Restrict: "The network may have no more of {drop} than others again.",
    Close: "{drop} closes: what is held can still be paid, nothing new begins.",
    Cancel: "{drop} is cancelled: every hold ends and every payment goes back.",
}
"""What a command that was carried out came to."""


async def _command(kind: type[CreatorCommand], store: Store, arguments: Arguments) -> int:
    """One of a creator's commands; its fields are arguments of the same names."""
    drop, revision = drop_id(arguments), arguments.revision
    if revision is None or kind in (Reschedule, Correct):
        shown = await store.show(drop)
        if shown is None:
            return no_such(drop)
        revision = shown.revision if revision is None else revision
        _fill_in(kind, arguments, shown)
    command = kind(**{name: getattr(arguments, name) for name in kind.__struct_fields__})
    if kind is Cancel and not _confirmed(drop, arguments.confirm):
        return REFUSED
    outcome = await store.command(
        drop, command, revision=revision, by=arguments.word, key=key_of(arguments)
    )
    if isinstance(outcome, refusals.Already):
        shown = await store.show(drop)
        return refuse(outcome, shown.manifest.zone if shown else "UTC")
    if not isinstance(outcome, outcomes.Changed):
        return refuse(outcome)
    print(SAID[kind].format(drop=drop) + f" It is {outcome.state}, revision {outcome.revision}.")
    return 0


def _fill_in(kind: type[CreatorCommand], arguments: Arguments, shown: Shown) -> None:
    """What a command does not say itself stands in the drop, at this revision."""
    if kind is Reschedule:
        for name in kind.__struct_fields__:
            if getattr(arguments, name) is None:
                setattr(arguments, name, getattr(shown, name))
    elif kind is Correct:
        reads = manifest.corrected(shown.manifest, read(arguments.file))
        vars(arguments).update(msgspec.structs.asdict(manifest.correction(reads)))


def _confirmed(drop: DropId, given: str | None) -> bool:
    """Does whoever cancels a drop name it a second time? given: how it was named beforehand, or
    None: he is asked."""
    if given is None:
        print(
            f"Cancelling {drop} ends every hold and gives every payment back, for good. "
            f"Type its id to go on: ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        given = sys.stdin.readline().strip()
    if given != drop:
        print(f"Nothing was changed: that was not {drop}.", file=sys.stderr)
    return given == drop


async def _refund(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    order = order_of(arguments.order)
    if not order:
        slip = f"order must be a number as it was given, a digit of {arguments.order} is wrong"
        return refuse(refusals.BadMessage(slip))
    outcome = await store.refund(
        drop, order, by=arguments.word, key=key_of(arguments), why=arguments.why
    )
    if not isinstance(outcome, outcomes.Refunded):
        return refuse(outcome)
    if outcome.state == OrderState.REFUND_FAILED:
        print(
            f"Order {outcome.hold} of {drop} ended before, and its money did not go back: that "
            f"refund was given up ({outcome.state}). Give it back in another way.",
            file=sys.stderr,
        )
        return 1
    print(
        f"Order {outcome.hold} of {drop} is refunded; its units go to the line, or are free again."
    )
    if outcome.why != arguments.why:
        kept = f"reads: {outcome.why}" if outcome.why else "reads no reason"
        print(
            f"It ended before, and its fan {kept}. What you said now is not told.", file=sys.stderr
        )
    return 0


async def _duty(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    ending = EndDuty(arguments.duty, getattr(arguments, "as"), arguments.why)
    outcome = await store.end_duty(drop, ending, by=arguments.word, key=key_of(arguments))
    if not isinstance(outcome, outcomes.Discharged):
        return refuse(outcome)
    told = "done by hand" if ending.as_ == "by_hand" else "given up: its money stays where it is"
    print(f"The duty {outcome.duty} of {drop} is {told}.")
    return 0


async def _show(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    shown = await store.show(drop)
    if shown is None:
        return no_such(drop)
    view = await store.view(drop, BEYOND, BEYOND)
    if isinstance(view, refusals.Refusal):
        return refuse(view)
    outbox = await store.outbox(drop)
    if arguments.json:
        body = {
            "hash": shown.hash,
            "manifest": shown.manifest,
            "view": _view(view),
            "duties": sorted(outbox.duties),
            "set_aside": outbox.set_aside,
            "undone": list(_undone(outbox, view.now_ms)),
        }
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")
    else:
        print(summary.of_drop(shown.manifest, view))
        for duty_id in outbox.set_aside:
            print(f"The duty {duty_id} cannot be read and is set aside: see to its money.")
        zone = shown.manifest.zone
        for duty in _undone(outbox, view.now_ms):
            print(
                f"Undone since {summary.moment(duty.since_ms, zone)}: {duty.id}, "
                f"{summary.money(duty.amount, duty.currency or shown.manifest.currency)}. "
                "`dropengine drop duty` ends what cannot be done."
            )
    return 0


class Undone(msgspec.Struct, frozen=True):
    """A duty that the provider does not do. amount: minor units of `currency`; '': the drop's."""

    id: str
    amount: int
    currency: str
    since_ms: int


def _undone(outbox: Outbox, now_ms: int) -> Iterator[Undone]:
    """What a healthy provider would have done by now, the oldest first."""
    for duty_id, duty in sorted(outbox.duties.items(), key=lambda row: row[1].at_ms):
        if now_ms - duty.at_ms >= UNDONE_MS and duty_id not in outbox.standing:
            yield Undone(duty_id, duty.amount, duty.currency, duty.at_ms)


def _view(view: ViewReply) -> dict[str, object]:
    """The public state by name; the scripts answer by position."""
    named = ("now_ms", "seq", "state", "revision", "opens_ms", "closes_ms")
    pools = [msgspec.structs.asdict(pool) for pool in view.pools]
    return {name: getattr(view, name) for name in named} | {"pools": pools}


async def _waiting(store: Store, arguments: Arguments) -> int:
    """What the manifest of the next drop says, to carry them over."""
    found = await list_of(store, drop_id(arguments))
    if arguments.json:
        body = {"drop": found.drop, "hash": found.hash, "entries": found.entries}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")
        return 0
    print(f"{len(found.entries):,} waited in vain. To carry their places over, the next drop says:")
    print(f'\ncarried_from = "{found.drop}"\ncarried_hash = "{found.hash}"')
    return 0


async def _networks(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    if await store.show(drop) is None:
        return no_such(drop)
    crowds = await store.glances.crowds(drop)
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(crowds), indent=2) + b"\n")
        return 0
    for one in crowds:
        wide = "\taround others" if one.around else ""
        free = "\texempt" if one.exempt else ""
        print(f"{one.network}\t{one.open} open\t{one.refused} refused{wide}{free}")
    if not crowds:
        print("Nobody was refused because of his network.")
    return 0


async def _list(store: Store, settings: Settings) -> int:
    drops = await store.every_drop()
    owners = await makers_drops.owners(settings, drops)
    for drop in drops:
        try:
            shown = await store.show(drop)
        except (NewerSchema, ManifestError) as fault:
            print(fault, file=sys.stderr)
            continue
        if shown:
            print(f"{drop}\t{shown.state}\t{shown.manifest.title}\t{owners.get(drop, '')}".rstrip())
    return 0


async def _log(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    if await store.show(drop) is None:
        return no_such(drop)
    out = sys.stdout.buffer
    async for line in store.log(drop, arguments.after):
        out.write(line + b"\n")
    out.flush()
    return 0


_DO: dict[str, Callable[[Store, Arguments], Awaitable[int]]] = {
    "publish": _publish,
    **{verb: partial(_command, kind) for verb, kind in COMMANDS.items() if kind in SAID},
    "refund": _refund,
    "duty": _duty,
    "show": _show,
    "waiting": _waiting,
    "networks": _networks,
    "log": _log,
}

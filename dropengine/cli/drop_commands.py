"""The creator's commands on the machine of the shop: `dropengine drop ...`.

They speak to the truth directly, as accounts for creators would through the doors. Each carries the
revision that the creator saw, so that of two opposite commands the second is refused, not obeyed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import logging
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from dropengine import manifest, outcomes, refusals
from dropengine.config import Settings
from dropengine.creator_commands import (
    COMMANDS,
    SHOPS_NAMES,
    Add,
    Cancel,
    Close,
    CreatorCommand,
    EndDuty,
    Message,
    Open,
    Pause,
    Realign,
    Resume,
    Signature,
    Withdraw,
    fault_in,
)
from dropengine.errors import DropEngineError, ManifestError, NewerSchema, Unavailable
from dropengine.model import DropId, Key
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.terminal import summary
from dropengine.truth.outbox import Outbox
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store

REFUSED = 1
UNDONE_MS = 10_000
"""What is owed for this long was tried more than once, or is refused for good: it is shown."""

Arguments = argparse.Namespace


def run(verb: str, arguments: Arguments, settings: Settings) -> int:
    """Carry out one command on the running shop; its exit code. Raises DropEngineError."""
    # What goes wrong is told once, by its sentence: the log is for those who run the shop.
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    return asyncio.run(_run(verb, arguments, settings))


async def _run(verb: str, arguments: Arguments, settings: Settings) -> int:
    if verb == "publish":
        # A manifest's mistakes are told whether a shop runs or not.
        _read(arguments.file)
    store = connect(settings)
    try:
        return await _DO[verb](store, arguments)
    finally:
        await store.close()


def connect(settings: Settings) -> Store:
    """The truth of the shop of these settings. Raises Unavailable when it does not run."""
    prefix = settings.redis_prefix
    if settings.redis_url is not None:
        return Store.connect(settings.redis_url, prefix)
    server = EmbeddedServer(settings)
    if server.pid is None:
        raise Unavailable(
            f"No shop runs on {settings.data_dir}: start it with `dropengine serve`, "
            f"or name its directory with --data-dir."
        )
    return Store.connect(server.url, prefix)


def drop_id(arguments: Arguments) -> DropId:
    """The drop that FILE-OR-ID names."""
    given: str = arguments.drop
    if given.endswith(".toml"):
        return DropId(_read(given).id)
    if not manifest.ID.fullmatch(given):
        raise DropEngineError(f"{manifest.short(given)} is no drop: an id {manifest.ID_RULE}.")
    return DropId(given)


def _read(path: str) -> manifest.Manifest:
    try:
        text = Path(path).read_bytes()
    except (OSError, ValueError) as fault:
        raise ManifestError(path, [getattr(fault, "strerror", None) or str(fault)]) from fault
    return manifest.parse(text, path)


def signer(arguments: Arguments) -> str:
    """Who commands."""
    if arguments.by in SHOPS_NAMES:
        raise DropEngineError(f"--by {arguments.by}: the shop signs so itself. Take your own name.")
    if arguments.by is not None:
        return str(arguments.by)
    # A machine need not have a name for everybody who works on it, nor one that can sign.
    with contextlib.suppress(KeyError, OSError):
        name = getpass.getuser()
        if name not in SHOPS_NAMES and not fault_in(Signature(by=name, key="key")):
            return name
    return f"user {os.getuid()}"


def key_of(arguments: Arguments) -> Key:
    """The key of this command: as it was given, else a new one."""
    return Key(secrets.token_hex(8) if arguments.key is None else arguments.key)


def _to_publish(arguments: Arguments, now_ms: int) -> manifest.Manifest:
    """The drop of the file, under the id and with the opening that were asked for."""
    text = _read(arguments.file)
    opens_ms = text.opens_ms
    if arguments.opens_in is not None:
        opens_ms = now_ms + int(arguments.opens_in * 1000)
    elif arguments.now and not 0 < opens_ms <= now_ms:
        opens_ms = now_ms
    drop = text.id if arguments.id is None else arguments.id
    if (drop, opens_ms) == (text.id, text.opens_ms):
        return text
    return manifest.with_opening(text, drop, opens_ms)


def _asked(arguments: Arguments) -> str:
    """The same in words that do not change while the clock goes on: repeated, it is one command."""
    text = _read(arguments.file)
    if arguments.id is not None:
        text = manifest.with_opening(text, arguments.id, text.opens_ms)
    when = "now" if arguments.now else ""
    if arguments.opens_in is not None:
        when = f"in {arguments.opens_in} s"
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
    outcome = await store.publish(
        text, by=signer(arguments), key=key_of(arguments), asked=_asked(arguments)
    )
    if not isinstance(outcome, outcomes.Changed):
        return refuse(outcome)
    # A repeat is told of what the first one made.
    shown = await store.show(DropId(text.id))
    assert shown is not None, "nothing takes a drop away"
    text = shown.manifest
    when = summary.moment(text.opens_ms, text.zone) if text.opens_ms else "when you open it"
    print(f"{text.id} is published: {summary.units(text)} on sale {when}.")
    print(f"Its rules have the hash {manifest.digest(text)}.")
    # The shop that runs says where people reach it: here its settings need not be known.
    if address := await store.house.address():
        print(f"Its page is {address}/drops/{text.id}")
    return 0


SAID: dict[type[CreatorCommand], str] = {
    Open: "{drop} is open.",
    Pause: "{drop} is paused: holds go on and can be paid.",
    Resume: "{drop} goes on: the line first, then everybody.",
    Realign: "The time of {drop} goes on by the server's clock as it is now.",
    Add: "More units of {drop} are on sale, to the line first.",
    Withdraw: "Units of {drop} are withheld.",
    Message: "Everybody at {drop} reads it now.",
    Close: "{drop} closes: what is held can still be paid, nothing new begins.",
    Cancel: "{drop} is cancelled: every hold ends and every payment goes back.",
}
"""What a command that was carried out came to."""


async def _command(kind: type[CreatorCommand], store: Store, arguments: Arguments) -> int:
    """One of a creator's commands; its fields are arguments of the same names."""
    command = kind(**{name: getattr(arguments, name) for name in kind.__struct_fields__})
    drop, revision = drop_id(arguments), arguments.revision
    if revision is None:
        shown = await store.show(drop)
        if shown is None:
            return no_such(drop)
        revision = shown.revision
    if kind is Cancel and not _confirmed(drop, arguments.confirm):
        return REFUSED
    outcome = await store.command(
        drop, command, revision=revision, by=signer(arguments), key=key_of(arguments)
    )
    if isinstance(outcome, refusals.Already):
        shown = await store.show(drop)
        return refuse(outcome, shown.manifest.zone if shown else "UTC")
    if not isinstance(outcome, outcomes.Changed):
        return refuse(outcome)
    print(SAID[kind].format(drop=drop) + f" It is {outcome.state}, revision {outcome.revision}.")
    return 0


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
    outcome = await store.refund(drop, arguments.order, by=signer(arguments), key=key_of(arguments))
    if not isinstance(outcome, outcomes.Refunded):
        return refuse(outcome)
    print(
        f"Order {outcome.hold} of {drop} is refunded; its units go to the line, or are free again."
    )
    return 0


async def _duty(store: Store, arguments: Arguments) -> int:
    drop = drop_id(arguments)
    ending = EndDuty(arguments.duty, getattr(arguments, "as"), arguments.why)
    outcome = await store.end_duty(drop, ending, by=signer(arguments), key=key_of(arguments))
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
    # A cursor beyond every row: only the state is asked for.
    view = await store.view(drop, 10**12, 10**12)
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
                f"{summary.money(duty.amount, shown.manifest.currency)}. "
                "`dropengine drop duty` ends what cannot be done."
            )
    return 0


class Undone(msgspec.Struct, frozen=True):
    """A duty that the provider does not do. amount: minor units."""

    id: str
    amount: int
    since_ms: int


def _undone(outbox: Outbox, now_ms: int) -> Iterator[Undone]:
    """What a healthy provider would have done by now, the oldest first."""
    for duty_id, duty in sorted(outbox.duties.items(), key=lambda row: row[1].at_ms):
        if now_ms - duty.at_ms >= UNDONE_MS and duty_id not in outbox.standing:
            yield Undone(duty_id, duty.amount, duty.at_ms)


def _view(view: ViewReply) -> dict[str, object]:
    """The public state by name; the scripts answer by position."""
    named = ("now_ms", "seq", "state", "revision", "opens_ms", "closes_ms")
    pools = [msgspec.structs.asdict(pool) for pool in view.pools]
    return {name: getattr(view, name) for name in named} | {"pools": pools}


async def _list(store: Store, _: Arguments) -> int:
    for drop in await store.drops():
        try:
            shown = await store.show(drop)
        except (NewerSchema, ManifestError) as fault:
            print(fault, file=sys.stderr)
            continue
        if shown:
            print(f"{drop}\t{shown.state}\t{shown.manifest.title}")
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


def refuse(outcome: refusals.Refusal, zone: str = "UTC") -> int:
    """Say why, to somebody who runs the drop. zone: of the times in it."""
    # What is wrong with a field is the sentence itself.
    facts = "" if isinstance(outcome, refusals.BadMessage) else ", ".join(_facts(outcome, zone))
    print(
        f"Refused ({outcome.code}): {outcome.for_operator()}" + (f" ({facts})" if facts else ""),
        file=sys.stderr,
    )
    return REFUSED


def _facts(outcome: refusals.Refusal, zone: str) -> Iterator[str]:
    for field, value in msgspec.structs.asdict(outcome).items():
        name = "last command" if field == "what" else field
        if name == "at_ms":
            if value:
                yield f"at: {summary.moment(value, zone)}"
        elif isinstance(value, bool):
            yield f"{name}: {'yes' if value else 'no'}"
        elif value != "":
            yield f"{name}: {value}"


def no_such(drop: DropId) -> int:
    """Say that there is no such drop."""
    print(
        f"There is no drop {drop} in this shop; `dropengine drop list` names them.", file=sys.stderr
    )
    return REFUSED


_DO: dict[str, Callable[[Store, Arguments], Awaitable[int]]] = {
    "publish": _publish,
    **{verb: partial(_command, kind) for verb, kind in COMMANDS.items() if kind in SAID},
    "refund": _refund,
    "duty": _duty,
    "show": _show,
    "list": _list,
    "log": _log,
}

"""The creator's commands on the machine of the shop: `dropengine drop ...`.

They speak to the truth directly, as accounts for creators would through the doors. Each carries the
revision that the creator saw, so that of two opposite commands the second is refused, not obeyed.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
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
    Add,
    Cancel,
    Close,
    CreatorCommand,
    Message,
    Open,
    Pause,
    Resume,
    Withdraw,
)
from dropengine.errors import ManifestError, NewerSchema, Unavailable
from dropengine.model import DropId, Key
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.terminal import summary
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store

REFUSED = 1

Arguments = argparse.Namespace
Parser = argparse.ArgumentParser


def run(verb: str, arguments: Arguments, settings: Settings) -> int:
    """Carry out one command on the running shop; its exit code. Raises DropEngineError."""
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
    if settings.redis_url is not None:
        return Store.connect(settings.redis_url)
    server = EmbeddedServer(settings)
    if server.pid is None:
        raise Unavailable(
            f"No shop runs on {settings.data_dir}: start it with `dropengine serve`, "
            f"or name its directory with --data-dir."
        )
    return Store.connect(server.url)


def _who(parser: Parser) -> None:
    parser.add_argument("--by", metavar="NAME", help="who does this (default: your user name)")
    parser.add_argument(
        "--key", metavar="KEY", help="the same key again is the same command, done once"
    )


def _which(parser: Parser) -> None:
    parser.add_argument("drop", metavar="FILE-OR-ID", help="the drop's id, or its file")


def _change(parser: Parser) -> None:
    _which(parser)
    _who(parser)
    parser.add_argument(
        "--revision",
        type=int,
        metavar="N",
        help="refuse when the drop has another revision (default: whatever it has now)",
    )


def _id_of(arguments: Arguments) -> DropId:
    """The drop that FILE-OR-ID names."""
    given: str = arguments.drop
    if given.endswith(".toml"):
        return DropId(_read(given).id)
    return DropId(given)


def _read(path: str) -> manifest.Manifest:
    try:
        return manifest.parse(Path(path).read_bytes(), path)
    except OSError as fault:
        raise ManifestError(path, [fault.strerror or str(fault)]) from fault


def _by(arguments: Arguments) -> str:
    return arguments.by or getpass.getuser()


def _key(arguments: Arguments) -> Key:
    return Key(arguments.key or secrets.token_hex(8))


async def _publish(store: Store, arguments: Arguments) -> int:
    text = _read(arguments.file)
    drop = arguments.id or text.id
    opens_ms = text.opens_ms
    if arguments.opens_in is not None:
        opens_ms = int((time.time() + arguments.opens_in) * 1000)
    if (drop, opens_ms) != (text.id, text.opens_ms):
        text = manifest.with_opening(text, drop, opens_ms)
    outcome = await store.publish(text, by=_by(arguments), key=_key(arguments))
    if not isinstance(outcome, outcomes.Changed):
        return _refuse(outcome)
    when = summary.moment(text.opens_ms, text.zone) if text.opens_ms else "when you open it"
    print(f"{text.id} is published: {summary.units(text)} on sale {when}.")
    print(f"Its rules have the hash {manifest.digest(text)}.")
    return 0


SAID: dict[type[CreatorCommand], str] = {
    Open: "{drop} is open.",
    Pause: "{drop} is paused: holds go on and can be paid.",
    Resume: "{drop} goes on: the line first, then everybody.",
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
    drop, revision = _id_of(arguments), arguments.revision
    if revision is None:
        shown = await store.show(drop)
        if shown is None:
            return _none(drop)
        revision = shown.revision
    outcome = await store.command(
        drop, command, revision=revision, by=_by(arguments), key=_key(arguments)
    )
    if isinstance(outcome, refusals.Already):
        shown = await store.show(drop)
        return _refuse(outcome, shown.manifest.zone if shown else "UTC")
    if not isinstance(outcome, outcomes.Changed):
        return _refuse(outcome)
    print(SAID[kind].format(drop=drop) + f" It is {outcome.state}, revision {outcome.revision}.")
    return 0


async def _refund(store: Store, arguments: Arguments) -> int:
    drop = _id_of(arguments)
    outcome = await store.refund(drop, arguments.order, by=_by(arguments), key=_key(arguments))
    if not isinstance(outcome, outcomes.Refunded):
        return _refuse(outcome)
    print(
        f"Order {outcome.hold} of {drop} is refunded; its units go to the line, or are free again."
    )
    return 0


async def _show(store: Store, arguments: Arguments) -> int:
    drop = _id_of(arguments)
    shown = await store.show(drop)
    if shown is None:
        return _none(drop)
    # A cursor beyond every row: only the state is asked for.
    view = await store.view(drop, 10**12, 10**12)
    if isinstance(view, refusals.Refusal):
        return _refuse(view)
    if arguments.json:
        body = {"hash": shown.hash, "manifest": shown.manifest, "view": _view(view)}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")
    else:
        print(summary.of_drop(shown.manifest, view))
    return 0


def _view(view: ViewReply) -> dict[str, object]:
    """The public state by name; the scripts answer by position."""
    named = ("now_ms", "seq", "state", "revision", "opens_ms", "closes_ms")
    pools = [msgspec.structs.asdict(pool) for pool in view.pools]
    return {name: getattr(view, name) for name in named} | {"pools": pools}


async def _list(store: Store, _: Arguments) -> int:
    for drop in await store.drops():
        try:
            shown = await store.show(drop)
        except NewerSchema as newer:
            print(newer, file=sys.stderr)
            continue
        if shown:
            print(f"{drop}\t{shown.state}\t{shown.manifest.title}")
    return 0


async def _log(store: Store, arguments: Arguments) -> int:
    drop = _id_of(arguments)
    if await store.show(drop) is None:
        return _none(drop)
    out = sys.stdout.buffer
    async for line in store.log(drop, arguments.after):
        out.write(line + b"\n")
    out.flush()
    return 0


def _refuse(outcome: refusals.Refusal, zone: str = "UTC") -> int:
    """Say why, to somebody who runs the drop. zone: of the times in it."""
    facts = ", ".join(_facts(outcome, zone))
    print(
        f"Refused ({outcome.code}): {outcome.for_operator()}" + (f" ({facts})" if facts else ""),
        file=sys.stderr,
    )
    return REFUSED


def _facts(outcome: refusals.Refusal, zone: str) -> Iterator[str]:
    for name, value in msgspec.structs.asdict(outcome).items():
        if name == "at_ms":
            if value:
                yield f"at: {summary.moment(value, zone)}"
        elif isinstance(value, bool):
            yield f"{name}: {'yes' if value else 'no'}"
        elif value != "":
            yield f"{name}: {value}"


def _none(drop: DropId) -> int:
    print(
        f"There is no drop {drop} in this shop; `dropengine drop list` names them.", file=sys.stderr
    )
    return REFUSED


_DO: dict[str, Callable[[Store, Arguments], Awaitable[int]]] = {
    "publish": _publish,
    **{verb: partial(_command, kind) for verb, kind in COMMANDS.items()},
    "refund": _refund,
    "show": _show,
    "list": _list,
    "log": _log,
}


def _publish_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the manifest (TOML)")
    _who(parser)
    parser.add_argument("--id", metavar="ID", help="sell it under another id")
    parser.add_argument(
        "--opens-in", type=float, metavar="SECONDS", help="open so many seconds from now"
    )


def _pause_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument("--why", default="", metavar="TEXT", help="kept in the log")


def _stock_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument("pool", metavar="POOL", help="an item's id, or item@node")
    parser.add_argument("qty", type=int, metavar="UNITS")


def _message_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument("text", metavar="TEXT", help="1 to 500 characters")


def _refund_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("order", metavar="ORDER", help="the order's id, the same as its hold's")
    _who(parser)


def _show_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def _log_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument(
        "--after", type=int, default=0, metavar="SEQ", help="only events after this one"
    )


VERBS: tuple[tuple[str, str, Callable[[Parser], None]], ...] = (
    ("publish", "Put a drop up for sale; its rules are fixed from then on.", _publish_arguments),
    ("open", "Open a published drop now.", _change),
    ("pause", "Stop new holds and offers; what is held goes on.", _pause_arguments),
    ("resume", "Go on after a pause.", _change),
    ("add", "Put withheld units on sale.", _stock_arguments),
    ("withdraw", "Take free units off sale.", _stock_arguments),
    ("message", "Tell everybody at the drop something.", _message_arguments),
    ("close", "Begin nothing new; let what is held finish.", _change),
    ("cancel", "End the drop and give every payment back.", _change),
    ("refund", "Take an order back: its units return and its money goes back.", _refund_arguments),
    ("show", "Show where a drop stands.", _show_arguments),
    ("list", "List the drops of this shop.", lambda _: None),
    ("log", "Write the log of a drop to standard output (ndjson).", _log_arguments),
)

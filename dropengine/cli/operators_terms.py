"""What an operator's commands share: the shop, the drop, who signs, how a refusal is told."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dropengine import data_directory, manifest, refusals
from dropengine.config import Settings
from dropengine.creator_commands import SHOPS_NAMES, Bound, unfit
from dropengine.errors import DropEngineError, ManifestError, ServerTaken, Unavailable
from dropengine.model import DropId, Key
from dropengine.people import operators
from dropengine.people.operators import Names
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.sql.archive import Archive, OpenedForEach
from dropengine.sql.charge_ids import CopiedIds
from dropengine.sql.log_rows import LogRowsOf
from dropengine.terminal import summary
from dropengine.truth.store import Store

REFUSED = 1
NAME = Bound("line", 1, 64)
"""What whoever works on the shop's machine may be called."""

Arguments = argparse.Namespace


def connect(settings: Settings) -> Store:
    """The truth of the shop of these settings. Raises Unavailable when it does not run."""
    url = settings.redis_url
    if url is None:
        server = EmbeddedServer(settings)
        if server.pid is None:
            raise Unavailable(
                f"No shop runs on {settings.data_dir}: start it with `dropengine serve`, "
                f"or name its directory with --data-dir."
            )
        url = server.url
    store = Store.connect(url, settings.redis_prefix)
    store.in_the_books = LogRowsOf(settings).texts
    store.archive = Archive(OpenedForEach(settings))
    store.charge_ids.in_sql = CopiedIds(OpenedForEach(settings)).of
    store.operators.in_sql = Names(OpenedForEach(settings)).all
    return store


async def own(store: Store, settings: Settings) -> None:
    """Commands are for our own shop: staging that was left with the address of the real one would
    cancel what real people bought. A machine that keeps no shop may command any. Raises
    ServerTaken."""
    kept = settings.shop_id is not None or (settings.data_dir / "shop_id").exists()
    if not kept:
        return
    if await store.house.claimed_by() not in ("", data_directory.shop_id(settings)):
        address = await store.house.address() or "?"
        raise ServerTaken(
            f"The server is another shop's, at {address}, and {settings.data_dir} belongs to this "
            f"one: name the server or the redis_prefix of your own, or the data_dir of that shop."
        )
    found = await store.house.life()
    if settings.shop_id is None and found not in (None, data_directory.life(settings)):
        raise ServerTaken(
            f"This shop was restored from a backup, and {settings.data_dir} is not what it was "
            f"restored to: name the data_dir of the restored shop."
        )


def keeping(settings: Settings) -> None:
    """For commands that need the shop's own secret. Raises DropEngineError."""
    if not data_directory.keeps_shop(settings):
        raise DropEngineError(
            f"{settings.data_dir} keeps no shop, so its secret is not there: name its data_dir."
        )


def drop_id(arguments: Arguments) -> DropId:
    """The drop that FILE-OR-ID names."""
    given: str = arguments.drop
    if given.endswith(".toml"):
        return DropId(read(given).id)
    if not manifest.ID.fullmatch(given):
        raise DropEngineError(f"{manifest.short(given)} is no drop: an id {manifest.ID_RULE}.")
    return DropId(given)


def read(path: str) -> manifest.Manifest:
    """The manifest of a file. Raises ManifestError."""
    try:
        text = Path(path).read_bytes()
    except (OSError, ValueError) as fault:
        raise ManifestError(path, [getattr(fault, "strerror", None) or str(fault)]) from fault
    return manifest.parse(text, path)


def word_of(settings: Settings, arguments: Arguments) -> str:
    """How the log calls whoever commands. A machine that keeps no shop does not know its secret:
    there nothing of the person is in the word, which is the same only for a repeat."""
    if data_directory.keeps_shop(settings):
        who = operators.on_machine(signer(arguments))
        return operators.word(data_directory.secret(settings), who)
    arguments.key = key_of(arguments)
    return operators.word(b"", f"of the command {arguments.key}")


def fault_in_name(arguments: Arguments) -> str:
    """Why the audit trail cannot call somebody so, or ''."""
    why = unfit(signer(arguments), NAME)
    return f"by {why}" if why else ""


def signer(arguments: Arguments) -> str:
    """Who commands, as the audit trail calls him."""
    if arguments.by in SHOPS_NAMES:
        raise DropEngineError(f"--by {arguments.by}: the shop signs so itself. Take your own name.")
    if arguments.by is not None:
        return str(arguments.by)
    # A machine need not have a name for everybody who works on it, nor one that can sign.
    with contextlib.suppress(KeyError, OSError):
        name = getpass.getuser()
        if name not in SHOPS_NAMES and not unfit(name, NAME):
            return name
    return f"user {os.getuid()}"


def key_of(arguments: Arguments) -> Key:
    """The key of this command: as it was given, else a new one."""
    return Key(secrets.token_hex(8) if arguments.key is None else arguments.key)


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

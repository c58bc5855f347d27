"""`dropengine watch DROP`: its night at a terminal, in the shop of this machine or elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dropengine.cli import drop_arguments
from dropengine.cli.command_parsers import REACH, Commands, add_settings, command, settings_of
from dropengine.config import Settings
from dropengine.errors import DropEngineError

if TYPE_CHECKING:
    from dropengine.terminal.watching import Source

KEY: Final = "DROPENGINE_KEY"
"""Where the API key stands: an argument could be read by everybody on the machine."""


def add(commands: Commands) -> None:
    """Its parser."""
    watch = command(
        commands, "watch", run, "Watch a drop at a terminal while it sells; ends with the drop."
    )
    watch.add_argument("drop", metavar="FILE-OR-ID", help="the drop's id, or its file")
    watch.add_argument(
        "--shop",
        type=drop_arguments.words,
        metavar="URL",
        help=f"of a shop elsewhere, by an API key of its maker in {KEY}",
    )
    watch.add_argument("--json", action="store_true", help="an object a second, for programs")
    watch.add_argument("--once", action="store_true", help="how it is now, then end")
    add_settings(watch, REACH)


def run(arguments: argparse.Namespace) -> int:
    """Watch it; the exit code. Raises DropEngineError."""
    # What goes wrong is told once, by its sentence.
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    if arguments.shop is not None:
        return asyncio.run(_elsewhere(arguments))
    return asyncio.run(_here(settings_of(arguments)[0], arguments))


async def _elsewhere(arguments: argparse.Namespace) -> int:
    from dropengine.cli.operators_terms import drop_id
    from dropengine.terminal.shop_elsewhere import ShopElsewhere

    key = os.environ.get(KEY, "")
    parts = urlsplit(arguments.shop)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DropEngineError("--shop wants the address of a shop: https://drops.example")
    if not (key and key.isascii() and key.isprintable()):
        raise DropEngineError(
            f"{KEY} must hold an API key of the drop's maker: the studio has them."
        )
    return await _watch(ShopElsewhere(arguments.shop, drop_id(arguments), key), arguments)


async def _here(settings: Settings, arguments: argparse.Namespace) -> int:
    from dropengine.cli import makers_drops
    from dropengine.cli.operators_terms import connect, drop_id, own
    from dropengine.terminal.own_shop import OwnShop

    store = connect(settings)
    try:
        await own(store, settings)
        await makers_drops.name(store, settings, arguments)
        return await _watch(OwnShop(store, drop_id(arguments)), arguments)
    finally:
        await store.close()


async def _watch(source: Source, arguments: argparse.Namespace) -> int:
    from dropengine.terminal import watching

    night, show = watching.begun(sys.stdout, json=arguments.json, once=arguments.once)
    return await watching.watch(source, night, show, once=arguments.once)

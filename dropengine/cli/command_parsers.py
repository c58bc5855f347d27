"""How every command of the line is made: its parser, and the settings it is given."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Meta

from dropengine import config
from dropengine.config import FIELDS, Settings

CONFIG_FILE = Path("dropengine.toml")
"""Read when it is there and neither `--config` nor DROPENGINE_CONFIG names another."""

REACH = ("data_dir", "redis_url", "redis_prefix", "redis_timeout_ms", "database_url")
"""The settings that finding a running shop needs."""

BOOKS = ("data_dir", "database_url")
"""Those that finding its books needs."""

Commands = Any
"""argparse has no public name for what `add_subparsers` returns."""
Run = Callable[[argparse.Namespace], int]


def command(commands: Commands, name: str, run: Run, about: str) -> argparse.ArgumentParser:
    """A command of the line, with its help."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def add_settings(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Let it be given these settings."""
    group = parser.add_argument_group(
        "settings", "A setting is looked for here, then in the environment, then in the TOML file."
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        help=f"the TOML file of settings (default: {CONFIG_FILE}, if there)",
    )
    for name in names:
        flag = "--" + name.replace("_", "-")
        says = _says(name).replace("%", "%%")
        if isinstance(FIELDS[name].default, bool):
            group.add_argument(
                flag, dest=f"setting_{name}", action=argparse.BooleanOptionalAction, help=says
            )
        else:
            group.add_argument(flag, dest=f"setting_{name}", metavar="VALUE", help=says)


def _says(name: str) -> str:
    described = next(m for m in FIELDS[name].type.__metadata__ if isinstance(m, Meta))
    default = FIELDS[name].default
    shown = "" if default in (None, (), False) else f" (default: {config.in_a_word(default)})"
    return f"{described.description}{shown}"


def settings_of(arguments: argparse.Namespace) -> tuple[Settings, dict[str, str]]:
    """The settings of a command and where each came from. Raises ConfigError."""
    given = {
        name.removeprefix("setting_"): value
        for name, value in vars(arguments).items()
        if name.startswith("setting_")
    }
    named = arguments.config or os.environ.get("DROPENGINE_CONFIG")
    toml = Path(named) if named else CONFIG_FILE if CONFIG_FILE.is_file() else None
    return config.load(given, os.environ, toml)

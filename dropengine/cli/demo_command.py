"""`dropengine demo`: a drop with simulated fans, to look at or to be judged."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from dropengine.cli import drop_arguments
from dropengine.cli.command_parsers import Commands, add_settings, command, settings_of
from dropengine.config import FIELDS
from dropengine.errors import DropEngineError
from dropengine.manifest.defaults import MODES
from dropengine.model import REVISION_MAX


def add(commands: Commands) -> None:
    """Its parser."""
    demo = command(
        commands, "demo", run, "Play a drop with simulated fans, for you to watch and to join."
    )
    demo.add_argument(
        "file", nargs="?", metavar="FILE", help="the drop to play (default: the eclipse pin)"
    )
    demo.add_argument(
        "--fans",
        type=drop_arguments.whole(1, 100_000),
        metavar="N",
        help="simulated fans (180; headless 2000)",
    )
    demo.add_argument(
        "--seed",
        type=drop_arguments.whole(0, REVISION_MAX),
        default=1,
        help="makes the same people again (default: 1)",
    )
    demo.add_argument(
        "--mode",
        choices=MODES,
        help="how arrivals are given out: by time, or by chance among all who joined a list before "
        "the opening, after it, or for days (default: as FILE says)",
    )
    more = demo.add_argument_group(
        "rehearsal", "Without a screen, with compressed times, judged by the referee at the end."
    )
    more.add_argument("--headless", action="store_true", help="rehearse, judge and end")
    more.add_argument(
        "--units",
        type=drop_arguments.whole(1, 100_000),
        metavar="N",
        help="units on sale (default: 200 pins, or what FILE says)",
    )
    more.add_argument(
        "--mix",
        choices=("plain", "hard"),
        default="plain",
        help="hard: two drops at once, three items in two pools each, a busy creator, and trouble "
        "with the clock",
    )
    more.add_argument(
        "--kill",
        choices=("worker", "server", "supervisor"),
        help="end one process of this run by force in the middle of the burst; where a list is put "
        "in its order, in the middle of that",
    )
    more.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    more.add_argument(
        "--export", type=Path, metavar="FILE", help="write the log (of two drops: FILE-<drop>)"
    )
    more.add_argument(
        "--history", type=Path, metavar="FILE", help="write what the clients did and saw"
    )
    add_settings(demo, FIELDS)


def run(arguments: argparse.Namespace) -> int:
    """Play it, or rehearse and judge it."""
    settings, origins = settings_of(arguments)
    if origins["log_level"] == "default":
        # The screen is for the drop; what goes wrong on purpose is told by the demo itself.
        quiet = "error" if arguments.headless else "warning"
        settings = msgspec.structs.replace(settings, log_level=quiet)
    if arguments.headless:
        from dropengine.rehearsal import rehearse

        return rehearse.run(
            settings,
            rehearse.Rehearsal(
                fans=arguments.fans or 2000,
                units=arguments.units or _units_of_the_example(arguments),
                seed=arguments.seed,
                mix=arguments.mix,
                mode=arguments.mode,
                kill=arguments.kill,
                file=arguments.file,
                keep=origins["data_dir"] != "default",
                port=settings.port if origins["port"] != "default" else None,
                report=arguments.report,
                export=arguments.export,
                history=arguments.history,
            ),
        )
    for name in ("units", "kill", "report", "export", "history"):
        if getattr(arguments, name) is not None:
            raise DropEngineError(f"--{name} belongs to a rehearsal: say --headless too.")
    if arguments.mix != "plain":
        raise DropEngineError("--mix hard belongs to a rehearsal: say --headless too.")
    from dropengine.rehearsal import demo

    return demo.run(
        settings,
        file=arguments.file,
        mode=arguments.mode,
        fans=arguments.fans or 180,
        seed=arguments.seed,
    )


def _units_of_the_example(arguments: argparse.Namespace) -> int | None:
    """None: a drop's own caps. Only the shipped pin is played with more than its file says."""
    return None if arguments.file or arguments.mix == "hard" else 200

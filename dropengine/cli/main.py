"""The command line: `dropengine COMMAND ...`. A fault becomes a sentence and an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Meta

from dropengine import __version__, config
from dropengine.cli import drop_arguments
from dropengine.config import FIELDS, Settings
from dropengine.errors import DropEngineError
from dropengine.model import REVISION_MAX

ABOUT = """\
Sells a capped edition live: every unit exactly once, in an order anyone can check.

  dropengine demo                 a drop with simulated fans: open the link and buy against them
  dropengine serve                the same server, without simulated fans
  dropengine drop publish FILE    put a drop up for sale
  dropengine referee LOG          judge an exported log
"""
CONFIG_FILE = Path("dropengine.toml")
"""Read when it is there and neither `--config` nor DROPENGINE_CONFIG names another."""

REACH = ("data_dir", "redis_url", "redis_prefix", "redis_timeout_ms")
"""The settings that finding a running shop needs."""

REFUSED = 1
INTERRUPTED = 130

Commands = Any
"""argparse has no public name for what `add_subparsers` returns."""
Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _speak_to_any_terminal()
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if [] in vars(arguments).values():
        # What argparse of before 3.13 makes of `--id=--`, past the type of the argument.
        parser.error("'--' is not a value")
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except DropEngineError as fault:
        print(f"dropengine: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, like `head`: that is no fault.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as fault:
        print(f"dropengine: {_told_by_the_system(fault)}", file=sys.stderr)
        return REFUSED
    return code


def _speak_to_any_terminal() -> None:
    """A letter that a terminal does not know is written as its number, and nothing fails."""
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")


def _told_by_the_system(fault: OSError) -> str:
    """`report.json: Permission denied`."""
    where = f"{fault.filename}: " if fault.filename else ""
    return where + (fault.strerror or str(fault) or type(fault).__name__)


def build_parser() -> argparse.ArgumentParser:
    """Every command with its help."""
    parser = argparse.ArgumentParser(
        "dropengine", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"dropengine {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = _command(commands, "serve", _serve, "Serve the drops until Ctrl-C.")
    serve.add_argument(
        "--with-parent",
        action="store_true",
        help="stop also when standard input ends, a pipe from whoever started it",
    )
    serve.add_argument(
        "--take-over",
        action="store_true",
        help="sell from a server that another shop claimed, once that shop is gone for good",
    )
    _add_settings(serve, FIELDS)
    _add_demo(commands)
    _add_drop(commands)
    _add_referee(commands)
    _add_audit(commands)
    doctor = _command(
        commands, "doctor", _doctor, "Say in a sentence each whether a sale could run here."
    )
    _add_settings(doctor, FIELDS)
    show = _command(commands, "config", _config, "Show every setting and where it came from.")
    show.add_argument("--show", action="store_true", help="print the settings; this is the default")
    _add_settings(show, FIELDS)
    return parser


def _command(commands: Commands, name: str, run: Run, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
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
    shown = "" if default in (None, (), False) else f" (default: {str(default).lower()})"
    return f"{described.description}{shown}"


def _settings(arguments: argparse.Namespace) -> tuple[Settings, dict[str, str]]:
    """The settings of a command and where each came from. Raises ConfigError."""
    given = {
        name.removeprefix("setting_"): value
        for name, value in vars(arguments).items()
        if name.startswith("setting_")
    }
    named = arguments.config or os.environ.get("DROPENGINE_CONFIG")
    toml = Path(named) if named else CONFIG_FILE if CONFIG_FILE.is_file() else None
    return config.load(given, os.environ, toml)


def _serve(arguments: argparse.Namespace) -> int:
    from dropengine.processes import supervisor

    settings, _ = _settings(arguments)
    return supervisor.run(
        settings, with_parent=arguments.with_parent, take_over=arguments.take_over
    )


def _add_demo(commands: Commands) -> None:
    demo = _command(
        commands, "demo", _demo, "Play a drop with simulated fans, for you to watch and to join."
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
    run = demo.add_argument_group(
        "rehearsal", "Without a screen, with compressed times, judged by the referee at the end."
    )
    run.add_argument("--headless", action="store_true", help="rehearse, judge and end")
    run.add_argument(
        "--units",
        type=drop_arguments.whole(1, 100_000),
        metavar="N",
        help="units on sale (default: 200 pins, or what FILE says)",
    )
    run.add_argument(
        "--mix",
        choices=("plain", "hard"),
        default="plain",
        help="hard: two drops at once, three items in two pools each, a busy creator, and trouble "
        "with the clock",
    )
    run.add_argument(
        "--kill",
        choices=("worker", "server", "supervisor"),
        help="end one process of this run by force in the middle of the burst",
    )
    run.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    run.add_argument(
        "--export", type=Path, metavar="FILE", help="write the log (of two drops: FILE-<drop>)"
    )
    run.add_argument(
        "--history", type=Path, metavar="FILE", help="write what the clients did and saw"
    )
    _add_settings(demo, FIELDS)


def _demo(arguments: argparse.Namespace) -> int:
    settings, origins = _settings(arguments)
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

    return demo.run(settings, file=arguments.file, fans=arguments.fans or 180, seed=arguments.seed)


def _units_of_the_example(arguments: argparse.Namespace) -> int | None:
    """None: a drop's own caps. Only the shipped pin is played with more than its file says."""
    return None if arguments.file or arguments.mix == "hard" else 200


def _add_drop(commands: Commands) -> None:
    drop = commands.add_parser(
        "drop",
        help="Publish a drop and run it, on the machine of the shop.",
        description="Publish a drop and run it. The shop must be running (`dropengine serve`).",
    )
    verbs = drop.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, about, add in drop_arguments.VERBS:

        def run(arguments: argparse.Namespace, name: str = name) -> int:
            from dropengine.cli import drop_commands

            return drop_commands.run(name, arguments, _settings(arguments)[0])

        parser = _command(verbs, name, run, about)
        add(parser)
        _add_settings(parser, REACH)


def _add_referee(commands: Commands) -> None:
    referee = _command(
        commands, "referee", _referee, "Judge an exported log alone, by the table of events."
    )
    referee.add_argument(
        "log", metavar="LOG", help="an exported log (ndjson), - for standard input"
    )
    referee.add_argument(
        "--closed", action="store_true", help="the drop is over: nothing may be left to do"
    )
    referee.add_argument("--json", action="store_true", help="print the whole verdict as JSON")


def _add_audit(commands: Commands) -> None:
    audit = _command(
        commands, "audit", _audit, "Hold the records of a drop against its log; let it go on."
    )
    drop_arguments.audit(audit)
    _add_settings(audit, REACH)


def _audit(arguments: argparse.Namespace) -> int:
    from dropengine.cli import audit_command

    return audit_command.run(arguments, _settings(arguments)[0])


def _referee(arguments: argparse.Namespace) -> int:
    from dropengine.log.referee import judge

    try:
        verdict = judge(_lines(arguments.log), closed=arguments.closed)
    except OSError as fault:
        raise DropEngineError(f"{arguments.log}: {fault.strerror}") from fault
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n")
    else:
        from dropengine.terminal.summary import of_verdict

        print(of_verdict(verdict))
    return 0 if verdict.honest else REFUSED


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from sys.stdin.buffer
        return
    with Path(name).open("rb") as log:
        yield from log


def _doctor(arguments: argparse.Namespace) -> int:
    from dropengine.cli import doctor

    return doctor.run(_settings(arguments)[0])


def _config(arguments: argparse.Namespace) -> int:
    print(config.show(*_settings(arguments)), end="")
    return 0

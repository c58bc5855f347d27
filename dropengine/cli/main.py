"""The command line: `dropengine COMMAND ...`. A fault becomes a sentence and an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from dropengine import __version__, config
from dropengine.cli import (
    demo_command,
    drop_arguments,
    rehearse_command,
    verify_command,
    watch_command,
)
from dropengine.cli.command_parsers import (
    BOOKS,
    REACH,
    Commands,
    add_settings,
    command,
    settings_of,
)
from dropengine.config import FIELDS
from dropengine.errors import DropEngineError

ABOUT = """\
Sells a capped edition live: every unit exactly once, in an order anyone can check.

  dropengine demo                 a drop with simulated fans: open the link and buy against them
  dropengine serve                the same server, without simulated fans
  dropengine drop publish FILE    put a drop up for sale
  dropengine rehearse DROP        play its night on this machine before it comes
  dropengine watch DROP           its night at this terminal
  dropengine backup DIR           copy the shop while it sells; `restore` makes one of it
  dropengine referee LOG          judge an exported log
  dropengine verify FILE          compute the order of a draw anew
"""
REFUSED = 1
INTERRUPTED = 130


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
    serve = command(commands, "serve", _serve, "Serve the drops until Ctrl-C.")
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
    add_settings(serve, FIELDS)
    demo_command.add(commands)
    rehearse_command.add(commands)
    _add_drop(commands)
    watch_command.add(commands)
    _add_referee(commands)
    verify_command.add(commands)
    _add_audit(commands)
    _add_ledger(commands)
    _add_report(commands)
    _add_account(commands)
    _add_backup(commands)
    doctor = command(
        commands, "doctor", _doctor, "Say in a sentence each whether a sale could run here."
    )
    add_settings(doctor, FIELDS)
    show = command(commands, "config", _config, "Show every setting and where it came from.")
    show.add_argument("--show", action="store_true", help="print the settings; this is the default")
    add_settings(show, FIELDS)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    from dropengine import data_directory
    from dropengine.processes import supervisor

    settings, origins = settings_of(arguments)
    data_directory.note_origins(settings, origins)
    return supervisor.run(
        settings, with_parent=arguments.with_parent, take_over=arguments.take_over
    )


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

            return drop_commands.run(name, arguments, settings_of(arguments)[0])

        parser = command(verbs, name, run, about)
        add(parser)
        add_settings(parser, REACH)


def _add_referee(commands: Commands) -> None:
    referee = command(
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
    audit = command(
        commands, "audit", _audit, "Hold the records of a drop against its log; let it go on."
    )
    drop_arguments.audit(audit)
    add_settings(audit, REACH)


def _add_account(commands: Commands) -> None:
    account = commands.add_parser(
        "account",
        help="Let somebody in who runs drops, on the machine of the shop.",
        description="Let somebody in who runs drops. The shop must have run once.",
    )
    verbs = account.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = "Make a one-time link: for an owner of the first maker, or for who is locked out."
    link = command(verbs, "link", _account_link, about)
    drop_arguments.account_link(link)
    add_settings(link, (*REACH, "public_url", "host", "port"))


def _account_link(arguments: argparse.Namespace) -> int:
    from dropengine.cli import account_commands

    return account_commands.run(arguments, settings_of(arguments)[0])


def _audit(arguments: argparse.Namespace) -> int:
    from dropengine.cli import audit_command

    return audit_command.run(arguments, settings_of(arguments)[0])


def _add_backup(commands: Commands) -> None:
    backup = command(commands, "backup", _backup, "Copy the running shop into a new folder.")
    backup.add_argument("dir", type=Path, metavar="DIR", help="the folder, new or empty")
    add_settings(backup, FIELDS)
    restore = command(commands, "restore", _restore, "Make a shop of a backup, where none is yet.")
    restore.add_argument("dir", type=Path, metavar="DIR", help="the folder of the backup")
    restore.add_argument(
        "--shop",
        type=drop_arguments.words,
        metavar="NAME",
        help="the shop's name: the old one is gone for good, though that cannot be seen from here",
    )
    add_settings(restore, FIELDS)

    reconcile = command(
        commands,
        "reconcile",
        _reconcile,
        "Compare restored drops with what was paid, and let them go on.",
    )
    drop_arguments.reconcile(reconcile)
    add_settings(reconcile, REACH)


def _reconcile(arguments: argparse.Namespace) -> int:
    from dropengine.cli import reconcile_command

    return reconcile_command.run(arguments, settings_of(arguments)[0])


def _backup(arguments: argparse.Namespace) -> int:
    from dropengine.cli import backup_commands

    return backup_commands.backup(settings_of(arguments)[0], arguments.dir)


def _restore(arguments: argparse.Namespace) -> int:
    from dropengine.cli import backup_commands

    return backup_commands.restore(settings_of(arguments)[0], arguments.dir, arguments.shop)


def _add_ledger(commands: Commands) -> None:
    ledger = commands.add_parser(
        "ledger", help="See to the books of all sales.", description="See to the books."
    )
    verbs = ledger.add_subparsers(title="commands", metavar="COMMAND", required=True)
    rebuild = command(
        verbs,
        "rebuild",
        _rebuild,
        "Make orders, units, holds and places in the books anew from the logs that they keep.",
    )
    rebuild.add_argument(
        "drop", nargs="?", type=drop_arguments.words, metavar="DROP", help="this drop alone"
    )
    add_settings(rebuild, BOOKS)


def _rebuild(arguments: argparse.Namespace) -> int:
    from dropengine.cli import ledger_commands

    return ledger_commands.rebuild(settings_of(arguments)[0], arguments.drop)


def _add_report(commands: Commands) -> None:
    report = command(commands, "report", _report, "Tell how a sale went, out of the books.")
    report.add_argument("drop", type=drop_arguments.words, metavar="DROP", help="the drop's id")
    forms = report.add_mutually_exclusive_group()
    for form, about in (("json", "print it as JSON"), ("csv", "print it as a table for programs")):
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=about)
    report.set_defaults(form="text")
    add_settings(report, BOOKS)


def _report(arguments: argparse.Namespace) -> int:
    from dropengine.cli import report_command

    return report_command.run(settings_of(arguments)[0], arguments.drop, form=arguments.form)


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

    return doctor.run(settings_of(arguments)[0])


def _config(arguments: argparse.Namespace) -> int:
    print(config.show(*settings_of(arguments)), end="")
    return 0

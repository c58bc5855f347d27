"""`dropengine verify FILE`: is the order of a lobby or draw the one that its list and its chance
give, and are carried places those of the drop before? Offline: whoever has the files needs nothing
of the shop."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import msgspec

from dropengine.cli.command_parsers import Commands, command
from dropengine.errors import DrawFault
from dropengine.log.carried import carriable, fault_in_carried
from dropengine.log.draw import sheet
from dropengine.log.draw.sheet import Finding, Sheet
from dropengine.log.draw.told import Told, told_of

ABOUT = "Compute the order of a draw anew and compare it with the one that was told."
RIGHT, WRONG = 0, 1
_EVENT = re.compile(rb'\{\s*"e"\s*:')
MARKS = {True: "right", False: "WRONG", None: "open"}


def add(commands: Commands) -> None:
    """The command and its arguments."""
    parser = command(commands, "verify", run, ABOUT)
    parser.add_argument(
        "file", metavar="FILE", help="an exported log or a draw sheet, - for standard input"
    )
    parser.add_argument(
        "--revealed",
        metavar="HEX",
        help="the secret, or the signature of the round, where the file does not tell it",
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print what was found as JSON")
    forms.add_argument("--sheet", action="store_true", help="print the draw sheet, check nothing")
    forms.add_argument(
        "--waiting", action="store_true", help="print who waited in vain in a settled drop"
    )
    forms.add_argument(
        "--carried-from",
        metavar="EARLIER",
        help="the log of the drop before: were its places carried over as its list says?",
    )


def run(arguments: argparse.Namespace) -> int:
    """0: list, randomness and order are all told and right. Raises DrawFault."""
    if arguments.waiting:
        listed = carriable(_text(arguments.file).splitlines())
        _print({"drop": listed.drop, "hash": listed.hash, "entries": listed.entries})
        return RIGHT
    if arguments.carried_from is not None:
        return _carried(arguments.carried_from, arguments.file)
    told = _told(_text(arguments.file))
    sheet_told = told.sheet
    if arguments.revealed is not None:
        sheet_told = _with(sheet_told, arguments.revealed)
    if arguments.sheet:
        _print(sheet_told)
        return RIGHT
    found = sheet.findings(sheet_told, whole=told.opened)
    if arguments.json:
        _print(found)
    else:
        print("\n".join(f"{MARKS[one.kept]:<6}{one.what}: {one.found}" for one in found))
        print(_verdict(found, called_off=told.called_off))
    return RIGHT if all(one.kept for one in found) else WRONG


def _carried(earlier: str, name: str) -> int:
    """Raises CarriedFault, DrawFault."""
    old = carriable(_text(earlier).splitlines())
    fault = fault_in_carried(old, _text(name).splitlines())
    print(f"The list of {old.drop} has {len(old.entries):,} entries and the hash {old.hash}.")
    print(
        fault[:1].upper() + fault[1:] + "." if fault else "Its places were carried over as it says."
    )
    return WRONG if fault else RIGHT


def _told(text: bytes) -> Told:
    """A log says in its first event what it is."""
    first, _, _ = text.lstrip().partition(b"\n")
    return told_of(text.splitlines()) if _EVENT.match(first) else Told(sheet.read(text))


def _print(found: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _with(told: Sheet, revealed: str) -> Sheet:
    if told.revealed and told.revealed != revealed:
        raise DrawFault(f"the file says that {told.revealed} was revealed, not {revealed}")
    return msgspec.structs.replace(told, revealed=revealed)


def _verdict(found: list[Finding], *, called_off: bool) -> str:
    if any(one.kept is False for one in found):
        return "This is not the order that list and chance give."
    if called_off and any(one.kept is None for one in found):
        return "Nothing is wrong. The drop was called off before its order was told."
    if any(one.kept is None for one in found):
        return "Nothing is wrong so far, but not everything is told yet."
    return "The order is the one that list and chance give."


def _text(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as fault:
        raise DrawFault(f"{name}: {fault.strerror}") from fault

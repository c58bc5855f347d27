"""What `dropengine drop ...` may be told: every verb, its sentence, its arguments."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from dropengine.creator_commands import MESSAGE_CHARS_MAX
from dropengine.model import REVISION_MAX

OPENS_IN_S_MAX = 10 * 366 * 86_400
"""Ten years: what is longer is a slip of the finger."""

Parser = argparse.ArgumentParser


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


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= OPENS_IN_S_MAX:
        raise argparse.ArgumentTypeError(f"expected 0 to {OPENS_IN_S_MAX} seconds")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds, as an argument."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}")
        return value

    return read


def _publish_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the manifest (TOML)")
    _who(parser)
    parser.add_argument("--id", metavar="ID", help="sell it under another id")
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--opens-in", type=_seconds, metavar="SECONDS", help="open so many seconds from now"
    )
    when.add_argument(
        "--now", action="store_true", help="open at once, also when opens_at has passed"
    )


def _reason_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument("--why", default="", metavar="TEXT", help="a reason, for the fans to read")


def _cancel_arguments(parser: Parser) -> None:
    _reason_arguments(parser)
    parser.add_argument(
        "--confirm", metavar="ID", help="the drop's id once more, instead of being asked for it"
    )


def _stock_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument("pool", metavar="POOL", help="an item's id, or item@node")
    parser.add_argument("qty", type=int, metavar="UNITS")


def _message_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument(
        "text", metavar="TEXT", help=f"one line of 1 to {MESSAGE_CHARS_MAX} characters"
    )


def _refund_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("order", metavar="ORDER", help="the order's id, the same as its hold's")
    _who(parser)


def _duty_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("duty", metavar="DUTY", help="its id, as `drop show` tells it")
    parser.add_argument(
        "--as",
        required=True,
        choices=("by_hand", "given_up"),
        help="by_hand: you did it yourself; given_up: nobody will",
    )
    parser.add_argument("--why", default="", metavar="TEXT", help="a reason, kept in the log")
    _who(parser)


def _show_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def _log_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument(
        "--after",
        type=whole(0, REVISION_MAX),
        default=0,
        metavar="SEQ",
        help="only events after this one",
    )


def audit(parser: Parser) -> None:
    """Those of `dropengine audit`."""
    _which(parser)
    parser.add_argument(
        "--repair", action="store_true", help="rewrite the records of a frozen drop from its log"
    )
    parser.add_argument(
        "--thaw", action="store_true", help="let a frozen drop go on, when they agree"
    )
    _who(parser)


VERBS: tuple[tuple[str, str, Callable[[Parser], None]], ...] = (
    ("publish", "Put a drop up for sale; its rules are fixed from then on.", _publish_arguments),
    ("open", "Open a published drop now.", _change),
    ("pause", "Stop new holds and offers; what is held goes on.", _reason_arguments),
    ("resume", "Go on after a pause.", _change),
    ("realign", "Trust the server's clock as it is now, after it leapt.", _change),
    ("add", "Put withheld units on sale.", _stock_arguments),
    ("withdraw", "Take free units off sale.", _stock_arguments),
    ("message", "Tell everybody at the drop something.", _message_arguments),
    ("close", "Begin nothing new; let what is held finish.", _change),
    ("cancel", "End the drop and give every payment back.", _cancel_arguments),
    ("refund", "Take an order back: its units return and its money goes back.", _refund_arguments),
    ("duty", "End something owed that the payment provider does not do.", _duty_arguments),
    ("show", "Show where a drop stands.", _show_arguments),
    ("list", "List the drops of this shop.", lambda _: None),
    ("log", "Write the log of a drop to standard output (ndjson).", _log_arguments),
)

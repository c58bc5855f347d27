"""What `dropengine drop ...` may be told: every verb, its sentence, its arguments."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable

from dropengine.creator_commands import MESSAGE_CHARS_MAX
from dropengine.manifest import moment_ms
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
    _revision(parser)


def _revision(parser: Parser) -> None:
    parser.add_argument(
        "--revision",
        type=integer,
        metavar="N",
        help="refuse when the drop has another revision (default: whatever it has now)",
    )


_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def integer(text: str) -> int:
    """As people write it: Python itself also takes `1_0`, and the digits of every alphabet."""
    if not _INTEGER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a whole number, not {text!a}")
    return int(text)


def words(text: str) -> str:
    """What SQL may be asked for: other bytes than UTF-8 come as lone surrogates."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise argparse.ArgumentTypeError("expected UTF-8")
    return text


def _seconds(text: str) -> float:
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not 0 <= value <= OPENS_IN_S_MAX:
        raise argparse.ArgumentTypeError(f"expected 0 to {OPENS_IN_S_MAX} seconds")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds, as an argument."""

    def read(text: str) -> int:
        try:
            value = integer(text)
        except (ValueError, argparse.ArgumentTypeError):
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}")
        return value

    return read


def _publish_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the manifest (TOML)")
    _who(parser)
    parser.add_argument("--id", metavar="ID", help="sell it under another id")
    parser.add_argument(
        "--maker",
        type=words,
        metavar="SHORT",
        help="whose it is, by the short name, which the id begins with then; needed where there is "
        "more than one maker",
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--opens-in", type=_seconds, metavar="SECONDS", help="open so many seconds from now"
    )
    when.add_argument(
        "--now", action="store_true", help="open at once, also when opens_at has passed"
    )
    when.add_argument(
        "--open",
        action="store_true",
        help="a shock drop: open it in the same breath; whoever follows the maker is told. With "
        "--key a repeat finishes what was cut off",
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
    parser.add_argument("qty", type=integer, metavar="UNITS")


def _moment(text: str) -> int:
    """A time as a manifest says it, or `hand`: ms since 1970, 0 for by hand."""
    try:
        return 0 if text == "hand" else moment_ms(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"{fault}; or say hand") from fault


def _reschedule_arguments(parser: Parser) -> None:
    _change(parser)
    for verb in ("opens", "closes"):
        parser.add_argument(
            f"--{verb}",
            dest=f"{verb}_ms",
            type=_moment,
            metavar="TIME",
            help=f"when it {verb}, like 2027-08-02T18:00:00+02:00, or hand: when you say so "
            "(default: as it is)",
        )


def _correct_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the manifest (TOML) as it should read")
    parser.add_argument("--id", metavar="ID", help="of a drop that was published under another id")
    _who(parser)
    _revision(parser)


def _message_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument(
        "text", metavar="TEXT", help=f"one line of 1 to {MESSAGE_CHARS_MAX} characters"
    )


def _network_arguments(parser: Parser) -> None:
    _change(parser)
    parser.add_argument(
        "network", metavar="NETWORK", help="its name in this drop, as `drop networks` tells it"
    )


def _cohorts_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument(
        "cohort", nargs="?", type=words, metavar="COHORT", help="its list and its codes; else all"
    )
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--addresses", metavar="FILE", help="put these on its list, one a line; - for what is typed"
    )
    change.add_argument(
        "--codes", type=whole(1, 10_000), metavar="N", help="make so many codes, each for a person"
    )
    change.add_argument("--strike", action="store_true", help="take everybody off its list")
    change.add_argument(
        "--strike-code", type=words, metavar="CODE", help="this code, if nobody used it, ends"
    )
    change.add_argument(
        "--strike-codes", action="store_true", help="all its codes that nobody used end"
    )
    parser.add_argument("--json", action="store_true", help="the counts, as JSON")
    _who(parser)


def _refund_arguments(parser: Parser) -> None:
    _which(parser)
    parser.add_argument("order", metavar="ORDER", help="the order's number or its id")
    parser.add_argument("--why", default="", metavar="TEXT", help="a reason, for its fan to read")
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


def reconcile(parser: Parser) -> None:
    """Those of `dropengine reconcile`."""
    parser.add_argument(
        "drop", nargs="?", type=words, metavar="DROP", help="this drop; else all that wait"
    )
    parser.add_argument("--yes", action="store_true", help="do so, without asking")
    _who(parser)


def account_link(parser: Parser) -> None:
    """Those of `dropengine account link`."""
    parser.add_argument(
        "--account",
        type=words,
        metavar="NAME",
        help="let this account back in, by new proof; its sessions end",
    )


VERBS: tuple[tuple[str, str, Callable[[Parser], None]], ...] = (
    ("publish", "Put a drop up for sale; its rules are fixed from then on.", _publish_arguments),
    ("open", "Open a published drop now.", _change),
    ("seal", "Seal an open list now; chance orders it, then the drop opens.", _change),
    ("widen", "End early access: open a drop to all now.", _change),
    ("cohorts", "Show who may buy early; list addresses, make codes.", _cohorts_arguments),
    ("pause", "Stop new holds and offers; what is held goes on.", _reason_arguments),
    ("resume", "Go on after a pause.", _change),
    ("realign", "Trust the server's clock as it is now, after it leapt.", _change),
    ("add", "Put withheld units on sale.", _stock_arguments),
    ("withdraw", "Take free units off sale.", _stock_arguments),
    ("reschedule", "Open a drop, or close it, at another time.", _reschedule_arguments),
    ("correct", "Put the words of a published drop right; its rules stay.", _correct_arguments),
    ("message", "Tell everybody at the drop something.", _message_arguments),
    ("exempt", "Let a network, such as a venue's, have as much as it likes.", _network_arguments),
    ("restrict", "Let a network have no more than others again.", _network_arguments),
    ("close", "Begin nothing new; let what is held finish.", _change),
    ("cancel", "End the drop and give every payment back.", _cancel_arguments),
    ("refund", "Take an order back: its units return and its money goes back.", _refund_arguments),
    ("duty", "End something owed that the payment provider does not do.", _duty_arguments),
    ("show", "Show where a drop stands.", _show_arguments),
    ("waiting", "Show who waited in vain, for a drop to carry them over.", _show_arguments),
    ("networks", "Show whose fans were refused because their network was full.", _show_arguments),
    ("list", "List the drops of this shop, and whose they are.", lambda _: None),
    ("log", "Write the log of a drop to standard output (ndjson).", _log_arguments),
)

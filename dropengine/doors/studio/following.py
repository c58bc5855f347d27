"""What a command will do to those who hold and wait, said before it is given. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dropengine.doors.studio.standing import Standing
from dropengine.manifest.moments import moment
from dropengine.manifest.seal import sealed_at
from dropengine.model import DropState as State
from dropengine.randomness import BeaconRound


class Command(NamedTuple):
    """How a command is shown. `name`: on its button, `asks`: as a question, `done`: what was done.
    `states`: in which it is offered. `grave`: it cannot be taken back, so the drop's title is asked
    for. `letter`: its key. `looked`: it is looked at once more with what was typed. `of_one`: it is
    about one network, beside which it stands; nobody types which."""

    name: str
    asks: str
    done: str
    states: tuple[State, ...]
    letter: str
    grave: bool = False
    looked: bool = False
    of_one: bool = False


_ON = (
    *(State.SCHEDULED, State.LOBBY, State.ORDERING),
    *(State.LIVE, State.SOLD_OUT, State.PAUSED),
)
SHOWN: dict[str, Command] = {
    "open": Command("Open now", "Open the drop now?", "The drop is open.", (State.SCHEDULED,), "o"),
    "widen": Command(
        "Open to all",
        "Open the drop to all now?",
        "The drop is open to all.",
        (State.LIVE, State.SOLD_OUT, State.PAUSED),
        "f",
    ),
    "seal": Command(
        "Seal now",
        "Seal the list now?",
        "The list is sealed: chance orders it, then the drop opens.",
        (State.LOBBY,),
        "s",
    ),
    "pause": Command(
        "Pause", "Pause the drop?", "The drop is paused.", (State.LIVE, State.SOLD_OUT), "p"
    ),
    "resume": Command("Go on", "Let the drop go on?", "The drop goes on.", (State.PAUSED,), "g"),
    "thaw": Command(
        "Let it go on",
        "Let the stopped drop go on?",
        "The drop stands where it stopped.",
        (State.FROZEN,),
        "g",
    ),
    "realign": Command(
        "Trust the clock",
        "Trust the server's clock as it is now?",
        "The drop goes by the clock again.",
        (*_ON, State.CLOSING),
        "k",
    ),
    "message": Command(
        "Message",
        "Tell everybody",
        "Everybody at the drop was told.",
        (*_ON, State.CLOSING),
        "m",
        looked=True,
    ),
    "add": Command("Add units", "Add units", "The units are for sale.", _ON, "a", looked=True),
    "withdraw": Command(
        "Withdraw units", "Withdraw units", "The units are withheld.", _ON, "w", looked=True
    ),
    "reschedule": Command(
        "Other times", "Set other times", "The drop has its new times.", _ON, "t", looked=True
    ),
    "exempt": Command(
        "Lift its limit",
        "Lift the limit of this network?",
        "The limit of that network is lifted.",
        (*_ON, State.CLOSING),
        "",
        of_one=True,
    ),
    "restrict": Command(
        "Set it again",
        "Set the limit of this network again?",
        "That network has the limit of all others again.",
        (*_ON, State.CLOSING),
        "",
        of_one=True,
    ),
    "close": Command(
        "Close",
        "Close the drop?",
        "The drop is closing.",
        (State.LIVE, State.SOLD_OUT, State.PAUSED),
        "e",
        grave=True,
    ),
    "cancel": Command(
        "Cancel",
        "Cancel the drop?",
        "The drop is cancelled.",
        (*_ON, State.CLOSING, State.FROZEN),
        "x",
        grave=True,
    ),
}
"""Verb -> how it is shown, in the order of the page."""


def offered(state: str, *, doubted: bool, early: bool = False) -> dict[str, Command]:
    """The commands that make sense in a state. doubted: the server's clock leapt. early: only
    cohorts may begin something yet."""
    return {
        verb: one
        for verb, one in SHOWN.items()
        if state in one.states
        and not one.of_one
        and (doubted or verb != "realign")
        and (early or verb != "widen")
    }


def count(number: int, one: str, many: str = "") -> str:
    """`1 order`, `41 orders`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def follows(verb: str, s: Standing, pool: str = "") -> list[str]:
    """Sentences, the most important first. pool: of the units that are added, once that is
    known."""
    said = _add(s, pool) if verb == "add" else _FOLLOWS[verb](s)
    return [one for one in said if one]


def _held(s: Standing, then: str) -> str:
    units = s.units
    held = units.carts + units.offered
    return f"{count(held, 'unit')} in carts or offered: {then}" if held else ""


def _open(s: Standing) -> list[str]:
    if s.manifest.window_ms:
        return _open_list(s)
    left = s.units.left
    return [
        f"{count(left, 'unit')} {'goes' if left == 1 else 'go'} on sale at once, on every screen.",
        "Nobody was let in before: being early earned nothing.",
        "The opening time that was planned is over with it." if s.view.opens_ms else "",
    ]


def _open_list(s: Standing) -> list[str]:
    m, opens_ms = s.manifest, s.view.opens_ms
    seals_ms = sealed_at(m.mode, m.window_ms, opens_ms)
    if seals_ms <= s.view.now_ms:
        seals_ms = s.view.now_ms + m.window_ms
    return [
        "The list opens at once: fans may enter it, and nobody can buy yet.",
        f"It is sealed on {moment(seals_ms, m.zone)}, or when you seal it.",
        "Then chance orders it, and the first in the order get offers.",
    ]


def _seal(s: Standing) -> list[str]:
    entering, zone = s.view.entering, s.manifest.zone
    so_far = count(entering.entries, "entry", "entries")
    return [
        f"{so_far} so far. Nobody comes in any more: this cannot be taken back.",
        f"Fans were told that the list stays open until {moment(entering.seals_ms, zone)}."
        if entering.seals_ms
        else "",
        _waits(s),
        "Then the drop opens, and the first in the order get offers."
        if entering.entries
        else "Nobody stands in it: the drop opens, and whoever presses first has the units.",
    ]


def _waits(s: Standing) -> str:
    chance = s.shown.chance
    chain = chance.known() if isinstance(chance, BeaconRound) else None
    if chain is None:
        return "Chance orders it at once."
    number = chain.round_for(s.manifest.beacon_round, s.view.now_ms)
    due = moment(chain.due_ms(number), s.manifest.zone)
    return f"It waits for round {number:,} of the beacon, which is made public on {due}."


def _widen(s: Standing) -> list[str]:
    early = s.view.early
    planned = early.public_ms if early is not None and early.lasts else 0
    return [
        "Everybody may buy and join the line from that moment on.",
        f"That was planned for {moment(planned, s.manifest.zone)}: nobody has to wait for it."
        if planned
        else "",
        "The ceilings of the cohorts end, and nothing moves: whoever has something keeps it.",
        "It cannot be taken back.",
    ]


def _exempt(_: Standing) -> list[str]:
    return [
        "Whoever comes from there has no limit together: right for a hall or office that you know.",
        "The log of the drop tells everybody that you did, and tells nobody where it is.",
        "It can be taken back at any time.",
    ]


def _restrict(s: Standing) -> list[str]:
    m = s.manifest
    most = count(m.network_most, "unpaid cart or place", "unpaid carts and places")
    return [
        f"Of a network: together its fans may have {most} at a time again, as all others may.",
        f"Of a mail domain: {count(m.domain_most, 'person')} of it may take part again.",
        "What its fans have stays theirs.",
    ]


def _pause(s: Standing) -> list[str]:
    return [
        "Nobody can take another unit until you let it go on.",
        _held(s, "they stay theirs, and can be paid."),
        f"{count(s.waiting, 'place')} in line: they are kept, and nobody is called."
        if s.waiting
        else "",
        "It can be taken back at any time.",
    ]


def _resume(s: Standing) -> list[str]:
    return [
        f"The line comes first: {count(s.waiting, 'place')}, {s.units.left:,} left."
        if s.waiting
        else "",
        f"Then everybody: {count(s.units.left, 'unit')} left.",
    ]


def _thaw(_: Standing) -> list[str]:
    return [
        "Its records are held against its log first: it goes on only when they agree.",
        "A drop that was selling comes back paused. You then let it go on.",
    ]


def _realign(s: Standing) -> list[str]:
    waits = s.view.state == State.SCHEDULED and s.view.opens_ms
    return [
        "Look at the server's clock first: it must be right now.",
        "The drop's own time goes on from where it stood: nobody loses a second of a hold.",
        "It opens at the time that was planned, or at once where that is over." if waits else "",
        "It stays paused until you let it go on." if s.view.state == State.PAUSED else "",
    ]


def _message(_: Standing) -> list[str]:
    return ["Everybody who has the page open reads it at once; the last five stay on the page."]


def _add(s: Standing, pool: str = "") -> list[str]:
    rows = [row for row in s.view.pools if pool in ("", row.id)]
    waiting, withheld = sum(row.waiting for row in rows), sum(row.withheld for row in rows)
    when = "" if s.view.state == State.LIVE else ", once the drop is open"
    return [
        f"{count(waiting, 'place')} in line for it: they are offered the units first{when}."
        if waiting
        else f"Nobody waits for it: whoever presses first has the units{when}.",
        f"{count(withheld, 'unit')} withheld now.",
    ]


def _withdraw(_: Standing) -> list[str]:
    return [
        "Only units that nobody has can be withdrawn. What fans hold or own is never touched.",
        "They can be added again at any time.",
    ]


def _reschedule(_: Standing) -> list[str]:
    return ["Every screen tells the new times at once, and that they were changed."]


def _close(s: Standing) -> list[str]:
    left = s.units.left + s.units.withheld
    return [
        "Nothing new begins any more. This cannot be taken back.",
        _held(s, "they can still be paid until their time is over."),
        f"{count(s.waiting, 'place')} in line: nobody is called any more." if s.waiting else "",
        f"{count(left, 'unit')} stay unsold." if left else "",
        f"{count(s.orders, 'order')}, {s.money}: they stay as they are." if s.orders else "",
    ]


def _cancel(s: Standing) -> list[str]:
    return [
        f"{count(s.orders, 'order')}, {s.money}: all of it goes back."
        if s.orders
        else "Nobody has bought anything yet.",
        _held(s, "they are taken away at once."),
        f"{count(s.waiting, 'place')} in line: they end." if s.waiting else "",
        "This cannot be taken back.",
    ]


_FOLLOWS: dict[str, Callable[[Standing], list[str]]] = {
    "open": _open,
    "seal": _seal,
    "widen": _widen,
    "exempt": _exempt,
    "restrict": _restrict,
    "pause": _pause,
    "resume": _resume,
    "thaw": _thaw,
    "realign": _realign,
    "message": _message,
    "add": _add,
    "withdraw": _withdraw,
    "reschedule": _reschedule,
    "close": _close,
    "cancel": _cancel,
}

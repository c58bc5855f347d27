"""A list that chance ordered, judged and told by its log alone, as a stranger reads it: by what
`docs/fairness.md` says, and with no word of the scripts, of replay or of the referee's books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dropengine import events
from dropengine.errors import DrawFault
from dropengine.log.draw.sheet import findings
from dropengine.log.draw.told import sheet_of
from dropengine.log.referee import Violation
from dropengine.model import DropId
from dropengine.randomness import BeaconRound

SERVED = events.Held | events.Offered | events.Rescued


def faults(drop: DropId, log: Sequence[bytes]) -> list[Violation]:
    """What is wrong with its list (INV-11); nothing where there is none."""
    told = [events.parse(line) for line in log]
    if _source(told) is None:
        return []
    found = [*_out_of_order(told)]
    try:
        sheet = sheet_of(log)
        # Of a list in which nobody stands nothing is told.
        wanted = (True,) if sheet.entries else (True, None)
        found += [f"{one.what}: {one.found}" for one in findings(sheet) if one.kept not in wanted]
    except DrawFault as fault:
        found.append(str(fault))
    return [Violation(inv="INV-11", seq=0, sentence=one, drop=drop) for one in found]


def _source(told: Sequence[events.AnyEvent]) -> object:
    return next((e.rules.randomness for e in told if isinstance(e, events.Published)), None)


def _out_of_order(told: Sequence[events.AnyEvent]) -> Iterator[str]:
    """Nobody is served before the order stands; then the first round goes down the order."""
    entries, placed, first_round, last = 0, 0, False, 0
    for event in told:
        match event:
            case events.Sealed():
                entries = event.entries
            case events.Ordered():
                placed += len(event.ids)
            case events.Opened():
                first_round = True
                if placed != entries:
                    yield f"it opened with {placed} arrivals given out, {entries} stood in the list"
            case events.Allotted():
                first_round = False
            case events.Held() if first_round:
                yield f"{event.fan} pressed for {event.hold} in the first round"
            case events.Offered() if first_round:
                if event.n <= last:
                    yield f"arrival {event.n} was called after arrival {last} in the first round"
                last = event.n
            case _:
                pass
        if isinstance(event, SERVED) and placed < entries:
            yield f"seq {event.seq}: {event.fan} is served before the order stands"


def told_of(drop: DropId, log: Sequence[bytes]) -> list[str]:
    """What became of the list, in sentences; nothing where there was none."""
    told = [events.parse(line) for line in log]
    source = _source(told)
    if source is None:
        return []
    course = _Course(told)
    by = "a round of the beacon" if isinstance(source, BeaconRound) else "the secret"
    said = (
        f"{drop}: {course.entered} entered the list, {course.gone} were gone before the seal; "
        f"{by} put {course.sealed} in their order"
    )
    if not course.first:
        return [f"{said}. Nobody was called in the first round."]
    alternates = "nobody had to be called after them"
    if course.furthest > course.first_till:
        alternates = f"alternates have been called up to {course.furthest}"
    called = f"The first {course.first} were called at the opening, up to arrival"
    listed = len(course.bought & course.in_list)
    bought = f"of the list {listed} bought, of those who came later {len(course.bought) - listed}"
    return [f"{said}. {called} {course.first_till}; {alternates}.", f"{drop}: {bought}."]


class _Course:
    """entered, gone, sealed: of the list. first: offers of the first round, first_till: the last
    arrival of it; furthest: the last of the list that was called. bought: fans with an order that
    stands."""

    def __init__(self, told: Sequence[events.AnyEvent]) -> None:
        self.entered = self.gone = self.sealed = self.first = self.first_till = self.furthest = 0
        self.in_list: set[str] = set()
        fans: dict[str, str] = {}
        orders: dict[str, str] = {}
        in_lobby = in_round = False
        for event in told:
            match event:
                case events.LobbyOpened():
                    in_lobby = True
                case events.Joined() if in_lobby:
                    self.entered += 1
                    fans[event.entry] = event.fan
                case events.Left() | events.Removed() if in_lobby:
                    self.gone += 1
                    fans.pop(event.entry, None)
                case events.Adopted():
                    fans = {e: event.fan if f == event.guest else f for e, f in fans.items()}
                    orders = {h: event.fan if f == event.guest else f for h, f in orders.items()}
                case events.Sealed():
                    in_lobby, self.sealed = False, event.entries
                case events.Opened():
                    in_round = True
                case events.Allotted():
                    in_round = False
                case events.Offered() if event.entry in fans:
                    self.furthest = max(self.furthest, event.n)
                    if in_round:
                        self.first, self.first_till = self.first + 1, event.n
                case events.Sale():
                    orders[event.hold] = event.fan
                case events.Refunded():
                    orders.pop(event.hold, None)
                case _:
                    pass
        self.in_list = set(fans.values())
        self.bought = set(orders.values())

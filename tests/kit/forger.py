"""The forger: spoils an honest log in one place, by a seed, and mends what would be seen at once.

He makes seq gapless again; being careful he numbers the creators' revisions anew too. What is left
to find is against the rules of the sale, or against none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from dropengine import events
from dropengine.model import snake
from tests.kit.handwritten_logs import Log, numbered

IDS = ("fan", "hold", "entry", "charge", "pool", "intent", "duty", "guest")


def dropped(log: Log, at: int, _random: Random) -> Log | None:
    return log[:at] + log[at + 1 :]


def doubled(log: Log, at: int, _random: Random) -> Log | None:
    return [*log[: at + 1], *log[at:]]


def anothers_id(log: Log, at: int, random: Random) -> Log | None:
    """One id of the event becomes another one of its kind; without any, another's key."""
    event = log[at]
    mine = [name for name in IDS if hasattr(event, name)] or ["key"]
    if not hasattr(event, mine[0]):
        return None
    name = random.choice(mine)
    others = {getattr(e, name) for e in log if hasattr(e, name)} - {getattr(event, name), ""}
    if name == "key":
        by = getattr(event, "by", "")
        others = {e.key for e in log if isinstance(e, events.ByCreator) and e.by == by}
        others -= {getattr(event, "key", ""), ""}
    if not others:
        return None
    forged = msgspec.structs.replace(event, **{name: random.choice(sorted(others))})
    return [*log[:at], forged, *log[at + 1 :]]


def moved(log: Log, at: int, random: Random) -> Log | None:
    """It and its neighbour change places; the times stay where they are."""
    if at + 1 >= len(log) or random.random() < 0.5:
        at -= 1
    if at < 0:
        return None
    first, second = log[at], log[at + 1]
    if msgspec.structs.replace(first, seq=0) == msgspec.structs.replace(second, seq=0):
        return None
    earlier = msgspec.structs.replace(second, at=first.at)
    return [*log[:at], earlier, msgspec.structs.replace(first, at=second.at), *log[at + 2 :]]


def at_another_time(log: Log, at: int, random: Random) -> Log | None:
    """Its time goes across that of a neighbour."""
    later = at + 1 < len(log) and random.random() < 0.5
    if not later and at == 0:
        return None
    time = log[at + 1].at + 1 if later else log[at - 1].at - 1
    return [*log[:at], msgspec.structs.replace(log[at], at=time), *log[at + 1 :]]


FORGERIES: dict[str, Callable[[Log, int, Random], Log | None]] = {
    "dropped": dropped,
    "doubled": doubled,
    "another's id": anothers_id,
    "moved one place": moved,
    "time across its neighbour's": at_another_time,
}


def revised(log: Log) -> Log:
    """The creators' revisions counted anew."""
    revision, out = 0, []
    for event in log:
        if isinstance(event, events.Published | events.ByCreator):
            revision += 1
            event = msgspec.structs.replace(event, revision=revision)
        out.append(event)
    return out


def crowded(log: Log, at: int) -> bool:
    """Does the event share its millisecond with both its neighbours?"""
    near = log[max(at - 1, 0) : at + 2]
    return len({event.at for event in near}) == 1


class Forged(msgspec.Struct):
    """What was forged, and the log."""

    forgery: str
    kind: str
    seq: int
    log: Log

    def __str__(self) -> str:
        return f"{self.kind} at seq {self.seq} {self.forgery}"


def forge(
    honest: Callable[[int, bool], Log], kinds: list[str], count: int, seed: int
) -> list[Forged]:
    """`count` forged logs: every kind with every forgery in turn, every third within one
    millisecond. honest: (number, crowded) -> a log."""
    random = Random(seed)
    made: list[Forged] = []
    plan = [(forgery, kind) for forgery in FORGERIES for kind in kinds]
    random.shuffle(plan)
    tries = 0
    while len(made) < count:
        forgery, kind = plan[len(made) % len(plan)]
        within = len(made) % 3 == 0
        forged = one(honest, forgery, kind, within, random)
        if forged is None:
            # A kind that does not occur like this: the plan goes on without it.
            plan.remove((forgery, kind))
            tries += 1
            assert plan, "nothing can be forged"
            continue
        made.append(forged)
    return made


TRIES = 40


def one(
    honest: Callable[[int, bool], Log], forgery: str, kind: str, within: bool, random: Random
) -> Forged | None:
    for _ in range(TRIES):
        log = honest(random.randrange(10**6), within)
        places = [
            at
            for at, event in enumerate(log)
            if snake(type(event).__name__) == kind and (not within or crowded(log, at))
        ]
        if not places:
            continue
        at = random.choice(places)
        spoilt = FORGERIES[forgery](log, at, random)
        if spoilt is None:
            continue
        if random.random() < 0.5:
            spoilt = revised(spoilt)
        return Forged(forgery, kind, at + 1, numbered(spoilt))
    return None

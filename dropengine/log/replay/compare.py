"""Compare what the log says with what a server stored, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dropengine.log.replay.truth import Truth
from dropengine.model import KEPT_MS, STANDING, DropState, Record

SENTENCES_MAX = 20
KEYS = tuple(name for name in Truth.__struct_fields__ if name not in ("news", "leads", "rules"))


class Row(NamedTuple):
    """One row of one key that is not the same in both. told: what the log makes it; kept: what is
    stored; None: it is not there. `news` and `leads` are one row each, without a name."""

    key: str
    name: str
    told: Any
    kept: Any

    @property
    def sentence(self) -> str:
        what = f"{self.key} {self.name}".rstrip()
        if self.kept is None:
            return f"{what} is in the log but not stored: {self.told!r}"
        if self.told is None:
            return f"{what} is stored but not in the log: {self.kept!r}"
        if isinstance(self.told, Record) and isinstance(self.kept, Record):
            return f"{what}: {'; '.join(_fields(self.told, self.kept))}"
        return f"{what} is {self.kept!r}, the log makes it {self.told!r}"


def _fields(told: Record, kept: Record) -> Iterator[str]:
    """The fields that differ."""
    for field in told.__struct_fields__:
        ours, logs = getattr(kept, field), getattr(told, field)
        if ours != logs:
            yield f"{field} is {ours!r}, the log makes it {logs!r}"


def compared(key: str, replayed: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[Row]:
    """Each row of one key that is not the same in both."""
    for name in sorted(replayed.keys() | stored.keys()):
        row = Row(key, name, replayed.get(name), stored.get(name))
        if row.told != row.kept:
            yield row


_WAIT_IN = {"lobby": DropState.SCHEDULED, "seal": DropState.LOBBY}
"""What is told when it comes, unless the drop is in another state by then."""


def _dealt_with(member: str, replayed: Truth, stored: Truth, ran_ms: int) -> bool:
    """Was something due that is no more, without an event? The record of an entry tells; where it
    is lost, whether a script has run since."""
    if member.startswith("e:") and replayed.state != DropState.CANCELLED:
        entry = stored.entries.get(member[2:])
        return replayed.due[member] <= ran_ms if entry is None else entry.cool_ms == 0
    if member in ("close", "calls", "quiet"):
        return replayed.state not in (DropState.LIVE, DropState.PAUSED)
    if member in _WAIT_IN:
        return replayed.state != _WAIT_IN[member]
    return member != "widen" and not member.startswith("h:")


def _follow(replayed: Truth, stored: Truth, ran_ms: int) -> None:
    """Bring the replayed truth to where the server has got with what writes no event.

    What is due is dealt with in its order: the first that still stands ends it. But the opening,
    which waits while the clock is in doubt.
    """
    for _, member in sorted((when, member) for member, when in replayed.due.items()):
        if member not in stored.due and _dealt_with(member, replayed, stored, ran_ms):
            replayed.pass_by(member)
        elif member not in ("open", "lobby", "seal", "widen"):
            return


def _take_out(replayed: Truth, stored: Truth, ran_ms: int) -> None:
    """Do without the holds that the server may do without: they came to nothing, nothing speaks of
    them, and a day has passed."""
    missing = replayed.holds.keys() - stored.holds.keys()
    if not missing:
        return
    kept = {fan.last for fan in replayed.fans.values()} | replayed.orders.keys()
    kept |= {duty.hold for duty in replayed.outbox.values()}
    kept |= {ending.split("|")[1] for ending in replayed.charges.values()}
    for name in missing - kept:
        hold = replayed.holds[name]
        over_ms = max(hold.deadline_ms, hold.looked) + KEPT_MS
        begun = hold.began or hold.payment
        if hold.state not in STANDING and not begun and over_ms <= (ran_ms or over_ms):
            del replayed.holds[name]


def differing(replayed: Truth, stored: Truth, ran_ms: int = 0) -> list[Row]:
    """Every row that differs; none means equal.

    ran_ms: the drop's own time up to which a script has certainly dealt with what was due, 0: not
    known. Neither of the two is changed.
    """
    replayed = replayed.copy()
    _follow(replayed, stored, ran_ms)
    _take_out(replayed, stored, ran_ms)
    found: list[Row] = []
    for name in ("news", "leads"):
        row = Row(name, "", getattr(replayed, name), getattr(stored, name))
        if row.told != row.kept:
            found.append(row)
    for key in KEYS:
        found += compared(key, getattr(replayed, key), getattr(stored, key))
    return found


def difference(replayed: Truth, stored: Truth) -> list[str]:
    """One sentence for each row that differs, at most `SENTENCES_MAX`; none means equal."""
    return [row.sentence for row in differing(replayed, stored)[:SENTENCES_MAX]]

"""What creators do: open, pause, resume, close, cancel, message, add and withdraw."""

from __future__ import annotations

from collections.abc import Callable

from dropengine import events, outcomes, refusals
from tests.kit.oracle.clock import Clock

COMMANDS: dict[str, tuple[Callable[..., events.AnyEvent], str, str | None]] = {
    "open": (events.Opened, "opened", "live"),
    "pause": (events.Paused, "paused", "paused"),
    "resume": (events.Resumed, "resumed", "live"),
    "close": (events.Closed, "closed", "closing"),
    "cancel": (events.Cancelled, "cancelled", "cancelled"),
    "message": (events.Message, "message", None),
    "add": (events.Added, "added", None),
    "withdraw": (events.Withdrawn, "withdrawn", None),
}
"""A command: its event, the name of the event, and the state it leads to; None: it stays."""

OVER: dict[str, tuple[str, ...]] = {
    "open": ("open",),
    "close": ("close",),
    "cancel": ("open", "close"),
}
"""Times of the drop that mean nothing after a command."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "open": ("scheduled",),
    "pause": ("live",),
    "resume": ("paused",),
    "close": ("live", "paused"),
    "cancel": ("scheduled", "live", "paused", "closing", "frozen"),
    "message": ("scheduled", "live", "paused", "closing"),
    "add": ("scheduled", "live", "paused"),
    "withdraw": ("scheduled", "live", "paused"),
}


class Creators(Clock):
    """Creators' commands."""

    def creator(
        self, verb: str, revision: int, key: str, by: str, clock: int, **more: object
    ) -> outcomes.CreatorOutcome:
        """verb: open, pause, resume, close, cancel, message, add, withdraw; `more`: its words."""
        self.stage(clock)
        body = (verb, tuple(sorted(more.items())))
        known = self.by_creator.get((by, key))
        if known is not None and known != body:
            return refusals.KeyReused()
        if known is None:
            refusal = self.may(verb, revision, more)
            if refusal is not None:
                return refusal
            self.by_creator[by, key] = body
            self.carry_out(verb, key, by, more)
            self.serve()
        return outcomes.Changed(self.seq, self.revision, self.state)

    def carry_out(self, verb: str, key: str, by: str, more: dict[str, object]) -> None:
        kind, word, state = COMMANDS[verb]
        self.revision += 1
        self.state = state or self.state
        self.last_word = (word, by)
        for hour in OVER.get(verb, ()):
            self.hours.pop(hour, None)
        if verb in ("add", "withdraw"):
            pool, qty = self.pools[str(more["pool"])], int(str(more["qty"]))
            pool.withheld += qty if verb == "withdraw" else -qty
        self.say(kind, by=by, key=key, revision=self.revision, **more)

    def may(
        self, verb: str, revision: int, more: dict[str, object]
    ) -> outcomes.CreatorOutcome | None:
        if self.state == "frozen" and verb != "cancel":
            return refusals.Frozen()
        if revision != self.revision:
            return self.stale()
        if self.state not in ALLOWED[verb]:
            match self.state:
                case "scheduled":
                    return refusals.NotOpen()
                case "paused":
                    return refusals.Paused()
                case "closing" | "settled":
                    return refusals.Closed()
                case "cancelled":
                    return refusals.Cancelled()
                case _:
                    return self.stale()
        if verb in ("add", "withdraw"):
            pool = self.pools.get(str(more["pool"]))
            if pool is None:
                return refusals.NotFound()
            enough = pool.withheld if verb == "add" else self.free(pool.id)
            if enough < int(str(more["qty"])):
                return refusals.TooFew(**self.counts()[pool.id])
        return None

    def stale(self) -> refusals.StaleRevision:
        what, by = self.last_word
        return refusals.StaleRevision(self.revision, self.state, what, by)

"""What creators do: open, pause, resume, close, cancel, message, add and withdraw."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from dropengine import events, model, outcomes, refusals
from dropengine.creator_commands import (
    Add,
    Cancel,
    Correct,
    CreatorCommand,
    Exempt,
    Open,
    Pause,
    Realign,
    Reschedule,
    Restrict,
    Resume,
    Seal,
    Seen,
    Thaw,
    Widen,
    Withdraw,
    fault_in,
)
from dropengine.model import PASSING
from tests.kit.oracle.clock import Clock

COMMANDS: dict[str, tuple[Callable[..., events.AnyEvent], str, str | None]] = {
    "open": (events.Opened, "opened", "live"),
    "seal": (events.Sealed, "sealed", "ordering"),
    "widen": (events.Widened, "widened", None),
    "pause": (events.Paused, "paused", "paused"),
    "resume": (events.Resumed, "resumed", "live"),
    "close": (events.Closed, "closed", "closing"),
    "cancel": (events.Cancelled, "cancelled", "cancelled"),
    "message": (events.Message, "message", None),
    "reschedule": (events.Rescheduled, "rescheduled", None),
    "correct": (events.Corrected, "corrected", None),
    "exempt": (events.Exempted, "exempted", None),
    "restrict": (events.Restricted, "restricted", None),
    "add": (events.Added, "added", None),
    "withdraw": (events.Withdrawn, "withdrawn", None),
    "realign": (events.Realigned, "realigned", None),
    "thaw": (events.Thawed, "thawed", None),
}
"""A command: its event, the name of the event, and the state it leads to; None: it stays."""

OVER: dict[str, tuple[str, ...]] = {
    "open": ("open",),
    "close": ("close", "calls", "quiet", "widen"),
    "cancel": ("open", "close", "lobby", "seal", "calls", "quiet", "widen"),
}
"""Times of the drop that mean nothing after a command."""

BEFORE = ("scheduled", "lobby", "ordering")

ALLOWED: dict[str, tuple[str, ...]] = {
    "open": ("scheduled",),
    "seal": ("lobby",),
    "widen": ("live", "paused"),
    "pause": ("live",),
    "resume": ("paused",),
    "close": ("live", "paused"),
    "cancel": (*BEFORE, "live", "paused", "closing", "frozen"),
    "message": (*BEFORE, "live", "paused", "closing"),
    "add": (*BEFORE, "live", "paused"),
    "withdraw": (*BEFORE, "live", "paused"),
    "reschedule": (*BEFORE, "live", "paused"),
    "correct": (*BEFORE, "live", "paused", "closing", "settled"),
    "realign": (*BEFORE, "live", "paused", "closing"),
    "exempt": (*BEFORE, "live", "paused", "closing"),
    "restrict": (*BEFORE, "live", "paused", "closing"),
    "thaw": ("frozen",),
}

CORRECTIONS_MAX = 20

REACHED: dict[str, tuple[str, ...]] = {
    "open": ("lobby", "ordering", "live"),
    "seal": ("ordering", "live"),
    "pause": ("paused",),
    "resume": ("live",),
    "close": ("closing", "settled"),
    "cancel": ("cancelled",),
}
"""A drop in one of these states is already what the command would make of it."""


class Creators(Clock):
    """Creators' commands."""

    def creator(
        self, command: CreatorCommand, revision: int, key: str, by: str, clock: int
    ) -> outcomes.CreatorOutcome:
        """C2; `by` is a word that a log may say (C9)."""
        if why := fault_in(Seen(by, key, revision), command):
            return refusals.BadMessage(why)
        self.catch_up(clock)
        known = self.by_creator.get((by, key))
        if known is not None and known != command:
            return refusals.KeyReused()
        if known is None:
            refusal = self.may(command, revision, by)
            if refusal is not None:
                return refusal
            self.by_creator[by, key] = command
            self.carry_out(command, key, by)
            self.serve()
        return outcomes.Changed(self.seq, self.revision, self.state)

    def carry_out(self, command: CreatorCommand, key: str, by: str) -> None:
        kind, word, state = COMMANDS[command.verb]
        more = msgspec.structs.asdict(command)
        if isinstance(command, Open) and self.rules.mode != "rush":
            kind, word, state = events.LobbyOpened, "lobby_opened", "lobby"
            more["seals"] = self.plan_seal()
        self.revision += 1
        self.state = state or self.state
        self.last_word = (word, by)
        for hour in OVER.get(command.verb, ()):
            self.hours.pop(hour, None)
        match command:
            case Add(pool, qty):
                self.pools[pool].withheld -= qty
            case Withdraw(pool, qty):
                self.pools[pool].withheld += qty
            case Correct(digest, _):
                self.digest, self.corrections = digest, self.corrections + 1
            case Exempt(network):
                self.exempt.append(network)
            case Restrict(network):
                self.exempt.remove(network)
            case Reschedule():
                self.plan(command)
            case Pause(why) | Cancel(why):
                self.why = why
                if isinstance(command, Pause):
                    self.paused_by = by
            case Seal():
                more["entries"] = self.seal_list()
            case Open() if state == "live":
                self.begin_calls()
                self.plan_close()
                self.plan_widening()
            case Widen():
                self.widen()
        if isinstance(command, Correct):
            del more["manifest"]
        if isinstance(command, Cancel):
            more["froze"], self.froze = self.froze, ""
            more["stood"] = self.cool_off() if more["froze"] else 0
        if isinstance(command, Thaw):
            more |= self.thaw(by)
        if isinstance(command, Realign | Resume):
            more["lead"] = self.move_lead()
        if isinstance(command, Realign):
            more["why"] = "leap"
        self.say(kind, by=by, key=key, revision=self.revision, **more)

    def cool_off(self, names: Collection[str] | None = None) -> int:
        """T13. Whoever (of these) was done cooling where the time stood is not cooling any more;
        where."""
        for name in self.entries.keys() if names is None else names:
            entry = self.entries[name]
            if entry.open and 0 < entry.cool <= self.last:
                entry.cool = 0
                self.refresh(entry.fan, freed=False)
        return self.last

    def plan(self, command: Reschedule) -> None:
        """T14. What stays as it was may have passed without effect (T8)."""
        moved = self.moved(command)
        public_ms = self.rules.public_ms
        if public_ms and self.rules.opens_ms and command.opens_ms:
            public_ms += command.opens_ms - self.rules.opens_ms
        self.rules = msgspec.structs.replace(
            self.rules,
            opens_ms=command.opens_ms,
            closes_ms=command.closes_ms,
            public_ms=public_ms,
        )
        for hour, ms in moved.items():
            if hour == "open" and self.state == "lobby":
                hour, at = "seal", self.seals(ms)
            elif hour == "open" and self.rules.mode != "rush":
                hour, at = "lobby", self.begins(self.rules)
            else:
                at = ms
            self.hours.pop(hour, None)
            if ms:
                self.hours[hour] = at + self.lead

    def moved(self, command: Reschedule) -> dict[str, int]:
        wanted = {"open": command.opens_ms, "close": command.closes_ms}
        planned = {"open": self.rules.opens_ms, "close": self.rules.closes_ms}
        moved = {hour: ms for hour, ms in wanted.items() if ms != planned[hour]}
        if not moved and self.state == "lobby" and not command.opens_ms and "seal" in self.hours:
            return {"open": 0}
        return moved

    def seals(self, opens_ms: int) -> int:
        """D9: when an open list is sealed."""
        window = 0 if self.rules.mode == "lobby" else self.rules.window_ms
        return opens_ms + window if opens_ms else 0

    def may_plan(self, command: Reschedule) -> outcomes.CreatorOutcome | None:
        """T14, D9."""
        moved, now = self.moved(command), self.at - self.lead
        if not moved:
            return self.already()
        begins = self.seals(command.opens_ms) if self.state == "lobby" else command.opens_ms
        if "open" in moved and self.state not in ("scheduled", "lobby"):
            return refusals.BadMessage("opens_ms is over, the drop has opened")
        means = {hour: begins if hour == "open" else ms for hour, ms in moved.items()}
        if any(0 < ms <= now for ms in means.values()):
            return refusals.InThePast(now)
        before = self.state == "scheduled" or (self.state == "lobby" and "open" in moved)
        if before and 0 < command.closes_ms <= begins:
            return refusals.BadMessage("closes_ms must be after opens_ms, or 0")
        return None

    def may_correct(self, command: Correct) -> outcomes.CreatorOutcome | None:
        """C7."""
        if command.hash == self.digest:
            return self.already()
        if self.corrections >= CORRECTIONS_MAX:
            often = f"manifest was corrected {CORRECTIONS_MAX} times, which is the most"
            return refusals.BadMessage(often)
        return None

    def may_exempt(self, command: Exempt | Restrict) -> outcomes.CreatorOutcome | None:
        """N4."""
        is_exempt = command.network in self.exempt
        if is_exempt == isinstance(command, Exempt):
            return self.already()
        known = command.network in self.crowded
        return None if is_exempt or known else refusals.NotFound()

    def freeze(self, why: str, clock: int) -> None:
        """The next script finds that nothing may go on. half: since this moment of the clock."""
        if why == "half":
            self.begin(clock)
            self.changed_at = self.at
        self.froze = why
        if self.state not in ("settled", "cancelled"):
            self.was, self.state = self.state, "frozen"

    def thaw(self, by: str) -> dict[str, object]:
        """Time goes on from where it stood (T13); what the event tells."""
        why, lost = self.froze, 0
        if self.state == "frozen":
            lost = max(self.clock + self.lead - self.last, 0)
            self.at = self.last
            self.state = "paused" if self.was == "live" else self.was
            doubted = self.doubted
            self.move_lead()
            self.doubted = doubted
            if self.ran is not None:
                self.ran = self.clock
        if self.state == "paused":
            self.paused_by, self.why = by, ""
        self.froze = ""
        return {"lead": self.lead, "why": why, "state": self.state, "lost_ms": lost}

    def may(
        self, command: CreatorCommand, revision: int, by: str
    ) -> outcomes.CreatorOutcome | None:
        """C5, C6, T9."""
        if self.state == "frozen" and command.verb not in ("cancel", "thaw"):
            return refusals.Frozen()
        if revision != self.revision:
            return self.stale()
        if isinstance(command, Thaw):
            return None if self.froze else self.already()
        if isinstance(command, Pause) and self.state == "paused":
            taken_over = self.paused_by in PASSING and by not in PASSING
            return None if taken_over else self.already()
        if self.state in REACHED.get(command.verb, ()):
            return self.already()
        if isinstance(command, Resume) and self.state == "paused":
            others = by in PASSING and by != self.paused_by
            return self.stale() if others else None
        if isinstance(command, Open) and self.state == "scheduled" and self.to_carry():
            return refusals.NotCarried(self.carry_looked, self.carry_of or 0)
        if self.state not in ALLOWED[command.verb]:
            match self.state:
                case "scheduled" | "lobby" | "ordering":
                    return refusals.NotOpen()
                case "paused":
                    return refusals.Paused()
                case "closing" | "settled":
                    return refusals.Closed()
                case "cancelled":
                    return refusals.Cancelled()
                case state:
                    raise AssertionError(f"{command.verb} is for {state}")
        if isinstance(command, Realign) and self.at - self.clock == self.lead and not self.doubted:
            return self.already()
        if isinstance(command, Widen):
            return None if self.early else self.already()
        if isinstance(command, Reschedule):
            return self.may_plan(command)
        if isinstance(command, Correct):
            return self.may_correct(command)
        if isinstance(command, Exempt | Restrict):
            return self.may_exempt(command)
        if isinstance(command, Add | Withdraw):
            pool = self.pools.get(command.pool)
            if pool is None:
                return refusals.NotFound()
            in_hand = pool.withheld - self.away(pool.id)
            enough = in_hand if isinstance(command, Add) else self.free(pool.id)
            if enough < command.qty:
                return refusals.TooFew(**self.counts()[pool.id])
        return None

    def stale(self) -> refusals.StaleRevision:
        return refusals.StaleRevision(self.revision, self.state, *self.last_word)

    def already(self) -> refusals.Already:
        last = next((e for e in reversed(self.log) if isinstance(e, events.ByCreator)), None)
        if last is None:
            # Publishing is no command: when it was is not looked up.
            return refusals.Already(self.state, *self.last_word)
        what = model.snake(type(last).__name__)
        return refusals.Already(self.state, what, last.by, self.happened(last.at))

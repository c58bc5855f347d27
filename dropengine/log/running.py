"""A log while it grows: what operators want to know of it each second, at the price of a look at
each event's first letters.

What a crowd does is counted; what a person did, and what goes wrong, is told by itself.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable

from msgspec import Struct

from dropengine import events
from dropengine.log.in_words import Terms, told
from dropengine.log.last_hour import LastHour
from dropengine.log.launching import OF_OFFERS, ORDERED, Launch
from dropengine.log.shares import MADE_GOOD, OF_SHARES, Shares

LINES_MAX = 30
TOGETHER_MS = 5_000
"""What a crowd does within so long is one line."""

CROWD = {
    "held": "held",
    "offered": "offered by the line",
    "claimed": "offers taken",
    "paying": "began to pay",
    "sold": "paid",
    "rescued": "paid late",
    "expired": "not paid in time",
    "lapsed": "offers not taken",
    "released": "given back",
    "declined": "offers given back",
    "joined": "joined the line",
    "left": "left the line",
    "confirmed": "confirmed a place from the earlier drop",
    "refunded": "refunded",
    "pointed": "had their points changed",
}
LISTED = {"joined": "entered the list", "left": "left the list"}
"""What is said of these while a list is open that chance orders."""
"""Events that come by the thousand, as a line counts them. A refund by a person is a line of its
own."""
TOLD = frozenset(
    {
        *("carried", "lobby_opened", "sealed", "rooted", "revealed", "allotted"),
        *("published", "lifted", "opened", "paused", "resumed", "realigned", "thawed", "added"),
        *("withdrawn", "rescheduled", "corrected", "message", "closed", "cancelled", "settled"),
        *("exempted", "restricted", "widened"),
        *("frozen", "voided", "mismatched", "refunded", "discharged", "calling", "quiet"),
    }
)
"""Events that are read whole."""
_ENDS_PAYING = frozenset({"sold", "released", "expired"})
_READ = _ENDS_PAYING | {"paying", "rescued"}
_KINDS = {kind.encode(): kind for kind in (*CROWD, *TOLD, ORDERED)}
_OF_LAUNCH = OF_OFFERS | {ORDERED}
_NAME, _SEQ, _AT = len('{"e":"'), len('","seq":'), len(',"at":')
"""How far it is from the beginning of an event to its name, from the end of that to its number, and
from the end of that to its time."""
_HOLD = re.compile(rb'"hold":"([^"]+)"')
_AMOUNT = re.compile(rb'"amount":([0-9]+)')
_BOOST = b'"call":1'


class Line(Struct):
    """`at_ms`: of the drop's own time. A line of a crowd has its counts, one of a person a text.
    `listed`: it began while a list was open that chance orders."""

    seq: int
    at_ms: int
    text: str = ""
    crowd: Counter[str] | None = None
    listed: bool = False

    @property
    def words(self) -> str:
        """The line as people read it."""
        if self.crowd is None:
            return self.text
        says = CROWD | LISTED if self.listed else CROWD
        return ", ".join(f"{count:,} {says[kind]}" for kind, count in self.crowd.items())


class Running:
    """Feed it every event of a drop in order; `seq` is the last it knows. listed: where it does not
    begin with the first one, a list was open then that chance orders."""

    def __init__(self, terms: Terms, *, listed: bool = False) -> None:
        self._terms = terms
        self._listed = listed
        self.seq = 0
        self.counts: Counter[str] = Counter()
        self.sold = 0
        """Worth of the orders, refunded ones too, minor units."""
        self.refunded = 0
        self.launch: Launch | None = None
        """Of a drop whose arrivals chance gives out."""
        self.carried = 0
        """Places that are over from an earlier drop."""
        self.shares: Shares | None = None
        """Of a drop in which there are several ways to a unit."""
        self.boosts = LastHour()
        """Offers of the boost lane."""
        self.pointed = LastHour()
        """Changes of somebody's points."""
        self._paying: set[bytes] = set()
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)

    @property
    def paying(self) -> int:
        """Holds that are being paid now."""
        return len(self._paying)

    @property
    def lines(self) -> list[Line]:
        """What happened last, the newest first."""
        return [*reversed(self._lines)]

    def take(self, texts: Iterable[bytes]) -> None:
        """The next events, as the log has them. What cannot be read is the referee's."""
        counts, crowd = self.counts, self._crowd
        for text in texts:
            # `{"e":"held","seq":12,"at":1800000000000,...`: looked at for each event of a crowd, so
            # by position and not by a pattern.
            named = text.find(b'"', _NAME)
            numbered = text.find(b",", named + _SEQ)
            # Where nothing follows the time there is no comma: -1 leaves the brace out.
            dated = text.find(b",", numbered + _AT)
            kind = _KINDS.get(text[_NAME:named])
            try:
                seq, at_ms = int(text[named + _SEQ : numbered]), int(text[numbered + _AT : dated])
            except ValueError:
                continue
            self.seq = seq
            if kind is None:
                continue
            counts[kind] += 1
            if kind in _READ:
                self._read(kind, text)
            elif kind == "pointed" and MADE_GOOD not in text:
                self.pointed.add(at_ms)
            elif kind == "offered" and _BOOST in text:
                self.boosts.add(at_ms)
            if self.launch is not None and kind in _OF_LAUNCH:
                self.launch.seen(kind, text)
            if self.shares is not None and kind in OF_SHARES:
                placed = self.launch.placed if self.launch is not None else 0
                self.shares.seen(kind, text, self.carried, placed)
            if not (kind in TOLD and self._told(kind, seq, at_ms, text)) and kind in CROWD:
                crowd(kind, seq, at_ms)

    def _read(self, kind: str, text: bytes) -> None:
        """Who is paying, and what was sold."""
        if kind == "paying" or kind in _ENDS_PAYING:
            hold = _HOLD.search(text)
            if hold is not None:
                (self._paying.add if kind == "paying" else self._paying.discard)(hold[1])
        if kind in ("sold", "rescued") and (amount := _AMOUNT.search(text)):
            self.sold += int(amount[1])

    def _told(self, kind: str, seq: int, at_ms: int, text: bytes) -> bool:
        """Read it whole; was it told by itself?"""
        try:
            event = events.parse(text)
        except ValueError:
            return False
        if isinstance(event, events.Published):
            self._begin(event.rules)
        if isinstance(event, events.Sealed):
            self._listed = False
        if isinstance(event, events.Carried):
            self.carried = event.n
        if self.launch is not None:
            self.launch.told(event)
        if isinstance(event, events.Refunded):
            self.refunded += event.amount
            if event.by == "creator":
                return False
        if isinstance(event, events.Discharged) and event.result == "done":
            return False
        self._lines.append(Line(seq, at_ms, told(event, self._terms)))
        return kind in TOLD

    def _begin(self, rules: events.Rules) -> None:
        """What else is to be told of a drop with these rules."""
        if rules.randomness is not None:
            self.launch = Launch(rules.randomness)
            self._listed = True
        points = rules.points_until != ""
        if rules.randomness is not None or rules.cohorts or rules.carried is not None or points:
            self.shares = Shares()

    def _crowd(self, kind: str, seq: int, at_ms: int) -> None:
        last = self._lines[-1] if self._lines else None
        if last is None or last.crowd is None or at_ms - last.at_ms >= TOGETHER_MS:
            last = Line(seq, at_ms, crowd=Counter(), listed=self._listed)
            self._lines.append(last)
        assert last.crowd is not None
        last.crowd[kind] += 1

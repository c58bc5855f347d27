"""A creator's commands: what somebody who runs a drop may tell it, one struct a command, tagged by
`t`.

This union is the one place to add a command. Its tag names the script that carries it out, its
fields in their order are the script's last arguments, and whoever sends one signs it: which
revision of the drop he saw, who he is, and under which key (`Store.command`). The bounds of all
these fields are said here alone: a command that is out of them gets its sentence before it is sent,
and the scripts, which decide, are given the same bounds when they are loaded
(`truth/command_checks`).

`publish` is none of them: there is no drop yet that could have a revision. `refund` is none either:
it speaks of one order and leaves the drop's revision alone. `duty` speaks of one duty in the same
way. All are signed alike, and all their keys are kept.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta

from dropengine import plain_text
from dropengine.model import (
    AMOUNT_MAX,
    CAP_MAX,
    CHARGE_CHARS_MAX,
    ID_LETTERS,
    MOMENT_MS_MAX,
    OPERATOR,
    QTY_MAX,
    REVISION_MAX,
)
from dropengine.plain_text import line
from dropengine.wire import Id

BY_CHARS_MAX = 33
WHY_CHARS_MAX = 500
MESSAGE_CHARS_MAX = 500
MANIFEST_CHARS_MAX = 500_000
NETWORK_CHARS_MIN, NETWORK_CHARS_MAX = 8, 16
DUTY_CHARS_MAX = len("capture:") + CHARGE_CHARS_MAX

CLOCK = "clock"
"""What a drop's own times sign with. Of all commands only two may be signed so (`BY_CLOCK`): by the
job that sees the server's clock leap, and come back."""
OWN_NAMES = {
    CLOCK: f"by must not be {CLOCK}, which a drop's own times sign with",
    "creator": "by must not be creator, which a drop that is cancelled signs with",
    "fan": "by must not be fan, which what fans do is signed with",
}
"""What the log writes of itself where a name stands -> the sentence for whoever signs so."""
SHOPS_NAMES = (*OWN_NAMES, "disk", "durability", "provider")
"""These, and what the shop's own jobs sign with: no person is called so."""

Units = Annotated[int, Meta(ge=1, le=CAP_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Said = Annotated[str, line(MESSAGE_CHARS_MAX)]
Why = Annotated[str, line(WHY_CHARS_MAX, least=0)]
By = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=BY_CHARS_MAX,
        pattern=rf"^({OPERATOR.pattern}|{'|'.join(SHOPS_NAMES)})(?!\n)$",
        extra={"operator": True},
    ),
]
"""Names stand in no log: see `people/operators`."""
DutyId = Annotated[
    str, Meta(min_length=1, max_length=DUTY_CHARS_MAX, pattern=rf"^[{ID_LETTERS}]*(?!\n)$")
]
Moment = Annotated[int, Meta(ge=0, le=MOMENT_MS_MAX)]
"""ms since 1970, UTC, of the true clock; 0: by hand."""
Digest = Annotated[str, Meta(min_length=64, max_length=64, pattern=rf"^[{ID_LETTERS}]*(?!\n)$")]
Network = Annotated[
    str,
    Meta(
        min_length=NETWORK_CHARS_MIN,
        max_length=NETWORK_CHARS_MAX,
        pattern=rf"^[{ID_LETTERS}]*(?!\n)$",
    ),
]
"""What a network is called in a drop (`truth/networks`)."""
Text = Annotated[str, Meta(min_length=1, max_length=MANIFEST_CHARS_MAX)]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
"""Minor units."""
Serials = Annotated[list[Annotated[int, Meta(ge=1, le=CAP_MAX)]], Meta(max_length=QTY_MAX)]
Revision = Annotated[int, Meta(ge=0, le=REVISION_MAX)]


class Signature(msgspec.Struct, frozen=True):
    """Who commands, and the key under which a repeat is the same command."""

    by: By
    key: Id


class Seen(Signature, frozen=True):
    """`revision`: the drop's, as the creator saw it."""

    revision: Revision


class Refund(msgspec.Struct, frozen=True):
    """Which order is given back. `why`: a reason that its fan reads, or ''. `back`: where its units
    go: `line`, before they are handed over; `withheld` after that, until they came back in order;
    '', they stay, and its share alone falls."""

    order: Id
    why: Why = ""
    back: Literal["line", "withheld", ""] = "line"


class CameBack(msgspec.Struct, frozen=True):
    """Of which order units came back that were given back after they were handed over."""

    order: Id


class ChargedBack(msgspec.Struct, frozen=True):
    """Of which payment the provider took `amount` back for its fan."""

    payment: Id
    amount: Amount


class MoreTime(msgspec.Struct, frozen=True):
    """Which payment by hand gets more time."""

    payment: Id


class EndDuty(msgspec.Struct, frozen=True, rename={"as_": "as"}):
    """Which duty ends, and how: a person did it, or nobody will."""

    id: DutyId
    as_: Literal["by_hand", "given_up"]
    why: Why = ""


class FromCreator(
    msgspec.Struct, frozen=True, tag_field="t", tag=str.lower, forbid_unknown_fields=True
):
    """`verb`: its tag."""

    verb: ClassVar[str]

    def row(self) -> tuple[str | int, ...]:
        """What the script of this command reads after clock, revision, name and key."""
        return msgspec.structs.astuple(self)


class Open(FromCreator, frozen=True):
    """scheduled -> live: from now on fans may press. An opening time that was planned is over.
    Where chance gives out the arrivals scheduled -> lobby: from now on fans may join its list."""

    verb = "open"


class Seal(FromCreator, frozen=True):
    """lobby -> ordering: the list is fixed now, before its time; chance orders it, and then the
    drop opens."""

    verb = "seal"


class Widen(FromCreator, frozen=True):
    """live or paused, in early access: the drop is open to all from now on."""

    verb = "widen"


class Pause(FromCreator, frozen=True):
    """live -> paused: no new holds, no offers. What is held goes on and may be paid. `why`: a
    reason that fans read, or ''."""

    verb = "pause"

    why: Why = ""


class Resume(FromCreator, frozen=True):
    """paused -> live: the line first, then everybody."""

    verb = "resume"


class Add(FromCreator, frozen=True):
    """`qty` withheld units of `pool` become free; to the line first."""

    verb = "add"

    pool: Id
    qty: Units


class Withdraw(FromCreator, frozen=True):
    """`qty` free units of `pool` become withheld. What fans hold or own is never touched."""

    verb = "withdraw"

    pool: Id
    qty: Units


class Message(FromCreator, frozen=True):
    """`text`: for everybody at the drop; screens keep the last five."""

    verb = "message"

    text: Said


class Reschedule(FromCreator, frozen=True):
    """Another time to open, while scheduled, or to close, while it is not over: one that
    is still to come, or 0. Both are told, a time that stays as it is now."""

    verb = "reschedule"

    opens_ms: Moment
    closes_ms: Moment


class Correct(FromCreator, frozen=True):
    """The manifest's words are put right: a new version of it, in its canonical form, with the same
    rules (`manifest.corrected` makes it, and `Store.command` holds it to that)."""

    verb = "correct"

    hash: Digest
    manifest: Text


class Exempt(FromCreator, frozen=True):
    """`network` may have as many unpaid holds and open entries as its people like: a venue's."""

    verb = "exempt"

    network: Network


class Restrict(FromCreator, frozen=True):
    """`network`, which was exempt, may have no more of them than others again."""

    verb = "restrict"

    network: Network


class Close(FromCreator, frozen=True):
    """live or paused -> closing: nothing new begins, what is held may finish."""

    verb = "close"


class Cancel(FromCreator, frozen=True):
    """Any state before settled -> cancelled: every hold ends, every payment goes back. `why`: a
    reason that fans read, or ''."""

    verb = "cancel"

    why: Why = ""


class Realign(FromCreator, frozen=True):
    """The server's clock is right now: the drop's own time goes on from where it stands, and it may
    open by the clock again."""

    verb = "realign"


class Thaw(FromCreator, frozen=True):
    """frozen -> paused, or as it was where nothing can be sold. `found`: how many records differed
    from the log and were rewritten from it. Only for a drop whose records agree with its log, which
    `truth/repair.py` sees to."""

    verb = "thaw"

    found: Count


CreatorCommand = (
    Open
    | Seal
    | Widen
    | Pause
    | Resume
    | Add
    | Withdraw
    | Message
    | Reschedule
    | Correct
    | Exempt
    | Restrict
    | Close
    | Cancel
    | Realign
    | Thaw
)
BY_CLOCK = (Pause, Realign)
COMMANDS: dict[str, type[CreatorCommand]] = {kind.verb: kind for kind in get_args(CreatorCommand)}
"""Verb -> command."""


def opening_key(publishing: str) -> str:
    """The key of the opening of a drop that is published and opened in one breath: the same for a
    repeat, and no other command's."""
    return f"opens-{hashlib.sha256(publishing.encode()).hexdigest()[:32]}"


class Bound(NamedTuple):
    """What a field may be. kind: whole (a number), id, line (of text), text (that a program made),
    word, or operator (a word of one, or of these); least and most: of the number, or of its
    characters. words: those that it may be."""

    kind: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The sentence about a value that is out of it, without the field's name."""
        if self.kind == "whole":
            return f"must be a whole number from {self.least} to {self.most}"
        if self.kind == "word":
            return f"must be {' or '.join(word or 'empty' for word in self.words)}"
        if self.kind == "operator":
            return f"must be o and 1 to {self.most - 1} of 0-9 and a-f, as a log calls an operator"
        if self.kind == "id":
            letters = ID_LETTERS.replace("A-Za-z0-9", "")
            count = f"{self.least} to {self.most}" if self.least < self.most else f"{self.most}"
            return f"must be {count} of A-Z, a-z, 0-9 and {letters}"
        return f"must have {self.least} to {self.most} characters"


@cache
def bounds(kind: type[msgspec.Struct]) -> tuple[tuple[str, Bound], ...]:
    """The fields of a struct and what its types let each of them be."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (told, _bound(name, hints[name]))
        for name, told in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    )


def _bound(name: str, hint: Any) -> Bound:
    if get_origin(hint) is Literal:
        words = get_args(hint)
        return Bound("word", min(map(len, words)), max(map(len, words)), words)
    plain, meta = get_args(hint)
    if plain is int:
        return Bound("whole", meta.ge, meta.le)
    if meta.extra == {"operator": True}:
        return Bound("operator", meta.min_length, meta.max_length, SHOPS_NAMES)
    if meta.pattern is not None:
        return Bound("id", meta.min_length, meta.max_length)
    if meta.extra is None:
        return Bound("text", meta.min_length, meta.max_length)
    assert meta.extra == {"line": True}, f"{name} has no rule"
    return Bound("line", meta.min_length, meta.max_length)


_ID = re.compile(f"[{ID_LETTERS}]*")


def unfit(value: Any, bound: Bound) -> str:
    """Why a value is not within a bound, as the end of a sentence, or ''. The scripts' own check
    says the same words."""
    if bound.kind == "whole":
        fits = type(value) is int and bound.least <= value <= bound.most
    else:
        fits = isinstance(value, str) and bound.least <= len(value) <= bound.most
    if bound.kind == "word":
        fits = value in bound.words
    if bound.kind == "operator":
        fits = fits and (value in bound.words or OPERATOR.fullmatch(value) is not None)
    if not fits or (bound.kind == "id" and not _ID.fullmatch(value)):
        return bound.rule
    if bound.kind == "text":
        return plain_text.not_utf8(value)
    return plain_text.unfit(value) if bound.kind == "line" else ""


def fault_in(signed: Signature, command: msgspec.Struct | None = None) -> str:
    """What is wrong with who signs a command or with the command itself, as a sentence that names
    the field, or '' for nothing."""
    for given in (signed, command) if command is not None else (signed,):
        values = msgspec.structs.astuple(given)
        for (name, bound), value in zip(bounds(type(given)), values, strict=True):
            if why := unfit(value, bound):
                return f"{name} {why}"
    if signed.by == CLOCK and isinstance(command, BY_CLOCK):
        return ""
    return OWN_NAMES.get(signed.by, "")

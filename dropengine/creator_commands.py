"""A creator's commands: what somebody who runs a drop may tell it, one struct a command, tagged by
`t`.

This union is the one place to add a command. Its tag names the script that carries it out, its
fields in their order are the script's last arguments, and whoever sends one says beside it which
drop, which revision of it he saw, who he is, and under which key (`Store.command`).

`publish` is none of them: there is no drop yet that could have a revision. `refund` is none either:
it speaks of one order, leaves the drop's revision alone, and its order makes it safe to repeat.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, get_args

import msgspec
from msgspec import Meta

from dropengine.model import CAP_MAX
from dropengine.wire import Id

Units = Annotated[int, Meta(ge=1, le=CAP_MAX)]
Said = Annotated[str, Meta(min_length=1, max_length=500)]
Why = Annotated[str, Meta(max_length=500)]


class FromCreator(
    msgspec.Struct, frozen=True, tag_field="t", tag=str.lower, forbid_unknown_fields=True
):
    """`verb`: its tag. The bounds of fields are checked where a command is read, not where it is
    made."""

    verb: ClassVar[str]


class Open(FromCreator, frozen=True):
    """scheduled -> live: from now on fans may press. An opening time that was planned is over."""

    verb = "open"


class Pause(FromCreator, frozen=True):
    """live -> paused: no new holds, no offers. What is held goes on and may be paid. `why`: at most
    500 characters, kept in the log."""

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
    """`text`: 1 to 500 characters for everybody at the drop; screens keep the last five."""

    verb = "message"

    text: Said


class Close(FromCreator, frozen=True):
    """live or paused -> closing: nothing new begins, what is held may finish."""

    verb = "close"


class Cancel(FromCreator, frozen=True):
    """Any state before settled -> cancelled: every hold ends, every payment goes back."""

    verb = "cancel"


CreatorCommand = Open | Pause | Resume | Add | Withdraw | Message | Close | Cancel
COMMANDS: dict[str, type[CreatorCommand]] = {kind.verb: kind for kind in get_args(CreatorCommand)}
"""Verb -> command."""


def row(command: CreatorCommand) -> tuple[str | int, ...]:
    """What the script of this command reads after clock, revision, name and key."""
    return msgspec.structs.astuple(command)

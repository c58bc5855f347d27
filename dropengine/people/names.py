"""What accounts and makers may be called: bounds in the types, as for everything that comes in."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from dropengine import plain_text
from dropengine.creator_commands import SHOPS_NAMES
from dropengine.people.passwords import CHARS_MAX, CHARS_MIN

ACCOUNT_CHARS_MAX = 60
"""It signs commands, whose `by` is a little longer."""
MAKER_CHARS_MAX = 80
SHORT_CHARS_MAX = 16
LABEL_CHARS_MAX = 40
TOKEN_CHARS_MAX = 128

AccountName = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=ACCOUNT_CHARS_MAX,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*(?!\n)$",
        description="letters, digits and `. _ @ + -`; large and small letters are alike",
    ),
]
Password = Annotated[str, Meta(min_length=CHARS_MIN, max_length=CHARS_MAX)]
AnyPassword = Annotated[str, Meta(max_length=CHARS_MAX)]
"""As it is shown at sign-in: what it must have is said where it is chosen."""
MakerName = Annotated[str, plain_text.line(MAKER_CHARS_MAX)]
ShortName = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=SHORT_CHARS_MAX,
        pattern=r"^[a-z][a-z0-9]*(?!\n)$",
        description="small letters and digits; stands before the ids of its drops",
    ),
]
Colour = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}(?!\n)$")]
Label = Annotated[str, plain_text.line(LABEL_CHARS_MAX)]
Token = Annotated[str, Meta(min_length=1, max_length=TOKEN_CHARS_MAX)]

COLOUR = "#e4572e"
"""Of a maker that has not chosen one."""


def folded(name: str) -> str:
    """How an account's name is kept and looked for."""
    return name.strip().lower()


def taken_by_shop(name: str) -> bool:
    """Does the shop itself sign with this name?"""
    return folded(name) in SHOPS_NAMES


def short_of(name: str) -> str:
    """A short name made of a maker's name, for a form that asks for none."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower()).lstrip("0123456789")[:SHORT_CHARS_MAX]
    return letters if len(letters) > 1 else "maker"

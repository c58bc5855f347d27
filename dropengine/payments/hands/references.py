"""References: what a payer writes on his transfer, so that its maker finds the payment by it."""

from __future__ import annotations

import secrets
from typing import Final

LETTERS: Final = "ACDEFHJKLMNPRTUVWXY3479"
"""None of them is taken for another, in any hand or on any screen."""
CHARS: Final = 8


def new() -> str:
    """One that nobody has yet, as good as surely: `KXHD-3RTM`."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(CHARS))
    return f"{drawn[:4]}-{drawn[4:]}"


def read(typed: str) -> str:
    """As it was given, however somebody typed it; '' for what is none."""
    bare = "".join(letter for letter in typed.upper() if letter in LETTERS)
    return f"{bare[:4]}-{bare[4:]}" if len(bare) == CHARS else ""

"""The letter that somebody signs in by: a link, a code, and who should ignore it."""

from __future__ import annotations

from dropengine.catalogue import Catalogue
from dropengine.mail.letter import Kind, Letter
from dropengine.people.sign_ins import MINUTES, Asked, SignIn

PAGE = "/you/links/"


def whose(normal: str) -> str:
    """By what the letters to a mailbox are found, whether anybody is known by it or not."""
    return f"mailbox:{normal}"


def letter_of(sign_in: SignIn) -> str:
    """The id of the letter that somebody signs in by."""
    return f"sign-in-{sign_in.id}"


def letter(asked: Asked, origin: str, say: Catalogue, now_ms: int) -> Letter:
    """origin: where people reach the shop."""
    mine = asked.sign_in
    paragraphs = (
        say("letter.who", shop=origin.partition("://")[2]),
        say("letter.type"),
        asked.code,
        say("letter.open"),
        f"{origin}{PAGE}{asked.token}",
        say("letter.once", minutes=MINUTES),
    )
    return Letter(
        id=letter_of(mine),
        kind=Kind.SIGN_IN,
        to=mine.address,
        subject=say("letter.subject", code=asked.code),
        words="\n\n".join(paragraphs),
        language=say.language,
        written_ms=now_ms,
        whose=whose(mine.normal),
        until_ms=mine.ends_ms,
        urgent=True,
    )

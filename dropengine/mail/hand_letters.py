"""What is written about payments by hand: to who has to pay, a day before the end of his time, and
to makers every day what is open. Times are ms since 1970."""

from __future__ import annotations

from collections.abc import Sequence

from dropengine.catalogue import CATALOGUES, ENGLISH
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.mail.makers_letters import whose
from dropengine.manifest import Manifest
from dropengine.manifest.currencies import MINOR_DIGITS, money
from dropengine.manifest.moments import named
from dropengine.manifest.zones import listed
from dropengine.people.account_mails import Named
from dropengine.people.persons import Person

DAY_MS = 86_400_000
DAILY = (
    "This list comes once a day while something is open. Your account says whether you want these "
    "letters:"
)


def reminder(
    to: Person,
    drop: Manifest,
    payment: str,
    reference: str,
    missing: int,
    deadline_ms: int,
    origin: str,
    now_ms: int,
    language: str,
) -> Letter:
    """His money must have come soon. language: of the shop."""
    say = CATALOGUES.get(to.language or drop.language or language, ENGLISH)
    zone = listed(to.zone) or drop.zone
    amount = money(missing, drop.currency, MINOR_DIGITS[drop.currency], say)
    words = (
        say("calls.hand_ends_says", when=named(deadline_ms, zone, say)),
        say("calls.hand_missing", sum=amount, reference=reference),
        say("hand.lapse"),
        f"{origin}/drops/{drop.id}",
    )
    return Letter(
        id=letter_id(Kind.HAND_ENDS, drop.id, payment, deadline_ms, to.id),
        kind=Kind.HAND_ENDS,
        to=to.address,
        subject=say("calls.hand_ends", title=drop.title),
        words="\n\n".join(words),
        written_ms=now_ms,
        whose=f"person:{to.id}",
        drop=drop.id,
        until_ms=deadline_ms,
        urgent=True,
        sender=drop.maker,
        language=say.language,
    )


def daily(
    to: Named, maker: str, drops: Sequence[tuple[str, int, int]], now_ms: int, origin: str
) -> Letter:
    """What is open at a maker. drops: id, payments that are open, ticks that are."""
    lines = [
        f"{drop}: {_count(opened, 'payment')} open, {_count(owed, 'sum')} to be sent back.\n\n"
        f"{origin}/studio/drops/{drop}/by-hand"
        for drop, opened, owed in drops
    ]
    words = (
        "Look at your bank account, and enter what came:",
        *lines,
        DAILY,
        f"{origin}/studio/account",
    )
    opened = sum(one[1] for one in drops)
    return Letter(
        id=letter_id(Kind.HAND_LIST, maker, now_ms // DAY_MS, to.account),
        kind=Kind.HAND_LIST,
        to=to.address,
        subject=f"Payments by hand: {opened} open",
        words="\n\n".join(words),
        written_ms=now_ms,
        whose=whose(to.account),
        until_ms=now_ms + DAY_MS,
    )


def _count(many: int, what: str) -> str:
    return f"{many} {what}" if many == 1 else f"{many} {what}s"

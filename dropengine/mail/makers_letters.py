"""What makers' accounts are written: in the words of the studio, each with one thing to do.

`origin`: where the studio is opened, by a name that passkeys know. Times are ms since 1970.
"""

from __future__ import annotations

from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.manifest.moments import named
from dropengine.manifest.zones import listed
from dropengine.people import account_mails, links
from dropengine.people.account_mails import Confirmed, Named
from dropengine.people.links import Link
from dropengine.studio_wire import AlarmView

DAY = (
    "The link works for a day. If you do not know what this is about, do nothing: no more letters "
    "come."
)
WEEK = "The link works once, within seven days. If you do not know what this is about, do nothing."
HOUR = (
    "The link works once, within an hour, and signs the account out everywhere. If it was not you, "
    "do nothing: nothing has changed."
)
HOURLY = (
    "You are told once, then every hour while it lasts. Your account says whether you want these "
    "letters:"
)


def whose(account: str) -> str:
    """By what the letters of an account are found."""
    return f"account:{account}"


def confirm(account: str, name: str, address: str, secret: str, origin: str, now_ms: int) -> Letter:
    """Somebody said that this is his address."""
    words = (
        f"The account {name} at {origin} says that this is its address.",
        "If it is yours, open this page and confirm it:",
        f"{origin}{account_mails.PAGE}{secret}",
        DAY,
    )
    return Letter(
        id=letter_id(Kind.CONFIRM, account, secret),
        kind=Kind.CONFIRM,
        to=address,
        subject="Is this your address?",
        words=_paragraphs(*words),
        written_ms=now_ms,
        whose=whose(account),
        until_ms=now_ms + account_mails.LIFE_MS,
        urgent=True,
    )


def changed(of: Confirmed, origin: str, now_ms: int) -> Letter:
    """To the address that an account had before."""
    words = (
        f"The account {of.name} at {origin} is reached at another address from now on.",
        "If that was not you, sign in and look at your account, or ask an owner of your maker:",
        f"{origin}/studio/account",
    )
    return Letter(
        id=letter_id(Kind.CHANGED, of.account, of.before, now_ms),
        kind=Kind.CHANGED,
        to=of.before,
        subject="Your account has another address now",
        words=_paragraphs(*words),
        written_ms=now_ms,
        whose=whose(of.account),
        urgent=True,
    )


def invite_id(link: str) -> str:
    """The letter of an invitation."""
    return letter_id(Kind.INVITE, link)


def invite(link: Link, secret: str, maker: str, address: str, origin: str) -> Letter:
    """Somebody may join a maker."""
    words = (
        f"{link.by} invites you to {maker}, as {_a(link.role)}.",
        "Open this page to accept. You need no account before:",
        links.address(origin, secret),
        WEEK,
    )
    return Letter(
        id=invite_id(link.id),
        kind=Kind.INVITE,
        to=address,
        subject=f"You are invited to {maker}",
        words=_paragraphs(*words),
        written_ms=link.created_ms,
        whose=f"maker:{link.maker}",
        until_ms=link.ends_ms,
        urgent=True,
        sender=maker,
    )


def way_back(link: Link, secret: str, of: Named, origin: str) -> Letter:
    """Somebody who is locked out comes back."""
    words = (
        f"Somebody, hopefully you, asked for a way back into the account {of.name} at {origin}.",
        "Open this page to set a new password or a new passkey:",
        links.address(origin, secret),
        HOUR,
    )
    return Letter(
        id=letter_id(Kind.BACK, link.id),
        kind=Kind.BACK,
        to=of.address,
        subject="The way back into your account",
        words=_paragraphs(*words),
        written_ms=link.created_ms,
        whose=whose(of.account),
        until_ms=link.ends_ms,
        urgent=True,
    )


def alarm(of: AlarmView, to: Named, began_ms: int, hours: int, origin: str, now_ms: int) -> Letter:
    """Something that a person should know now. hours: for so many it lasts already."""
    lasts = "" if not hours else f" It has lasted for {_hours(hours)}."
    page = f"{origin}/studio/drops/{of.drop}/night" if of.drop else f"{origin}/studio/shop"
    about = f"{of.drop}: " if of.drop else ""
    zone = listed(to.zone) or "UTC"
    words = (
        f"{about}{of.what}{lasts}",
        f"Since {named(began_ms // 60_000 * 60_000, zone)}.",
        of.then,
        page,
        HOURLY,
        f"{origin}/studio/account",
    )
    return Letter(
        id=letter_id(Kind.ALARM, of.kind, of.drop, began_ms, hours, to.account),
        kind=Kind.ALARM,
        to=to.address,
        subject=f"{about}{of.what}" if not hours else f"Still so: {about}{of.what}",
        words=_paragraphs(*words),
        written_ms=now_ms,
        whose=whose(to.account),
        drop=of.drop,
        until_ms=now_ms + 3_600_000,
        urgent=True,
    )


def _paragraphs(*words: str) -> str:
    return "\n\n".join(words)


def _a(role: str) -> str:
    return f"an {role}" if role[:1] in ("o", "e") else f"a {role}"


def _hours(count: int) -> str:
    return "an hour" if count == 1 else f"{count} hours"

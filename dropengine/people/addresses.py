"""Addresses that people are known by: how one is read, when two are one, and what was likely meant.

Two spellings of one mailbox are one person: letters large or small, and dots and tags where the
mailbox's provider is known to ignore them. Nobody else's rules are guessed.
"""

from __future__ import annotations

import hmac
from typing import Final, NamedTuple

TYPED_CHARS_MAX: Final = 254
NAME_DIGITS: Final = 32

_TAG: Final = "+"


class Address(NamedTuple):
    """`mail`: as it is written on a letter, domain in plain letters. `form`: the one spelling that
    stands for all of its mailbox."""

    mail: str
    form: str


class _Provider(NamedTuple):
    """domain: the one of several that stands for all. nothing: letters that it ignores."""

    domain: str = ""
    nothing: str = ""


_PROVIDERS: Final[dict[str, _Provider]] = {
    "gmail.com": _Provider(nothing="."),
    "googlemail.com": _Provider("gmail.com", "."),
    **dict.fromkeys(
        ("outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.it", "msn.com"),
        _Provider(),
    ),
    **dict.fromkeys(
        ("hotmail.com", "hotmail.co.uk", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it"),
        _Provider(),
    ),
    **dict.fromkeys(("live.com", "live.de", "live.fr", "live.it", "live.nl"), _Provider()),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _Provider("icloud.com")),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), _Provider("proton.me", "._-")),
    **dict.fromkeys(("fastmail.com", "fastmail.fm", "hey.com", "zoho.com"), _Provider()),
    **dict.fromkeys(("mailbox.org", "posteo.de"), _Provider()),
}
"""Providers that ignore what stands behind a +."""

_KNOWN: Final = frozenset(
    {
        *_PROVIDERS,
        *("aol.com", "att.net", "bluewin.ch", "comcast.net", "email.com", "free.fr", "freenet.de"),
        *("gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "laposte.net", "libero.it"),
        *("mail.com", "mail.ru", "naver.com", "orange.fr", "qq.com", "rocketmail.com"),
        *("sky.com", "t-online.de", "tutanota.com", "web.de", "yahoo.co.jp", "yahoo.co.uk"),
        *("yahoo.com", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.ru", "ymail.com"),
    }
)
"""Where most people have their mail: these are never mistaken for one another."""
_LETTERS_MIN: Final = 6
"""Of a domain that another may be a slip of: shorter ones are too near to everything."""
_LETTERS_FOR_TWO: Final = 10
"""From this length on two slips are believed."""


def read(typed: str) -> Address | None:
    """What somebody typed; None for what is no address that a letter could be sent to."""
    # Only who signs in needs it.
    import email_validator

    if len(typed) > TYPED_CHARS_MAX:
        return None
    try:
        found = email_validator.validate_email(
            typed.strip(), allow_smtputf8=False, check_deliverability=False
        )
    except email_validator.EmailNotValidError:
        return None
    mail = found.ascii_email
    return None if mail is None else Address(mail, _form(mail))


def meant(address: Address) -> str | None:
    """The address that he may have meant, where the domain looks like a slip; None: it does not."""
    local, _, domain = address.mail.rpartition("@")
    domain = domain.lower()
    if domain in _KNOWN:
        return None
    near = min(_KNOWN, key=lambda known: (_slips(domain, known), known))
    most = 2 if len(near) >= _LETTERS_FOR_TWO else 1
    if len(near) < _LETTERS_MIN or _slips(domain, near) > most:
        return None
    return f"{local}@{near}"


class AddressNames:
    """Names mailboxes so that nobody reads an address from one. secret: the shop's key."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dropengine:addresses", "sha256")

    def of(self, address: Address) -> str:
        """The same name for every spelling of a mailbox."""
        return hmac.digest(self._key, address.form.encode(), "sha256").hex()[:NAME_DIGITS]


def _form(mail: str) -> str:
    local, _, domain = mail.lower().rpartition("@")
    provider = _PROVIDERS.get(domain)
    if provider is None:
        return f"{local}@{domain}"
    short = local.partition(_TAG)[0].translate(dict.fromkeys(map(ord, provider.nothing)))
    # Of what is all tag nothing would be left.
    return f"{short or local}@{provider.domain or domain}"


def _slips(one: str, other: str) -> int:
    """How many letters are too many, missing, wrong, or changed about with the next."""
    before: list[int] = []
    last: list[int] = [*range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]

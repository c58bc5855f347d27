"""What `SMTP_URL` may say: where mail is handed over, how it is kept from readers, who asks."""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote, urlsplit

from msgspec import Struct

EXPECTED = (
    "expected smtp://HOST:PORT, smtp+starttls://... or smtps://..., with user:password@ before "
    "the host; in a name or password write @ as %40, / as %2F and : as %3A"
)
Protection = Literal["none", "starttls", "tls"]
SCHEMES: dict[str, tuple[Protection, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpAddress(Struct, frozen=True):
    """A server that takes mail. Its `repr` tells no password."""

    host: str
    port: int
    protection: Protection
    user: str
    password: str

    def __repr__(self) -> str:
        return f"SmtpAddress({self.host!r}, {self.port}, {self.protection!r})"


def parse(address: str) -> SmtpAddress:
    """Raises ValueError with a sentence that repeats nothing of the address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(EXPECTED) from None
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in SCHEMES or not parts.hostname or extra or port == 0:
        raise ValueError(EXPECTED)
    protection, usual_port = SCHEMES[parts.scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError(f"{EXPECTED}: name and password come together")
    if password and protection == "none" and parts.hostname not in HERE:
        raise ValueError("a password travels by smtp+starttls:// or smtps:// only")
    return SmtpAddress(parts.hostname, port or usual_port, protection, user, password)

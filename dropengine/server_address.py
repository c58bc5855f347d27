"""What `REDIS_URL` may say, and how it is shown: never a password, however it was put."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

EXPECTED = "expected redis://HOST:PORT/0, rediss://... or unix:///PATH"
ENCODED = "in a name or password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23"
SCHEMES = ("redis://", "rediss://", "unix://")
OPTIONS = ("db", "username", "password")
TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
CHOICES = {
    "db": re.compile(r"\d{1,6}"),
    "ssl_cert_reqs": re.compile(r"required|optional|none"),
    "ssl_check_hostname": re.compile(r"(?i)true|false|yes|no|1|0"),
}
_DATABASE = re.compile(r"/?|/\d{1,6}")


def check(address: str) -> None:
    """Raises ValueError with a sentence that repeats nothing of the address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(f"{EXPECTED}; {ENCODED}") from None
    # The client looks at the letters themselves, and takes no blank or capital before them.
    if not address.startswith(SCHEMES):
        raise ValueError(EXPECTED)
    local = parts.scheme == "unix"
    place = parts.path.strip("/") if local else parts.hostname
    rest = "" if local else parts.path
    if not place or "#" in address or "@" in unquote(rest) or port == 0:
        raise ValueError(f"{EXPECTED}; {ENCODED}")
    if not _DATABASE.fullmatch(rest):
        raise ValueError(f"{EXPECTED}: after the host stands the number of the database alone")
    if not local:
        check_host(unquote(place))
    _check_options(parts.query, known=OPTIONS + TLS_OPTIONS * (parts.scheme == "rediss"))


def check_host(name: str) -> None:
    """Raises ValueError for what no system can look up, whatever names it knows."""
    try:
        name.encode("idna")
    except UnicodeError:
        raise ValueError("expected the name or address of a host") from None


def _check_options(query: str, known: tuple[str, ...]) -> None:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise ValueError(f"after ? only {', '.join(known)} are known; {ENCODED}")
        if name in CHOICES and not CHOICES[name].fullmatch(value):
            raise ValueError(f"after ? {name} has a value that it cannot have")


def shown(address: str) -> str:
    """The same address for people: who asks and by what password is left out."""
    parts = urlsplit(address)
    asks, _, place = parts.netloc.rpartition("@")
    told = [
        f"{name}=(hidden)" if name in ("username", "password") else f"{name}={value}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return (
        f"{parts.scheme}://{'(hidden)@' if asks else ''}{place}{parts.path}"
        f"{'?' if told else ''}{'&'.join(told)}"
    )

"""What `DATABASE_URL` may say. It is shown as the address of the server is: without who asks."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from dropengine.server_address import ENCODED, check_host

EXPECTED = "expected postgresql://HOST:PORT/DATABASE or postgresql:///DATABASE?host=/FOLDER"
SCHEMES = ("postgresql://", "postgres://")
OPTIONS = ("host", "sslmode", "sslrootcert", "sslcert", "sslkey")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def check(address: str) -> None:
    """Raises ValueError with a sentence that repeats nothing of the address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(f"{EXPECTED}; {ENCODED}") from None
    if not address.startswith(SCHEMES):
        raise ValueError(EXPECTED)
    name = parts.path.removeprefix("/")
    if not name or "/" in name or "#" in address or "@" in unquote(name) or port == 0:
        raise ValueError(f"{EXPECTED}; {ENCODED}")
    if "\0" in unquote(address):
        # The library would end there: without the password, and at another port.
        raise ValueError(f"{EXPECTED}: nothing of it may be a zero byte (%00)")
    said = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(said)
    if not options.keys() <= set(OPTIONS):
        raise ValueError(f"after ? only {', '.join(OPTIONS)} are known; {ENCODED}")
    if len(options) < len(said):
        raise ValueError("after ? each of them is said once")
    if options.get("sslmode", SSL_MODES[0]) not in SSL_MODES:
        raise ValueError(f"sslmode: expected one of {', '.join(SSL_MODES)}")
    if not parts.hostname and not options.get("host"):
        raise ValueError(f"{EXPECTED}: it names no host")
    for host in (unquote(parts.hostname or ""), options.get("host", "")):
        if not host.startswith("/"):
            check_host(host)

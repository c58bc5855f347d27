"""An endpoint is an address that a stranger gives us to call: what it may look like at all.

Where its name leads is judged once more, when it is called: see `judged_client`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

CHARS_MAX = 1_024
HERE = "127.0.0.1"

_PLAIN = re.compile(r"[!-~]+")
# Names alone, in plain letters: the last part begins with one, so no way to write a number is a
# name.
_PART = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_PART}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")


class Endpoint(Struct, frozen=True):
    """`origin`: `https://push.example`, which the shop's key speaks for. `target`: path and
    query."""

    scheme: str
    host: str
    port: int
    origin: str
    target: str


def parse(address: str, services: tuple[str, ...] = (), *, here: bool = False) -> Endpoint:
    """Raises ValueError with a sentence that repeats nothing of the address.

    services: names of push services, with all names below them; () for any. here: a push service of
    a test on this machine may be called too, by http and at any port.
    """
    if len(address) > CHARS_MAX or not _PLAIN.fullmatch(address) or "\\" in address:
        raise ValueError(f"expected an address in plain letters, at most {CHARS_MAX} of them")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError("expected an address like https://push.example/id") from None
    if "@" in parts.netloc or "#" in address or not parts.path.startswith("/"):
        raise ValueError("expected an address without a user, with a path, and nothing after it")
    host = parts.hostname or ""
    local = here and host == HERE and parts.scheme == "http"
    if not local:
        _check(parts.scheme, host, port, services, any_port=here)
    port = port or (80 if local else 443)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    query = f"?{parts.query}" if parts.query else ""
    return Endpoint(parts.scheme, host, port, origin, f"{parts.path}{query}")


def _check(
    scheme: str, host: str, port: int | None, services: tuple[str, ...], *, any_port: bool
) -> None:
    if scheme != "https":
        raise ValueError("a push service is called by https")
    if not _NAME.fullmatch(host):
        raise ValueError("a push service has a name")
    if port not in (None, 443) and not any_port:
        raise ValueError("a push service is called at its usual port")
    if services and not any(host == one or host.endswith(f".{one}") for one in services):
        raise ValueError("this shop does not call that push service")

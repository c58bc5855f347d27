"""An address of pages, exactly as browsers send it: anything else would never be met again."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

EXPECTED = "expected an origin in small letters like https://drops.example, with no path"
USUAL_PORTS = {"http": 80, "https": 443}
PORT_MAX = 65_535
_SHAPE = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""Where a name ends so, browsers read all of it as an address."""


def check(origin: str) -> None:
    """Raises ValueError with a sentence that says how to write it."""
    found = _SHAPE.fullmatch(origin)
    if found is None:
        raise ValueError(EXPECTED + _hint(origin))
    scheme, host, port = found[1], found[2], int(found[3] or 0)
    if port == USUAL_PORTS[scheme]:
        raise ValueError(f"{EXPECTED}; browsers leave the port {port} of {scheme} out")
    if port > PORT_MAX:
        raise ValueError(f"{EXPECTED}; a port is at most {PORT_MAX}")
    sent = _address(host)
    if sent is None:
        raise ValueError(f"{EXPECTED}; browsers send no address as {host}")
    if sent != host:
        raise ValueError(f"{EXPECTED}; browsers send that address as {sent}")


def _address(host: str) -> str | None:
    """How browsers send a host that is an address, and a name as it is; None for what is neither.

    Each part of the older addresses may be written in three ways, and fewer than four: what is not
    four plain numbers is left to whoever wrote it to say better.
    """
    try:
        if host.startswith("["):
            return f"[{_shortest(ipaddress.IPv6Address(host[1:-1]))}]"
        if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
            return str(ipaddress.IPv4Address(host))
    except ValueError:
        return None
    return host


def _shortest(address: ipaddress.IPv6Address) -> str:
    """Only groups, also where Python shows the end as an older address."""
    if address.ipv4_mapped is None:
        return str(address)
    high, low = divmod(int(address.ipv4_mapped), 1 << 16)
    return f"::ffff:{high:x}:{low:x}"


def _hint(origin: str) -> str:
    """How browsers send a name with letters of other alphabets, if that is what is wrong."""
    if origin.isascii():
        return ""
    # Takes time to be loaded, and is needed here alone.
    import idna

    try:
        parts = urlsplit(origin)
        host = idna.encode(parts.hostname or "", uts46=True).decode()
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"; browsers send that name as {parts.scheme}://{host}{port}"

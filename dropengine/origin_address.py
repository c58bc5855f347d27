"""An address of pages, exactly as browsers send it: anything else would never be met again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

EXPECTED = "expected an origin in small letters like https://drops.example, with no path"
USUAL_PORTS = {"http": 80, "https": 443}
PORT_MAX = 65_535
_SHAPE = re.compile(r"(https?)://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?")


def check(origin: str) -> None:
    """Raises ValueError with a sentence that says how to write it."""
    found = _SHAPE.fullmatch(origin)
    if found is None:
        raise ValueError(EXPECTED + _hint(origin))
    scheme, port = found[1], int(found[2] or 0)
    if port == USUAL_PORTS[scheme]:
        raise ValueError(f"{EXPECTED}; browsers leave the port {port} of {scheme} out")
    if port > PORT_MAX:
        raise ValueError(f"{EXPECTED}; a port is at most {PORT_MAX}")


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

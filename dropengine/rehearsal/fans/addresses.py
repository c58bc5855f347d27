"""Where simulated people are: each has an address of this machine for himself, in a wider network
of his own, as most have who come from everywhere."""

from __future__ import annotations

import ipaddress
import sys
from typing import Final
from urllib.parse import urlsplit

HAS_ADDRESSES: Final = sys.platform == "linux"
"""Elsewhere this machine answers at one address alone: there networks are not counted."""
WIDER_MOST: Final = 254 * 256


def address_of(number: int, url: str) -> tuple[str, int] | None:
    """The address, and any port, that the person of this number connects from to a door of this
    machine; None: whichever the machine gives him."""
    host = urlsplit(url).hostname or ""
    try:
        loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return None
    if not (HAS_ADDRESSES and loopback):
        return None
    # 127.0 is everybody's.
    wider = number % WIDER_MOST
    return f"127.{1 + wider // 256}.{wider % 256}.1", 0

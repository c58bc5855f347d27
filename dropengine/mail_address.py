"""Addresses that mail is sent to, or comes from: plain ones, so that none can be two."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

CHARS_MAX = 254
EXPECTED = "expected an address like somebody@example.org, in plain letters"

_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def check(address: str) -> None:
    """Raises ValueError for what no mail may be sent to; repeats nothing of it."""
    if len(address) > CHARS_MAX or not _ADDRESS.fullmatch(address):
        raise ValueError(EXPECTED)
    try:
        Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        raise ValueError(EXPECTED) from None


def host_of(address: str) -> str:
    """What stands behind its @."""
    return address.rpartition("@")[2]

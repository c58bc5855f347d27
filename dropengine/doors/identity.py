"""Who is this, and may he act: one place for sockets, streams, HTTP and the short ways."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from dropengine import refusals
from dropengine.config import Settings

KNOWN_MAX = 1_000

_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def _host(authority: str) -> str:
    """`shop.example:8000` -> `shop.example`; `[::1]:80` -> `::1`; '' for what is no name."""
    found = _AUTHORITY.fullmatch(authority.lower())
    return (found[1] or found[2]) if found else ""


def _is_here(host: str) -> bool:
    """Is this a name of the machine itself?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


COOKIES = ("__Host-fan", "fan")
"""The first over https, the second where there is no TLS."""


def ticket_of(headers: Headers) -> str | None:
    """The ticket that a request carries: in `Authorization: Bearer`, else in the cookie."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return ticket_in_cookies(headers.get("cookie", ""))


def ticket_in_cookies(header: str) -> str | None:
    """The ticket in a `Cookie` header."""
    cookies = cookie_parser(header)
    return next((cookies[name] for name in COOKIES if name in cookies), None)


def network(host: str) -> str:
    """What a limit per network counts: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return host


class Origins:
    """The names that this shop goes by, and the pages that may act for their fans."""

    def __init__(self, settings: Settings) -> None:
        named = [settings.public_url, *settings.origins]
        self._origins = {o.rstrip("/").lower() for o in named if o}
        self._hosts = {_host(urlsplit(o).netloc) for o in self._origins} | {settings.host.lower()}
        self._known: set[str] = set()
        """Authorities that were found good: people type the same few."""
        self._acting: set[tuple[str, str]] = set()
        """Origins that were found good, each with the authority that was called."""

    def names_us(self, authority: str) -> bool:
        """Is this `Host` a name of ours? Anything else may be somebody else's page in disguise."""
        if authority in self._known:
            return True
        host = _host(authority)
        good = bool(host) and (host in self._hosts or _is_here(host))
        if good and len(self._known) < KNOWN_MAX:
            self._known.add(authority)
        return good

    def acts(self, authority: str, origin: str | None, *, proven: bool) -> refusals.Refusal | None:
        """May this caller act? Asked for whatever is not only read.

        proven: no browser lent its cookie to it: it shows a ticket, or has none at all.
        """
        if origin is not None:
            return None if self._ours(origin, authority) else refusals.NotEligible()
        return None if proven else refusals.SignIn()

    def _ours(self, origin: str, authority: str) -> bool:
        if (origin, authority) in self._acting:
            return True
        scheme, _, rest = origin.lower().partition("://")
        good = origin.lower() in self._origins or (
            scheme in ("http", "https") and rest == authority.lower()
        )
        # An authority that is not ours is turned away before this, so strangers fill nothing.
        if good and authority in self._known and len(self._acting) < KNOWN_MAX:
            self._acting.add((origin, authority))
        return good

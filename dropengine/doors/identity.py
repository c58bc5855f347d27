"""Who is this, and may he act: the one place that reads tickets, cookies, hosts and origins.

Pages, HTTP, event streams, sockets and the short ways all ask here, of the same headers, and a
socket once more for the ticket of its `hello`. Nothing else in the package reads what proves
somebody, so what will prove people later is added here.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
from collections.abc import Iterable, Mapping

from starlette.requests import cookie_parser
from starlette.responses import Response

from dropengine import refusals
from dropengine.config import Settings
from dropengine.model import ShopId
from dropengine.people import devices
from dropengine.people.revoked import Revoked
from dropengine.people.tickets import Ticket, Tickets

KNOWN_MAX = 1_000
DAY_S = 86_400

BOUND = "__Host-"
"""Before the name of a cookie over https, where the browser binds it to this very host."""
PERSON = "person"
"""A person's ticket stands in a cookie of its own: a guest's is kept beside it."""
COOKIE = "fan"
"""The name of a guest's ticket before shops had names of their own."""
NAME_DIGITS = 8
"""So much of the shop's id stands in the name of its cookie: a browser keeps one jar for all ports
of a host."""

TWO_NAMES = b","
"""Stands for `Host` where it came twice: the name of nobody."""

Headers = Mapping[bytes, bytes]
"""What a request says of itself: names in lower case, each with its first value."""

_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers as they came, names in lower case. Of two with one name the first one counts, but who
    calls us by two names calls us by none."""
    came = [*headers]
    found = dict(reversed(came))
    if len(found) < len(came) and sum(name == b"host" for name, _ in came) > 1:
        found[b"host"] = TWO_NAMES
    return found


class Identity:
    """Who somebody is and whether he may act, by the headers of his request or by a ticket.

    revoked: tickets that were taken back.
    """

    def __init__(
        self, settings: Settings, tickets: Tickets, shop: ShopId, revoked: Revoked | None = None
    ) -> None:
        self._revoked = Revoked() if revoked is None else revoked
        self._origins = Origins(settings)
        self._tickets = tickets
        self._ticket_s = settings.ticket_days * DAY_S
        self.secure = (settings.public_url or "").startswith("https:")
        """Do people reach the shop by https?"""
        own = f"{COOKIE}-{shop[:NAME_DIGITS]}"
        self.cookie = BOUND + own if self.secure else own
        """The name under which a guest's ticket is kept."""
        persons = f"{PERSON}-{shop[:NAME_DIGITS]}"
        self.person_cookie = BOUND + persons if self.secure else persons
        """The name under which a person's is."""
        self._kept = (self.cookie, BOUND + COOKIE if self.secure else COOKIE)
        """The same, and the name that every shop gave it before."""
        bound = (BOUND + own, BOUND + COOKIE)
        self._cookies = bound if self.secure else (own, *bound, COOKIE)
        """Any neighbour under the same domain can set what is not bound; over https it proves
        nobody."""

    def names_us(self, headers: Headers) -> bool:
        """Is `Host` a name of ours? Anything else may be somebody else's page in disguise."""
        return self._origins.names_us(headers.get(b"host", b""))

    def named_once(self, headers: Headers) -> bool:
        """Does `Host` call one name, ours or not, or none, as before HTTP/1.1?"""
        return headers.get(b"host") != TWO_NAMES

    def may_act(
        self, headers: Headers, *, socket: bool = False, proves_itself: bool = False
    ) -> refusals.Refusal | None:
        """Why he may not act by this request; None when he may. Asked for whatever is not only
        read, after `names_us`.

        A browser lends its cookie to every page, so the page must be ours. What no browser sent
        must show a ticket by itself. socket: it may also say in its first message who it is, if no
        cookie came along. proves_itself: what it carries is signed.
        """
        origin = headers.get(b"origin")
        if origin is not None:
            ours = self._origins.may_act(origin, headers.get(b"host", b""))
            return None if ours else refusals.NotEligible()
        proven = (
            proves_itself
            or headers.get(b"authorization", b"").lower().startswith(b"bearer ")
            or (socket and b"cookie" not in headers)
        )
        return None if proven else refusals.SignIn()

    def who(self, headers: Headers) -> Ticket | None:
        """The ticket that came along: in `Authorization: Bearer`, else in a cookie. Who its holder
        is in a drop, the drop's room knows."""
        shown = headers.get(b"authorization")
        if shown is not None:
            scheme, _, token = shown.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and token:
                return self.whose(token.strip())
        cookie = headers.get(b"cookie")
        if cookie is not None:
            cookies = cookie_parser(cookie.decode("latin-1"))
            if (person := cookies.get(self.person_cookie)) is not None:
                # Whose session is over must not go on as the guest that he was before.
                return self.whose(person)
            # Under a name of old may stand what another shop on this host gave out.
            for name in self._cookies:
                if name in cookies and (found := self.whose(cookies[name])) is not None:
                    return found
        return None

    def shows(self, headers: Headers, token: str) -> bool:
        """Does he show this token, as a bearer? It takes as long whatever he shows."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(shown.strip(), token.encode())

    def bearer(self, headers: Headers) -> str | None:
        """What a program shows by itself: '' for something that is no bearer, None for nothing. It
        goes before a cookie."""
        shown = headers.get(b"authorization")
        if shown is None:
            return None
        scheme, _, token = shown.decode("latin-1").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def cookies(self, headers: Headers) -> dict[str, str]:
        """What a browser brought along."""
        return cookie_parser(headers.get(b"cookie", b"").decode("latin-1"))

    def shows_ticket(self, headers: Headers) -> bool:
        """Does he show something by himself, as programs do and browsers do not?"""
        return b"authorization" in headers

    def whose(self, ticket: str) -> Ticket | None:
        """What a ticket says, or None when it is not good here."""
        found = self._tickets.read(ticket, int(time.time()))
        return None if found is None or self.took_back(found) else found

    def took_back(self, ticket: Ticket) -> bool:
        """Was it taken back before its time?"""
        return ticket.name in self._revoked

    def guest(self, cookies: Mapping[str, str]) -> Ticket | None:
        """Who opens a page; None when he brings no ticket that is good."""
        found = self._brought(cookies)
        return None if found is None else found[1]

    def hand_on(self, cookies: Mapping[str, str], response: Response) -> None:
        """A ticket that a guest brings under the name of old is issued anew under our own."""
        found = self._brought(cookies)
        if found is not None and found[0] != self.cookie:
            self.hand_out(cookies[found[0]], response)

    def _brought(self, cookies: Mapping[str, str]) -> tuple[str, Ticket] | None:
        """The name of the cookie with the first good ticket, and what it says."""
        for name in self._kept:
            if name in cookies and (ticket := self.whose(cookies[name])) is not None:
                return name, ticket
        return None

    def newcomer(self) -> tuple[Ticket, str]:
        """A new guest, and the ticket to hand out."""
        return self._tickets.issue(int(time.time()))

    def hand_out(self, ticket: str, response: Response) -> None:
        """Let the browser keep a guest's ticket, out of reach of scripts and of other sites."""
        self.keep(response, self.cookie, ticket, self._ticket_s)

    def hand_out_person(self, ticket: str, response: Response) -> None:
        """The same of a person's; by an old one his session is asked for the next."""
        self.keep(response, self.person_cookie, ticket, devices.DAYS * DAY_S)

    def take_person(self, response: Response) -> None:
        """The browser is nobody's any more."""
        self.keep(response, self.person_cookie, "", 0)

    def take_guest(self, response: Response) -> None:
        """Nor the guest's that it was."""
        for name in dict.fromkeys(self._kept):
            self.keep(response, name, "", 0)

    def keep(self, response: Response, name: str, value: str, life_s: int) -> None:
        """Let the browser keep something of ours, out of reach of scripts and of other sites."""
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )


class Origins:
    """The names that this shop goes by, and the pages that may act for their fans."""

    def __init__(self, settings: Settings) -> None:
        named = [settings.public_url, *settings.origins]
        self._origins = {o.rstrip("/").lower() for o in named if o}
        self._schemes: dict[str, set[str]] = {}
        """A name that people type -> how they reach it."""
        for scheme, _, place in (o.partition("://") for o in self._origins):
            self._schemes.setdefault(_host(place), set()).add(scheme)
        self._hosts = {*self._schemes, settings.host.lower()}
        self._known: set[bytes] = set()
        """Hosts that were found good: people type the same few."""
        self._acting: set[tuple[bytes, bytes]] = set()
        """Origins that were found good, each with the host that was called."""

    def names_us(self, host: bytes) -> bool:
        """Is this `Host` a name of ours?"""
        if host in self._known:
            return True
        name = _host(host.decode("latin-1"))
        good = bool(name) and (name in self._hosts or _is_here(name))
        if good and len(self._known) < KNOWN_MAX:
            self._known.add(host)
        return good

    def may_act(self, origin: bytes, host: bytes) -> bool:
        """May pages of this `Origin` act under this name of ours?"""
        if (origin, host) in self._acting:
            return True
        page = origin.decode("latin-1").lower()
        scheme, _, rest = page.partition("://")
        good = page in self._origins or (
            scheme in self._schemes.get(_host(rest), ("http", "https"))
            and rest == host.decode("latin-1").lower()
        )
        # A host that is not ours is turned away before this, so strangers fill nothing.
        if good and host in self._known and len(self._acting) < KNOWN_MAX:
            self._acting.add((origin, host))
        return good


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

"""Signed passes: a fan is whoever holds one. No clock, and no state that an answer depends on, so
any worker can read any.

A guest's ticket is `f2.<key>.<issued>.<mac>`, a person's `p1.<key>.<session>.<issued>.<mac>`, with
`.!<name of his mail domain>` where that is no public one, and `.<drop>~<fan>~...` where he goes on
as who he was, before the MAC; times are s since 1970, hex. The
MAC covers purpose, version and all that stands before it, so that no other signed text of the shop
can stand in for it. The key is a secret of whoever holds the ticket: who he is in a drop is made of
it and of the drop's id, so no two drops tell that it was the same one. `f1.<fan>.<issued>.<mac>`
was a guest's before: his one id stood in every drop, and still does in those that were published
then.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from dropengine.model import DropId, FanId
from dropengine.people.public_mail import own_domain

KNOWN_MAX = 16_384
DOMAIN_BYTES = 9
OF_DOMAIN = "!"
"""Before what a ticket calls the domain of its person's address, where that is no public one. It
needs no quotes in a cookie."""
WAS_MAX = 24
"""Drops in which somebody goes on as who he was before he erased himself."""
NOBODY: Mapping[Any, Any] = MappingProxyType({})

KEY_BYTES = 16
PERSON_S = 86_400
"""A person's ticket is good for so long; then his session is asked for another."""

VERIFIED = "verified"
"""The rule `identity` of a drop: only who has confirmed an address, a person, may act."""
BEFORE = ""
"""What drops say that were published before there was such a rule: whoever holds a ticket may."""

_PURPOSE = b"dropengine:fan:"
_PERSON, _GUEST = "p.", "g."
_MAC_BYTES = 16
_FAN_BYTES = 16
_NAME_BYTES = 12
_DAY_S = 86_400
SKEW_S = 300
"""So much may the clock of the machine that issued a ticket be ahead of the one that reads it."""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hidden(key: bytes) -> str:
    return _text(hmac.digest(key, b"name of a guest", "sha256")[:_NAME_BYTES])


def name_of_session(session: str) -> str:
    """What the tickets of a session are taken back by."""
    return f"{_PERSON}{session}"


def session_of(name: str) -> str:
    """Whose end ends a ticket that is called so; '' of a guest's."""
    return name.removeprefix(_PERSON) if name.startswith(_PERSON) else ""


def of_guest(name: str) -> bool:
    """Is a ticket that is called so a guest's?"""
    return name.startswith(_GUEST)


def new_key() -> bytes:
    """By chance: what a guest's or a person's ids are made of from now on."""
    return secrets.token_bytes(KEY_BYTES)


def pseudonym(key: bytes, drop: DropId) -> FanId:
    """Who the holder of a key is in a drop."""
    return FanId(_text(hmac.digest(key, drop.encode(), "sha256")[:_FAN_BYTES]))


class Ticket:
    """A ticket that bears our signature.

    session: whose end ends it, '' of a guest. was: drops in which he goes on as who he was. name:
    what it is taken back by, the session or a name of the guest that tells nothing of his key.
    """

    __slots__ = (
        *("_before", "_drop", "_fan", "_rule", "_was"),
        *("domain", "issued_s", "key", "name", "session"),
    )

    def __init__(
        self,
        key: bytes,
        issued_s: int,
        session: str = "",
        *,
        before: str = "",
        was: Mapping[str, str] = NOBODY,
        domain: str = "",
    ) -> None:
        self.domain = domain
        """What the shop calls the domain of a person's address; '' of a public one, and where an
        older ticket does not tell."""
        self.key = key
        self.issued_s = issued_s
        self.session = session
        self._before = before
        self._was = was
        self.name = name_of_session(session) if session else f"{_GUEST}{_hidden(key)}"
        self._drop = DropId("")
        self._rule = ""
        self._fan = FanId("")

    @property
    def person(self) -> bool:
        """Has its holder confirmed an address?"""
        return self.session != ""

    def fan(self, drop: DropId, identity: str) -> FanId | None:
        """Who its holder is in a drop. identity: the drop's rule; None where he may not act."""
        if self._drop == drop and self._rule == identity:
            return self._fan
        if identity == VERIFIED and not self.session:
            return None
        old = self._before if identity == BEFORE else self._was.get(drop, "")
        # Whoever presses, presses in one drop.
        self._fan = FanId(old) if old else pseudonym(self.key, drop)
        self._drop, self._rule = drop, identity
        return self._fan

    def whence(self, place: tuple[str, ...]) -> tuple[str, ...]:
        """Where its holder comes from who is at this place: see `truth/networks.Whence`."""
        return (*place, self.domain) if self.domain else place

    def any_fan(self, drop: DropId) -> list[FanId]:
        """Whoever he may be in a drop of which the rule is not known."""
        old = [FanId(one) for one in (self._before, self._was.get(drop, "")) if one]
        return [pseudonym(self.key, drop), *old]


class Tickets:
    """secret: the shop's key, at least 32 characters. days: how long a guest's ticket is good.
    public: mail domains that are public here beside those that everybody knows."""

    def __init__(self, secret: str, days: int, public: Collection[str] = ()) -> None:
        self._public = frozenset(public)
        self._key = hmac.digest(secret.encode(), b"dropengine:tickets", "sha256")
        self._life_s = days * _DAY_S
        self._known: dict[str, Ticket] = {}
        """Tickets whose signature was found good: people come back with the same one. A text that
        is not here is found out by its signature alone, in constant time."""

    def issue(self, now_s: int) -> tuple[Ticket, str]:
        """A new guest and the ticket that proves him."""
        key = new_key()
        return Ticket(key, now_s), self._signed(f"f2.{_text(key)}.{now_s:x}")

    def issue_to(
        self,
        key: bytes,
        session: str,
        now_s: int,
        was: Mapping[DropId, FanId] = NOBODY,
        *,
        address: str = "",
    ) -> str:
        """A ticket of a person. session: letters that need no dot. was: drops in which he goes on
        as who he was; of more than a cookie holds the first ones. address: where his letters
        go."""
        said = f"p1.{_text(key)}.{session}.{now_s:x}"
        if domain := own_domain(address, self._public):
            name = hmac.digest(self._key, b"domain " + domain.encode(), "sha256")
            said = f"{said}.{OF_DOMAIN}{_text(name[:DOMAIN_BYTES])}"
        kept = [part for pair in [*was.items()][:WAS_MAX] for part in pair]
        return self._signed(f"{said}.{'~'.join(kept)}" if kept else said)

    def read(self, ticket: str, now_s: int) -> Ticket | None:
        """A ticket; None when it is not ours, damaged or too old."""
        found = self.signed(ticket, now_s)
        if found is None:
            return None
        life_s = PERSON_S if found.session else self._life_s
        return found if now_s - found.issued_s <= life_s else None

    def signed(self, ticket: str, now_s: int) -> Ticket | None:
        """The same, however old: by an old one of a person his session is asked for another."""
        found = self._known.get(ticket) or self._proven(ticket)
        return None if found is None or found.issued_s - now_s > SKEW_S else found

    def _proven(self, ticket: str) -> Ticket | None:
        body, _, _ = ticket.rpartition(".")
        if not ticket.isascii() or not hmac.compare_digest(self._signed(body), ticket):
            return None
        # The signature holds, so this text is our own.
        found = self._read(body)
        if found is None:
            return None
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[ticket] = found
        return found

    def _read(self, body: str) -> Ticket | None:
        match body.split("."):
            case ["f2", key, issued]:
                return Ticket(_bytes(key), int(issued, 16))
            case ["p1", key, session, issued, *more]:
                domain = more.pop(0)[1:] if more and more[0].startswith(OF_DOMAIN) else ""
                parts = more[0].split("~") if more else []
                known = dict(zip(parts[::2], parts[1::2], strict=True))
                issued_s = int(issued, 16)
                return Ticket(_bytes(key), issued_s, session, was=known, domain=domain)
            case ["f1", fan, issued]:
                # Everybody may know the id of such a fan: only with our secret it becomes a key.
                key_of = hmac.digest(self._key, b"a key for " + fan.encode(), "sha256")
                return Ticket(key_of[:KEY_BYTES], int(issued, 16), before=fan)
        return None

    def _signed(self, body: str) -> str:
        version, _, said = body.partition(".")
        # As before there were others: `f1` was signed like this.
        covered = _PURPOSE + f"{version}:{said.replace('.', ':')}".encode()
        mac = hmac.digest(self._key, covered, "sha256")
        return f"{body}.{_text(mac[:_MAC_BYTES])}"

"""Signed passes: a fan is whoever holds one. No clock, and no state that an answer depends on, so
any worker can read any.

A ticket is `f1.<fan>.<issued, s since 1970, hex>.<mac>`; the MAC covers purpose, version, fan and
time, so that no other signed text of the shop can stand in for it. It is a secret of its holder;
the fan id inside is not.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from dropengine.model import FanId

KNOWN_MAX = 16_384

_PURPOSE = b"dropengine:fan:f1:"
_MAC_BYTES = 16
_FAN_BYTES = 16
_DAY_S = 86_400
_SKEW_S = 300
"""So much may the clock of the machine that issued a ticket be ahead of the one that reads it."""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Tickets:
    """secret: the shop's key, at least 32 characters. days: how long a ticket is good for."""

    def __init__(self, secret: str, days: int) -> None:
        self._key = hmac.digest(secret.encode(), b"dropengine:tickets", "sha256")
        self._life_s = days * _DAY_S
        self._known: dict[str, tuple[FanId, int]] = {}
        """Tickets whose signature was found good -> fan, issued: people come back with the same
        one. A text that is not here is found out by its signature alone, in constant time."""

    def issue(self, now_s: int) -> tuple[FanId, str]:
        """A new fan and the ticket that proves him."""
        fan = _text(secrets.token_bytes(_FAN_BYTES))
        return FanId(fan), self._signed(fan, f"{now_s:x}")

    def read(self, ticket: str, now_s: int) -> FanId | None:
        """The fan of a ticket, or None when it is not ours, damaged or too old."""
        known = self._known.get(ticket) or self._proven(ticket)
        if known is None:
            return None
        fan, issued_s = known
        return fan if -_SKEW_S <= now_s - issued_s <= self._life_s else None

    def _proven(self, ticket: str) -> tuple[FanId, int] | None:
        """Fan and time of a ticket that bears our signature, however old."""
        parts = ticket.split(".")
        if len(parts) != 4 or parts[0] != "f1" or not ticket.isascii():
            return None
        fan, issued = parts[1], parts[2]
        if not hmac.compare_digest(self._signed(fan, issued), ticket):
            return None
        # The signature holds, so this text is our own.
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        proven = self._known[ticket] = (FanId(fan), int(issued, 16))
        return proven

    def _signed(self, fan: str, issued: str) -> str:
        mac = hmac.digest(self._key, _PURPOSE + f"{fan}:{issued}".encode(), "sha256")
        return f"f1.{fan}.{issued}.{_text(mac[:_MAC_BYTES])}"

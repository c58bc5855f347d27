"""Device cookies: a browser that signed in to an account once shows so later, before it proves who
sits at it.

It lets nobody in. Attempts of such a browser are counted apart, so that whoever guesses at an
account elsewhere does not lock its owner out (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Reads `d1.<account>.<nonce>.<mac>`.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from dropengine.people import tokens

_PURPOSE = b"dropengine:device:d1:"
_MAC_DIGITS = 32


class Device(NamedTuple):
    """A browser of an account."""

    account: str
    nonce: str


class DeviceCookies:
    """secret: the shop's key."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dropengine:devices", "sha256")

    def issue(self, account: str) -> str:
        """The cookie of a browser that signed in."""
        return self._signed(account, tokens.new_id())

    def again(self, device: Device) -> str:
        """The cookie of a browser that is known."""
        return self._signed(*device)

    def read(self, cookie: str) -> Device | None:
        """The browser that shows it; None when we did not give it out."""
        parts = cookie.split(".")
        if len(parts) != 4 or parts[0] != "d1" or not cookie.isascii():
            return None
        if not hmac.compare_digest(self._signed(parts[1], parts[2]), cookie):
            return None
        return Device(parts[1], parts[2])

    def _signed(self, account: str, nonce: str) -> str:
        mac = hmac.digest(self._key, _PURPOSE + f"{account}:{nonce}".encode(), "sha256")
        return f"d1.{account}.{nonce}.{mac.hex()[:_MAC_DIGITS]}"

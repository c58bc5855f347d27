"""The address of a page that says how to pay by hand: an intent and a seal.

Without the seal somebody could read what others pay, and where to.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final

SEAL_BYTES: Final = 16
PAGES: Final = "/pay/by_hand/"
"""What follows is `<intent>.<seal>`."""


class PageAddresses:
    """Makes addresses and proves them, with a key of the shop's secret that has no other use."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dropengine by hand page v1", "sha256")

    def of(self, intent: str) -> str:
        """The path of an intent's page."""
        return f"{PAGES}{intent}.{self._seal(intent)}"

    def intent(self, page: str) -> str:
        """The intent of `<intent>.<seal>`; '' (which is no intent) when the seal is not ours."""
        intent, _, seal = page.rpartition(".")
        ours = self._seal(intent)
        return intent if hmac.compare_digest(seal.encode(), ours.encode()) else ""

    def _seal(self, intent: str) -> str:
        """128 bits that cannot be guessed."""
        seal = hmac.digest(self._key, intent.encode(), "sha256")[:SEAL_BYTES]
        return base64.urlsafe_b64encode(seal).rstrip(b"=").decode()

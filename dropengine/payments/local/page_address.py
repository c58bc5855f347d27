"""The address of a payer's page: an intent and a seal, so that who has the address may pay.

Without the seal somebody could guess his way to paying or declining for somebody else.
"""

from __future__ import annotations

import base64
import hmac

SEAL_BYTES = 16
PAGES = "/pay/local/"
"""What follows is `<intent>.<seal>`."""


class PageAddresses:
    """Makes addresses and proves them, with a key of the shop's secret that has no other use."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dropengine localpay page v1", "sha256")

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

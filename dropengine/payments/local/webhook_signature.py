"""The webhook's signature: an HMAC over the time and the raw bytes, believed for a few minutes.

Only who knows the secret can sign, and a signed delivery that was stolen is soon worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from dropengine.payments.port import Unproven

TIMESTAMP_HEADER = b"drop-pay-timestamp"
SIGNATURE_HEADER = b"drop-pay-signature"
TOLERANCE_S = 300
"""A signed word older or newer than this is not believed."""
_VERSION = b"v1="


def webhook_key(secret: bytes) -> bytes:
    """What webhooks are signed with. One key per purpose: a signed webhook is never a page's seal,
    and neither is a ticket."""
    return hmac.digest(secret, b"dropengine localpay webhook v1", "sha256")


def sign(key: bytes, at_s: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that prove `body` at `at_s` (s since 1970): HMAC-SHA256 of `timestamp.body`."""
    return [
        (TIMESTAMP_HEADER, b"%d" % at_s),
        (SIGNATURE_HEADER, _signature(key, b"%d" % at_s, body)),
    ]


def _signature(key: bytes, timestamp: bytes, body: bytes) -> bytes:
    mac = hmac.new(key, timestamp + b"." + body, hashlib.sha256)
    return _VERSION + mac.hexdigest().encode()


def prove(
    key: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes, now_s: int
) -> Unproven | None:
    """None when `sign` with this key made these headers for these bytes within TOLERANCE_S.

    A header that comes twice is refused: two readers could each believe another one.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        name = name.lower()
        if name in (TIMESTAMP_HEADER, SIGNATURE_HEADER):
            if name in found:
                return Unproven("duplicate_header")
            found[name] = value
    if len(found) < 2:
        return Unproven("missing_header")
    timestamp = found[TIMESTAMP_HEADER]
    # `isdigit` of bytes is ASCII only; twelve digits last until the year 33658.
    if not timestamp.isdigit() or len(timestamp) > 12:
        return Unproven("bad_timestamp")
    if not hmac.compare_digest(_signature(key, timestamp, body), found[SIGNATURE_HEADER]):
        return Unproven("bad_signature")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return Unproven("stale")
    return None

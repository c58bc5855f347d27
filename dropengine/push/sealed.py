"""What a push service carries and cannot read: a message under the keys of one browser
(RFC 8291)."""

from __future__ import annotations

import base64
import binascii

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec

TEXT_BYTES_MAX = 3_000
"""A push service takes 4,096 bytes of the sealed message (RFC 8030, 7.2)."""
POINT_BYTES = 65
SECRET_BYTES = 16


def check_keys(p256dh: str, auth: str) -> None:
    """Raises ValueError for what no browser calls its keys."""
    _point(p256dh)
    _secret(auth)


def seal(text: bytes, p256dh: str, auth: str) -> bytes:
    """The message in `aes128gcm`, under a key pair that is used this once."""
    if len(text) > TEXT_BYTES_MAX:
        raise ValueError(f"a message has at most {TEXT_BYTES_MAX} bytes")
    sealed: bytes = http_ece.encrypt(
        text,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_point(p256dh),
        auth_secret=_secret(auth),
        version="aes128gcm",
    )
    return sealed


def _point(p256dh: str) -> bytes:
    point = _bytes(p256dh)
    if len(point) != POINT_BYTES:
        raise ValueError("p256dh: expected a point of 65 bytes in base64url")
    # Raises ValueError for what lies beside the curve.
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return point


def _secret(auth: str) -> bytes:
    secret = _bytes(auth)
    if len(secret) != SECRET_BYTES:
        raise ValueError("auth: expected 16 bytes in base64url")
    return secret


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("expected base64url") from None

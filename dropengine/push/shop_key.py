"""The key that push services know this shop by (VAPID, RFC 8292).

A browser subscribes for this key alone, so nobody else can call it; a new key ends every
subscription there is.
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dropengine.config import Settings, public_url
from dropengine.data_directory import push_key
from dropengine.errors import ConfigError

GOOD_S = 12 * 3_600
"""RFC 8292, 2: at most a day."""

_NUMBER_BYTES = 32
_HEAD = {"typ": "JWT", "alg": "ES256"}


def new() -> str:
    """A fresh private key, as it is kept: a number in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(_NUMBER_BYTES))


def of_shop(settings: Settings) -> ShopKey:
    """The shop's own, made on its first run. Raises ConfigError for a file that is none, or that
    others can read."""
    contact = f"mailto:{settings.mail_from}" if settings.mail_from else public_url(settings)
    kept = push_key(settings, new)
    try:
        return ShopKey(kept, contact)
    except ValueError:
        remedy = "restore it, or remove it: then every browser has to be asked anew"
        raise ConfigError([f"push_key: expected a private key; {remedy}"]) from None


class ShopKey:
    """kept: what `new` made. Raises ValueError for anything else.

    contact: whom a push service asks when we do something wrong, a `mailto:` or an address of ours.
    """

    def __init__(self, kept: bytes, contact: str) -> None:
        raw = base64.urlsafe_b64decode(kept + b"=" * (-len(kept) % 4))
        if len(raw) != _NUMBER_BYTES:
            raise ValueError("expected a private key of 32 bytes in base64url")
        self._key = ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())
        self._contact = contact
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = _text(point)
        """What browsers subscribe for: `applicationServerKey`."""

    def authorization(self, origin: str, now_s: int) -> str:
        """What a push service of this origin is shown, as the header `Authorization`."""
        claims = {"aud": origin, "exp": now_s + GOOD_S, "sub": self._contact}
        said = f"{_text(json.dumps(_HEAD).encode())}.{_text(json.dumps(claims).encode())}"
        r, s = utils.decode_dss_signature(self._key.sign(said.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(_NUMBER_BYTES) + s.to_bytes(_NUMBER_BYTES)
        return f"vapid t={said}.{_text(signature)}, k={self.public}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

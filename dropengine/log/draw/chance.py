"""The randomness port: what was revealed after the seal becomes the randomness of the order, or is
refused because it does not prove what was promised."""

from __future__ import annotations

import hmac
from hashlib import sha256

from dropengine.errors import DrawFault
from dropengine.log.draw import drand
from dropengine.randomness import SECRET_BYTES, BeaconRound, CommitReveal, Source

_COMMITMENT = b"dropengine/draw/commitment/1"
_CHANCE = b"dropengine/draw/randomness/1"


def commitment_of(secret: bytes) -> str:
    """What is published of a secret of 32 bytes before anybody enters: 64 hex digits."""
    if len(secret) != SECRET_BYTES:
        raise DrawFault(f"a secret has {SECRET_BYTES} bytes, this one has {len(secret)}")
    return sha256(_COMMITMENT + secret).hexdigest()


def chance_of(source: Source, root: bytes, revealed: bytes, *, sealed_ms: int) -> bytes:
    """The 32 bytes that order the list with this root.

    revealed: the secret of the commitment (32 bytes), or the signature of the beacon's round (48
    bytes). sealed_ms: when the list was sealed (ms, UTC, the true clock), which with a beacon
    decides whether the named round still counts. Raises DrawFault where it proves nothing.
    """
    match source:
        case CommitReveal(commitment=commitment):
            if not hmac.compare_digest(commitment_of(revealed), commitment):
                raise DrawFault("the secret is not the one that the commitment was made of")
            return sha256(_CHANCE + revealed + root).digest()
        case BeaconRound(round=number):
            chain = drand.chain_of(source)
            return drand.randomness(chain, chain.round_for(number, sealed_ms), revealed)

"""The rounds of a drand beacon, scheme `bls-unchained-g1-rfc9380`: BLS signatures on G1 of
BLS12-381, hashed to the curve by RFC 9380. https://docs.drand.love/docs/cryptography

The curve is the business of a library (extra `beacon`); nothing of ours computes on it.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec

from dropengine.errors import DrawFault
from dropengine.randomness import BeaconRound, Chain

SIGNATURE_BYTES = 48
DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
"""The ciphersuite, which RFC 9380 calls the domain separation tag."""
LIBRARY = "py_arkworks_bls12381"
NO_LIBRARY = (
    "to check a beacon's round the extra `beacon` is needed: pip install 'dropengine[beacon]'"
)


def chain_of(source: BeaconRound) -> Chain:
    """The chain that signs this round. Raises DrawFault."""
    if known := source.known():
        return known
    if source.own is None:
        raise DrawFault(f"the chain {source.chain} is not known here")
    raise DrawFault(f"the chain that is told does not have the hash {source.chain}")


def randomness(chain: Chain, number: int, signature: bytes) -> bytes:
    """The 32 bytes of a round: SHA-256 of its signature, once that is proven to be the chain's.
    Raises DrawFault."""
    if not is_signed(chain, number, signature):
        raise DrawFault(f"this is not the signature of round {number} of {chain.beacon_id}")
    return sha256(signature).digest()


def message(number: int) -> bytes:
    """What is signed in a round: SHA-256 of its number as eight bytes, the highest first."""
    return sha256(number.to_bytes(8, "big")).digest()


def can_check() -> bool:
    """Is the library here? Without it no drop that hangs on a beacon should be published."""
    return find_spec(LIBRARY) is not None


def is_key(public_key: bytes) -> bool:
    """May a chain have this key: a point of the right subgroup of G2, and not that at infinity?
    Only where the library is."""
    from py_arkworks_bls12381 import G2Point

    try:
        return bool(G2Point.from_compressed_bytes(public_key) != G2Point.identity())
    except ValueError:
        return False


def is_signed(chain: Chain, number: int, signature: bytes) -> bool:
    """Did the chain's key sign this round? Raises DrawFault where the library is missing."""
    if not can_check():
        raise DrawFault(NO_LIBRARY)
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        # Both are checked to be points of the right subgroup.
        signed = G1Point.from_compressed_bytes(signature)
        key = G2Point.from_compressed_bytes(chain.public_key)
    except ValueError:
        return False
    if key == G2Point.identity() or signed == G1Point.identity():
        return False
    hashed = G1Point.hash_to_curve(message(number), DOMAIN)
    return GT.pairing_check([signed, -hashed], [G2Point(), key])

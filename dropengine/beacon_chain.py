"""What `beacon_chain` may say: a chain of a drand network, as its servers tell it under
`/{hash}/info`."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dropengine.randomness import CHAINS, QUICKNET, Chain, ToldChain

SCHEME = "bls-unchained-g1-rfc9380"
EXPECTED = "expected what a drand server says under /HASH/info, as JSON"


class _Meta(Struct):
    beaconID: str  # noqa: N815 -- as drand writes it


class _Info(Struct):
    public_key: str
    period: int
    genesis_time: int
    hash: str
    groupHash: str  # noqa: N815 -- as drand writes it
    schemeID: str  # noqa: N815 -- as drand writes it
    metadata: _Meta


def parse(text: str | None) -> Chain:
    """The chain that a drop's round is of; quicknet where nothing is said. Raises ValueError."""
    if text is None:
        return QUICKNET
    try:
        info = msgspec.json.decode(text, type=_Info)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise ValueError(f"{EXPECTED}: {_lower(str(fault))}") from None
    if info.schemeID != SCHEME:
        raise ValueError(f"expected a chain with the schemeID {SCHEME}, not {info.schemeID[:64]}")
    told = {
        "public_key": info.public_key,
        "genesis": info.genesis_time,
        "period": info.period,
        "group_hash": info.groupHash,
        "id": info.metadata.beaconID,
    }
    try:
        chain = msgspec.convert(told, ToldChain).chain()
    except msgspec.ValidationError as fault:
        raise ValueError(f"{EXPECTED}: {_lower(str(fault))}") from None
    if chain.hash != info.hash:
        raise ValueError(f"expected the hash of this chain, {chain.hash}, not {info.hash[:64]}")
    if chain.hash not in CHAINS and chain.beacon_id in {one.beacon_id for one in CHAINS.values()}:
        raise ValueError(f"expected another beaconID: {chain.beacon_id} is the name of a known one")
    return chain


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]

"""Where the chance of a draw comes from, as a manifest names it and a log tells it.

Two kinds, both named before anybody enters. What is known only after the seal is the *revealed*
value: the maker's secret, or the signature of a beacon's round. `docs/fairness.md` says what each
proves; `log/draw` turns it into the randomness that orders a sealed list.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Annotated, Final

from msgspec import Meta, Struct

SECRET_BYTES: Final = 32
WHOLE_MAX: Final = 2**53 - 1
"""The last whole number that Lua, JSON and JavaScript all keep exactly."""
Round = Annotated[int, Meta(ge=1, le=WHOLE_MAX)]
GENESIS_S_MAX: Final = 2**40
PERIOD_S_MAX: Final = 86_400
LATE_MS: Final = 30_000
"""A seal that comes after its round, or so shortly before it that the round may have been known, is
ordered by the first round at least so long after the seal."""


class CommitReveal(Struct, frozen=True, tag_field="kind", tag="commit"):
    """The maker's secret, published before as its `commitment` (64 hex digits)."""

    commitment: str


class ToldChain(Struct, frozen=True, forbid_unknown_fields=True):
    """A chain as rules tell it that name one of their shop's own: bytes as hex digits, genesis and
    period in seconds."""

    public_key: Annotated[str, Meta(pattern="^[0-9a-f]{192}$")]
    genesis: Annotated[int, Meta(ge=0, le=GENESIS_S_MAX)]
    period: Annotated[int, Meta(ge=1, le=PERIOD_S_MAX)]
    group_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,32}$")]

    def chain(self) -> Chain:
        """What it tells of."""
        return Chain(
            bytes.fromhex(self.public_key),
            self.genesis,
            self.period,
            bytes.fromhex(self.group_hash),
            self.id,
        )


class BeaconRound(Struct, frozen=True, tag_field="kind", tag="drand", omit_defaults=True):
    """A round of a beacon. chain: the hash of its chain (64 hex digits). round: the round that the
    manifest names, `Round`; 1 is the first. own: the chain itself, where everybody knows none by
    this hash: the shop named it."""

    chain: str
    round: Round
    own: ToldChain | None = None

    def known(self) -> Chain | None:
        """The chain that signs the round. None: no chain that is known has this hash, nor the one
        that is told."""
        if known := CHAINS.get(self.chain):
            return known
        own = None if self.own is None else self.own.chain()
        return own if own is not None and own.hash == self.chain else None


Source = CommitReveal | BeaconRound
"""What a manifest says about the chance in its draw."""


class Chain(Struct, frozen=True):
    """A chain of a drand network with the scheme `bls-unchained-g1-rfc9380`: a signature a round,
    48 bytes on G1, under one public key, 96 bytes on G2."""

    public_key: bytes
    genesis_s: int
    """When round 1 is due: seconds since 1970, UTC."""
    period_s: int
    group_hash: bytes
    beacon_id: str

    @property
    def hash(self) -> str:
        """What names the chain, 64 hex digits: SHA-256 of all of the above, as drand writes it."""
        told = struct.pack(">Iq", self.period_s, self.genesis_s) + self.public_key + self.group_hash
        name = "" if self.beacon_id == UNNAMED else self.beacon_id
        return hashlib.sha256(told + name.encode()).hexdigest()

    def named(self, number: int) -> BeaconRound:
        """A round of it, as rules name it: with the chain itself where not everybody knows it."""
        if self.hash in CHAINS:
            return BeaconRound(self.hash, number)
        told = ToldChain(
            self.public_key.hex(),
            self.genesis_s,
            self.period_s,
            self.group_hash.hex(),
            self.beacon_id,
        )
        return BeaconRound(self.hash, number, told)

    def due_ms(self, number: int) -> int:
        """When a round is published (ms, UTC)."""
        return (self.genesis_s + (number - 1) * self.period_s) * 1000

    def first_from(self, at_ms: int) -> int:
        """The first round that is due at this moment (ms, UTC) or later."""
        behind_ms = at_ms - self.genesis_s * 1000
        return max(1, 1 - (-behind_ms // (self.period_s * 1000)))

    def round_for(self, named: int, sealed_ms: int) -> int:
        """The round that orders a list sealed at this moment (ms, UTC): the one that was named, or
        a later one where the list was sealed too late for it. Nobody could know it at the seal."""
        return max(named, self.first_from(sealed_ms + LATE_MS))


UNNAMED: Final = "default"
"""How drand calls the one beacon of a network that has no names for them; no hash has it."""
QUICKNET: Final = Chain(
    public_key=bytes.fromhex(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
        "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
        "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
    genesis_s=1_692_803_367,
    period_s=3,
    group_hash=bytes.fromhex("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"),
    beacon_id="quicknet",
)
"""The network of the League of Entropy that serves a round every three seconds."""
CHAINS: Final = {QUICKNET.hash: QUICKNET}
"""The chains that everybody knows, by their hash."""

"""`docs/fairness.md` is enough for a stranger: its example is right, and somebody who read it alone
gets the same list."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from random import Random

import msgspec
import pytest

from dropengine.log.draw import Entry, Sealed, chance_of, commitment_of, order, sheet
from dropengine.log.draw.sealed import TICKETS_MAX
from dropengine.log.draw.sheet import Sheet, SheetEntry
from dropengine.randomness import (
    LATE_MS,
    QUICKNET,
    BeaconRound,
    CommitReveal,
    Source,
)
from tests.kit.own_beacon import OwnBeacon
from tests.kit.stranger import Puzzled, strangers

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs" / "fairness.md").read_text()
SEALS = 100
OWN = OwnBeacon().chain
UNNAMED = msgspec.structs.replace(OWN, beacon_id="default")
"""Chains that a sheet tells itself."""
SEED = 2026


def example() -> Sheet:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return sheet.read(found[1].encode())


def hashes(title: str) -> list[str]:
    """Of the rows of the example that begin with this."""
    return re.findall(rf"(?m)^\| {title} \|(?: \d+ \|)? `([0-9a-f]{{64}})`", PAGE)


def test_the_example_of_the_page_is_kept() -> None:
    assert [found.kept for found in sheet.findings(example())] == [True, True, True]


def test_every_hash_of_the_example_is_right() -> None:
    told = example()
    sealed = sheet.sealed_of(told)
    chance = chance_of(
        told.randomness, sealed.root, bytes.fromhex(told.revealed), sealed_ms=told.sealed_ms
    )
    assert f"The randomness is `{chance.hex()}`" in PAGE
    scores = {}
    for entry in sealed.entries:
        leaf, *drawn = hashes(f"`{entry.id}`")
        assert is_leaf(leaf, entry)
        assert drawn == [
            sha256(chance + sealed.root + entry.id.encode() + i.to_bytes(4, "big")).hexdigest()
            for i in range(1, entry.tickets + 1)
        ]
        scores[entry.id] = min(drawn)
    assert sorted(scores, key=lambda name: scores[name]) == told.order
    assert hashes("all: the root") == [sealed.root.hex()]
    nodes = [*hashes("`e1`, `e2`"), *hashes("`e3`, `e4`"), *hashes("`e1` to `e4`")]
    assert [part.hex() for part in (*sealed.proof(2)[1:2], *sealed.proof(0)[1:2])] == nodes[:2]
    assert [part.hex() for part in sealed.proof(4)] == nodes[2:]


def is_leaf(told: str, entry: Entry) -> bool:
    """The list of one entry has its leaf for a root."""
    return Sealed([entry]).root.hex() == told


def test_the_round_of_the_page_is_the_one_of_the_chain_of_the_page() -> None:
    for word in (QUICKNET.hash, QUICKNET.public_key.hex(), QUICKNET.group_hash.hex()):
        assert f"`{word}`" in PAGE
    told = example()
    signature = re.search(r"its signature is `([0-9a-f]{96})`", PAGE)
    latest = re.search(r"was sealed at (\d+) at the latest", PAGE)
    assert signature
    assert latest
    of_beacon = msgspec.structs.replace(
        told,
        randomness=BeaconRound(QUICKNET.hash, 123),
        sealed_ms=int(latest[1]),
        revealed=signature[1],
        order=re.findall(r"`(e\d)`", PAGE.partition("with the same list the order")[2])[:5],
    )
    _, chance, drawn = sheet.findings(of_beacon)
    assert chance.kept
    assert drawn.kept
    assert re.search(f"randomness `{chance.found[-64:]}`", PAGE)
    late = msgspec.structs.replace(of_beacon, sealed_ms=of_beacon.sealed_ms + 1)
    assert sheet.findings(late)[1].kept is False


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f">= sealed_ms + {LATE_MS}\n" in PAGE
    assert f"a whole number, 1 to {TICKETS_MAX}." in PAGE
    assert f"| genesis, period | {QUICKNET.genesis_s} (seconds since 1970, UTC), 3 seconds" in PAGE


def random_seal(chance: Random) -> tuple[Sheet, list[list[str]], int]:
    """A sheet that is complete, the proofs of all its entries, and the round that counts."""
    gap = chance.choice((1, 1, 7))
    entries = [
        Entry(
            f"e{n * gap}",
            chance.choice((1, 1, 1, 2, 5, TICKETS_MAX)),
            chance.choice((b"", chance.randbytes(16))),
        )
        for n in range(1, chance.choice((0, 1, 2, 3, 17, 64, 65, 130)) + 1)
    ]
    sealed = Sealed(entries)
    sealed_ms = QUICKNET.due_ms(1_000_000) + chance.randint(-10_000, 10_000)
    source: Source
    if chance.random() < 0.5:
        revealed = chance.randbytes(32)
        source, counts = CommitReveal(commitment_of(revealed)), 0
        drawn = chance_of(source, sealed.root, revealed, sealed_ms=sealed_ms)
    else:
        # That a signature holds is the business of a library, there and here.
        revealed = chance.randbytes(48)
        chain = chance.choice((QUICKNET, OWN, UNNAMED))
        source = chain.named(1_000_000 + chance.randint(0, 20))
        counts = chain.round_for(source.round, sealed_ms)
        drawn = sha256(revealed).digest()
    told = Sheet(
        randomness=source,
        entries=[SheetEntry(entry.id, entry.tickets, entry.nonce.hex()) for entry in entries],
        sealed_ms=sealed_ms,
        root=sealed.root.hex(),
        revealed=revealed.hex(),
        order=order(sealed, drawn),
    )
    proofs = [[part.hex() for part in sealed.proof(at)] for at in range(len(entries))]
    return told, proofs, counts


def test_a_stranger_gets_the_same_list() -> None:
    """For a hundred random seals of all sizes and both kinds of chance."""
    chance = Random(SEED)
    seals = [random_seal(chance) for _ in range(SEALS)]
    asked = [
        {**msgspec.to_builtins(told), "root": "", "order": [], "proofs": proofs}
        for told, proofs, _ in seals
    ]
    for (told, proofs, counts), made in zip(seals, strangers(asked), strict=True):
        assert made["root"] == told.root
        assert made["order"] == told.order
        assert made["round"] == counts
        assert made["ways"] == proofs
        assert made["proofs"] == [True] * len(proofs)


def test_a_stranger_finds_another_list_where_something_was_changed() -> None:
    """So that the comparison could fail."""
    told = msgspec.to_builtins(example())
    sealed = sheet.sealed_of(example())
    told["proofs"] = [[part.hex() for part in sealed.proof(at)] for at in range(5)]
    told["entries"][1]["tickets"] = 2
    [made] = strangers([told])
    assert made["root"] != example().root
    # Only its own way has nothing in it of the entry that was changed.
    assert made["proofs"] == [False, True, False, False, False]
    with pytest.raises(Puzzled, match="nothing is proven"):
        strangers([{**told, "revealed": "00" * 32}])
    source = msgspec.to_builtins(OWN.named(5))
    for other in ({"own": None}, {"own": source["own"] | {"period": 4}}):
        with pytest.raises(Puzzled, match="nothing is proven"):
            strangers([{**told, "revealed": "00" * 48, "randomness": source | other}])

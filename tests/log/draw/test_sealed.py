"""The sealed list: its root is RFC 6962's, and each entry can be shown to be in it."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest

from dropengine.errors import DrawFault
from dropengine.log.draw import Entry, Sealed, is_included

SIZES = [*range(18), 31, 32, 33, 100]


def entries(size: int) -> list[Entry]:
    chance = Random(size)
    return [Entry(f"e{n}", chance.randint(1, 9), chance.randbytes(16)) for n in range(1, size + 1)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    match leaves:
        case []:
            return sha256(b"").digest()
        case [leaf]:
            return sha256(b"\x00" + leaf).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(
        b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])
    ).digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    listed = entries(size)
    leaves = [
        bytes([len(entry.id)])
        + entry.id.encode()
        + entry.tickets.to_bytes(4, "big")
        + b"\x10"
        + entry.nonce
        for entry in listed
    ]
    assert Sealed(listed).root == root_by_definition(leaves)


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_can_be_shown_to_be_in_the_list(size: int) -> None:
    sealed = Sealed(entries(size))
    for index, entry in enumerate(sealed.entries):
        assert is_included(entry, index, size, sealed.proof(index), sealed.root)


def test_nothing_else_can_be_shown_to_be_in_it() -> None:
    """Another entry, place, size, root or proof; a node is no leaf."""
    sealed = Sealed(entries(11))
    proof, entry, root = sealed.proof(4), sealed.entries[4], sealed.root
    assert is_included(entry, 4, 11, proof, root)
    assert not is_included(entry._replace(tickets=entry.tickets + 1), 4, 11, proof, root)
    assert not is_included(entry._replace(nonce=bytes(16)), 4, 11, proof, root)
    assert not is_included(entry._replace(id="e6"), 4, 11, proof, root)
    assert not is_included(entry, 5, 11, proof, root)
    assert not is_included(entry, 4, 5, proof, root)
    assert not is_included(entry, 4, 11, proof[:-1], root)
    assert not is_included(entry, 4, 11, [*proof, bytes(32)], root)
    assert not is_included(entry, 4, 11, proof, bytes(32))
    assert not is_included(entry, 11, 11, proof, root)
    assert not is_included(entry, -1, 11, proof, root)


def test_any_change_of_the_list_changes_the_root() -> None:
    listed = entries(9)
    roots = {
        Sealed(listed).root,
        Sealed(listed[:-1]).root,
        Sealed([*listed[1:], listed[0]]).root,
        Sealed([listed[0]._replace(nonce=b""), *listed[1:]]).root,
        Sealed([listed[0]._replace(tickets=99), *listed[1:]]).root,
        Sealed([*listed, Entry("e10")]).root,
    }
    assert len(roots) == 6


def test_a_place_outside_of_the_list_has_no_proof() -> None:
    sealed = Sealed(entries(3))
    for index in (-1, 3):
        with pytest.raises(IndexError):
            sealed.proof(index)


@pytest.mark.parametrize(
    ("listed", "complaint"),
    [
        ([Entry("e1"), Entry("e1")], "e1 stands in the list twice"),
        ([Entry("")], "'' is no id of an entry"),
        ([Entry("e 1")], "'e 1' is no id of an entry"),
        ([Entry("é")], "is no id of an entry"),
        ([Entry("e" * 65)], "is no id of an entry"),
        ([Entry("e1", 0)], "e1 has 0 tickets: there are 1 to 100 to an entry"),
        ([Entry("e1", 101)], "e1 has 101 tickets"),
        ([Entry("e1", 1, b"short")], "e1: a nonce has 16 bytes, or there is none"),
    ],
)
def test_what_cannot_be_sealed_is_named(listed: list[Entry], complaint: str) -> None:
    with pytest.raises(DrawFault, match=complaint):
        Sealed(listed)

"""What is revealed becomes the randomness, or is refused because it does not prove enough."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from dropengine.errors import DrawFault
from dropengine.log.draw import chance_of, commitment_of
from dropengine.log.draw.drand import can_check, is_key, is_signed
from dropengine.randomness import LATE_MS, QUICKNET, BeaconRound, CommitReveal
from tests.kit.own_beacon import OwnBeacon

ROOT = sha256(b"a root").digest()
SECRET = bytes(range(32))

PUBLISHED = {
    123: (
        "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482"
        "e26cd02df835d3546d23c4b13e0dfc92"
    ),
    657_413: (
        "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be"
        "41076862b98fad56e91a6b85b89cd97b"
    ),
}
"""Rounds of quicknet, as the network published them."""
PUBLISHED_RANDOMNESS = "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587"
"""Of the second of them, likewise."""
QUICKNET_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""As the network calls it."""
LONG_AGO = 0


def test_the_secret_of_the_commitment_gives_the_randomness() -> None:
    source = CommitReveal(commitment_of(SECRET))
    chance = chance_of(source, ROOT, SECRET, sealed_ms=LONG_AGO)
    assert chance == sha256(b"dropengine/draw/randomness/1" + SECRET + ROOT).digest()
    assert chance != chance_of(source, bytes(32), SECRET, sealed_ms=LONG_AGO)


def test_another_secret_than_the_committed_one_is_refused() -> None:
    source = CommitReveal(commitment_of(SECRET))
    with pytest.raises(DrawFault, match="not the one that the commitment was made of"):
        chance_of(source, ROOT, bytes(32), sealed_ms=LONG_AGO)
    with pytest.raises(DrawFault, match="a secret has 32 bytes, this one has 31"):
        chance_of(source, ROOT, SECRET[1:], sealed_ms=LONG_AGO)


def test_the_chain_is_named_as_its_network_names_it() -> None:
    """The name is a hash of key and times, so none of them can be wrong."""
    assert QUICKNET.hash == QUICKNET_HASH


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_round_that_quicknet_published_is_accepted(number: int) -> None:
    signature = bytes.fromhex(PUBLISHED[number])
    chance = chance_of(BeaconRound(QUICKNET_HASH, number), ROOT, signature, sealed_ms=LONG_AGO)
    assert chance == sha256(signature).digest()


def test_the_randomness_is_the_one_that_quicknet_tells() -> None:
    signature = bytes.fromhex(PUBLISHED[657_413])
    source = BeaconRound(QUICKNET_HASH, 657_413)
    chance = chance_of(source, ROOT, signature, sealed_ms=LONG_AGO)
    assert chance.hex() == PUBLISHED_RANDOMNESS


def test_a_round_of_another_number_or_chain_or_signature_is_refused() -> None:
    right = bytes.fromhex(PUBLISHED[123])
    own = OwnBeacon()
    wrong = [
        (QUICKNET, 124, right),
        (QUICKNET, 123, own.signature(123)),
        (own.chain, 123, right),
        (own.chain, 123, OwnBeacon(secret=5).signature(123)),
        (QUICKNET, 123, right[:-1]),
        (QUICKNET, 123, bytes(48)),
        (QUICKNET, 123, bytes([right[0] ^ 0x20]) + right[1:]),
        (QUICKNET, 123, b"\xc0" + bytes(47)),
    ]
    assert [is_signed(*one) for one in wrong] == [False] * len(wrong)
    with pytest.raises(DrawFault, match="not the signature of round 124 of quicknet"):
        chance_of(BeaconRound(QUICKNET_HASH, 124), ROOT, right, sealed_ms=LONG_AGO)


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_check()
    monkeypatch.setattr("dropengine.log.draw.drand.LIBRARY", "no_such_library")
    assert not can_check()
    with pytest.raises(DrawFault, match=r"pip install 'dropengine\[beacon\]'"):
        is_signed(QUICKNET, 123, bytes.fromhex(PUBLISHED[123]))


def test_a_key_at_infinity_signs_nothing() -> None:
    """With it, the signature at infinity would hold for every round."""
    own = OwnBeacon(secret=0)
    assert own.signature(7) == b"\xc0" + bytes(47)
    assert not is_signed(own.chain, 7, own.signature(7))


def test_a_chain_of_a_shops_own_is_known_by_what_its_rules_tell_of_it() -> None:
    own = OwnBeacon()
    source, signature = own.named(9_000_000), own.signature(9_000_000)
    chance = chance_of(source, ROOT, signature, sealed_ms=LONG_AGO)
    assert chance == sha256(signature).digest()
    other = msgspec.structs.replace(source, own=OwnBeacon(secret=5).chain.named(1).own)
    with pytest.raises(DrawFault, match="that is told does not have the hash"):
        chance_of(other, ROOT, signature, sealed_ms=LONG_AGO)
    unknown = BeaconRound(own.chain.hash, 9_000_000)
    with pytest.raises(DrawFault, match="is not known here"):
        chance_of(unknown, ROOT, signature, sealed_ms=LONG_AGO)


def test_who_tells_a_known_chain_anew_cannot_change_its_key() -> None:
    """A hash that everybody knows stands for the chain that everybody knows."""
    own = OwnBeacon()
    source = BeaconRound(QUICKNET_HASH, 123, own.named(123).own)
    with pytest.raises(DrawFault, match="not the signature of round 123 of quicknet"):
        chance_of(source, ROOT, own.signature(123), sealed_ms=LONG_AGO)


def test_what_may_be_a_key_is_a_point_of_the_curve() -> None:
    assert is_key(QUICKNET.public_key)
    assert not is_key(OwnBeacon(secret=0).chain.public_key)
    assert not is_key(bytes(96))


def test_a_network_without_names_has_none_in_its_hash() -> None:
    """As drand makes it: the hash of its only chain leaves the word `default` out."""
    chain = msgspec.structs.replace(QUICKNET, beacon_id="default")
    assert chain.hash == msgspec.structs.replace(QUICKNET, beacon_id="").hash != QUICKNET.hash


def test_rounds_are_due_one_period_after_the_other() -> None:
    assert QUICKNET.due_ms(1) == 1_692_803_367_000
    assert QUICKNET.due_ms(123) == 1_692_803_733_000
    assert QUICKNET.first_from(QUICKNET.due_ms(123)) == 123
    assert QUICKNET.first_from(QUICKNET.due_ms(123) + 1) == 124
    assert QUICKNET.first_from(QUICKNET.due_ms(123) - 1) == 123
    assert QUICKNET.first_from(0) == 1


def test_a_list_sealed_too_late_for_its_round_is_ordered_by_a_later_one() -> None:
    """Whoever seals when the round may be known gets one that is not."""
    in_time = QUICKNET.due_ms(123) - LATE_MS
    assert QUICKNET.round_for(123, in_time) == 123
    assert QUICKNET.round_for(123, in_time + 1) == 124
    assert QUICKNET.round_for(123, in_time + 600_000) == 323
    with pytest.raises(DrawFault, match="not the signature of round 124"):
        chance_of(
            BeaconRound(QUICKNET_HASH, 123),
            ROOT,
            bytes.fromhex(PUBLISHED[123]),
            sealed_ms=in_time + 1,
        )

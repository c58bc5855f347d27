"""A passkey is asked for by the name that people type, and nothing but a signature is believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.people.passkeys import Challenge, Passkey, Passkeys, by_name

NOW = 1_700_000_000_000
KNOWN = Passkey("AAAA", "ada", "phone", b"no key", 0, NOW, 0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARTS = ("id", "rawId", "response", "type", "clientDataJSON", "attestationObject", "signature")


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://Lamps.Example", "lamps.example"),
        ("https://lamps.example:8443", "lamps.example"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
        ("http://localhost:8000", "localhost"),
    ],
)
def test_it_is_bound_to_the_host_that_people_type(public_url: str, host: str) -> None:
    options, challenge = Passkeys(public_url).to_make("ada", "id-ada", ["AAAA"])
    assert options["rp"]["id"] == host
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == ["AAAA"]
    asked, other = Passkeys(public_url).to_sign_in()
    assert (asked["rpId"], asked["userVerification"]) == (host, "required")
    assert len(challenge) >= 32
    assert challenge != other


def test_this_machine_is_called_by_its_name() -> None:
    assert by_name("http://127.0.0.1:8000") == "http://localhost:8000"
    assert by_name("https://lamps.example") == "https://lamps.example"


@given(st.dictionaries(st.sampled_from(PARTS) | st.text(), JSON, max_size=6))
def test_what_is_no_signature_is_refused_whatever_it_is(credential: dict[str, Any]) -> None:
    asked = Passkeys("https://lamps.example")
    challenge = Challenge(b"c" * 32, "ada")
    assert asked.made(credential, challenge, "phone", NOW) is None
    assert asked.signed(credential, challenge, KNOWN) is None

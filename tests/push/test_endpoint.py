"""An endpoint comes from a stranger: what could lead inside, or hides where it leads, is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.push.endpoint import CHARS_MAX, parse

GOOD = (
    "https://fcm.googleapis.com/fcm/send/abc:APA91-x_y",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
    "https://web.push.apple.com/QGuQyavXutnMH9Xs",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2b",
    "https://push.example:443/x",
)
BAD = (
    "",
    "push.example/x",
    "//push.example/x",
    "http://push.example/x",
    "ftp://push.example/x",
    "file:///etc/passwd",
    "gopher://push.example/x",
    "unix:/run/valkey.sock",
    "javascript:alert(1)",
    "HTTPS://127.0.0.1/x",
    # This machine, and all the ways to write it.
    "https://localhost/x",
    "https://LOCALHOST/x",
    "https://127.0.0.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.1/x",
    "https://0177.0.0.1/x",
    "https://017700000001/x",
    "https://127.0.0.1.0x7f/x",
    "https://[::1]/x",
    "https://[::]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://0.0.0.0/x",
    "https://0/x",
    # The cloud's own voice.
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
    # Names that are none, or another one for somebody else.
    "https://push/x",
    "https://push..example/x",
    "https://.push.example/x",
    "https://push.example./x",
    "https://-push.example/x",
    "https://push_.example/x",
    "https://push.example%2e127.0.0.1/x",
    "https://push。example/x",
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/x",
    "https://ⓛocalhost.example/x",
    "https://push.ex\u0430mple/x",
    "https://user@push.example/x",
    "https://user:word@push.example/x",
    "https://push.example@127.0.0.1/x",
    "https://push.example\\@127.0.0.1/x",
    "https://push.example#@127.0.0.1/x",
    "https://push.example?@127.0.0.1/x",
    "https://push.example",
    "https:///x",
    "https://push.example/x#part",
    "https://push.example/x y",
    "https://push.example/x\r\nHost: 127.0.0.1",
    "https://push.example/\x00",
    "https://push.example/\t",
    # Other doors of a machine.
    "https://push.example:22/x",
    "https://push.example:80/x",
    "https://push.example:6379/x",
    "https://push.example:0/x",
    "https://push.example:99999/x",
    "https://push.example:44a/x",
    "https://push.example/" + "a" * CHARS_MAX,
)


@pytest.mark.parametrize("address", GOOD)
def test_what_browsers_bring_is_taken(address: str) -> None:
    found = parse(address)
    assert (found.scheme, found.port) == ("https", 443)
    assert address.startswith(f"https://{found.host}")
    assert address.endswith(found.target)


def refused(address: str, *, here: bool) -> str:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - each in its own words
        parse(address, here=here)
    return str(refusal.value)


@pytest.mark.parametrize("address", BAD)
def test_anything_else_is_refused_and_nothing_of_it_repeated(address: str) -> None:
    said = refused(address, here=False)
    assert not address or address not in said


# The service of a test listens anywhere.
@pytest.mark.parametrize("address", [one for one in BAD if "//push.example:" not in one])
def test_a_shop_under_test_takes_no_more_than_it_needs(address: str) -> None:
    refused(address, here=True)


def test_this_machine_is_called_only_where_a_test_says_so() -> None:
    address = "http://127.0.0.1:8123/push/1?a=b"
    found = parse(address, here=True)
    assert (found.origin, found.port, found.target) == (
        "http://127.0.0.1:8123",
        8123,
        "/push/1?a=b",
    )
    with pytest.raises(ValueError, match="https"):
        parse(address)
    for other in ("http://127.0.0.2:8123/x", "http://localhost:8123/x", "http://push.example/x"):
        with pytest.raises(ValueError, match="https"):
            parse(other, here=True)


def test_a_shop_may_name_the_services_that_it_calls() -> None:
    services = ("googleapis.com", "web.push.apple.com")
    for good in ("https://fcm.googleapis.com/x", "https://web.push.apple.com/x"):
        assert parse(good, services).scheme == "https"
    for bad in (
        "https://push.example/x",
        "https://evilgoogleapis.com/x",
        "https://googleapis.com.evil.example/x",
        "https://push.apple.com/x",
    ):
        with pytest.raises(ValueError, match="does not call"):
            parse(bad, services)


@given(st.text(max_size=60))
def test_nothing_breaks_it(rubbish: str) -> None:
    for address in (rubbish, f"https://{rubbish}", f"https://push.example/{rubbish}"):
        try:
            found = parse(address)
        except ValueError:
            continue
        assert found.host == found.host.lower()
        assert "." in found.host

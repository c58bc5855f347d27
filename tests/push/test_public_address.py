"""Only addresses of the world are the world's."""

from __future__ import annotations

import pytest

from dropengine.push.public_address import is_public

INSIDE = (
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1"),  # noqa: S104 - it is looked at only
    *("172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("168.63.129.16", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1"),
    *("fd00:ec2::254", "ff02::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1"),
    *("2001:20::1", "100::1", "5f00::1", "3fff::1"),
)
NONE = (
    "",
    "localhost",
    "1",
    "0x7f000001",
    "127.1",
    "8.8.8.8:80",
    "[::1]",
    "8.8.8.8 ",
    "\uff18.8.8.8",
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "142.250.185.74", "2606:4700::1111", "2a00:1450:4001::200a")


@pytest.mark.parametrize("address", [*INSIDE, *NONE])
def test_what_is_inside_or_stands_for_it_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_everybody_can_reach_is(address: str) -> None:
    assert is_public(address)

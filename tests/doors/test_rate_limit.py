"""How much one network may ask for."""

from __future__ import annotations

import pytest

from dropengine.config import Settings
from dropengine.doors.rate_limit import OpenLimit, SocketLimit, network, network_of


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not an address", "not an address"),
    ],
)
def test_a_network_is_an_address_or_a_64th(host: str, counted: str) -> None:
    assert network(host) == counted


def test_callers_without_an_address_are_one_network() -> None:
    assert network_of(None) == network_of(None) == ""
    assert network_of(("2001:db8::7", 1)) == network_of(("2001:db8::8", 2)) == "2001:db8::"


def test_a_socket_that_leaves_makes_room_and_one_that_was_refused_took_none() -> None:
    limit = SocketLimit(Settings(sockets_max=3, sockets_per_network_max=2))
    assert [limit.enter(where) for where in ("a", "a", "b")] == [None, None, None]
    for _ in range(2):
        assert limit.enter("c") == "every seat is taken"
    limit.leave("b")
    assert limit.enter("a") == "too many sockets from one network"
    limit.leave("a")
    assert [limit.enter("a"), limit.enter("b")] == [None, None]


def test_who_is_refused_for_another_reason_does_not_count_as_an_arrival() -> None:
    limit = SocketLimit(Settings(sockets_per_network_max=1, handshakes_per_s_max=1))
    assert limit.enter("a") is None
    for _ in range(5):
        assert limit.enter("a") == "too many sockets from one network"
    assert limit.enter("b") is None
    assert "too many arrivals at once" in [limit.enter(f"n{i}") for i in range(10)]


def test_what_is_open_is_limited_in_all_and_for_each_network() -> None:
    limit = OpenLimit(most=5, most_of_one=2)
    assert [limit.enter(where) for where in ("a", "a", "n1", "n2")] == [None] * 4
    assert limit.enter("a") == "too many connections from one network"
    assert limit.enter("b") is None
    assert limit.enter("c") == "every place is taken"
    assert (limit.open, limit.crowded("a"), limit.crowded("c")) == (5, True, False)
    limit.leave("a")
    assert limit.enter("c") is None
    assert not limit.crowded("a")

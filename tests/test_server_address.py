"""The address of the server: what it may say, and that nobody reads a password in what is shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from dropengine import server_address
from dropengine.config import load, show
from dropengine.errors import ConfigError

GOOD = [
    "redis://truth",
    "redis://truth:6380/3",
    "redis://[::1]:6380/0",
    "redis://shop:p%40ss%2Fword@truth:6380/0",
    "rediss://:word@truth/?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required",
    "rediss://truth?ssl_check_hostname=false",
    "unix:///run/truth.sock",
    "unix://shop:word@/run/truth.sock?db=2",
    "unix:///run/truth.sock?password=word",
]
BAD = [
    "",
    "truth:6379",
    "http://truth",
    "redis://",
    "redis:///0",
    "unix://",
    "redis://truth:0",
    "redis://truth:99999",
    "redis://truth:port",
    "redis://truth/main",
    "redis://truth/0/1",
    "redis://truth?db=first",
    "redis://truth?tls=yes",
    "redis://truth?socket_timeout=5",
    "redis://truth?max_connections=1",
    "redis://truth?protocol=3",
    "redis://truth?ssl_ca_certs=/etc/ca.pem",
    "rediss://truth?ssl_cert_reqs=perhaps",
    "redis://[::1",
    " redis://truth",
    "REDIS://truth",
    "red\tis://truth",
    "redis://.truth",
    "redis://the..truth",
    f"redis://{'truth' * 13}",
]
SPLIT_PASSWORDS = [
    "redis://shop:qq/shed@truth/0",
    "redis://shop:12/qq@shed@truth/0",
    "redis://:qq#shed@truth/0",
    "redis://:qq?shed@truth/0",
    "redis://shop:qq:shed/@truth",
    "truth:6379?password=qqshed",
    "redis://truth?passwd=qqshed",
    "redis://truth/0?pass word=qqshed",
]
"""A password that was not written as an address has to be."""


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_the_client_can_use_is_accepted(address: str) -> None:
    server_address.check(address)
    pool = redis.ConnectionPool.from_url(address)
    pool.make_connection()


@pytest.mark.parametrize("address", BAD)
def test_any_other_is_a_sentence(address: str) -> None:
    with pytest.raises(ValueError, match=r"expected|after \?"):
        server_address.check(address)


@pytest.mark.parametrize("address", SPLIT_PASSWORDS)
def test_a_mistake_in_an_address_repeats_nothing_of_it(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {"REDIS_URL": address}, None)
    assert not any(part in str(caught.value) for part in ("qq", "shed", "truth"))


@pytest.mark.parametrize(
    "address",
    [
        "redis://shop:qq@shed@truth/0",
        "redis://:qqshed@truth/0",
        "redis://shop:qqshed@truth/0",
        "redis://truth/0?password=qqshed",
        "redis://truth/0?username=qqshed&password=shed",
        "unix://:qqshed@/run/truth.sock",
        "unix:///run/truth.sock?password=qqshed&db=1",
    ],
)
def test_settings_that_are_shown_leave_a_password_out(address: str) -> None:
    shown = show(*load({}, {"REDIS_URL": address}, None))
    assert "shed" not in shown
    assert "qq" not in shown
    assert "truth" in shown


def told(address: str) -> str:
    """All that people read of an address, good or bad."""
    try:
        server_address.check(address)
    except ValueError as fault:
        return str(fault)
    return server_address.shown(address)


@given(password=st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=6))
def test_no_password_can_be_written_so_that_it_is_shown(password: str) -> None:
    for written in (password, quote(password, safe="")):
        assert written not in told(f"redis://me:{written}@host:6379/0")
        assert written not in told(f"unix:///sock?password={written}")

"""The sockets of a shop share one port with each other and with nobody else."""

import socket

import pytest

from dropengine.errors import PortTaken
from dropengine.processes.listening_sockets import listen


def test_a_port_is_not_shared_with_a_stranger_who_would_share() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken, match="Address already in use"):
            listen("127.0.0.1", taken.getsockname()[1], 2)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0, 1)
    with pytest.raises(PortTaken, match="no-such-host"):
        listen("no-such-host.invalid", 0, 1)


def test_all_sockets_of_a_shop_share_one_free_port() -> None:
    found = listen("127.0.0.1", 0, 3)
    assert len({one.getsockname() for one in found}) == 1
    assert found[0].getsockname()[1] != 0
    for one in found:
        one.close()

"""The sockets of a shop share one port with each other and with nobody else."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "127.0.0.2"])  # noqa: S104 -- it is what is tried
def test_of_many_shops_that_begin_at_once_one_has_the_port(host: str) -> None:
    """Whatever address each of them names: the first is on every address of the machine."""
    [port] = listen("127.0.0.1", 0, 1)
    number = port.getsockname()[1]
    port.close()
    begin = threading.Barrier(8)

    def start(where: str) -> list[socket.socket] | PortTaken:
        begin.wait()
        try:
            return listen(where, number, 2)
        except PortTaken as fault:
            return fault

    with ThreadPoolExecutor(8) as pool:
        ends = [*pool.map(start, [host] * 4 + ["0.0.0.0" if host != "::" else "::"] * 4)]  # noqa: S104
    won = [one for one in ends if isinstance(one, list)]
    refused = [one for one in ends if isinstance(one, PortTaken)]
    for one in won:
        for each in one:
            each.close()
    assert (len(won), len(refused)) == (1, 7)
    assert all("Address already in use" in str(fault) for fault in refused)


def test_whoever_comes_before_any_process_is_up_waits_unrefused() -> None:
    [one] = listen("127.0.0.1", 0, 1)
    with one, socket.create_connection(one.getsockname()) as early:
        accepted, address = one.accept()
        accepted.close()
        assert address == early.getsockname()


def test_a_port_that_was_just_used_can_be_taken_again() -> None:
    """Connections of the one before that still wait for their end are in nobody's way."""
    [one] = listen("127.0.0.1", 0, 1)
    here = one.getsockname()
    with socket.create_connection(here):
        accepted, _ = one.accept()
        accepted.close()
    one.close()
    [again] = listen("127.0.0.1", here[1], 1)
    again.close()


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

"""A connection that the shop ends while a request is on its way is no failure of the night."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

POSTS = """
import sys
from locust.event import EventHook
from loadtest.users.browser_session import BrowserSession

told = EventHook()
told.add_listener(lambda **one: print("failed" if one["exception"] else "fine"))
session = BrowserSession(sys.argv[1], told, user=None)
for number in range(2):
    session.post("/", json={"key": number})
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(door: socket.socket, answers: list[int]) -> None:
    """Each connection gets its number of answers and is closed at the next request."""
    for several in answers:
        connection, _ = door.accept()
        with connection:
            for _ in range(several):
                connection.recv(65_536)
                connection.sendall(ANSWER)
            connection.recv(65_536)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        # Kept, and ended at the second request: it goes out again.
        ([1, 1], ["fine", "fine"]),
        # A shop that ends every connection unasked is broken, and said to be.
        ([1, 0], ["fine", "failed"]),
    ],
    ids=["once", "always"],
)
def test_what_met_an_ended_connection_goes_out_once_more(
    answers: list[int], told: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        shop = threading.Thread(target=answer, args=(door, answers), daemon=True)
        shop.start()
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        found = subprocess.run(
            [sys.executable, "-c", POSTS, url],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        shop.join(10)
    assert found.stdout.split() == told

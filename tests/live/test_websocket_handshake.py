"""The handshake as browsers say it: answered as the RFC says; anything else is a library's."""

from __future__ import annotations

import pytest

from dropengine.live.websocket_handshake import plain_handshake

LINES = [
    b"GET /drops/pins/live HTTP/1.1",
    b"Host: shop.example",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: WebSocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]
CHOSEN = b"Sec-WebSocket-Protocol: drop.v1"


def spoken(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])


@pytest.mark.parametrize("more", [[], [CHOSEN]])
def test_the_answer_proves_that_the_key_was_read(more: list[bytes]) -> None:
    """The key and the token of RFC 6455, section 1.3; a subprotocol is chosen only where asked."""
    asked = plain_handshake(spoken(*LINES, *more))
    assert asked is not None
    assert asked.path == b"/drops/pins/live"
    assert asked.headers[b"host"] == b"shop.example"
    head, *answered = asked.accepted().split(b"\r\n")
    assert head == b"HTTP/1.1 101 Switching Protocols"
    assert answered == [
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        *more,
        b"",
        b"",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\n\r\n", b"\r\n"),
        (b"GET ", b"POST "),
        (b"Version: 13", b"Version: 8"),
        (b"Upgrade: WebSocket", b"Upgrade: h2c"),
        (b"keep-alive, Upgrade", b"keep-alive"),
        (b"ub25jZQ==", b"ub25jZQ"),
        (b"dGhlIHNhbXBs", b"!!!!!!!!!!!!"),
        (b"dGhlIHNhbXBs", b"dGhl NhbXBs\xff"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ=="[::-1]),
        (b"ub25jZQ==", b"ub25jZQ1="),
        (b"WebSocket-Key", b"WebSocket-Kez"),
        (b"Host: shop.example", b"Host: a\r\nhost: b"),
        (b"Host: shop.example", b"Content-Length: 3"),
        (b"Host: shop.example", b"Transfer-Encoding: chunked"),
        (b"Host: shop.example", b"Sec-WebSocket-Protocol: drop.v1, chat"),
    ],
)
def test_whatever_a_browser_does_not_say_so_is_left_to_the_library(old: bytes, new: bytes) -> None:
    said = spoken(*LINES)
    assert old in said
    assert plain_handshake(said.replace(old, new)) is None

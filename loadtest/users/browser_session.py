"""What sends a simulated fan's requests, as a browser sends them."""

from __future__ import annotations

from typing import Any, Final

from geventhttpclient.response import HTTPConnectionClosed
from locust.contrib.fasthttp import ErrorResponse, FastHttpSession, FastResponse

ENDED: Final = (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError)
"""How a connection looks that the shop ended while it was kept."""


class BrowserSession(FastHttpSession):
    """locust's session; what met a connection that had just ended goes out once more.

    A server may end a kept connection at any moment, also while a request is on its way; browsers
    send it again on a fresh one. Everything that is posted here carries a key, so nothing is done
    twice.
    """

    def _send_request_safe_mode(self, method: str, url: str, **kwargs: Any) -> FastResponse:
        response = super()._send_request_safe_mode(method, url, **kwargs)
        if isinstance(response, ErrorResponse) and isinstance(response.error, ENDED):
            return super()._send_request_safe_mode(method, url, **kwargs)
        return response

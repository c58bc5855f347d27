"""The cookies of creators' browsers: the session, the device, and whose challenge is whose.

Over https their names bind them to this very host. Scripts never see them.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dropengine.doors.identity import BOUND, NAME_DIGITS
from dropengine.model import ShopId
from dropengine.people import passkeys, sessions

DEVICE_S = 400 * 86_400
"""As long as browsers keep one at most."""


class StudioCookies:
    """secure: people reach the shop by https."""

    def __init__(self, shop: ShopId, *, secure: bool) -> None:
        self._secure = secure
        before, after = BOUND if secure else "", shop[:NAME_DIGITS]
        self.session = f"{before}maker-{after}"
        self.device = f"{before}device-{after}"
        self.challenge = f"{before}challenge-{after}"

    def signed_in(self, response: Response, session: str, device: str) -> None:
        """The browser keeps its session, and that it was here."""
        self._set(response, self.session, session, sessions.DAYS * 86_400)
        self._set(response, self.device, device, DEVICE_S)

    def asked(self, response: Response, challenge: str) -> None:
        """The browser keeps by what it will be known when it has signed."""
        self._set(response, self.challenge, challenge, passkeys.MINUTES * 60)

    def signed_out(self, response: Response) -> None:
        """The session is over; that the browser was here stays."""
        self._set(response, self.session, "", 0)

    def read(self, cookies: Mapping[str, str], name: str) -> str:
        """What a browser brings, or ''."""
        return cookies.get(name, "")

    def _set(self, response: Response, name: str, value: str, life_s: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

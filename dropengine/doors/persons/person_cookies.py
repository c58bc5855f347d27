"""What else the browser of a fan keeps than his ticket: by what it knows a code as its own, that
somebody signed in with it before, and whose challenge is whose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from dropengine.doors.identity import BOUND, NAME_DIGITS, Identity
from dropengine.model import ShopId
from dropengine.people import passkeys, sign_ins

DEVICE_S: Final = 400 * 86_400
"""As long as browsers keep one at most."""


class PersonCookies:
    """Over https their names bind them to this very host. Scripts never see them."""

    def __init__(self, identity: Identity, shop: ShopId) -> None:
        self._identity = identity
        before, after = BOUND if identity.secure else "", shop[:NAME_DIGITS]
        self.asked = f"{before}asked-{after}"
        self.device = f"{before}was-here-{after}"
        self.challenge = f"{before}signs-{after}"

    def read(self, cookies: Mapping[str, str], name: str) -> str:
        """What a browser brings, or ''."""
        return cookies.get(name, "")

    def keep_asked(self, response: Response, secret: str) -> None:
        """The browser that asked for a letter can use its code."""
        self._identity.keep(response, self.asked, secret, sign_ins.MINUTES * 60)

    def keep_challenge(self, response: Response, secret: str) -> None:
        """The browser is known by it when its passkey has signed."""
        self._identity.keep(response, self.challenge, secret, passkeys.MINUTES * 60)

    def signed_in(self, response: Response, device: str) -> None:
        """That it was here stays; what it asked by is over."""
        self._identity.keep(response, self.device, device, DEVICE_S)
        self.drop_asked(response)

    def drop_asked(self, response: Response) -> None:
        """It waits for no code any more."""
        self._identity.keep(response, self.asked, "", 0)

    def forget(self, response: Response) -> None:
        """Nothing here says that anybody ever signed in."""
        for name in (self.asked, self.device, self.challenge):
            self._identity.keep(response, name, "", 0)

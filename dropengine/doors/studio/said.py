"""What is said after a form was sent: the sentence travels to the page that the answer leads to.

It is signed for the session that it is told to, so nobody else can put words into the studio's
mouth, and it is kept for that one page, so two tabs do not take each other's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import RedirectResponse, Response

from dropengine.model import ShopId

KEPT_S = 60
CHARS_MAX = 1_000
SIGNED_DIGITS = 32
AMISS = "!"
"""Before a sentence that tells of something amiss."""


class Heard(NamedTuple):
    """amiss: something of what was sent could not be taken."""

    sentence: str
    amiss: bool


class Said:
    """secret: the shop's key. secure: people reach the shop by https."""

    def __init__(self, secret: bytes, shop: ShopId, *, secure: bool) -> None:
        self._secret = secret
        self._secure = secure
        self._name = f"said-{shop[:8]}"

    def then(self, session: str, to: str, sentence: str, *, amiss: bool = False) -> Response:
        """Go on to another page of the studio, which says this."""
        response = RedirectResponse(to, 303)
        sentence = (AMISS if amiss else "") + sentence
        text = base64.urlsafe_b64encode(sentence[:CHARS_MAX].encode()).decode().rstrip("=")
        self._set(response, to, f"{text}.{self._signature(session, text)}", KEPT_S)
        return response

    def heard(self, session: str, cookies: Mapping[str, str]) -> Heard | None:
        """What is to be said here; None when there is nothing."""
        text, _, signature = cookies.get(self._name, "").partition(".")
        if not text or not hmac.compare_digest(
            signature.encode(), self._signature(session, text).encode()
        ):
            return None
        told = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        return Heard(told.removeprefix(AMISS), told.startswith(AMISS))

    def forget(self, response: Response, at: str) -> None:
        """It was said."""
        self._set(response, at, "", 0)

    def _set(self, response: Response, to: str, value: str, life_s: int) -> None:
        response.set_cookie(
            self._name,
            value,
            max_age=life_s,
            path=to.partition("?")[0].partition("#")[0],
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _signature(self, session: str, text: str) -> str:
        signed = hmac.new(self._secret, f"said:{session}:{text}".encode(), hashlib.sha256)
        return signed.hexdigest()[:SIGNED_DIGITS]

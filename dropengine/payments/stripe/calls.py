"""Calls of Stripe's API through its official library: what they answer, as values.

The library is heavy (0.4 s and 31 MiB), so it is imported with the first client that is made.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
import msgspec

from dropengine.errors import ConfigError
from dropengine.payments.port import Unknown

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe._v1_services import V1Services

log = logging.getLogger(__name__)
T = TypeVar("T")

API_VERSION = "2026-10-28.endive"
"""What we were written against: the account's own version says nothing."""
ANSWER_S = 10.0
MISSING = "resource_missing"


class Refused(msgspec.Struct, frozen=True):
    """Stripe decided against it. `code`: Stripe's word for why."""

    code: str


class Calls:
    """One account. key: its secret or restricted key. api_url: where its API is, None for
    Stripe's own.

    Raises ConfigError where the library is not installed.
    """

    def __init__(self, key: str, api_url: str | None = None) -> None:
        try:
            import stripe
        except ModuleNotFoundError:
            said = "stripe_key: install dropengine[stripe] too, which brings Stripe's library"
            raise ConfigError([said]) from None
        self._stripe = stripe
        self._http = _http_client()
        self._client: StripeClient = stripe.StripeClient(
            key,
            http_client=self._http,
            base_addresses={} if api_url is None else {"api": api_url},
            # Duties repeat, with keys of their own.
            max_network_retries=0,
            stripe_version=API_VERSION,
        )

    async def ask(self, call: Callable[[V1Services], Awaitable[T]]) -> T | Refused | Unknown:
        """What `call` answers; Unknown where Stripe did not say whether it was done."""
        stripe = self._stripe
        try:
            return await call(self._client.v1)
        except stripe.IdempotencyError:
            return Refused("key_reused")
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            return Refused(error.code or "invalid_request")
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            # A key that was struck is a fault of the settings: what is owed waits for another.
            log.error("stripe refuses the shop's key: %s", error.user_message)
            return Unknown("the shop's key is refused")
        except stripe.StripeError as error:
            # No answer, too many calls, another call under the same key, a fault over there.
            return Unknown(f"{type(error).__name__} {error.http_status or ''}".rstrip())

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close_async()


def _http_client() -> Any:
    """Stripe's library over our own HTTP library, a successor of one that it knows."""
    from stripe._http_client import HTTPXClient

    class Client(HTTPXClient):
        def _get_request_args_kwargs(self, *asked: Any) -> Any:
            args, named = super()._get_request_args_kwargs(*asked)
            # A body that is text is `content` there.
            return args, {**named, "data": None, "content": named["data"] or None}

    return Client(timeout=ANSWER_S, _lib=httpx2)

"""The providers that a shop has, by name: which one a payment is at, and which ones take a drop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dropengine.errors import ConfigError
from dropengine.payments.port import Payments

BY_HAND: Final = "by_hand"
ALSO: Final[Mapping[str, str]] = {"cash": BY_HAND}
"""Words of payments whose provider has another name."""


class Configured:
    """built: every provider of the shop, by its name. default: the one at which payments begin of
    which nothing else is said. local_anywhere: may one that moves no money take drops that are no
    practice?

    Raises errors.ConfigError when the default is not among them.
    """

    def __init__(
        self, built: Mapping[str, Payments], default: str, *, local_anywhere: bool = False
    ) -> None:
        if default not in built:
            had = ", ".join(sorted(built)) or "none"
            raise ConfigError([f"pay_provider: {default!r} is not set up here; there is: {had}"])
        self.built = built
        self.default = default
        self._local_anywhere = local_anywhere

    def __iter__(self) -> Iterator[Payments]:
        return iter(self.built.values())

    def of(self, provider: str) -> Payments | None:
        """The one that a payment of this word is at, '' for one of before there were several; None
        when the shop has it no more: what is owed there waits."""
        name = provider or self.default
        return self.built.get(ALSO.get(name, name))

    def words(self, *, practice: bool) -> list[str]:
        """What a fan of a drop may choose of those that need nothing else of it, the default
        first."""
        names = sorted(self.built, key=lambda name: (name != self.default, name))
        return [name for name in names if name != BY_HAND and self.takes(name, practice=practice)]

    def takes(self, provider: str, *, practice: bool) -> bool:
        """May a payment of such a drop begin there? What moves no money is refused where money is
        meant, unless the shop says otherwise."""
        found = self.of(provider)
        return found is not None and (practice or self._local_anywhere or not found.for_practice)

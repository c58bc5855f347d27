"""Which providers there are: the one place that knows them by type, everybody else by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dropengine.config import Settings
from dropengine.payments import by_hand, local, stripe
from dropengine.payments.configured import Configured
from dropengine.payments.port import Payments
from dropengine.sql.database import Database

Builder = Callable[[Settings, bytes, Database], Payments | None]
"""Makes a provider of the settings, the shop's secret and its SQL, or None where they say nothing
of it. Nothing is started by that."""

BUILDERS: Mapping[str, Builder] = {
    "local": local.build,
    "stripe": stripe.build,
    "by_hand": by_hand.build,
}
"""A provider's name -> its builder: a new folder adds its line here."""

Keeper = Callable[[Settings, Path], list[str]]
"""Copies what a provider keeps in the data directory into a folder, as it is at one moment; the
names of the files."""

KEEPERS: Mapping[str, Keeper] = {"local": local.keep}
"""Those that keep anything here: a provider of the outside world does not."""


def pages(settings: Settings) -> list[str]:
    """The origins, beside the shop's own, at which payers of the settings' providers pay: a form of
    ours may lead there."""
    return [*stripe.pages(settings)]


def keep(settings: Settings, folder: Path) -> list[str]:
    """Copy what all of them keep in the data directory; the names of the files."""
    return [name for keeper in KEEPERS.values() for name in keeper(settings, folder)]


def build(settings: Settings, secret: bytes, database: Database) -> Configured:
    """Every provider of the table that the settings have. Raises errors.ConfigError when the
    default one is not among them."""
    made = {name: builder(settings, secret, database) for name, builder in BUILDERS.items()}
    built = {name: provider for name, provider in made.items() if provider is not None}
    return Configured(built, settings.pay_provider, local_anywhere=settings.local_pay)

"""Which providers there are: the one place that knows them by type, everybody else by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dropengine.config import Settings
from dropengine.payments import local
from dropengine.payments.port import Payments

Builder = Callable[[Settings, bytes], Payments]
"""Makes a provider of the settings and the shop's secret. Nothing is started by that."""

BUILDERS: Mapping[str, Builder] = {"local": local.build}
"""A provider's name -> its builder: a new folder adds its line here."""

BEGIN_AT = "local"
"""The provider at which payments begin. Webhooks are taken from every one that was built."""


def build(settings: Settings, secret: bytes) -> dict[str, Payments]:
    """Every provider of the table, by its name."""
    return {name: builder(settings, secret) for name, builder in BUILDERS.items()}

"""The real application on scripts that lack a guard: what a load test must find out."""

from __future__ import annotations

import os
from typing import Final

from dropengine import app
from dropengine.config import Settings
from dropengine.truth import scripts
from tests.kit.cuts import CUTS, mutilated

GUARD: Final = "TEST_WITHOUT_GUARD"


def build(settings: Settings) -> app.Application:
    """The guard that the environment names is taken out of every script that this process runs."""
    cut: dict[str, scripts.Script] = mutilated(CUTS[os.environ[GUARD]])
    application = app.build(settings)
    application.state.runtime.store._scripts = cut
    return application

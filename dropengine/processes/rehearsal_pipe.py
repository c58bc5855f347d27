"""The line between whoever looks after rehearsals and the process of one.

That process is told the drop's words and rules, and nothing by which it could reach the shop: it
knows neither its server nor its SQL, nor any of its secrets.
"""

from __future__ import annotations

import msgspec

from dropengine import config
from dropengine.config import Settings
from dropengine.manifest import Manifest
from dropengine.processes.parent_pipe import Status
from dropengine.rehearsal_report import Asked, Progress, RehearsalReport

FOLDER = "rehearsal"
ENTRY = "panel_process"
"""Started by name: it stands above whoever starts it."""


class RehearsalTask(msgspec.Struct, frozen=True, kw_only=True):
    """One line on its standard input. last: the report before, to compare with."""

    settings: msgspec.Raw
    parent: int
    drop: Manifest
    asked: Asked
    last: RehearsalReport | None


class RehearsalNews(Status, frozen=True, kw_only=True, omit_defaults=True):
    """A line on its standard output; `fault` of it: the sentence why there is no report."""

    progress: Progress | None = None
    report: RehearsalReport | None = None


def told(settings: Settings) -> msgspec.Raw:
    """The settings of a shop, without all that leads to it but for the disk it stands on."""
    return msgspec.Raw(
        config.to_json(
            msgspec.structs.replace(
                settings,
                redis_url=None,
                redis_prefix=None,
                database_url=None,
                secret_key=None,
                shop_id=None,
                metrics_token=None,
            )
        )
    )

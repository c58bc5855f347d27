"""The supervisor's word to who starts a shop that nobody has an account at: how to set it up."""

from __future__ import annotations

import logging
import time

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.people import links, set_up
from dropengine.sql import engine
from dropengine.sql.migrate import fitting, revision

log = logging.getLogger(__name__)


def invitation(settings: Settings, address: str) -> str:
    """A sentence with a one-time link, or '' where there is an account, or SQL is away.

    address: where people reach the shop.
    """
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=True) as sql:
            fitting(revision(sql))
            secret = set_up.first_link(sql, int(time.time() * 1000))
    except DatabaseAway as fault:
        log.error("no link for the first account: %s", fault)
        return ""
    finally:
        one.dispose()
    if secret is None:
        return ""
    where = links.address(address, secret)
    return f"Nobody has an account yet. Within an hour, and once: {where}"

"""What somebody may do for a maker: three steps, each with all that the one before it may.

A person has a role, an API key a scope; both stand on the same step.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class May(IntEnum):
    """`READ`: look. `RUN`: publish drops and command them. `MANAGE`: the maker, its people and
    keys."""

    READ = 1
    RUN = 2
    MANAGE = 3


class Role(StrEnum):
    """Of a person at a maker."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def may(self) -> May:
        return _MAY[self]


class Scope(StrEnum):
    """Of an API key."""

    READ = "read"
    RUN = "run"
    MANAGE = "manage"

    @property
    def may(self) -> May:
        return May[self.name]


READS_ADDRESSES: Final = May.RUN
"""Who only looks at a drop has no need of where its fans live."""
_MAY = {Role.VIEWER: May.READ, Role.OPERATOR: May.RUN, Role.OWNER: May.MANAGE}

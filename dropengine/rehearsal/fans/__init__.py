"""Simulated people. They know the public doors only: a page, a socket, the provider's page."""

from __future__ import annotations

from dropengine.rehearsal.fans.crowd import Crowd
from dropengine.rehearsal.fans.person import Fan

__all__ = ["Crowd", "Fan"]

"""Histories: what clients did and saw, and whether the log agrees."""

from __future__ import annotations

from dropengine.history.checks import check, measure
from dropengine.history.record import AnyLine, Recorder, read, write

__all__ = ["AnyLine", "Recorder", "check", "measure", "read", "write"]

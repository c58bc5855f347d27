"""Histories: what clients did and saw, and whether the log agrees."""

from __future__ import annotations

from dropengine.rehearsal.history.checks import check, measure
from dropengine.rehearsal.history.record import AnyLine, Recorder, read, write

__all__ = ["AnyLine", "Recorder", "check", "measure", "read", "write"]

"""Replay: a pure fold of a drop's log into the truth that the scripts stored beside it.

What is not in the log is not true. Written apart from the scripts and from the referee, so that a
mistake in one of the three shows.
"""

from __future__ import annotations

from dropengine.log.replay.compare import difference
from dropengine.log.replay.fold import fold, fold_lines, step
from dropengine.log.replay.truth import Truth

__all__ = ["Truth", "difference", "fold", "fold_lines", "step"]

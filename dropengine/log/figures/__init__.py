"""What a maker wants to know of a sale, computed from its log alone."""

from __future__ import annotations

from dropengine.log.figures.figure import LOG, Figure
from dropengine.log.figures.of_log import figures

__all__ = ["LOG", "Figure", "figures"]

"""The referee: judges an exported log, and sums a run up in a report.

Written from the table of events alone: it shares no mistake with the scripts or with `replay`.
"""

from __future__ import annotations

from dropengine.log.referee.judge import judge
from dropengine.log.referee.report import Measures, Report, Verdict, Violation, report

__all__ = ["Measures", "Report", "Verdict", "Violation", "judge", "report"]

"""Why somebody got none: the exact reason, from the log alone.

`Course` is what the whole drop did, folded as it grows and small however long it is; `why` reads
the few events of one fan beside it. Neither needs the rest of the log.
"""

from __future__ import annotations

from dropengine.log.why.course import Course, about
from dropengine.log.why.reason import GOT_NONE, Code, Help, Reason, Step
from dropengine.log.why.why import Own, why

__all__ = ["GOT_NONE", "Code", "Course", "Help", "Own", "Reason", "Step", "about", "why"]

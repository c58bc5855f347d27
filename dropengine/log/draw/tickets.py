"""The public rule of a weighted draw: who went away empty before has more tickets."""

from __future__ import annotations

from dropengine.errors import DrawFault
from dropengine.log.draw.sealed import TICKETS_MAX


def tickets_of(losses: int, most: int) -> int:
    """One ticket, and one more for each earlier draw of this maker in which the person stood in the
    sealed list and never had a unit offered or held (`people/draw_losses`); at most `most`, which
    the manifest says."""
    if losses < 0 or not 1 <= most <= TICKETS_MAX:
        raise DrawFault(f"{losses} losses and at most {most} tickets are no rule of a draw")
    return min(1 + losses, most)

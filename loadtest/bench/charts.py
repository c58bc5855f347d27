"""Bars as SVG: ours, the peers and the floor. Readable on light and on dark pages, without a
library."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec

WIDTH = 720
LABEL_WIDTH = 190
VALUE_WIDTH = 80
BAR, GAP, HEADING, TITLE, MARGIN = 20, 6, 26, 34, 12

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.heading { font-weight: 600; }
.value { font-variant-numeric: tabular-nums; }
.ours { fill: #1f6feb; } .peer { fill: #9aa4af; } .floor { fill: #3fa45b; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #58a6ff; } .peer { fill: #6e7681; } .floor { fill: #56d364; }
}
"""


class Bar(msgspec.Struct, frozen=True):
    """kind: ours, peer or floor."""

    label: str
    value: float
    kind: str


Group = tuple[str, Sequence[Bar]]
"""A heading, or '', and its bars."""


def bars(title: str, groups: Sequence[Group]) -> str:
    """One picture; all bars share one scale, from zero."""
    most = max((bar.value for _, group in groups for bar in group), default=0.0) or 1.0
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN
    y = MARGIN + TITLE
    parts = [f'<text class="title" x="{MARGIN}" y="{MARGIN + 16}">{escape(title)}</text>']
    spoken = []
    for heading, group in groups:
        if heading:
            parts.append(
                f'<text class="heading" x="{MARGIN}" y="{y + 15}">{escape(heading)}</text>'
            )
            y += HEADING
        for bar in group:
            x, long = MARGIN + LABEL_WIDTH, max(1.0, bar.value / most * room)
            middle = y + BAR - 5
            parts += [
                f'<text x="{x - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
                (
                    f'<rect class="{bar.kind}" x="{x}" y="{y}" width="{long:.1f}" height="{BAR}" '
                    f'rx="2"/>'
                ),
                f'<text class="value" x="{x + long + 6:.1f}" y="{middle}">{bar.value:,.4g}</text>',
            ]
            spoken.append(f"{heading} {bar.label} {bar.value:.4g}".strip())
            y += BAR + GAP
        y += GAP
    height = y + MARGIN - GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape('; '.join(spoken))}</desc>\n"
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )

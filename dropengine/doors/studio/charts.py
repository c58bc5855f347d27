"""Charts as SVG, drawn here: they print, and need no script. The numbers stand in a table behind
each of them. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, GAP = 600, 140, 1
LABELS_MAX = 6
TOP, BOTTOM = 24, 26
"""Room for words: on a phone they are twice as large as the picture would have them."""


def bars(values: Sequence[tuple[str, int]], what: str) -> Markup:
    """A bar for each value, its label below some of them. what: said to who sees no picture."""
    most = max((value for _, value in values), default=0)
    if not most:
        return Markup("")
    width = WIDTH / len(values)
    each = -(-len(values) // LABELS_MAX)
    drawn = []
    for place, (label, value) in enumerate(values):
        left, height = place * width, (HEIGHT - 1) * value / most
        drawn.append(
            Markup(
                '<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>'
            ).format(
                round(left, 2),
                round(HEIGHT - height, 2),
                round(max(1.0, width - GAP), 2),
                round(height, 2),
                label,
                f"{value:,}",
            )
        )
        if place % each == 0:
            drawn.append(
                Markup('<text x="{}" y="{}">{}</text>').format(
                    round(left, 2), HEIGHT + BOTTOM - 6, label
                )
            )
    head = Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 -{} {} {}">').format(
        escape(what), TOP, WIDTH, HEIGHT + BOTTOM + TOP
    )
    line = Markup('<line x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(HEIGHT, WIDTH)
    top = Markup('<text x="0" y="-6">{}</text>').format(f"{most:,}")
    return head + top + line + Markup("").join(drawn) + Markup("</svg>")

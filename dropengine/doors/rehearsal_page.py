"""A rehearsal's report as one page of HTML that needs nothing beside it: no script, no network."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from dropengine.doors.page_templates import environment
from dropengine.doors.static_files import Static, read
from dropengine.rehearsal_report import RehearsalReport

STYLE = "rehearsal.css"


def rehearsal_page(report: RehearsalReport) -> bytes:
    """UTF-8."""
    static = Static(read(Path(str(files("dropengine") / "web" / "dist"))))
    template = environment().get_template("rehearsal.html")
    return template.render(r=report, style=static.inline(STYLE).block).encode()

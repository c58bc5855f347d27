"""A report as CSV: a row for each number, whatever program opens it.

A spreadsheet takes a text that begins as a formula for one and carries it out. Names come from
people, so such a text stands behind an apostrophe.
"""

from __future__ import annotations

import csv
import io

from dropengine.jobs.ledger.report import Report

COLUMNS = ("figure", "of", "value", "unit", "stands on", "definition")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def spreadsheet(found: Report) -> str:
    """RFC 4180."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in found.figures:
        for of, value in one.values.items():
            texts = (one.unit, one.stands_on, one.says)
            rows.writerow((plain(one.name), plain(of), value, *map(plain, texts)))
    return out.getvalue()


def plain(said: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{said}" if said.startswith(FORMULA) else said

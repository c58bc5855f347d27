"""Server and browser write moments, money, numbers and lengths alike, in every language: a page
that turns live changes nothing that its reader has read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dropengine.catalogue import CATALOGUES, ENGLISH, LANGUAGES, PLURALS
from dropengine.doors import page_formats
from dropengine.manifest import currencies, moments
from hatch_build import node

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "dropengine" / "web" / "src"
DAY_MS = 86_400_000
JANUARY_MS = 1_798_761_600_000
"""The first of January 2027, midnight UTC."""
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Auckland")
# Each month and each day of the week, before and after noon, with seconds and without.
MOMENTS = [
    (JANUARY_MS + 31 * month * DAY_MS + month * 7_200_000 + month % 2 * 5_000, zone)
    for month in range(12)
    for zone in ZONES
] + [(JANUARY_MS + day * DAY_MS, "UTC") for day in range(7)]
SUMS = [
    (amount, currency, currencies.MINOR_DIGITS[currency])
    for currency in ("EUR", "USD", "GBP", "JPY", "CHF", "KWD", "SEK", "ISK", "INR", "MXN")
    for amount in (0, 1, 5, 99, 100, 1_200, 2_400, 100_000, 123_456_789, 10**12)
]
NUMBERS = [*range(200), 999, 1_000, 12_345, 1_000_000]
REFUSED = [code for code in ENGLISH.sentences["refused"] if code != "limit_reached"]
"""As the server tells them; the limit is told with its number."""
REASONS = [*ENGLISH.sentences["stopped"].values(), "Lunch", "constructor", ""]
"""The shop's own reasons to stop a drop, and what makers write."""
SPANS = [1_000 * seconds for seconds in (0, 1, 2, 59, 60, 90, 480, 3_600, 7_200, 86_400, 5_400)]


def test_who_runs_a_drop_reads_why_fans_were_sent_away_in_words() -> None:
    words = (SRC / "night" / "words.js").read_text()
    named = set(re.findall(r"^  (\w+): ", words.partition("REFUSED")[2].partition("});")[0], re.M))
    assert {*ENGLISH.sentences["refused"]} <= named


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_write_the_same(language: str) -> None:
    asked = {
        "moments": MOMENTS,
        "sums": SUMS,
        "numbers": NUMBERS,
        "spans": SPANS,
        "refusals": [(code, ENGLISH(f"refused.{code}")) for code in REFUSED],
        "reasons": REASONS,
    }
    done = subprocess.run(
        [*node(), f"--conditions={language}", str(HERE / "written.js")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    written: dict[str, Any] = json.loads(done.stdout)
    say = CATALOGUES[language]
    assert written == {
        "language": language,
        "moments": [moments.moment(ms, zone, say=say) for ms, zone in MOMENTS],
        "sums": [currencies.money(*one, say) for one in SUMS],
        "numbers": [say.whole(one) for one in NUMBERS],
        "spans": [page_formats.span(ms, say) for ms in SPANS],
        "refusals": [say(f"refused.{code}") for code in REFUSED],
        "unknown": say("unknown"),
        "reasons": [say.reason(why) for why in REASONS],
        "plurals": [PLURALS[language](one) for one in NUMBERS],
    }

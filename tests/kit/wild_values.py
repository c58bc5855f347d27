"""What a person, a script or an enemy may give where a text, an id or a number is asked for."""

from __future__ import annotations

from hypothesis import strategies as st

ids = st.from_regex(r"[A-Za-z0-9_.:@-]{1,64}", fullmatch=True)
lines = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=40)

_NASTY = (
    '"',
    "\\",
    "\n",
    "\r\n",
    "\x00",
    "\x1b[2J",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\u2066",
    "\u2028",
    "\udcff",
    "\U0001f409",
    "{}",
    "%d",
    "|",
    "*",
    ":",
    '","seq":9,"e":"sold',
    '"}\n{"e":"frozen","seq":3,"at":0,"why":"',
)
texts = st.one_of(
    st.text(max_size=40),
    lines,
    ids,
    st.lists(st.sampled_from(_NASTY), max_size=4).map("".join),
    st.tuples(lines, st.sampled_from(_NASTY), lines).map("".join),
    st.tuples(st.sampled_from(("a", " ", "é", "\u200b", "🐉", "\n")), st.integers(0, 700)).map(
        lambda pair: pair[0] * pair[1]
    ),
    st.just("x" * 120_000),
)
"""Empty, endless, invisible, turning, not UTF-8, or the end of somebody else's JSON."""

_EDGES = (0, 100_000, 10**9, 10**12, 10**14, 2**31, 2**53, 2**63, 2**64, 10**30)
numbers = st.one_of(
    st.integers(-3, 5),
    st.integers(-(10**6), 10**6),
    st.sampled_from(
        [sign * (edge + off) for edge in _EDGES for off in (-1, 0, 1) for sign in (1, -1)]
    ),
)

spelled = st.one_of(
    numbers.map(str),
    st.sampled_from(
        ("", " 7", "7 ", "+7", "0x10", "1e3", "1.5", "nan", "inf", "-inf", "٣", "007", "1" * 400)
    ),
)
"""A number as it may be written where only text travels."""

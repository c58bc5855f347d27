"""The figures as tables, pictures and pages: `docs/performance.md` and `docs/scaling.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadtest.bench.charts import Bar, Group, bars
from loadtest.bench.figures import Figure, Figures, Results
from loadtest.bench.scaling import scaling

ABOUT = "about"
"""Beside the benchmarks: the machine, the versions, the command, and when each was measured."""

Words = tuple[str, str]

SECTIONS: dict[str, Words] = {
    "hold_ws": (
        "The press over a socket",
        """\
2,000 open sockets, each its own fan, hold and release in turn with fresh keys, one command of each
on its way; ticks and mail are on. Counted is what was granted, logged, written to disk and
answered. The peer is the sale in [`minimal.py`](../loadtest/bench/peers/minimal.py): one `EVALSHA`
per message, the same durability, no line and no live channel. The floor is our own script driven in
full batches by [a client that does nothing else](../loadtest/bench/bare_client.py). CPU is worker
and database together; of the floor, database and client.""",
    ),
    "hold_http": (
        "The press over HTTP",
        "The same over 2,000 kept-alive connections, a request for each command.",
    ),
    "workers": ("One worker and two", "On the same two cores as the clients."),
    "fanout": (
        "One tick to thousands of screens",
        """\
CPU time of the sender per delivered frame. Ours is a real drop that changes ten times a second, the
reading of the database and the encoding included; the others send the same bytes ten times a
second. The floor is [a `send()` loop in C](../loadtest/bench/peers/sendloop.c).""",
    ),
    "freshness": (
        "How old a screen is",
        """\
From the moment a hold is acknowledged to the moment 5,000 other screens show it: at rest, at 5,000
commands a second, as fast as it goes.""",
    ),
    "slow_reader": (
        "Readers who do not read",
        "1,000 screens alone, and with 25 beside them that stop reading, in turn.",
    ),
    "places": (
        "Exact places",
        """\
CPU of worker and database for a fan who is called, pays and leaves the line, and the bytes that
each of 200 screens behind him gets for it. Then two workers, fans who join, leave, buy, decline and
let offers lapse, trimmed streams and lost sockets: every place on every screen is held against the
truth.""",
    ),
    "handshake": (
        "Opening a socket",
        """\
CPU of the worker per socket, for a fan with a ticket whose state is read and sent, and for a
watcher. The peers only accept.""",
    ),
    "memory": ("Keeping a socket", "Resident memory of the worker per idle socket."),
    "reconnect": (
        "Ten thousand come back at once",
        """\
All sockets are cut and dial again as pages do, with the limits per network and of handshakes at
their defaults; other fans press meanwhile.""",
    ),
    "settle": (
        "Fifteen thousand holds end together",
        "How long after the last deadline all units are free again, and what screens see.",
    ),
    "start": ("From the command to the first sale", "`dropengine serve` on an empty directory."),
}


def number(value: float | str | None) -> str:
    """Four digits, thousands apart; a dash for nothing."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def rows(figures: Figures) -> list[list[str]]:
    """The table of one benchmark, its head first."""
    peers = list(dict.fromkeys(name for f in figures.values() for name in f.peers))
    floor = any(f.floor is not None for f in figures.values())
    table = [["", "ours", *(["floor"] if floor else []), *peers, "target", ""]]
    for name, f in figures.items():
        met = "" if f.met is None else "met" if f.met else "MISSED"
        table.append(
            [
                name,
                number(f.ours),
                *([number(f.floor)] if floor else []),
                *(number(f.peers[peer]) if peer in f.peers else "" for peer in peers),
                f.target or "",
                met,
            ]
        )
    return table


def plain(figures: Figures) -> str:
    """The same for a console."""
    table = rows(figures)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _markdown(figures: Figures) -> str:
    head, *body = rows(figures)
    lines = [head, ["---", *("---:" for _ in head[1:-1]), "---"]]
    lines += [[f"`{row[0]}`", *row[1:]] for row in body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _of(label: str, f: Figure) -> Group:
    group = [Bar("Drop Engine", f.ours, "ours")] if isinstance(f.ours, float) else []
    group += [Bar(name, value, "peer") for name, value in f.peers.items() if value is not None]
    if f.floor is not None:
        group.append(Bar("floor", f.floor, "floor"))
    return label, group


def _ours(labels: Sequence[tuple[str, Figure]]) -> Group:
    found = [Bar(label, f.ours, "ours") for label, f in labels if isinstance(f.ours, float)]
    return "", found


def pictures(results: Results) -> dict[str, str]:
    """File name -> SVG, of the benchmarks that are there."""
    made: dict[str, str] = {}
    holds = [
        _of(word, results[bench]["cpu_us"])
        for bench, word in (("hold_ws", "over a socket"), ("hold_http", "over HTTP"))
        if "cpu_us" in results.get(bench, {})
    ]
    if holds:
        made["bench-hold.svg"] = bars("CPU per hold or release, us (less is better)", holds)
    fanout = [
        _of(f"{int(name.rsplit('_', 1)[1]):,} screens", f)
        for name, f in results.get("fanout", {}).items()
        if name.startswith("us_per_delivery")
    ]
    if fanout:
        made["bench-fanout.svg"] = bars("CPU of the sender per delivery, us", fanout)
    for bench, metric, title in (
        ("handshake", "worker_us_with_ticket", "Opening a socket, us of the worker"),
        ("memory", "kib_with_ticket", "Keeping a socket, KiB of the worker"),
    ):
        if metric in results.get(bench, {}):
            made[f"bench-{bench}.svg"] = bars(title, [_of("", results[bench][metric])])
    places = [
        (f"{int(name.rsplit('_', 1)[1]):,} in line", f)
        for name, f in results.get("places", {}).items()
        if name.startswith("cpu_us_per_served")
    ]
    if places:
        made["bench-places.svg"] = bars("CPU per served fan, us", [_ours(places)])
    fresh = [
        (name.removeprefix("p99_ms_").replace("_", " "), f)
        for name, f in results.get("freshness", {}).items()
        if name.startswith("p99_ms")
    ]
    if fresh:
        made["bench-freshness.svg"] = bars(
            "From an acknowledged hold to 5,000 screens, p99, ms", [_ours(fresh)]
        )
    return made


SHOWN = {
    "hold_ws": "bench-hold.svg",
    "fanout": "bench-fanout.svg",
    "freshness": "bench-freshness.svg",
    "places": "bench-places.svg",
    "handshake": "bench-handshake.svg",
    "memory": "bench-memory.svg",
}
"""Which picture stands in which section."""


TALLY = Path(__file__).with_name("tally.md")

HEAD = """\
# Performance

Made by `python -m loadtest.bench --write-docs`; do not edit it by hand. Every figure is the median
of interleaved runs: ours, the peers and the floor in turn, within the same run, on the same
machine, the load generator included. CPU time is read from the processes. The referee judges the
log of every run of ours: a violation makes its figures void.
"""


def performance(results: Results) -> str:
    """`docs/performance.md`: the figures, and the tally that people keep."""
    about = results.get(ABOUT, {})
    lines = [HEAD]
    for name, word in (("machine", "Machine"), ("versions", "Versions"), ("command", "Command")):
        if name in about:
            lines.append(f"- {word}: {about[name].ours}")
    lines.append("")
    drawn = pictures(results)
    for bench, (heading, text) in SECTIONS.items():
        figures = results.get(bench)
        if not figures:
            continue
        lines += [f"## {heading}", "", text, ""]
        if bench in about:
            lines += [f"`{bench}`: {about[bench].ours}.", ""]
        picture = SHOWN.get(bench)
        if picture in drawn:
            lines += [f"![{heading}](pictures/{picture})", ""]
        lines += [_markdown(figures), ""]
    lines.append(TALLY.read_text(encoding="utf-8"))
    return "\n".join(lines).rstrip() + "\n"


def write(results: Results, docs: Path) -> list[Path]:
    """Pages and pictures, as files under `docs`. Returns what was written."""
    texts = {docs / "performance.md": performance(results)}
    model = scaling(results)
    if model is not None:
        texts[docs / "scaling.md"] = model
    for name, picture in pictures(results).items():
        texts[docs / "pictures" / name] = picture
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)

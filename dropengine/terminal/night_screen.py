"""A drop's night on a terminal, drawn anew for whatever size it has now.

What matters most stands first: where there is little room the last things are left out. Colour only
repeats what letters say already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from dropengine.studio_wire import AlarmView, Desk, UnitsView
from dropengine.terminal.night import Night, Sight, clock, decided_ms, next_time, printable
from dropengine.terminal.summary import money

PARTS: Final = (
    ("sold", "green", "█", "#"),
    ("carts", "yellow", "▓", "+"),
    ("offered", "magenta", "▒", "o"),
    ("left", "cyan", "░", "-"),
    ("withheld", "bright_black", "·", "."),
)
"""What becomes of units -> its colour, its mark, its mark where there are only plain letters."""
CALLED: Final = {"carts": "in carts"}
STATES: Final = {"live": "green", "paused": "yellow", "closing": "yellow", "frozen": "red"}
SPARKS: Final = " ▁▂▃▄▅▆▇█"
PLAIN_SPARKS: Final = " .:-=+*#%"
LINE_WIDTH: Final = 28
ALARMS_MOST: Final = 3
NEXT_MOST: Final = 10


class NightScreen:
    """hint: what the last line says of how to end it."""

    def __init__(self, night: Night, hint: str) -> None:
        self._night = night
        self._hint = hint

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        height = options.height or console.height
        plain = options.ascii_only
        rows = drawn(self._night, self._hint, width, height, plain=plain)
        for number, row in enumerate(rows[:height]):
            _cut(row, width, plain=plain)
            row.no_wrap = True
            # The last row ends without a new line: that would move the screen up.
            row.end = "" if number == min(len(rows), height) - 1 else "\n"
            yield row


def drawn(night: Night, hint: str, width: int, height: int, *, plain: bool) -> list[Text]:
    """All rows, at most `height` of them."""
    sight = night.sight
    if sight is None:
        return [Text(night.trouble or "Nothing was heard yet."), Text(hint, "dim")]
    head = [*_head(night, sight, width, plain=plain), *_alarms(sight.desk.alarms)]
    head += [*_stock(sight.desk.units, width, plain=plain), _money(sight)]
    foot = [*_pace(night, sight.desk, width, plain=plain)]
    foot += [*_health(sight.desk, stale=night.stale), Text(hint, "dim")]
    rest = height - len(head) - len(foot) - 2
    if rest < 2:
        return [*head, *foot][:height]
    line, feed = _line(sight.desk, rest), _feed(sight, rest)
    if width < 2 * LINE_WIDTH:
        line = []
    return [*head, Text(), *_beside(line, feed, rest, plain=plain), Text(), *foot]


def _cut(text: Text, width: int, *, plain: bool, pad: bool = False) -> Text:
    """At most so wide. Plain letters know no dots in one."""
    text.truncate(max(0, width), overflow="crop" if plain else "ellipsis", pad=pad)
    return text


def _head(night: Night, sight: Sight, width: int, *, plain: bool) -> Iterator[Text]:
    right = f"{clock(sight.desk.now, sight.zone)} {sight.zone}"
    first = Text(printable(sight.title), "bold")
    first.append(f"  {sight.drop}", "dim")
    _cut(first, width - len(right) - 2, plain=plain)
    yield _across(first, Text(right, "dim"), width)
    state = Text.assemble((sight.state.upper().replace("_", " "), _state_style(sight.state)))
    if sight.why:
        state.append(f"  {printable(sight.why)}")
    yield _across(state, Text(next_time(sight)), width)
    if night.stale:
        said = f"NOT UP TO DATE, {night.age_s:.0f} s old. {night.trouble}"
        yield Text(printable(said), "bold red reverse")


def _across(left: Text, right: Text, width: int) -> Text:
    """One to the left, one to the right; where they do not fit the left one has the room."""
    gap = width - left.cell_len - right.cell_len
    return Text.assemble(left, " " * gap, right) if gap > 0 else left


def _state_style(state: str) -> str:
    return f"bold {STATES.get(state, 'blue')}"


def _alarms(alarms: Sequence[AlarmView]) -> Iterator[Text]:
    for one in alarms[:ALARMS_MOST]:
        yield Text(f"! {printable(one.what)}", "bold red")
        yield Text(f"  {printable(one.then)}")
    if len(alarms) > ALARMS_MOST:
        yield Text(f"! and {len(alarms) - ALARMS_MOST} more", "bold red")


def _stock(units: UnitsView, width: int, *, plain: bool) -> Iterator[Text]:
    counts = [getattr(units, name) for name, *_ in PARTS]
    bar, told = Text(), Text()
    cells = shares(counts, width)
    for (name, style, mark, letter), count, cell in zip(PARTS, counts, cells, strict=True):
        shown = letter if plain else mark
        bar.append(shown * cell, style)
        told.append(f"{shown} ", style)
        told.append(f"{count:,} {CALLED.get(name, name)}   ", "bold" if name == "left" else "")
    told.append(f"of {units.made:,}", "dim")
    yield bar
    yield told


def shares(counts: Sequence[int], width: int) -> list[int]:
    """Cells for each of them, together `width`; nothing that is there is without a cell as long as
    there are enough."""
    total = sum(counts)
    if not total:
        return [0] * len(counts)
    cells = [max(int(count > 0), count * width // total) for count in counts]
    while (over := sum(cells) - width) != 0:
        widest = max(range(len(cells)), key=lambda n: cells[n])
        if over > 0 and cells[widest] <= 1:
            break
        cells[widest] -= 1 if over > 0 else over
    return cells


def _money(sight: Sight) -> Text:
    found = sight.desk.money
    told = Text(f"{money(found.kept, sight.currency)} kept, ")
    told.append(f"{money(found.refunded, sight.currency)} refunded")
    if found.owed:
        told.append(f", {found.owed:,} duties owed")
    if found.aside:
        told.append(", ")
        told.append(f"{found.aside:,} FOR A PERSON", "bold red")
    return told


def _line(desk: Desk, rest: int) -> list[Text]:
    line = desk.line
    rows = [Text.assemble(("In line ", "bold"), (f"{line.waiting:,}", "bold"))]
    # Of several kinds each line has its next: those of all of them by number.
    called = sorted(line.next, key=lambda entry: (not entry.boost, entry.n))
    rows += [
        Text(f"{one.n:>6} {printable(one.pool)} x{one.qty}{'  boost' * one.boost}")
        for one in called[: min(NEXT_MOST, rest - 1)]
    ]
    if not line.next:
        rows.append(Text("nobody waits to be called", "dim"))
    return rows


def _feed(sight: Sight, rest: int) -> list[Text]:
    rows = [Text("What happened", "bold")]
    for one in sight.desk.feed[: rest - 1]:
        row = Text(f"{clock(one.at_ms, sight.zone)} ", "dim")
        row.append(printable(one.text), "default not dim")
        rows.append(row)
    return rows


def _beside(left: list[Text], right: list[Text], rest: int, *, plain: bool) -> Iterator[Text]:
    """Two columns of so many rows; without a left one the right one alone."""
    for number in range(rest):
        first = left[number] if number < len(left) else Text()
        second = right[number] if number < len(right) else Text()
        if left:
            _cut(first, LINE_WIDTH - 2, plain=plain, pad=True)
            second = Text.assemble(first, "  ", second)
        yield second


def _pace(night: Night, desk: Desk, width: int, *, plain: bool) -> Iterator[Text]:
    half, most = decided_ms(desk.pace)
    told = Text.assemble((f"{night.commands_per_s:,.0f} commands/s", "bold"))
    if most:
        told.append(f", half within {half:g} ms, 99 % within {most:g} ms")
    room = width - len(told) - 2
    if room >= 10:
        told.append("  " + sparks(desk.pace.commands[-room:], plain=plain), "cyan")
    yield told
    funnel = desk.funnel
    yield Text(
        f"{funnel.watching:,} watching, {funnel.held:,} hold, {funnel.paying:,} paying, "
        f"{funnel.paid:,} paid, {funnel.lapsed:,} let lapse"
    )
    refused = ", ".join(f"{code} {count:,}" for code, count in desk.refused.items())
    yield Text(f"refused: {printable(refused) or 'nobody'}")


def sparks(counts: Sequence[int], *, plain: bool) -> str:
    """A letter for each, the highest for the most."""
    marks = PLAIN_SPARKS if plain else SPARKS
    most = max(counts, default=0) or 1
    return "".join(marks[-(-count * (len(marks) - 1) // most)] for count in counts)


def _health(desk: Desk, *, stale: bool) -> Iterator[Text]:
    health = desk.health
    well = health.server == "ok"
    told = Text("last known: server " if stale else "server ")
    told.append(health.server, "green" if well else "bold red")
    if health.why:
        told.append(f" ({printable(health.why)})")
    told.append(", every sale on disk" if health.durable else ", NOT EVERY SALE ON DISK")
    if health.memory_percent:
        told.append(f", memory {health.memory_percent} %")
    workers = [f"{one.pid}: {one.seats:,} seats, {one.late_ms:g} ms late" for one in health.workers]
    told.append("; " + "; ".join(workers) if workers else "; no web process tells of itself")
    yield told
    if desk.people:
        yield Text(f"looked at by {printable(', '.join(desk.people))}", "dim")

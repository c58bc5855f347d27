"""What a rehearsal comes to in words and numbers: what fans would have seen, what breaks first,
what to do about it, and what changed since the last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from dropengine import events
from dropengine.log.figures import figures
from dropengine.rehearsal.machine import OTHERS
from dropengine.rehearsal.place import FILES_BESIDE
from dropengine.rehearsal.verdicts import Judgement
from dropengine.rehearsal_report import (
    Asked,
    Capacity,
    Change,
    ProcessLoad,
    RehearsalReport,
    Seen,
    Step,
)

BUSY: Final = 0.85
"""So much of a core, and a process that has one loop can hardly do more."""
CALM: Final = 0.6
MUCH: Final = 0.4
"""So much of a core, used by others, and what is measured is what they leave."""
ROOM: Final = 2
"""A real night may bring twice as many as one expects."""
CROWD: Final = "crowd"
"""The process that plays the fans."""
WEB: Final = "web"
SERVER: Final = "server"
NAMES: Final = {
    CROWD: "the rehearsal's own crowd",
    WEB: "the web process",
    SERVER: "the server of the truth",
    "books": "the books",
    "supervisor": "the supervisor",
}


def seen(judgement: Judgement, fans: int, units: int) -> Seen:
    """What the crowd of a judged night went through."""
    (log,) = judgement.logs.values()
    told = [events.parse(line) for line in log]
    report, waits = judgement.report, _waits_ms(told)
    sold_out = next(one for one in figures(told) if one.name == "time_to_sell_out").values[""]
    kept: dict[str, str] = {}
    for event in told:
        if isinstance(event, events.Sale):
            kept[event.hold] = event.fan
        elif isinstance(event, events.Refunded):
            kept.pop(event.hold, None)
    served = [wait for wait in waits if wait is not None]
    return Seen(
        fans=fans,
        units=units,
        sold=report.sold,
        got_one=len(set(kept.values())),
        sold_out_s=None if sold_out is None else sold_out / 1000,
        waited_median_s=median(served) / 1000 if served else None,
        waited_longest_s=max(served) / 1000 if served else None,
        still_waiting=len(waits) - len(served),
        answer_p50_ms=round(report.p50_ms, 1),
        answer_p99_ms=round(report.p99_ms, 1),
        holds_per_s=report.holds_per_s,
        refused=judgement.crowd.refusals,
        reconnects=judgement.crowd.reconnects,
    )


def _waits_ms(told: Sequence[events.AnyEvent]) -> list[int | None]:
    """Of each place in the line: how long until its first offer; None of one that got none."""
    since: dict[str, int] = {}
    waits: dict[str, int | None] = {}
    for event in told:
        if isinstance(event, events.Joined):
            since[event.entry] = event.at
            waits[event.entry] = None
        elif isinstance(event, events.Ordered):
            # In a list nobody is called: who stood there waits from its order on.
            since.update(dict.fromkeys(event.ids, event.at))
        elif isinstance(event, events.Offered) and waits[event.entry] is None:
            waits[event.entry] = event.at - since[event.entry]
        elif isinstance(event, events.Left) and waits[event.entry] is None:
            # Who left waited for as long as he liked.
            del waits[event.entry]
    return [*waits.values()]


def breaks_first(capacity: Capacity, cores: int) -> str:
    """What held the shop back where it broke, in a sentence."""
    step = capacity.presses.broken
    if step is None:
        return (
            f"Nothing broke: {capacity.presses.held:,.0f} presses a second is as far as it was "
            f"tried, because {capacity.presses.bound}."
        )
    ours = [one for one in step.processes if one.name != OTHERS]
    busiest = max(ours, key=lambda one: one.cpu)
    total = sum(one.cpu for one in step.processes)
    crowd, others = (
        next((one.cpu for one in step.processes if one.name == name), 0.0)
        for name in (CROWD, OTHERS)
    )
    at = f"At {step.asked:,.0f} presses a second"
    if others >= MUCH:
        return (
            f"{at} other programs used {others:.1f} of {cores} cores and went first "
            f"({_shares(step.processes)}): the machine by itself carries more. Rehearse again when "
            f"it is quiet."
        )
    if total >= cores * BUSY and busiest.cpu < BUSY:
        return (
            f"{at} the {cores} cores of this machine are used up ({_shares(step.processes)}); "
            f"{crowd:.0%} of a core is the rehearsal's own crowd, which a real night brings from "
            f"elsewhere."
        )
    if busiest.name == CROWD and busiest.cpu >= BUSY:
        return (
            f"{at} the rehearsal's own crowd has no core left ({_shares(step.processes)}): the "
            f"shop carries at least this, and more when fans come from elsewhere."
        )
    if busiest.cpu >= CALM:
        return f"{at} {NAMES[busiest.name]} is the narrow place ({_shares(step.processes)})."
    return (
        f"{at} answers are late though no process is busy ({_shares(step.processes)}): look at the "
        f"disk, whose every write is waited for."
    )


def _shares(processes: Sequence[ProcessLoad]) -> str:
    busy = sorted(processes, key=lambda one: -one.cpu)
    return ", ".join(f"{one.name} {one.cpu:.0%}" for one in busy if one.cpu >= 0.02)


def advice(
    capacity: Capacity | None,
    night: Seen,
    *,
    web_processes: int,
    cores: int,
    file_limit: int,
    server_mib: int,
    fans: int,
) -> list[str]:
    """What to do, with numbers. server_mib: the most memory that the server of the truth had."""
    found = [*_on_answers(night)]
    if capacity is None:
        return [*found, "The capacity was not measured: give the rehearsal more minutes."]
    found += _on_workers(capacity, web_processes, cores)
    found += _on_files(capacity, web_processes, file_limit, fans)
    found += _on_memory(capacity, server_mib, fans)
    found += _on_bandwidth(capacity, fans)
    return found


def _on_answers(night: Seen) -> Iterator[str]:
    if night.answer_p99_ms > 500:
        yield (
            f"In the night one answer in a hundred took {night.answer_p99_ms:,.0f} ms or longer: "
            f"{night.fans:,} fans at once are more than this machine answers quickly."
        )


def _on_workers(capacity: Capacity, web_processes: int, cores: int) -> Iterator[str]:
    step = capacity.presses.broken
    loads = {one.name: one.cpu for one in (step.processes if step else [])}
    web = loads.get(WEB, 0.0) / web_processes
    if web >= BUSY and web_processes < cores:
        yield (
            f"Workers: {web_processes} web process{'es' if web_processes > 1 else ''} of {cores} "
            f"cores ran full; try WEB_CONCURRENCY={web_processes + 1} and rehearse again."
        )
    elif web_processes >= cores > 1 and sum(loads.values()) >= cores * BUSY:
        yield (
            f"Workers: {web_processes} web processes on {cores} cores use them up; more of them "
            f"carry nothing. A machine with more cores does."
        )
    else:
        yield f"Workers: WEB_CONCURRENCY={web_processes} is enough for what was found here."


def _on_files(capacity: Capacity, web_processes: int, file_limit: int, fans: int) -> Iterator[str]:
    wanted = int(max(capacity.watchers.held, ROOM * fans)) // web_processes + FILES_BESIDE
    if wanted > file_limit:
        yield (
            f"Files: a web process may open {file_limit:,}, and {wanted:,} are wanted for so many "
            f"screens: raise `ulimit -n` (LimitNOFILE= of systemd)."
        )
    else:
        yield f"Files: a web process may open {file_limit:,}; {wanted:,} are enough."


def _on_memory(capacity: Capacity, server_mib: int, fans: int) -> Iterator[str]:
    each = capacity.socket_kib
    if each > 0:
        mib = each * ROOM * fans / 1024
        yield (
            f"Memory: {each:.0f} KiB for each open screen, so {mib:,.0f} MiB for {ROOM * fans:,}; "
            f"the server of the truth had at most {server_mib:,} MiB."
        )


def _on_bandwidth(capacity: Capacity, fans: int) -> Iterator[str]:
    each = capacity.screen_bytes_per_s
    if each > 0:
        mbit = each * 8 * ROOM * fans / 1e6
        yield (
            f"Bandwidth: a screen is sent {each / 1000:.1f} kB a second while stock changes, so "
            f"{ROOM * fans:,} of them take {mbit:,.0f} Mbit/s."
        )


def changes(now: RehearsalReport, before: RehearsalReport | None) -> list[Change]:
    """The numbers that tell whether it got better. Of another size of crowd, that stands first."""
    if before is None:
        return []
    rows = zip(_numbers(before), _numbers(now), strict=True)
    return [Change(name, was, is_) for (name, was), (_, is_) in rows if was or is_]


def _numbers(report: RehearsalReport) -> Iterator[tuple[str, str]]:
    night, capacity = report.seen, report.capacity
    yield "Crowd", crowd(report.asked)
    yield "Answers, all but one in a hundred", f"{night.answer_p99_ms:,.0f} ms"
    yield "Sold out after", "" if night.sold_out_s is None else f"{night.sold_out_s:.1f} s"
    yield "Fans who got one", f"{night.share:.0%}"
    yield "Presses a second", f"{capacity.presses.held:,.0f}" if capacity else ""
    yield "Watchers", f"{capacity.watchers.held:,.0f}" if capacity else ""
    yield "Promises broken", str(sum(one.state == "broken" for one in report.promises))
    yield "Web processes", str(report.web_processes)


def crowd(asked: Asked) -> str:
    """`2,000 fans, burst`."""
    return f"{asked.fans:,} fans, {asked.shape}"


def most_mib(steps: Sequence[Step], name: str) -> int:
    """The most memory that the processes of one name had in any step."""
    return max(
        (one.rss_mib for step in steps for one in step.processes if one.name == name), default=0
    )

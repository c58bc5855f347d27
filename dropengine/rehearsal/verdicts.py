"""Everything that is known after a run, held together: logs, truth, histories, screens.

The log is judged alone, folded and compared with the stored truth, and held against what every
client saw. What anybody found is one list of violations: the run passes when it is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from dropengine import events
from dropengine.log import referee, replay
from dropengine.log.referee import Report, Violation
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.rehearsal import game, history, launch
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.history import AnyLine
from dropengine.rehearsal.operators import insist
from dropengine.truth.store import Store

SENTENCES_MAX = 20


class CrowdReport(msgspec.Struct, frozen=True):
    """What the screens of a crowd went through.

    places_checked: places that were told and computed both. questions: places that were asked for
    because moves were missed. refusals: by code.
    """

    fans: int
    reconnects: int
    questions: int
    places_checked: int
    places_wrong: int
    places_rose: int
    refusals: dict[str, int]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A run's end: the report, what stands behind it, and remarks for people. launched: those of
    them that tell what became of a list; played: of a game."""

    report: Report
    crowd: CrowdReport
    logs: dict[str, list[bytes]]
    lines: list[AnyLine]
    remarks: list[str]
    launched: list[str] = []
    played: list[str] = []

    def write(
        self, report: Path | None = None, export: Path | None = None, history_to: Path | None = None
    ) -> None:
        """Write the files that were asked for. Two drops have two logs: `log-<drop>.ndjson`."""
        if report is not None:
            body = msgspec.to_builtins(self.report) | {"crowd": msgspec.to_builtins(self.crowd)}
            report.write_bytes(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")
        if export is not None:
            for drop, lines in self.logs.items():
                one = len(self.logs) == 1
                path = export if one else export.with_stem(f"{export.stem}-{drop}")
                path.write_bytes(b"".join(line + b"\n" for line in lines))
        if history_to is not None:
            history_to.write_bytes(b"".join(history.write(self.lines)))


async def judge_run(
    store: Store,
    crowd: Crowd,
    drops: Sequence[Manifest],
    *,
    seed: int,
    shown: Mapping[str, int],
    faults: Sequence[str],
    remarks: Sequence[str],
) -> Judgement:
    """Judge a run that has come to rest. shown: drop -> what every screen showed in the end; who
    leaves on his way home changes it for nobody who looks. faults: what the rehearsal itself found
    wrong."""
    logs: dict[str, list[bytes]] = {}
    verdicts, others, apart, launched, played = [], [], [], [], []
    lines = crowd.history.lines()
    for drop in drops:
        name = DropId(drop.id)
        truth = await insist(partial(store.truth, name))
        assert truth is not None, f"{name} was published by this run"
        # The truth at one moment, and the log up to it: late money may still be on its way.
        log = logs[name] = await insist(partial(_log, store, name, int(truth.drop["seq"])))
        verdict = referee.judge(log, closed=True)
        verdicts.append(verdict)
        if verdict.honest:
            # What no script can have written cannot be folded: the referee has said so already.
            sentences = replay.difference(replay.fold_lines(log), truth)
            apart += [f"{name}: {sentence}" for sentence in sentences]
            told = [events.parse(line) for line in log]
            others += history.check(lines, name, told, quiet_seq=shown.get(name, 0))
            others += [*launch.faults(name, log), *game.faults(name, log)]
            launched += launch.told_of(name, log)
            played += game.told_of(name, log, crowd)
    others += [Violation(inv="INV-9", seq=0, sentence=sentence) for sentence in faults]
    others += screens(crowd)
    report = referee.report(
        verdicts, history.measure(lines), replay=apart, others=others, seed=seed
    )
    return Judgement(
        report=report,
        crowd=crowd_report(crowd),
        logs=logs,
        lines=lines,
        launched=launched,
        played=played,
        remarks=[*remarks, *launched, *played, _told(crowd)],
    )


async def _log(store: Store, drop: DropId, until: int) -> list[bytes]:
    return [line async for line in store.log(drop)][:until]


def screens(crowd: Crowd) -> list[Violation]:
    """What the screens doubted, and people who stumbled: a simulated person never does."""
    found: list[Violation] = []
    for fan in crowd.fans:
        found += [
            Violation(
                inv="INV-14", seq=0, sentence=f"fan {fan.browser.name}: {sentence}", drop=fan.drop
            )
            for sentence in fan.screen.faults
        ]
    places = crowd.tally()
    for count, what in ((places.wrong, "wrong"), (places.rose, "risen")):
        if count:
            sentence = f"{count} of {places.checked} places that screens were told were {what}"
            found.append(Violation(inv="INV-14", seq=0, sentence=sentence))
    found += [
        Violation(inv="INV-9", seq=0, sentence=f"a simulated fan stumbled: {sentence}")
        for sentence in crowd.stumbles[:SENTENCES_MAX]
    ]
    return found


def crowd_report(crowd: Crowd) -> CrowdReport:
    """The counts of a crowd."""
    places = crowd.tally()
    return CrowdReport(
        fans=len(crowd.fans),
        reconnects=crowd.reconnects,
        questions=crowd.questions,
        places_checked=places.checked,
        places_wrong=places.wrong,
        places_rose=places.rose,
        refusals=dict(crowd.refusals.most_common()),
    )


def _told(crowd: Crowd) -> str:
    told = crowd_report(crowd)
    refusals = ", ".join(f"{code} {count}" for code, count in told.refusals.items()) or "none"
    return (
        f"the crowd: {told.reconnects} reconnects, {told.questions} questions, "
        f"{told.places_checked} places checked, {told.places_wrong} wrong; refusals: {refusals}"
    )

"""The night: one screen of a drop, and a page for each of its commands, which says first what it
will do. All of it works without scripts; they make the screen live.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from dropengine.creator_commands import COMMANDS
from dropengine.doors.access import NIGHT
from dropengine.doors.pages import data_block
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.command_forms import Wrong, changes, fields, local, sure
from dropengine.doors.studio.desks import Desks
from dropengine.doors.studio.following import SHOWN, follows, offered
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import Standing, standing
from dropengine.doors.studio.studio_answers import StudioProblem, problem_of
from dropengine.live.desk import networks_of
from dropengine.log.in_words import BY
from dropengine.log.shares import BOOST, CARRIED, LINE, LIST, MAKE_GOOD, PRESS
from dropengine.manifest.moments import moment
from dropengine.manifest.seal import sealed_at
from dropengine.model import DropId
from dropengine.people.roles import May
from dropengine.studio_wire import NetworkView
from dropengine.truth import true_time
from dropengine.truth.store import Store

TEMPLATES = (
    "We are looking into it. What you hold is safe.",
    "We go on in five minutes.",
    "More units come in ten minutes: the line goes first.",
    "We close in fifteen minutes. Pay what you hold.",
    "Thank you. That was all for tonight.",
)
"""What is often said."""
WAYS = {
    PRESS: "A press",
    LIST: "The order of the list",
    LINE: "The line, by arrival",
    MAKE_GOOD: "A make-good",
    CARRIED: "Carried over",
    BOOST: "By points",
}
"""How people call the ways to a unit."""
WHAT = {
    "opened": "opened the drop",
    "lobby_opened": "opened the list",
    "sealed": "sealed the list",
    "widened": "opened the drop to all",
    "exempted": "lifted the limit of a network",
    "restricted": "set the limit of a network again",
    "paused": "paused the drop",
    "resumed": "let the drop go on",
    "added": "added units",
    "withdrawn": "withdrew units",
    "rescheduled": "set other times",
    "corrected": "corrected the words",
    "message": "told everybody something",
    "closed": "closed the drop",
    "cancelled": "cancelled the drop",
    "realigned": "put its time right",
    "thawed": "let the stopped drop go on",
    "published": "published the drop",
}
"""What somebody did just before."""
NOT_DOUBTED = "It goes by the clock already: there was nothing to be done."


class NightPages:
    """One method a page. origin: the address people type."""

    def __init__(self, store: Store, commands: CommandDoors, desks: Desks, origin: str) -> None:
        self._store = store
        self._commands = commands
        self._desks = desks
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The screen, and for each command what it will do and its form."""
        self._panel = panel
        found = [panel.route("GET", NIGHT, self.night)]
        for verb in SHOWN:
            path = f"{NIGHT}/{verb}"
            found.append(panel.route("GET", path, partial(self.asked, verb)))
            found.append(panel.route("POST", path, partial(self.given, verb)))
        return found

    async def night(self, call: PanelCall) -> Response:
        """GET /studio/drops/{drop}/night: how it stands, and what can be done."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        lead, may_run = true_time.present(s.view.leads), call.may >= May.RUN
        m = s.manifest
        glance = await self._desks.glance(m, s.view)
        return self._panel.page(
            call,
            "studio-night.html",
            **words(s, self._origin),
            may_run=may_run,
            commands=offered(s.state, doubted=_doubted(s, call), early=_early(s))
            if may_run
            else {},
            page=data_block(_known(s, call, may_run=may_run)),
            health=self._desks.health([]),
            launch=glance.launch,
            game=glance.game,
            cohorts=glance.cohorts,
            carried=glance.carried,
            shares=[
                (WAYS[way], units, round(100 * units / sum(glance.shares.values())))
                for way, units in glance.shares.items()
            ],
            list_opens=s.view.opens_ms - (m.window_ms if m.mode == "lobby" else 0)
            if s.view.opens_ms
            else 0,
            networks=await self._networks(s),
            next=[
                (entry.n, s.terms.units(entry.qty, s.view.pools[line // 2].id), line % 2 == 1)
                for line, _, entry in s.ahead.waiting
            ],
            ends=[
                (s.terms.units(hold.qty, hold.pool), hold.deadline_ms - lead)
                for _, hold in s.ahead.ends
            ],
            lines=[(true_time.happened(line.at_ms, s.view.leads), line.words) for line in s.lines],
        )

    async def _networks(self, s: Standing) -> list[NetworkView]:
        """Those that were limited."""
        m = s.manifest
        if not (m.network_most or m.domain_most):
            return []
        return networks_of(await self._store.glances.crowds(DropId(m.id)), m)

    async def asked(self, verb: str, call: PanelCall) -> Response:
        """GET: what the command will do, with what was typed for it so far."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        typed = dict(call.request.query_params)
        if not typed or typed.pop("change", ""):
            return self._form(call, verb, s, typed)
        try:
            said = fields(verb, typed, s)
        except Wrong as wrong:
            return self._form(call, verb, s, typed, wrong=wrong)
        about = {one.network: one for one in await self._networks(s)} if "network" in said else {}
        network = about.get(said.get("network", ""))
        return self._form(call, verb, s, typed, said=said, network=network)

    async def given(self, verb: str, call: PanelCall) -> Response:
        """POST: give the command, by the revision that was seen."""
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        typed = call.fields
        try:
            sure(verb, typed, s)
            # As it was read when the numbers were looked at: what stands in the form is exact.
            said = fields(verb, typed, s)
        except Wrong as wrong:
            return self._form(call, verb, s, typed, wrong=wrong, status=400)
        revision = typed.get("revision", "")
        body = said | {"revision": int(revision) if revision.isdecimal() else 0}
        answer = await self._commands.command(COMMANDS[verb], call.asking(**body))
        here = NIGHT.format(drop=drop)
        problem = problem_of(answer)
        if problem is None:
            return self._panel.then(call, here, SHOWN[verb].done)
        if problem.code == "already":
            trusted = verb == "realign"
            so = NOT_DOUBTED if trusted else f"It was so already: {_who(problem, s)}"
            return self._panel.then(call, here, so)
        after = await standing(self._store, drop) or s
        return self._form(
            call,
            verb,
            after,
            typed,
            said=said,
            refused=_refused(problem, after, verb),
            status=answer.status_code,
        )

    def _form(
        self,
        call: PanelCall,
        verb: str,
        s: Standing,
        typed: dict[str, str],
        *,
        said: dict[str, Any] | None = None,
        wrong: Wrong | None = None,
        refused: str = "",
        status: int = 200,
        network: NetworkView | None = None,
    ) -> Response:
        command = SHOWN[verb]
        whole = not command.looked or (said is not None and wrong is None)
        zone = s.manifest.zone
        return self._panel.page(
            call,
            "studio-command.html",
            status,
            **words(s, self._origin),
            verb=verb,
            command=command,
            possible=s.state in command.states,
            follows=follows(verb, s, (said or {}).get("pool", "")),
            typed=typed,
            wrong={wrong.field: wrong.sentence} if wrong is not None else {},
            refused=refused,
            whole=whole,
            body=said or {},
            changes=changes(verb, said, s) if said else [],
            network=network,
            templates=TEMPLATES,
            local=partial(local, zone=zone),
            sealed=partial(_sealed, s),
        )


def _sealed(s: Standing, opens_ms: int) -> int:
    """When the open list of a drop with this opening is sealed."""
    m = s.manifest
    if opens_ms == s.view.opens_ms:
        return s.view.entering.seals_ms
    return sealed_at(m.mode, m.window_ms, opens_ms)


def _early(s: Standing) -> bool:
    return s.view.early is not None and bool(s.view.early.lasts)


def _doubted(s: Standing, call: PanelCall) -> bool:
    return s.doubted or any(one.kind == "clock" for one in call.alarms)


def _known(s: Standing, call: PanelCall, *, may_run: bool) -> bytes:
    """What the page's script begins with."""
    listed = [
        {
            "verb": verb,
            "name": one.name,
            "letter": one.letter,
            "grave": one.grave,
            "states": one.states,
        }
        for verb, one in SHOWN.items()
        if not one.of_one
        and (verb != "realign" or _doubted(s, call))
        and (verb != "widen" or s.manifest.cohorts)
    ]
    drop = s.manifest.id
    return msgspec.json.encode(
        {
            "drop": drop,
            "me": call.caller.by,
            "night": NIGHT.format(drop=drop),
            "commands": listed if may_run else [],
        }
    )


def words(s: Standing, origin: str) -> dict[str, Any]:
    """What every page of a drop is written with."""
    m = s.manifest
    return {
        "drop": m,
        "s": s,
        "address": f"{origin}/drops/{m.id}",
        "base": f"/studio/drops/{m.id}",
        "night": NIGHT.format(drop=m.id),
    }


def _who(problem: StudioProblem, s: Standing) -> str:
    """`ben paused the drop on Fri 16 Jul 2027, 18:03:11 UTC+2.`"""
    by = BY.get(problem.by or "", "").capitalize() or problem.by or "Somebody"
    what = WHAT.get(problem.what or "", "changed it")
    when = f" on {moment(problem.at_ms, s.manifest.zone)}" if problem.at_ms else ""
    return f"{by} {what}{when}."


def _refused(problem: StudioProblem, s: Standing, verb: str) -> str:
    if problem.code == "stale_revision":
        again = ": you may press again" if s.state in SHOWN[verb].states else ""
        return (
            f"{_who(problem, s)} That was after you looked, so nothing of yours was done. How it "
            f"stands now is below{again}."
        )
    return f"{problem.title} {problem.detail}".strip()

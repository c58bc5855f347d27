"""From a draft to a drop: what should be known before, and the press that makes its rules stand."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import manifest
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.studio.draft_checks import Check, checks
from dropengine.doors.studio.draft_pages import ONE, DraftPages, judged
from dropengine.doors.studio.drop_messages import Published
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.publish_doors import CLOSING_PAST, OPENING_PAST, PublishDoors
from dropengine.doors.studio.studio_answers import StudioProblem, problem_of
from dropengine.errors import ManifestError
from dropengine.manifest import Manifest
from dropengine.model import DropId, DropState
from dropengine.people import drafts, showcases
from dropengine.people.drafts import Draft
from dropengine.people.one_after_another import change
from dropengine.people.roles import May
from dropengine.sql.database import Database
from dropengine.truth.store import Store

PAST = {
    OPENING_PAST: "The opening time has passed. Choose a later one in the draft, or none.",
    CLOSING_PAST: "The closing time has passed: nobody could buy. Choose a later one in the draft.",
}
OPENED = "Published, and open. Those who follow you are told now."
NOT_OPENED = "Published, but not open:"
CHANGED = "The draft was changed since you read this. Look at it again, then publish."


class PublishPages:
    """One method a page or form. origin: the address people type."""

    def __init__(
        self,
        database: Database,
        store: Store,
        pages: DraftPages,
        doors: PublishDoors,
        things: ShownThings,
        origin: str,
    ) -> None:
        self._database = database
        self._store = store
        self._things = things
        self._pages = pages
        self._doors = doors
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The last look, and the press."""
        self._panel = panel
        return [
            panel.route("GET", f"{ONE}/publish", self.look),
            panel.route("POST", f"{ONE}/publish", self.publish),
        ]

    async def look(self, call: PanelCall) -> Response:
        """GET /studio/drafts/{draft}/publish: the checks, as sentences."""
        draft = await self._pages.draft(call)
        return await self._look(call, draft)

    async def _look(self, call: PanelCall, draft: Draft, *wrong: str) -> Response:
        here = f"/studio/drafts/{draft.id}"
        if draft.drop_id:
            return RedirectResponse(f"/studio/drops/{draft.drop_id}", 303)
        found = judged(draft.form, self._pages.chain)
        if found.mistakes:
            return RedirectResponse(f"{here}?check=1", 303)
        try:
            final = await self._doors.under_makers_id(call, found.manifest)
        except ManifestError as fault:
            final, wrong = found.manifest, (*wrong, *fault.mistakes)
        final = await self._numbered(draft, final)
        return self._panel.page(
            call,
            "studio-publish.html",
            409 if wrong else 200,
            draft=draft,
            wrong=wrong,
            may_run=call.may >= May.RUN,
            title=final.title,
            address=f"{self._origin}/drops/{final.id}",
            digest=manifest.digest(final),
            checks=[
                *checks(
                    final,
                    call.now_ms,
                    pictures=bool(showcases.showcase(draft.form).first),
                    chain=self._pages.chain,
                ),
                *await self._unknown(call, final),
            ],
            by_hand=not final.opens_ms,
            listed=bool(final.window_ms),
        )

    async def _unknown(self, call: PanelCall, final: Manifest) -> list[Check]:
        """Earlier drops that cohorts name and that are not there, likely misspelt: it may also be
        one still to come."""
        named = {drop for one in final.cohorts for drop in (*one.bought, *one.missed)}
        under = f"{call.maker.short}-"
        return [
            Check(
                True,
                f"There is no drop {drop} yet: until there is, nobody is in early access by it.",
            )
            for drop in sorted(named)
            if await self._store.show(DropId(drop)) is None
            and await self._store.show(DropId(under + drop)) is None
        ]

    async def _numbered(self, draft: Draft, final: Manifest) -> Manifest:
        """Where nobody chose the name and a drop has it, it gets the next number."""
        if draft.form.get("id") or await self._store.show(DropId(final.id)) is None:
            return final
        free = await self._pages.free_id(final.id)
        return manifest.with_opening(final, free or final.id, final.opens_ms)

    async def publish(self, call: PanelCall) -> Response:
        """POST /studio/drafts/{draft}/publish: from now on its rules stand."""
        draft = await self._pages.draft(call)
        if draft.drop_id:
            return RedirectResponse(f"/studio/drops/{draft.drop_id}", 303)
        if call.fields.get("version") != str(draft.version):
            return await self._look(call, draft, CHANGED)
        found = judged(draft.form, self._pages.chain)
        if found.mistakes:
            return await self._look(call, draft)
        text = manifest.toml(draft.form, self._pages.chain)
        at_once = {"open": True} if "open" in call.fields else {}
        answer = await self._doors.publish(call.asking(manifest=text, **at_once))
        problem = problem_of(answer)
        if problem is not None and problem.same is False and not draft.form.get("id"):
            # Nobody chose the name. Under a key of the draft, so that a press that was cut short
            # finds the drop that it began.
            again = call.asking(manifest=text, next_free=True, **at_once)
            again.key = f"draft.{draft.id}.{draft.version}"
            answer = await self._doors.publish(again)
            problem = problem_of(answer)
        if problem is None:
            drop = msgspec.json.decode(answer.body, type=Published).id
        elif problem.same:
            # A press that was cut short, or these very rules by another way: it is that drop.
            drop = (await self._doors.under_makers_id(call, found.manifest)).id
        else:
            return await self._look(call, draft, *_in_words(problem))

        def noted(sql: Connection) -> None:
            drafts.published(sql, draft.id, drop)
            if shown := showcases.beside(draft.form):
                showcases.save(sql, drop, showcases.find(sql, drop)[1], shown)

        await change(self._database, noted)
        self._things.changed(drop)
        if at_once:
            where, refused = f"/studio/drops/{drop}/night", None
            shown = await self._store.show(DropId(drop))
            if shown is not None and shown.state == DropState.SCHEDULED:
                # A press that was cut short before it opened the drop.
                refused = await self._doors.opened(call, DropId(drop))
            said = OPENED if refused is None else f"{NOT_OPENED} {refused.for_operator()}"
            return self._panel.then(call, where, said, amiss=refused is not None)
        return self._panel.then(call, f"/studio/drops/{drop}", "Published. Its rules stand.")


def _in_words(problem: StudioProblem) -> list[str]:
    """What stands in the way, by the names that the form has for its fields."""
    if problem.same is False:
        return [f"{problem.title} Its “Short name in addresses” stands in the draft."]
    return [PAST.get(one, one) for one in problem.mistakes or [problem.title]]

"""A drop that was published: where it is, what its rules are known by, and what may be changed
before it opens.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import creator_commands, manifest
from dropengine.creator_commands import Cancel, Correct, CreatorCommand, Open, Reschedule
from dropengine.doors.page_formats import in_words, paragraphs
from dropengine.doors.qr import qr
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.studio import launch_modes
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.draft_checks import in_how_long, in_places
from dropengine.doors.studio.draft_fields import Fields, beside_faults
from dropengine.doors.studio.draft_pages import FILE, TOO_MANY, DraftPages, file_of
from dropengine.doors.studio.home_pages import OVER, sums
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.manifest import Form
from dropengine.manifest.form import CLOCKS, clock, moment_of
from dropengine.model import DropId, DropState
from dropengine.people import interests, makers, showcases
from dropengine.people.draw_picture import SENT_BYTES_MAX
from dropengine.people.interests import What
from dropengine.people.one_after_another import change
from dropengine.people.roles import May
from dropengine.push import followers, subscriptions
from dropengine.sql.database import Database
from dropengine.truth.replies import BEYOND, Shown, ViewReply
from dropengine.truth.store import Store

ONE = "/studio/drops/{drop}"
BEFORE = (DropState.SCHEDULED,)
ENDED = (DropState.SETTLED, DropState.CANCELLED)
NOT_ITS_TITLE = "Write the title of the drop to confirm. Nothing was changed."
NOT_SHOWN = "What is wrong stands beside its field. Nothing was changed."
OVERTAKEN = "Somebody else saved this meanwhile. What you typed stands here: look, and save again."


class Standing(NamedTuple):
    """A drop at this moment."""

    shown: Shown
    view: ViewReply | None

    @property
    def state(self) -> str:
        return self.view.state if self.view else self.shown.state

    @property
    def opens_ms(self) -> int:
        return self.view.opens_ms if self.view else self.shown.opens_ms

    @property
    def closes_ms(self) -> int:
        return self.view.closes_ms if self.view else self.shown.closes_ms

    @property
    def revision(self) -> int:
        return self.view.revision if self.view else self.shown.revision


class Waiting(NamedTuple):
    """How many want to be told: of this drop before it opens, of new drops of its maker. Numbers
    and nothing else: whose they are is nobody's to read."""

    by_mail: int
    browsers: int
    followers: int
    following: int


def _waiting(sql: Connection, drop: DropId) -> Waiting:
    maker = makers.whose(sql, drop) or ""
    return Waiting(
        interests.count(sql, What.DROP, drop),
        subscriptions.count(sql, drop),
        interests.count(sql, What.MAKER, maker),
        followers.count(sql, maker),
    )


def _words_in(found: Standing) -> list[str]:
    """Where the words stand that may be put right."""
    return ["story", *(f"items[{n}].about" for n in range(len(found.shown.manifest.items)))]


class Deps(Protocol):
    """What these pages need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def database(self) -> Database: ...
    @property
    def things(self) -> ShownThings: ...


class DropPages:
    """One method a page or form. origin: the address people type."""

    def __init__(self, deps: Deps, commands: CommandDoors, drafts: DraftPages, origin: str) -> None:
        self._store = deps.store
        self._database = deps.database
        self._things = deps.things
        self._pictures = drafts.pictures
        self._commands = commands
        self._drafts = drafts
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The drop, and what is done to it before it opens."""
        self._panel = panel
        return [
            panel.route("GET", ONE, self.drop),
            panel.route("GET", f"{ONE}/{FILE}", self.export),
            panel.route("POST", f"{ONE}/open", self.open),
            panel.route("POST", f"{ONE}/reschedule", self.reschedule),
            panel.route("POST", f"{ONE}/cancel", self.cancel),
            panel.route("GET", f"{ONE}/words", self.words),
            panel.route("POST", f"{ONE}/words", self.correct, SENT_BYTES_MAX),
            panel.route("POST", f"{ONE}/copy", self.copy),
        ]

    async def standing(self, call: PanelCall) -> Standing | None:
        """The drop of the address; None where the books know it and the server does not."""
        drop = DropId(call.named("drop"))
        shown = await self._store.show(drop)
        if shown is None:
            return None
        view = await self._store.view(drop, BEYOND, BEYOND)
        return Standing(shown, view if isinstance(view, ViewReply) else None)

    async def drop(self, call: PanelCall) -> Response:
        """GET /studio/drops/{drop}."""
        return await self._drop(call)

    async def _drop(self, call: PanelCall, wrong: str = "", status: int = 409) -> Response:
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        m, view = found.shown.manifest, found.view
        total = sums(view.pools) if view else None
        address = f"{self._origin}/drops/{call.named('drop')}"
        waiting = await self._database.read(lambda sql: _waiting(sql, DropId(m.id)))
        return self._panel.page(
            call,
            "studio-drop.html",
            status if wrong else 200,
            wrong=wrong,
            id=call.named("drop"),
            m=m,
            it=found,
            total=total,
            words=in_words(total, found.state in OVER) if total else "",
            may_run=call.may >= May.RUN,
            launch=launch_modes.told(m, launch_modes.chain_named(found.shown.chance)),
            before=found.state in BEFORE,
            ended=found.state in ENDED,
            opens_in=in_how_long(found.opens_ms - call.now_ms)
            if found.opens_ms > call.now_ms
            else "",
            opens_where=in_places(found.opens_ms, m.zone) if found.opens_ms else "",
            opens_at=clock(found.opens_ms, m.zone),
            closes_at=clock(found.closes_ms, m.zone),
            address=address,
            qr=qr(address),
            waiting=waiting,
        )

    async def _command(
        self, call: PanelCall, kind: type[CreatorCommand], sentence: str, **fields: object
    ) -> Response:
        """Give a command at the revision that the form saw; go back to the drop."""
        seen = call.number("revision")
        if seen < 0:
            return self._panel.wrong(call, "This form is not whole. Open the drop anew.")
        asked = call.asking(revision=seen, **fields)
        problem = problem_of(await self._commands.command(kind, asked))
        if problem is not None:
            detail = "; ".join(problem.mistakes or [])
            return await self._drop(call, f"{problem.title} {detail}".strip(), problem.status)
        return self._panel.then(call, f"/studio/drops/{call.named('drop')}", sentence)

    async def open(self, call: PanelCall) -> Response:
        """POST .../open: fans may press from this moment on."""
        return await self._command(call, Open, "It is open.")

    async def reschedule(self, call: PanelCall) -> Response:
        """POST .../reschedule: earlier or later, by so many minutes or to a time."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        by, zone = call.fields.get("by", ""), found.shown.manifest.zone
        try:
            if by in ("-30", "-10", "10", "30", "60"):
                opens_ms = found.opens_ms + int(by) * 60_000
                closes_ms = found.closes_ms + int(by) * 60_000 if found.closes_ms else 0
            else:
                opens_ms = moment_of(call.fields.get("opens_at", ""), zone)
                closes_ms = moment_of(call.fields.get("closes_at", ""), zone)
        except ValueError as fault:
            return await self._drop(call, f"The time {fault}.", 400)
        when = f"It opens {in_places(opens_ms, zone)}." if opens_ms else "You open it by hand."
        return await self._command(call, Reschedule, when, opens_ms=opens_ms, closes_ms=closes_ms)

    async def cancel(self, call: PanelCall) -> Response:
        """POST .../cancel: nothing is sold, and what was paid goes back. It asks for the title."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        if call.fields.get("title", "").strip() != found.shown.manifest.title:
            return await self._drop(call, NOT_ITS_TITLE, 400)
        why = call.fields.get("why", "").strip()
        if fault := creator_commands.unfit(why, dict(creator_commands.bounds(Cancel))["why"]):
            return await self._drop(call, f"The reason {fault}.", 400)
        return await self._command(call, Cancel, "It is cancelled.", why=why)

    async def words(self, call: PanelCall) -> Response:
        """GET .../words: the words that may be put right."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        return await self._words(call, found, manifest.form_of(found.shown.manifest))

    async def _words(
        self, call: PanelCall, found: Standing, form: Form, wrong: str = "", status: int = 400
    ) -> Response:
        drop = call.named("drop")
        shown, version = await self._database.read(lambda sql: showcases.find(sql, drop))
        return self._panel.page(
            call,
            "studio-words.html",
            status if wrong else 200,
            id=call.named("drop"),
            m=found.shown.manifest,
            revision=found.revision,
            version=version,
            fields=Fields(shown | form, {path: [why] for path, why in beside_faults(form).items()}),
            wrong=wrong,
            told=paragraphs(found.shown.manifest.story),
        )

    async def correct(self, call: PanelCall) -> Response:
        """POST .../words: what is shown beside the rules, and a new version of the words where they
        are others; the rules stay as they are. Nothing that was typed is lost."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        before = manifest.form_of(found.shown.manifest)
        typed = {path: call.fields[path] for path in _words_in(found) if path in call.fields}
        form = {path: text for path, text in (before | typed).items() if text}
        judged, mistakes = manifest.judged_form(form)
        shown, unfit = await self._shown(call)
        whole = form | (shown or {})
        if mistakes:
            told = [f"{path} {some[0]}" for path, some in mistakes.items()]
            return await self._words(call, found, whole, "; ".join(told))
        if shown is not None and (wrong := await self._save(call, shown)):
            return await self._words(call, found, whole, *wrong)
        if manifest.words(judged) == manifest.words(found.shown.manifest):
            return self._on(call, unfit, "It is shown.")
        if call.fields.get("do", "save") != "save":
            # A picture was taken away: nobody asked yet for what he writes to be put right.
            return await self._words(call, found, form)
        return await self._put_right(call, found, whole, manifest.toml(form), unfit)

    async def _put_right(
        self, call: PanelCall, found: Standing, whole: Form, text: str, unfit: str
    ) -> Response:
        """A new version of the words."""
        asked = call.asking(revision=call.number("revision"), manifest=text)
        problem = problem_of(await self._commands.command(Correct, asked))
        if problem is not None:
            told = f"{problem.title} {'; '.join(problem.mistakes or [])}".strip()
            return await self._words(call, found, whole, told, problem.status)
        return self._on(call, unfit, "The words are put right.")

    def _on(self, call: PanelCall, unfit: str, done: str) -> Response:
        """On to the drop; back to the form where a picture could not be taken."""
        here = f"/studio/drops/{call.named('drop')}"
        if unfit:
            return self._panel.then(call, f"{here}/words", f"{unfit} {done}", amiss=True)
        return self._panel.then(call, here, done)

    async def _shown(self, call: PanelCall) -> tuple[Form | None, str]:
        """What is to be shown beside the rules, None where the form does not speak of it; and what
        is wrong with a picture that was sent."""
        if "version" not in call.fields:
            return None, ""
        drop = call.named("drop")
        before, _ = await self._database.read(lambda sql: showcases.find(sql, drop))
        kept = {path: text for path, text in before.items() if path.endswith(".pictures")}
        typed = showcases.beside(call.fields)
        sent = {path: text for path, text in typed.items() if not path.endswith(".pictures")}
        form, unfit = await self._pictures.with_files(
            sent | kept, call.files, call.fields.get("do", "")
        )
        return {path: text for path, text in form.items() if text.strip()}, unfit

    async def _save(self, call: PanelCall, form: Form) -> tuple[str, int] | None:
        """Show this from now on; None when it is done, else what is wrong, and the status."""
        if beside_faults(form):
            return NOT_SHOWN, 400
        drop, seen = call.named("drop"), call.number("version")
        if not await change(self._database, lambda sql: showcases.save(sql, drop, seen, form)):
            return OVERTAKEN, 409
        self._things.changed(drop)
        return None

    async def export(self, call: PanelCall) -> Response:
        """GET .../manifest.toml: the rules as a file."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        return file_of(manifest.toml(manifest.form_of(found.shown.manifest)), call.named("drop"))

    async def copy(self, call: PanelCall) -> Response:
        """POST .../copy: a draft like it; or one to practise with, which no list shows."""
        found = await self.standing(call)
        if found is None:
            return self._panel.missing(call)
        practice = "practice" in call.fields
        stem = f"{call.named('drop')[:20]}-practice" if practice else call.named("drop")
        free = await self._drafts.free_id(stem)
        form = await self._drafts.like(found.shown.manifest, free)
        if practice:
            # A rehearsal calls at all hours.
            form = {path: text for path, text in form.items() if path not in CLOCKS}
            form["practice"] = "yes"
        draft = await self._drafts.make(call, call.maker, form)
        if not draft:
            return await self._drop(call, TOO_MANY)
        here = f"/studio/drafts/{draft}"
        return RedirectResponse(f"{here}/publish" if practice else here, 303)

"""Where a drop is written: from an empty form, a drop that was, or a file; saved by itself, and
never over what another saved meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dropengine import manifest
from dropengine.catalogue import ENGLISH
from dropengine.doors.http_answers import Written
from dropengine.doors.pages import drop_words
from dropengine.doors.studio import launch_modes
from dropengine.doors.studio.draft_fields import Fields, beside_faults, fields_of, fresh_form
from dropengine.doors.studio.draft_preview import STAGES, snapshot, stages
from dropengine.doors.studio.launch_modes import FROM, HASH, by_mode
from dropengine.doors.studio.panel_door import HOME, NEW, Panel, PanelCall
from dropengine.doors.studio.thing_pictures import ThingPictures
from dropengine.errors import CarriedFault, ManifestError
from dropengine.manifest import Form, Manifest
from dropengine.manifest.defaults import MODES
from dropengine.manifest.form import ID_CHARS, PLANNED, taken, without
from dropengine.manifest.game import KINDS
from dropengine.manifest.ways import KINDS as WAY_KINDS
from dropengine.model import DropId, DropState
from dropengine.people import drafts, makers, showcases
from dropengine.people.drafts import Draft
from dropengine.people.draw_picture import SENT_BYTES_MAX
from dropengine.people.makers import Maker
from dropengine.people.one_after_another import change
from dropengine.people.roles import May
from dropengine.people.showcases import showcase
from dropengine.people.tickets import VERIFIED
from dropengine.randomness import Chain
from dropengine.sql.database import Database
from dropengine.truth.carried_list import list_of
from dropengine.truth.store import Store

ONE = "/studio/drafts/{draft}"
FILE = "manifest.toml"
MISSING = ("is missing", "must not be empty")
"""Said only to who asks whether it is whole: an empty form is no mistake yet."""
TRIES_MAX = 100
COPIES_MAX = 50
"""Drops that can be chosen to be copied, the newest; an older one is copied on its own page."""
TOO_MANY = f"A maker has at most {drafts.PER_MAKER_MAX} drafts. Publish or remove some first."
FIELD_CHARS_MAX = 20_000
TOO_LONG = "That is more than a draft may hold. Nothing was saved."
GONE = "This draft was published meanwhile. What you typed was not saved."
_NUMBERED = re.compile(r"-[0-9]{1,3}$")
_REMOVE = re.compile(
    r"remove (items\[\d{1,2}\](?:\.pools\[\d{1,2}\])?|(?:cohorts|missions|ways)\[\d\])"
)
_POOL = re.compile(r"pool (items\[\d{1,2}\])")


class Judged(NamedTuple):
    """What a form makes, and what is wrong with it: path -> sentences."""

    manifest: Manifest
    mistakes: dict[str, list[str]]


class Saved(msgspec.Struct, frozen=True):
    """What a page's script is told of its save. `mistakes`: path -> sentences. `checked`: is it
    whole?"""

    version: int
    mistakes: dict[str, list[str]]
    checked: bool


class Elsewhere(msgspec.Struct, frozen=True):
    """Another saved since, or it is a draft no more."""

    by: str
    at_ms: int


def judged(form: Form, chain: Chain) -> Judged:
    """The rules' mistakes, and those of what stands beside them."""
    found, mistakes = manifest.judged_form(form, chain)
    for path in [path for path in mistakes if path.endswith("id")]:
        # It is made of the title, whose absence is said.
        if mistakes[path] == [MISSING[0]] and f"{path.removesuffix('id')}title" in mistakes:
            del mistakes[path]
    for path, sentence in beside_faults(form).items():
        mistakes.setdefault(path, []).append(sentence)
    return Judged(found, mistakes)


class DraftPages:
    """One method a page or form. chain: what the shop takes rounds of."""

    def __init__(
        self, store: Store, database: Database, pictures: ThingPictures, chain: Chain
    ) -> None:
        self._store = store
        self._database = database
        self.pictures = pictures
        self.chain = chain

    def routes(self, panel: Panel) -> list[Route]:
        """From the first word to a file."""
        self._panel = panel
        return [
            panel.route("GET", NEW, self.new),
            panel.route("POST", "/studio/makers/{maker}/drafts", self.begin),
            panel.route("GET", ONE, self.edit),
            panel.route("POST", ONE, self.save, SENT_BYTES_MAX),
            panel.route("GET", f"{ONE}/preview", self.preview),
            panel.route("GET", f"{ONE}/{FILE}", self.export),
            panel.route("POST", f"{ONE}/remove", self.remove),
        ]

    async def new(self, call: PanelCall) -> Response:
        """GET /studio/new: how to begin."""
        return await self._new(call)

    async def _new(self, call: PanelCall, mistakes: tuple[str, ...] = ()) -> Response:
        mine = [one for one, may in call.caller.makers.values() if may >= May.RUN]
        every = await self._store.every_drop()
        whose = await self._database.read(lambda sql: makers.owners_of(sql, [*every]))
        own = [drop for drop in every if whose.get(drop) in call.caller.makers]
        listed = [
            (drop, shown.manifest.title)
            for drop in own[:COPIES_MAX]
            if (shown := await self._store.show(drop)) is not None
        ]
        return self._panel.page(
            call,
            "studio-new.html",
            400 if mistakes else 200,
            makers=mine,
            drops=listed,
            mistakes=mistakes,
        )

    async def begin(self, call: PanelCall) -> Response:
        """POST /studio/makers/{maker}/drafts: empty, a copy of a drop, or a file."""
        how, said = call.fields.get("how", "empty"), "Nobody sees this before you publish it."
        if how == "file":
            _, sent = call.files.get("file", ("", b""))
            try:
                form, mistakes = manifest.form_of_file(sent, "the file")
            except ManifestError as fault:
                return await self._new(call, tuple(fault.mistakes))
            if mistakes:
                said = f"The file had mistakes: {'; '.join(mistakes)}"
        elif how == "copy":
            copied = await self._copy(call, call.fields.get("from", ""))
            if copied is None:
                return self._panel.missing(call)
            form = copied
        else:
            latest = await self._database.read(lambda sql: drafts.latest_form(sql, call.maker.id))
            form = fresh_form(call.maker, latest)
        draft = await self.make(call, call.maker, form)
        if not draft:
            return await self._new(call, (TOO_MANY,))
        return self._panel.then(call, f"/studio/drafts/{draft}", said)

    async def make(self, call: PanelCall, maker: Maker, form: Form) -> str:
        """A new draft, '' where there are too many."""

        def made(sql: Connection) -> str:
            if drafts.count(sql, maker.id) >= drafts.PER_MAKER_MAX:
                return ""
            return drafts.make(sql, maker.id, form, call.caller.by, call.now_ms)

        return await change(self._database, made)

    async def _copy(self, call: PanelCall, drop: str) -> Form | None:
        """A drop of mine as a form, under the next id that is free, opened by hand."""
        whose = await self._database.read(lambda sql: makers.whose(sql, drop))
        shown = await self._store.show(DropId(drop)) if whose in call.caller.makers else None
        if shown is None:
            return None
        return await self.like(shown.manifest, await self.free_id(drop))

    async def like(self, published: Manifest, drop: str) -> Form:
        """A drop as a form under another id, with what it shows, and opened by hand."""
        source = published.id
        beside, _ = await self._database.read(lambda sql: showcases.find(sql, source))
        form = manifest.form_of(published) | beside | {"id": drop}
        if "beacon_round" in form:
            # That round is over by then.
            form["beacon_round"] = PLANNED
        return {path: text for path, text in form.items() if path not in ("opens_at", "closes_at")}

    async def free_id(self, drop: str) -> str:
        """The next number of this id that no drop has."""
        stem = _NUMBERED.sub("", drop)
        for number in range(2, TRIES_MAX + 2):
            found = f"{stem[: ID_CHARS - 4]}-{number}"
            if await self._store.show(DropId(found)) is None:
                return found
        return ""

    async def edit(self, call: PanelCall) -> Response:
        """GET /studio/drafts/{draft}: the form."""
        draft = await self.draft(call)
        if draft.drop_id:
            return RedirectResponse(f"/studio/drops/{draft.drop_id}", 303)
        return await self._form(call, draft, check="check" in call.request.query_params)

    async def _form(self, call: PanelCall, draft: Draft, *, check: bool) -> Response:
        found = judged(draft.form, self.chain)
        mistakes = found.mistakes if check else shown_early(found.mistakes)
        return self._panel.with_frame(
            call,
            "studio-draft.html",
            draft=draft,
            stages=stages(found.manifest),
            may_write=call.may >= May.RUN,
            fields=Fields(draft.form, mistakes),
            modes=launch_modes.SHOWN,
            kinds=launch_modes.PROOFS,
            mode=draft.form.get("mode", MODES[0]),
            chance=launch_modes.chance(draft.form, found.manifest, self.chain),
            earlier=await self._earlier(call),
            proves=(launch_modes.COMMITMENT_PROVES, launch_modes.beacon_proves(self.chain)),
            mistakes=mistakes,
            faults=sum(len(some) for some in mistakes.values()),
            title=draft.form.get("title", "A drop without a title"),
        )

    async def _earlier(self, call: PanelCall) -> list[tuple[DropId, str]]:
        """Drops of this maker whose places can be carried over, the newest first."""
        every = await self._store.every_drop()
        whose = await self._database.read(lambda sql: makers.owners_of(sql, [*every]))
        found = []
        for drop in [one for one in every if whose.get(one) == call.maker.id][:COPIES_MAX]:
            shown = await self._store.show(drop)
            if shown is None or shown.state != DropState.SETTLED:
                continue
            if shown.manifest.identity == VERIFIED:
                found.append((drop, shown.manifest.title))
        return found

    async def _with_hash(self, call: PanelCall, draft: Draft, form: Form) -> tuple[Form, str]:
        """Whose places it carries over, with the hash of their list; and what stands in the way of
        that, as a sentence."""
        drop = form.get(FROM, "")
        kept = {path: text for path, text in form.items() if path != HASH}
        if not drop:
            return kept, ""
        if drop == draft.form.get(FROM) and HASH in draft.form:
            return kept | {HASH: draft.form[HASH]}, ""
        whose = await self._database.read(lambda sql: makers.whose(sql, drop))
        if whose != call.maker.id:
            return kept, f"There is no drop {drop} of yours."
        try:
            return kept | {HASH: (await list_of(self._store, DropId(drop))).hash}, ""
        except CarriedFault as fault:
            return kept, f"Nobody can be carried over: {fault}."

    async def draft(self, call: PanelCall) -> Draft:
        """The draft of the address."""
        found = await self._database.read(lambda sql: drafts.find(sql, call.named("draft")))
        assert found is not None, "the door looked for it"
        return found

    async def save(self, call: PanelCall) -> Response:
        """POST /studio/drafts/{draft}: keep what was typed, then do what the button says."""
        draft = await self.draft(call)
        if any(len(text) > FIELD_CHARS_MAX for text in call.fields.values()):
            return self._panel.wrong(call, TOO_LONG, 413)
        form, unfit = await self.pictures.with_files(
            _typed(call.fields) | _kept(draft.form), call.files, call.fields.get("do", "")
        )
        form = by_mode(taken(form))
        do = call.fields.get("do", "save")
        if removed := _REMOVE.fullmatch(do):
            form = without(form, removed[1])
        elif do == "item":
            form |= {f"items[{fields_of(form).items}].cap": "10"}
        elif do == "cohort":
            form |= {f"cohorts[{fields_of(form).cohorts}].listed": "yes"}
        elif do == "way":
            form |= {f"ways[{fields_of(form).ways}].kind": WAY_KINDS[0]}
        elif do == "mission":
            form |= {f"missions[{fields_of(form).missions}].kind": KINDS[0]}
        elif added := _POOL.fullmatch(do):
            form |= {f"{added[1]}.pools[{fields_of(form).pools(added[1])}].cap": "1"}
        form, cannot = await self._with_hash(call, draft, form)
        unfit = " ".join(filter(None, (unfit, cannot)))
        if len(msgspec.json.encode(form)) > drafts.FORM_BYTES_MAX:
            return self._panel.wrong(call, TOO_LONG, 413)
        seen = call.number("version")
        version = draft.version
        # Who saved these very words already has lost nothing, whatever he saw.
        if form != draft.form:
            version = await change(
                self._database,
                lambda sql: drafts.save(sql, draft.id, seen, form, call.caller.by, call.now_ms),
            )
        if not version:
            return await self._overtaken(call, form)
        if unfit and do != "auto":
            here = f"/studio/drafts/{draft.id}"
            return self._panel.then(call, here, f"{unfit} All else is saved.", amiss=True)
        return self._after(call, draft, form, version, do)

    def _after(self, call: PanelCall, draft: Draft, form: Form, version: int, do: str) -> Response:
        found = judged(form, self.chain)
        if do == "auto":
            early = shown_early(found.mistakes)
            return Written(msgspec.json.encode(Saved(version, early, not found.mistakes)))
        here = f"/studio/drafts/{draft.id}"
        if do == "check":
            return RedirectResponse(f"{here}?check=1" if found.mistakes else f"{here}/publish", 303)
        return self._panel.then(call, here, "Saved.")

    async def _overtaken(self, call: PanelCall, mine: Form) -> Response:
        """409: both texts, and the choice."""
        theirs = await self.draft(call)
        if call.fields.get("do") == "auto":
            return Written(msgspec.json.encode(Elsewhere(theirs.by, theirs.saved_ms)), 409)
        if theirs.drop_id:
            return self._panel.wrong(call, GONE, 409)
        paths = sorted(mine.keys() | theirs.form.keys())
        differ = [path for path in paths if mine.get(path) != theirs.form.get(path)]
        return self._panel.page(
            call,
            "studio-draft-twice.html",
            409,
            draft=theirs,
            mine=mine,
            theirs=theirs.form,
            differ=[path for path in differ if not path.endswith(".pictures")],
        )

    async def preview(self, call: PanelCall) -> Response:
        """GET /studio/drafts/{draft}/preview: the fan's page, as it will be."""
        draft = await self.draft(call)
        stage = call.request.query_params.get("state", "")
        found, _ = manifest.judged_form(draft.form, self.chain)
        shown = snapshot(found, stage if stage in STAGES else "soon", call.now_ms, self.chain)
        things = showcase(draft.form)
        address = f"/studio/drafts/{draft.id}"
        words = drop_words(shown, address, things, ENGLISH)
        words["person"] = shown.drop.identity == "verified" and shown.you is not None
        return self._panel.preview(call, words)

    async def export(self, call: PanelCall) -> Response:
        """GET /studio/drafts/{draft}/manifest.toml: the draft as a file."""
        draft = await self.draft(call)
        return file_of(
            manifest.toml(draft.form, self.chain), manifest.named(draft.form).get("id", "")
        )

    async def remove(self, call: PanelCall) -> Response:
        """POST /studio/drafts/{draft}/remove: throw it away."""
        draft = call.named("draft")
        await change(self._database, lambda sql: drafts.remove(sql, draft))
        return self._panel.then(call, HOME, "The draft is gone.")


def file_of(text: str, drop: str) -> Response:
    """A manifest to be saved. Its name is made of an id alone."""
    name = drop if manifest.ID.fullmatch(drop) else "drop"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.toml"',
        "Cache-Control": "private, no-store",
    }
    return PlainTextResponse(text, headers=headers)


def shown_early(mistakes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Without what is only not there yet."""
    told = {path: [one for one in some if one not in MISSING] for path, some in mistakes.items()}
    return {path: some for path, some in told.items() if some}


def _typed(fields: Form) -> Form:
    """What was typed: which pictures there are is nothing that a form may say."""
    return {path: text for path, text in fields.items() if not path.endswith(".pictures")}


def _kept(form: Form) -> Form:
    """What no form says of itself: its pictures."""
    return {path: text for path, text in form.items() if path.endswith(".pictures")}

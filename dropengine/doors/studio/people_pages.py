"""Who belongs to one's makers, who may come, and which programs hold a key."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import mail_address
from dropengine.doors.studio.letter_pages import FATES
from dropengine.doors.studio.maker_doors import MakerDoors, invitations_of
from dropengine.doors.studio.panel_door import Behind, Panel, PanelCall
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.doors.studio.studio_messages import InvitationView, Invited, KeyMade
from dropengine.people import api_keys, makers
from dropengine.people.api_keys import ApiKey
from dropengine.people.makers import Maker, Member
from dropengine.people.roles import May, Role, Scope
from dropengine.sql.database import Database

PEOPLE = "/studio/people"
ONE = "/studio/makers/{maker}"
ROLES = {
    Role.VIEWER: "looks",
    Role.OPERATOR: "writes and runs drops",
    Role.OWNER: "runs drops, manages people and keys",
}
SCOPES = {
    Scope.READ: "reads, changes nothing",
    Scope.RUN: "publishes and runs drops",
    Scope.MANAGE: "runs drops, manages the maker",
}


GIVE = "Give this link to one person. It works once, within seven days, and is shown once."
SENT = (
    "It is on its way by mail. You may also give this link to the same person: it works once, "
    "within seven days, and is shown once."
)


class Company(NamedTuple):
    """A maker with its people. `manages`: the reader may change them."""

    maker: Maker
    manages: bool
    members: list[Member]
    invitations: list[InvitationView]
    keys: list[ApiKey]


class PeoplePages:
    """One page, and its forms: each goes through the door of the API."""

    def __init__(self, database: Database, doors: MakerDoors) -> None:
        self._database = database
        self._doors = doors

    def routes(self, panel: Panel) -> list[Route]:
        """The page and what may be changed on it."""
        self._panel = panel
        forms: tuple[tuple[str, Behind], ...] = (
            (ONE, self.change),
            (f"{ONE}/members/{{account}}", self.member),
            (f"{ONE}/invitations", self.invite),
            (f"{ONE}/invitations/{{invitation}}/withdraw", self.withdraw),
            (f"{ONE}/keys", self.new_key),
            (f"{ONE}/keys/{{api_key}}/revoke", self.revoke),
        )
        return [
            panel.route("GET", PEOPLE, self.people),
            *(panel.route("POST", path, behind) for path, behind in forms),
        ]

    async def people(self, call: PanelCall) -> Response:
        """GET /studio/people."""
        return await self._people(call)

    async def _people(self, call: PanelCall, status: int = 200, **words: Any) -> Response:
        belongs = call.caller.makers.values()

        def asked(sql: Connection) -> list[Company]:
            found = []
            for maker, may in belongs:
                manages = may >= May.MANAGE
                waiting = invitations_of(sql, maker.id, call.now_ms) if manages else []
                keys = api_keys.of_maker(sql, maker.id) if manages else []
                members = makers.members(sql, maker.id)
                found.append(Company(maker, manages, members, waiting, keys))
            return found

        shown = {"wrong": "", "secret": "", "about": "", **words}
        return self._panel.page(
            call,
            "studio-people.html",
            status,
            companies=await self._database.read(asked),
            roles={str(role): words for role, words in ROLES.items()},
            scopes={str(scope): words for scope, words in SCOPES.items()},
            mine=call.caller.id,
            fates=FATES,
            **shown,
        )

    async def _told(self, call: PanelCall, answer: Response, sentence: str) -> Response:
        problem = problem_of(answer)
        if problem is not None:
            return await self._people(call, problem.status, wrong=problem.title)
        return self._panel.then(call, PEOPLE, sentence)

    async def change(self, call: PanelCall) -> Response:
        """POST /studio/makers/{maker}: what fans call it, and its colour."""
        asked = call.asking(
            name=call.fields.get("name", "").strip(), colour=call.fields.get("colour", "")
        )
        return await self._told(call, await self._doors.change_maker(asked), "It is changed.")

    async def member(self, call: PanelCall) -> Response:
        """POST .../members/{account}: another role, or none."""
        role = call.fields.get("role", "")
        if role == "none":
            answer = await self._doors.remove_member(call.asking())
            return await self._told(call, answer, "They belong to it no more.")
        answer = await self._doors.change_member(call.asking(role=role))
        return await self._told(call, answer, "The role is changed.")

    async def invite(self, call: PanelCall) -> Response:
        """POST .../invitations: a link that is shown once, on this very page."""
        mail = call.fields.get("mail", "").strip()
        answer = await self._doors.invite(
            call.asking(role=call.fields.get("role", ""), mail=mail[: mail_address.CHARS_MAX])
        )
        problem = problem_of(answer)
        if problem is not None:
            return await self._people(call, problem.status, wrong=problem.title)
        made = msgspec.json.decode(answer.body, type=Invited)
        about = SENT if made.invitation.mail else GIVE
        return await self._people(call, secret=made.address, about=about)

    async def withdraw(self, call: PanelCall) -> Response:
        """POST .../invitations/{invitation}/withdraw."""
        answer = await self._doors.withdraw(call.asking())
        return await self._told(call, answer, "The invitation is taken back.")

    async def new_key(self, call: PanelCall) -> Response:
        """POST .../keys: a key that is shown once, on this very page."""
        asked = call.asking(
            label=call.fields.get("label", "").strip(), scope=call.fields.get("scope", "")
        )
        answer = await self._doors.new_key(asked)
        problem = problem_of(answer)
        if problem is not None:
            return await self._people(call, problem.status, wrong=problem.title)
        made = msgspec.json.decode(answer.body, type=KeyMade)
        about = "Give this key to the program. It is shown once: whoever has it may do what it may."
        return await self._people(call, secret=made.secret, about=about)

    async def revoke(self, call: PanelCall) -> Response:
        """POST .../keys/{api_key}/revoke."""
        answer = await self._doors.revoke_key(call.asking())
        return await self._told(call, answer, "The key proves nothing any more.")

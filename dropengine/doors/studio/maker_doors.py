"""The doors of makers: who they are, who belongs to them, their keys, what was done."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import mail_address, refusals
from dropengine.doors.studio.changes import Changes, Once, Result, Work
from dropengine.doors.studio.maker_pictures import PLACE, MakerPictures
from dropengine.doors.studio.studio_answers import refused, taken, told
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.doors.studio.studio_messages import (
    AuditPage,
    ChangeMaker,
    ChangeMember,
    Gone,
    InvitationView,
    Invite,
    Invited,
    KeyMade,
    KeyView,
    MakerView,
    NewKey,
    NewMaker,
)
from dropengine.mail import makers_letters, outbox
from dropengine.people import api_keys, audit_trail, links, makers, names, passkeys, pictures
from dropengine.people.api_keys import ApiKey
from dropengine.people.links import Kind, Link
from dropengine.people.makers import Maker
from dropengine.people.roles import May, Role
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS

NO_OWNER_BY_KEY = "No key makes somebody an owner: a person does, who is signed in."
NO_ADDRESS = "That is no address that letters reach. Nobody was invited."
LAST_OWNER = "A maker has at least one owner. Make somebody else one first."
MAKERS_MAX = 200


class MakerDoors:
    """One method a door. origin: the address people type, of links."""

    def __init__(
        self, database: Database, changes: Changes, pictures_: MakerPictures, origin: str
    ) -> None:
        self._pictures = pictures_
        self._database = database
        self._changes = changes
        self._origin = origin
        self._by_name = passkeys.by_name(origin)

    def routes(self, doors: Doors) -> list[Route]:
        one = "/makers/{maker}"
        return [
            doors.route("GET", "/makers", self.makers),
            doors.route("POST", "/makers", self.new_maker),
            doors.route("GET", one, self.maker),
            doors.route("PATCH", one, self.change_maker),
            doors.route("GET", f"{one}/members", self.members),
            doors.route("PATCH", f"{one}/members/{{account}}", self.change_member),
            doors.route("DELETE", f"{one}/members/{{account}}", self.remove_member),
            doors.route("GET", f"{one}/invitations", self.invitations),
            doors.route("POST", f"{one}/invitations", self.invite),
            doors.route("DELETE", f"{one}/invitations/{{invitation}}", self.withdraw),
            doors.route("GET", f"{one}/keys", self.keys),
            doors.route("POST", f"{one}/keys", self.new_key),
            doors.route("DELETE", f"{one}/keys/{{api_key}}", self.revoke_key),
            doors.route("GET", f"{one}/audit", self.audit),
        ]

    async def makers(self, call: Call) -> Response:
        """Where I belong, the oldest first."""
        return told([maker_view(maker, may) for maker, may in call.caller.makers.values()])

    async def new_maker(self, call: Call) -> Response:
        """Another maker of this installation, by an owner of one."""
        asked = call.read(NewMaker)
        account = call.caller.account
        assert account is not None, "the row of this door lets only persons in"
        owns = any(may is May.MANAGE for _, may in call.caller.makers.values())

        def made(sql: Connection) -> Result:
            if not owns:
                return refused(refusals.NotEligible())
            if makers.count(sql) >= MAKERS_MAX:
                return taken(f"An installation has at most {MAKERS_MAX} makers.")
            colour = asked.colour or names.COLOUR
            maker = makers.new(asked.short, asked.name, colour, call.now_ms)
            if not makers.make(sql, maker):
                return taken("This short name is another maker's. Choose another.")
            makers.join(sql, maker.id, account.id, Role.OWNER, call.now_ms)
            return maker_view(maker, May.MANAGE)

        return await self._changes.once(call, "new_maker", made, of=asked.short)

    async def maker(self, call: Call) -> Response:
        """One maker."""
        return told(maker_view(call.maker, call.caller.makers[call.maker.id][1]))

    async def change_maker(self, call: Call) -> Response:
        """Name, colour, picture. The short name stands in ids of drops and stays."""
        asked = call.read(ChangeMaker)
        fields = {"name": asked.name, "colour": asked.colour}
        wanted = {name: value for name, value in fields.items() if value is not None}
        may = call.caller.makers[call.maker.id][1]
        png = await self._pictures.drawn(asked.picture) if asked.picture else b""
        if png is None:
            raise Unfit("picture is no PNG, JPEG or WebP that can be drawn")

        def changed(sql: Connection) -> Result:
            if asked.picture is not None:
                wanted["picture"] = pictures.keep(sql, png) if png else ""
                self._pictures.made(wanted["picture"])
            makers.change(sql, call.maker.id, **wanted)
            maker = makers.by_id(sql, call.maker.id)
            assert maker is not None, "makers are never removed"
            return maker_view(maker, may)

        return await self._change(call, "change_maker", changed, of=call.maker.id)

    async def members(self, call: Call) -> Response:
        """Who belongs to the maker."""
        return told(await self._database.read(lambda sql: makers.members(sql, call.maker.id)))

    async def change_member(self, call: Call) -> Response:
        """Another role for somebody."""
        asked, whom = call.read(ChangeMember), call.named("account")
        if asked.role is Role.OWNER and call.caller.account is None:
            # As no key makes keys, none makes those who make them.
            return refused(refusals.NotEligible(), title=NO_OWNER_BY_KEY)

        def changed(sql: Connection) -> Result:
            if makers.role(sql, call.maker.id, whom) is None:
                return refused(refusals.NotFound())
            if asked.role is not Role.OWNER and makers.is_last_owner(sql, call.maker.id, whom):
                return taken(LAST_OWNER)
            makers.join(sql, call.maker.id, whom, asked.role, call.now_ms)
            return Gone(whom)

        return await self._change(call, "change_role", changed, of=whom, why=asked.why)

    async def remove_member(self, call: Call) -> Response:
        """Somebody belongs to the maker no more. The account stays."""
        whom = call.named("account")

        def removed(sql: Connection) -> Result:
            if makers.role(sql, call.maker.id, whom) is None:
                return refused(refusals.NotFound())
            if makers.is_last_owner(sql, call.maker.id, whom):
                return taken(LAST_OWNER)
            makers.leave(sql, call.maker.id, whom)
            return Gone(whom)

        return await self._change(call, "remove_member", removed, of=whom)

    async def invitations(self, call: Call) -> Response:
        """Those that can be accepted still."""
        found = await self._database.read(
            lambda sql: invitations_of(sql, call.maker.id, call.now_ms)
        )
        return told(found)

    async def invite(self, call: Call) -> Response:
        """A one-time link for somebody; its address is shown once."""
        asked = call.read(Invite)
        mail = asked.mail.strip()
        try:
            if mail:
                mail_address.check(mail)
        except ValueError:
            return refused(refusals.BadMessage("mail is no address"), title=NO_ADDRESS)

        def invited(sql: Connection) -> Result:
            if len(links.of_maker(sql, call.maker.id, call.now_ms)) >= links.PER_MAKER_MAX:
                return taken("Too many invitations wait already. Withdraw some first.")
            link, secret = links.make(
                sql,
                Kind.INVITE,
                call.now_ms,
                by=call.caller.by,
                maker=call.maker.id,
                role=asked.role,
            )
            if mail:
                name = call.maker.name
                outbox.put(sql, makers_letters.invite(link, secret, name, mail, self._by_name))
            view = _invitation_view(sql, link)
            return Once(Invited(view, links.address(self._origin, secret)), Invited(view))

        return await self._change(call, "invite", invited, of=asked.role)

    async def withdraw(self, call: Call) -> Response:
        """An invitation cannot be accepted any more."""
        wanted = call.named("invitation")

        def withdrawn(sql: Connection) -> Result:
            if not links.withdraw(sql, call.maker.id, wanted):
                return refused(refusals.NotFound())
            outbox.end(sql, call.now_ms, MAILS.c.id == makers_letters.invite_id(wanted))
            return Gone(wanted)

        return await self._change(call, "withdraw_invitation", withdrawn, of=wanted)

    async def keys(self, call: Call) -> Response:
        """Every API key, without its secret."""
        found = await self._database.read(lambda sql: api_keys.of_maker(sql, call.maker.id))
        return told([_key_view(one) for one in found])

    async def new_key(self, call: Call) -> Response:
        """A new API key; its secret is shown once."""
        asked = call.read(NewKey)

        def made(sql: Connection) -> Result:
            if len(api_keys.of_maker(sql, call.maker.id)) >= api_keys.PER_MAKER_MAX:
                return taken(f"A maker has at most {api_keys.PER_MAKER_MAX} keys.")
            key, secret = api_keys.make(
                sql, call.maker.id, asked.label, asked.scope, call.caller.by, call.now_ms
            )
            return Once(KeyMade(_key_view(key), secret), KeyMade(_key_view(key)))

        return await self._change(call, "new_key", made, of=f"{asked.label}: {asked.scope}")

    async def revoke_key(self, call: Call) -> Response:
        """A key proves nothing any more."""
        wanted = call.named("api_key")

        def revoked(sql: Connection) -> Result:
            if not api_keys.revoke(sql, call.maker.id, wanted):
                return refused(refusals.NotFound())
            return Gone(wanted)

        return await self._change(call, "revoke_key", revoked, of=wanted)

    async def audit(self, call: Call) -> Response:
        """What was done at the maker, the newest first."""
        before = call.request.query_params.get("before", "")
        rows = await self._database.read(lambda sql: audit_trail.page(sql, call.maker.id, before))
        full = len(rows) == audit_trail.PAGE_MAX
        return told(AuditPage(rows, rows[-1].id if full else ""))

    async def _change(
        self, call: Call, what: str, work: Work, *, of: str, why: str = ""
    ) -> Response:
        return await self._changes.once(call, what, work, of=of, maker=call.maker.id, why=why)


def maker_view(maker: Maker, may: May) -> MakerView:
    """A maker, and how far somebody may go there."""
    picture = f"{PLACE}{maker.picture}" if maker.picture else ""
    shown = (maker.id, maker.short, maker.name, maker.colour, picture, maker.created_ms)
    return MakerView(*shown, may.name.lower())


def invitations_of(sql: Connection, maker: str, now_ms: int) -> list[InvitationView]:
    """Those that can be accepted still, with what became of their letters."""
    return [_invitation_view(sql, one) for one in links.of_maker(sql, maker, now_ms)]


def _invitation_view(sql: Connection, link: Link) -> InvitationView:
    letter = outbox.by_id(sql, makers_letters.invite_id(link.id))
    sent = ("", "") if letter is None else (letter.reader, letter.state.value)
    return InvitationView(link.id, link.role, link.by, link.created_ms, link.ends_ms, *sent)


def _key_view(key: ApiKey) -> KeyView:
    return KeyView(key.id, key.label, key.scope, key.by, key.created_ms, key.used_ms)

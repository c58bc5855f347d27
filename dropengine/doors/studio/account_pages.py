"""The page of one's own account: what proves it, where it is signed in. Its forms go through the
doors of the API; a passkey is made by the page's script, for only a browser can.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import mail_address
from dropengine.doors import readers_zone
from dropengine.doors.studio.account_doors import NO_ADDRESS, AccountDoors, mail_view
from dropengine.doors.studio.letter_pages import FATES
from dropengine.doors.studio.panel_door import Behind, Panel, PanelCall
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.doors.studio.studio_messages import MailView
from dropengine.people import account_mails, passkeys, sessions
from dropengine.people.names import LABEL_CHARS_MAX
from dropengine.people.passkeys import Passkey
from dropengine.people.passwords import CHARS_MAX, CHARS_MIN
from dropengine.people.sessions import Session
from dropengine.sql.database import Database

ACCOUNT = "/studio/account"
UNFIT = f"The new password has {CHARS_MIN} to {CHARS_MAX} characters. Nothing was changed."
NOT_THAT = "That is not your present password. Nothing was changed."
NO_NAME = (
    f"Give the passkey a name of 1 to {LABEL_CHARS_MAX} characters, so that you know it again."
)
NO_PASSKEY = "The device made no passkey. Try again."


class AccountPages:
    """One page and its forms."""

    def __init__(self, database: Database, doors: AccountDoors) -> None:
        self._database = database
        self._doors = doors

    def routes(self, panel: Panel) -> list[Route]:
        """The page and what may be changed on it."""
        self._panel = panel
        forms: tuple[tuple[str, Behind], ...] = (
            (f"{ACCOUNT}/end-others", self.end_others),
            (f"{ACCOUNT}/password", self.password),
            (f"{ACCOUNT}/passkeys", self.add_passkey),
            (f"{ACCOUNT}/mail", self.set_mail),
            (f"{ACCOUNT}/mail/remove", self.remove_mail),
            (f"{ACCOUNT}/mail/alarms", self.hear_alarms),
            (f"{ACCOUNT}/passkeys/{{passkey}}/remove", self.remove_passkey),
        )
        return [
            panel.route("GET", ACCOUNT, self.account),
            *(panel.route("POST", path, behind) for path, behind in forms),
        ]

    async def account(self, call: PanelCall) -> Response:
        """GET /studio/account: who I am, by what I prove it, where I am signed in."""
        return await self._account(call)

    async def _lives(self, call: PanelCall, account: str) -> None:
        """His browser tells whose clocks he reads: letters tell times by them."""
        zone = readers_zone.told(call.request)
        if not zone:
            return
        had = await self._database.read(lambda sql: account_mails.of(sql, account))
        if (had.address or had.wanted) and had.zone != zone:
            await self._database.write(lambda sql: account_mails.lives(sql, account, zone))

    async def _account(
        self, call: PanelCall, status: int = 200, at: str = "", wrong: str = ""
    ) -> Response:
        """at: which form the sentence is about."""
        mine = call.caller.account
        assert mine is not None, "the panel lets in nobody without one"

        await self._lives(call, mine.id)

        def asked(sql: Connection) -> tuple[list[Session], list[Passkey], MailView]:
            known = sessions.of_account(sql, mine.id, call.now_ms)
            return known, passkeys.of_account(sql, mine.id), mail_view(sql, mine.id)

        known, keys, mail = await self._database.read(asked)
        return self._panel.page(
            call,
            "studio-account.html",
            status,
            makers=[(maker, may.name.lower()) for maker, may in call.caller.makers.values()],
            sessions=known,
            mine=call.session,
            has_password=bool(mine.password),
            passkeys=keys,
            mail=mail,
            fates=FATES,
            address_most=mail_address.CHARS_MAX,
            wrong={at: wrong} if wrong else {},
            least=CHARS_MIN,
            most=CHARS_MAX,
            label_most=LABEL_CHARS_MAX,
        )

    async def end_others(self, call: PanelCall) -> Response:
        """POST .../end-others: sign out everywhere but here."""
        await self._doors.end_others(call.asking())
        return self._panel.then(call, ACCOUNT, "You are signed out everywhere else.")

    async def password(self, call: PanelCall) -> Response:
        """POST .../password: a new one, by the present one where there is one."""
        wanted, old = call.fields.get("password", ""), call.fields.get("old", "")
        if not CHARS_MIN <= len(wanted) <= CHARS_MAX:
            return await self._account(call, 400, "password", UNFIT)
        if len(old) > CHARS_MAX:
            return await self._account(call, 403, "old", NOT_THAT)
        answer = await self._doors.password(call.asking(password=wanted, old=old))
        problem = problem_of(answer)
        if problem is not None and problem.code == "not_eligible":
            return await self._account(call, 403, "old", NOT_THAT)
        sentence = "Your password is new, and you are signed out everywhere else."
        return await self._told(call, answer, "password", sentence)

    async def add_passkey(self, call: PanelCall) -> Response:
        """POST .../passkeys: keep one that the page's script had the device make."""
        label = call.fields.get("label", "").strip()
        if not 1 <= len(label) <= LABEL_CHARS_MAX:
            return await self._account(call, 400, "passkey", NO_NAME)
        made = _credential(call.fields.get("credential", ""))
        if made is None:
            return await self._account(call, 400, "passkey", NO_PASSKEY)
        answer = await self._doors.new_passkey(call.asking(credential=made, label=label))
        return await self._told(call, answer, "passkey", "The passkey lets you in from now on.")

    async def remove_passkey(self, call: PanelCall) -> Response:
        """POST .../passkeys/{passkey}/remove: never the last proof that there is."""
        answer = await self._doors.remove_passkey(call.asking())
        problem = problem_of(answer)
        if problem is not None and problem.status == 404:
            return self._panel.missing(call)
        return await self._told(call, answer, "passkeys", "The passkey lets nobody in any more.")

    async def set_mail(self, call: PanelCall) -> Response:
        """POST .../mail: say where I am reached; a link that confirms it goes there."""
        address = call.fields.get("address", "").strip()
        if not 3 <= len(address) <= mail_address.CHARS_MAX:
            return await self._account(call, 400, "mail", NO_ADDRESS)
        answer = await self._doors.new_mail(call.asking(address=address))
        sentence = f"A letter is on its way to {address}. Open the link in it."
        return await self._told(call, answer, "mail", sentence)

    async def remove_mail(self, call: PanelCall) -> Response:
        """POST .../mail/remove."""
        answer = await self._doors.remove_mail(call.asking())
        return await self._told(call, answer, "mail", "No letter reaches you any more.")

    async def hear_alarms(self, call: PanelCall) -> Response:
        """POST .../mail/alarms."""
        alarms = call.fields.get("alarms", "") == "yes"
        answer = await self._doors.hear_alarms(call.asking(alarms=alarms))
        sentence = "You are told of alarms." if alarms else "You are told of no alarms."
        return await self._told(call, answer, "mail", sentence)

    async def _told(self, call: PanelCall, answer: Response, at: str, sentence: str) -> Response:
        problem = problem_of(answer)
        if problem is not None:
            told = problem.title if problem.code != "bad_message" else problem.detail
            return await self._account(call, problem.status, at, told)
        return self._panel.then(call, ACCOUNT, sentence)


def _credential(text: str) -> dict[str, Any] | None:
    """What the script wrote into the form."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None

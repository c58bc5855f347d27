"""Where a maker is paid by transfer: only those who manage it see and change that."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import BANK
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.doors.studio.studio_messages import Gone
from dropengine.people import bank_accounts
from dropengine.sql.database import Database


class BankPages:
    """One page, and its form."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def routes(self, panel: Panel) -> list[Route]:
        """Reading and changing."""
        self._panel = panel
        return [panel.route("GET", BANK, self.account), panel.route("POST", BANK, self.change)]

    async def account(self, call: PanelCall) -> Response:
        """GET /studio/makers/{maker}/bank."""
        maker = call.maker.id
        found = await self._database.read(lambda sql: bank_accounts.of(sql, maker))
        typed = {"name": "", "iban": "", "bic": ""}
        if found is not None:
            typed = {"name": found.name, "iban": found.written, "bic": found.bic}
        return self._page(call, typed)

    async def change(self, call: PanelCall) -> Response:
        """POST /studio/makers/{maker}/bank: from now on, or with no field filled in nowhere."""
        typed = {name: call.fields.get(name, "").strip() for name in ("name", "iban", "bic")}
        account, maker = None, call.maker.id
        if any(typed.values()):
            try:
                account = bank_accounts.read(**typed)
            except ValueError as fault:
                return self._page(call, typed, str(fault), 400)

        def work(sql: Connection) -> Gone:
            bank_accounts.keep(sql, maker, account, call.caller.by, call.now_ms)
            return Gone(maker)

        # The account itself does not stand in the trail.
        answer = await self._changes.once(
            call.asking(**typed), "bank account", work, of=maker, maker=maker
        )
        problem = problem_of(answer)
        if problem is not None:
            return self._page(call, typed, f"{problem.title} {problem.detail}".strip(), 409)
        said = "Fans pay to this account from now on." if account else "No account is kept."
        return self._panel.then(call, BANK.format(maker=maker), said)

    def _page(
        self, call: PanelCall, typed: dict[str, str], wrong: str = "", status: int = 200
    ) -> Response:
        shown: dict[str, Any] = {"typed": typed, "wrong": wrong, "at": call.maker}
        return self._panel.page(call, "studio-bank.html", status, **shown)

"""The creators' side put together: its objects, its routes."""

from __future__ import annotations

from typing import Protocol

from starlette.routing import Route, WebSocketRoute

from dropengine.config import Settings, chain_of, public_url
from dropengine.doors.access import STUDIO_SOCKET
from dropengine.doors.identity import Identity
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.rate_limit import SocketLimit
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.studio.account_doors import AccountDoors
from dropengine.doors.studio.account_pages import AccountPages
from dropengine.doors.studio.answer_pages import AnswerPages
from dropengine.doors.studio.bank_pages import BankPages
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.cohort_doors import CohortDoors
from dropengine.doors.studio.cohort_pages import CohortPages
from dropengine.doors.studio.coming_in import ComingIn
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.desks import Desks
from dropengine.doors.studio.draft_fields import field_name
from dropengine.doors.studio.draft_pages import DraftPages
from dropengine.doors.studio.drop_doors import DropDoors
from dropengine.doors.studio.drop_pages import DropPages
from dropengine.doors.studio.duty_pages import DutyPages
from dropengine.doors.studio.game_doors import GameDoors
from dropengine.doors.studio.game_pages import GamePages
from dropengine.doors.studio.hand_pages import Deps as HandDeps
from dropengine.doors.studio.hand_pages import HandPages
from dropengine.doors.studio.home_pages import HomePages
from dropengine.doors.studio.letter_pages import LetterPages
from dropengine.doors.studio.mail_pages import MailPages
from dropengine.doors.studio.maker_doors import MakerDoors
from dropengine.doors.studio.maker_pictures import MakerPictures
from dropengine.doors.studio.money_pages import MoneyPages
from dropengine.doors.studio.night_pages import NightPages
from dropengine.doors.studio.order_pages import OrderPages
from dropengine.doors.studio.panel_door import Panel
from dropengine.doors.studio.people_pages import PeoplePages
from dropengine.doors.studio.publish_doors import PublishDoors
from dropengine.doors.studio.publish_pages import PublishPages
from dropengine.doors.studio.refund_pages import RefundPages
from dropengine.doors.studio.rehearsal_pages import RehearsalPages
from dropengine.doors.studio.report_door import ReportDoor
from dropengine.doors.studio.report_pages import ReportPages
from dropengine.doors.studio.said import Said
from dropengine.doors.studio.shop_pages import Deps as ShopDeps
from dropengine.doors.studio.shop_pages import ShopPages
from dropengine.doors.studio.sign_in_doors import SignInDoors
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_door import Doors
from dropengine.doors.studio.studio_pages import StudioPages
from dropengine.doors.studio.studio_socket import StudioSocket
from dropengine.doors.studio.thing_pictures import ThingPictures
from dropengine.live.hub import Hub
from dropengine.model import ShopId
from dropengine.people.passwords import Passwords
from dropengine.sql.database import Database
from dropengine.truth.store import Store


class Deps(ShopDeps, HandDeps, Protocol):
    """What the studio needs of the web process. `secret`: the shop's key."""

    @property
    def store(self) -> Store: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def passwords(self) -> Passwords: ...
    @property
    def things(self) -> ShownThings: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def shop(self) -> ShopId: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def desks(self) -> Desks: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """Every door of the studio, and its pages."""
    store, database = deps.store, deps.database
    origin = public_url(deps.settings)
    cookies = StudioCookies(deps.shop, secure=deps.identity.secure)
    coming_in = ComingIn(deps, cookies, deps.secret)
    changes = Changes(database, deps.secret)
    doors = Doors(database, deps.identity, cookies, deps.settings.proof_s_max)
    pictures = MakerPictures(database)
    accounts = AccountDoors(database, changes, coming_in, cookies, deps.passwords, origin)
    maker_doors = MakerDoors(database, changes, pictures, origin)
    drops = DropDoors(store, database, origin)
    chain = chain_of(deps.settings)
    publishing = PublishDoors(store, database, changes, origin, chain)
    commands = CommandDoors(store, changes)
    cohorts = CohortDoors(store, database, changes, deps.secret)
    games = GameDoors(store, database, changes)
    subjects = (
        SignInDoors(coming_in, cookies, database),
        accounts,
        maker_doors,
        drops,
        publishing,
        commands,
        cohorts,
        games,
        ReportDoor(database),
    )
    found = [route for subject in subjects for route in subject.routes(doors)]
    said = Said(deps.secret, deps.shop, secure=deps.identity.secure)
    panel = Panel(database, cookies, said, writer, deps.settings.proof_s_max, deps.desks)
    writer.filters["field_name"] = field_name
    things = deps.things
    drafts = DraftPages(store, database, ThingPictures(database, things.pictures), chain)
    shown = (
        *StudioPages(database, coming_in, cookies, writer).routes(),
        *MailPages(database, coming_in, writer, origin).routes(),
        *HomePages(database, drops, things).routes(panel),
        *AccountPages(database, accounts).routes(panel),
        *PeoplePages(database, maker_doors).routes(panel),
        *drafts.routes(panel),
        *PublishPages(database, deps.store, drafts, publishing, things, origin).routes(panel),
        *DropPages(deps, commands, drafts, origin).routes(panel),
        *NightPages(store, commands, deps.desks, origin).routes(panel),
        *CohortPages(store, database, cohorts, origin).routes(panel),
        *GamePages(store, database, games, origin).routes(panel),
        *ReportPages(store, database, origin).routes(panel),
        *RehearsalPages(store, database).routes(panel),
        *MoneyPages(store, database, origin).routes(panel),
        *DutyPages(store, commands, origin).routes(panel),
        *HandPages(deps, commands, changes, origin).routes(panel),
        *BankPages(database, changes).routes(panel),
        *LetterPages(database, deps.settings).routes(panel),
        *ShopPages(deps, database).routes(panel),
        *AnswerPages(store, database, changes, origin).routes(panel),
        *RefundPages(store, database, commands, origin).routes(panel),
        *OrderPages(store, database, changes, origin).routes(panel),
    )
    return [*found, *shown, *pictures.routes(), *things.routes()]


def socket(deps: Deps, limit: SocketLimit) -> WebSocketRoute:
    """The operators' socket of a drop. limit: it is one of all sockets."""
    cookies = StudioCookies(deps.shop, secure=deps.identity.secure)
    door = StudioSocket(deps.hub, deps.identity, limit, deps.database, cookies, deps.desks)
    return WebSocketRoute(STUDIO_SOCKET, door)

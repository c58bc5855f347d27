"""The doors of a list that chance orders: with how many tickets one enters it, when it is over, and
the file by which anybody computes its order anew."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import websockets
from sqlalchemy import Connection, select
from websockets.typing import Origin, Subprotocol

from dropengine.log.draw import sheet
from dropengine.model import DropId
from dropengine.people import makers, persons
from dropengine.sql.schema.persons import PERSONS
from tests.kit import persons as fans
from tests.kit import web_process
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.persons import Shop, address
from tests.kit.sale import Sale
from tests.people.test_draw_losses_in_sql import draw, stood

server = web_process.server
shop = fans.shop


async def enters(shop: Shop) -> Sale:
    """The list of a draw for people who are known: two pins, up to three tickets."""
    sale = await shop.sale()
    sale = Sale(sale.store, f"{sale.drop}-drawn", now=0)
    told = in_mode(manifest(sale.drop, item("pin", {"pin": 2})), "draw", 3)
    await sale.publish(msgspec.structs.replace(told, identity="verified", guests_may_enter=False))
    await sale.creator("open")
    return sale


async def went_away_empty(shop: Shop, mailbox: str, times: int) -> None:
    def lived(sql: Connection) -> None:
        whose = select(PERSONS.c.id).where(PERSONS.c.address == mailbox)
        found = persons.by_id(sql, sql.execute(whose).scalar_one())
        maker = makers.first(sql)
        if maker is None:
            maker = makers.new("mia", "Mia", "#112233", 1)
            makers.make(sql, maker)
        assert found is not None
        for n in range(times):
            drop = DropId(f"{found.id}-{n}".lower())
            draw(sql, drop, maker)
            stood(sql, found, drop)

    await shop.web.runtime.database.write(lived)


async def test_who_went_away_empty_enters_a_draw_with_more_tickets(shop: Shop) -> None:
    """Over the socket and without one; then its order is there for everybody, and the drop tells
    how far it has called."""
    sale = await enters(shop)
    async with shop.browser() as ana, shop.browser() as ben, shop.browser() as nobody:
        for one, times in ((ana, 2), (ben, 5)):
            mailbox = address("ana")
            await one.sign_in(mailbox)
            await went_away_empty(shop, mailbox, times)
        pressed = await ana.press(sale)
        seals_ms = pressed.json()["when_ms"]
        assert (pressed.status_code, pressed.json()["code"]) == (409, "not_open")
        assert seals_ms > time.time() * 1000
        joined = await ana.press(sale, "join", pools=["pin"], nonce="ab" * 16, key="once")
        assert joined.status_code == 200, joined.text
        assert (await ana.press(sale, "join", pools=["pin"], nonce="ab" * 16, key="once")).json()[
            "entry"
        ] == joined.json()["entry"]
        (entry,) = (await ana.you(sale))["entries"]
        assert (entry["n"], entry["tickets"], entry["pools"], entry["lines"]) == (0, 3, ["pin"], [])

        headers = {"cookie": "; ".join(f"{c.name}={c.value}" for c in ben.http.cookies.jar)}
        async with websockets.connect(
            f"{shop.web.url.replace('http', 'ws')}/drops/{sale.drop}/live",
            additional_headers=headers,
            origin=Origin(shop.web.url),
            subprotocols=[Subprotocol("drop.v1")],
        ) as socket:
            drop = json.loads(await socket.recv())["drop"]
            assert (drop["chance"]["tickets_most"], drop["listed"]["entries"]) == (3, 1)
            assert drop["listed"]["seals_ms"] == seals_ms
            await socket.send('{"t":"join","id":1,"key":"k1","pools":["pin"]}')
            while (said := json.loads(await socket.recv()))["t"] != "done":
                assert said["t"] != "refused", said
            # Whatever he lost, no more than the rules allow.
            assert (await ben.you(sale))["entries"][0]["tickets"] == 3

            assert (await nobody.get(f"/drops/{sale.drop}/order.json")).status_code == 404
            await sale.creator("seal")
            while json.loads(await socket.recv()).get("state") != "ordering":
                pass
            late = await ben.press(sale, "join", pools=["pin"], key="late")
            assert (late.json()["code"], late.json()["detail"]) == (
                "not_open",
                "The list is closed. Chance is putting it in an order.",
            )
            right = await sale.in_order()
            listed: dict[str, Any] = {}
            while listed.get("won") != 2:
                listed = json.loads(await socket.recv()).get("listed", listed)
            assert (listed["entries"], listed["placed"], listed["called"]) == (2, 2, 2)
        answer = await nobody.get(f"/drops/{sale.drop}/order.json")
        told = sheet.read(answer.content)
        assert [finding.kept for finding in sheet.findings(told)] == [True, True, True]
        assert (told.order, told.root) == (right, listed["root"])

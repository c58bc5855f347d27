"""A drop in early access at its doors: who is listed, who has a code, and who reads when."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import Connection

from dropengine.catalogue import ENGLISH
from dropengine.people import cohorts
from dropengine.people.addresses import AddressNames
from tests.kit import persons, web_process
from tests.kit.manifests import early, item, manifest
from tests.kit.persons import Browser, Shop, address
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S

server = web_process.server
shop = persons.shop


async def opened(shop: Shop, name: str) -> Sale:
    """Open to its club alone, by list and by codes."""
    sale = Sale(shop.web.runtime.store, name, now=0)
    told = early(manifest(name, item("pin", {"pin": 9})), club=9)
    club = msgspec.structs.replace(told.cohorts[0], codes=True)
    await sale.publish(msgspec.structs.replace(told, identity="verified", cohorts=(club,)))
    await sale.creator("open")
    return sale


async def come(browser: Browser, sale: Sale, **said: str) -> tuple[int, dict[str, Any]]:
    answer = await browser.http.post(f"/api/drops/{sale.drop}/early", json=said)
    return answer.status_code, answer.json()


async def test_whose_address_is_listed_comes_in_by_opening_the_page(shop: Shop) -> None:
    sale, his, others = await opened(shop, "early-list"), address(), address("ben")
    names = AddressNames(shop.web.runtime.secret)

    def listed(sql: Connection) -> None:
        cohorts.put(sql, names, sale.drop, "club", [his.upper()], 1)

    await shop.web.runtime.database.write(listed)
    async with shop.browser() as ana, shop.browser() as ben:
        await ana.sign_in(his)
        await ben.sign_in(others)
        for browser in (ana, ben):
            assert (await browser.get(f"/drops/{sale.drop}")).status_code == 200
        async with asyncio.timeout(LONG_S):
            while "cohorts" not in (you := await ana.you(sale)):  # noqa: ASYNC110 - a state, not an event
                await asyncio.sleep(0.01)
        assert you["cohorts"] == ["club"]
        assert (await ana.press(sale)).status_code == 200
        refused = await ben.press(sale)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_eligible")
        assert refused.json()["when_ms"] == 0
        assert refused.json()["detail"] == ENGLISH("early_access.not_yet")
        assert await come(ben, sale) == (200, {"cohorts": []})
    drop = (await shop.web.runtime.hub.snapshot(sale.drop, None)).drop  # type: ignore[union-attr]
    assert (drop.early.lasts, drop.early.public_ms) == (True, 0)  # type: ignore[union-attr]
    assert [(one.id, one.most) for one in drop.cohorts] == [("club", {"pin": 9})]


async def test_a_code_lets_in_the_first_person_who_says_it_and_nobody_else(shop: Shop) -> None:
    sale = await opened(shop, "early-code")

    def made(sql: Connection) -> str:
        (code,) = cohorts.make_codes(sql, sale.drop, "club", 1, 1)
        return cohorts.spelled(code)

    code = await shop.web.runtime.database.write(made)
    async with shop.browser() as ana, shop.browser() as ben, shop.browser() as guest:
        await guest.get(f"/drops/{sale.drop}")
        status, told = await come(guest, sale, code=code)
        assert (status, told["code"]) == (401, "sign_in")
        await ana.sign_in(address())
        await ben.sign_in(address("ben"))
        status, told = await come(ana, sale, code="not-a-code")
        assert (status, told["code"]) == (404, "not_found")
        # A double click, and both at once.
        said = await asyncio.gather(*(come(one, sale, code=code) for one in (ana, ben, ana)))
        assert said[0] == said[2]
        assert sorted(status for status, _ in said[:2]) == [200, 409]
        winner, other = (ana, ben) if said[0][0] == 200 else (ben, ana)
        assert await come(winner, sale, code=code) == (200, {"cohorts": ["club"]})
        assert (await come(other, sale, code=code))[1]["code"] == "code_used"
        assert (await winner.press(sale)).status_code == 200
        assert (await other.press(sale)).status_code == 403
        # On any of his devices.
        await sale.creator("widen")
        assert (await other.press(sale)).status_code == 200


async def test_a_drop_without_cohorts_has_nothing_to_come_into(shop: Shop) -> None:
    sale = await shop.sale("verified")
    async with shop.browser() as ana:
        await ana.sign_in(address())
        await ana.get(f"/drops/{sale.drop}")
        assert (await come(ana, sale))[0] == 404

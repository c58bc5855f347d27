"""The money of a drop in the studio, and its journal."""

from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal

from dropengine.jobs.ledger.money import COLUMNS
from dropengine.payments.fees import Fees
from dropengine.payments.port import Charged, Kept
from tests.doors.studio.test_night import told
from tests.doors.studio.test_orders import booked
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


async def test_the_money_is_told_by_provider_and_its_journal_is_balanced(studio: Studio) -> None:
    sale = await studio.web.sale(item("pin", {"pin": 60}), limit=5)
    path = f"/studio/drops/{sale.drop}/money"
    async with studio.person("cyd") as cyd, studio.person("dan") as dan:
        assert "Nobody has bought anything yet." in told(await cyd.http.get(path))
        for number, fan in enumerate(("ana", "ben", "cleo"), 1):
            hold = await sale.held(fan, qty=2)
            await sale.pay(fan, hold, provider="local" if fan != "cleo" else "")
            await sale.succeeded(f"p{number}", captured=True)
            if fan == "ana":
                await sale.store.refund(sale.drop, hold, by="o1", key=key(), serials=(2,))
        await sale.charged_back("p2", 4800)
        await booked(studio, sale)
        paid = Charged("at_1", 4800, "EUR", captured=True, fee=97, taken=4800)
        told_now = [Kept("intent", sale.drop, "p3", paid)]
        await Fees(studio.web.runtime.database).note("local", told_now, 1_800_000_000_000)
        page = told(await cyd.http.get(path))
        assert "Authorised €96.00" in page
        assert "Refunded €24.00" in page
        assert "Charged back €48.00" in page
        assert "now €24.00" in page
        assert "now €48.00 Fees of the provider €0.97 Left after fees €47.03" in page
        file = await cyd.http.get(f"{path}.csv")
        assert file.headers["content-disposition"].startswith("attachment;")
        rows = [*csv.DictReader(io.StringIO(file.text))]
        assert tuple(rows[0]) == COLUMNS
        left: Counter[str] = Counter()
        for row in rows:
            left[row["document"]] += int(100 * (Decimal(row["debit"]) - Decimal(row["credit"])))
        assert set(left.values()) == {0}
        sold = [row for row in rows if row["account"] == "sales"]
        assert sum(Decimal(row["credit"]) - Decimal(row["debit"]) for row in sold) == 120
        (fee,) = [row for row in rows if row["account"] == "fees"]
        assert (fee["document"], fee["debit"]) == (f"{sale.drop} p3:fee", "0.97")
        for there in (path, f"{path}.csv"):
            assert (await dan.http.get(there)).status_code == 404

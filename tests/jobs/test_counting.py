"""What no event tells is counted by each worker and written once a minute."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs import counting
from dropengine.jobs.counting import Counting, channel
from dropengine.model import FanId
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ARRIVALS, COUNTED
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, settings

Counts = dict[tuple[str, str], int]


class Minutes:
    """A clock in hand."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms

    def over(self) -> None:
        self.now_ms += counting.MINUTE_MS


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path)) as one:
        yield one


@pytest.fixture
def minutes() -> Minutes:
    return Minutes()


@pytest.fixture
def count(web: WebProcess, database: Database, minutes: Minutes) -> Counting:
    return Counting(web.runtime.hub, database, clock_ms=minutes)


async def counts(database: Database, drop: str) -> Counts:
    columns = (COUNTED.c.what, COUNTED.c.name, COUNTED.c.count)
    asked = sa.select(*columns).where(COUNTED.c.drop_id == drop)
    rows = await database.read(lambda connection: connection.execute(asked).fetchall())
    return {(what, name): count for what, name, count in rows}


async def arrivals(database: Database) -> dict[str, str]:
    asked = sa.select(ARRIVALS.c.fan, ARRIVALS.c.via)
    rows = await database.read(lambda connection: connection.execute(asked).fetchall())
    return {row.fan: row.via for row in rows}


async def sold_out(web: WebProcess) -> Sale:
    sale = await web.sale(item("pin", {"pin": 1}))
    await sale.held("first")
    return sale


async def test_refusals_are_counted_by_code_whichever_way_they_came(
    web: WebProcess, count: Counting, minutes: Minutes, database: Database
) -> None:
    sale = await sold_out(web)
    _, ticket = web.ticket()
    async with web.http(ticket) as http:
        for _ in range(2):
            answer = await http.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin", "qty": 1})
            assert answer.json()["code"] == "all_held"
    async with web.fan(sale.drop) as fan:
        await fan.ask("hold", pool="pin", qty=1)
        await fan.ask("hold", pool="nowhere", qty=1)
        await fan.ask("pay", holds=["h99"])
        await count.round()
        assert await counts(database, sale.drop) == {}
        minutes.over()
        await count.round()
    assert await counts(database, sale.drop) == {
        ("refused", "all_held"): 3,
        ("refused", "not_found"): 2,
        ("watchers", ""): 1,
    }
    # The next minute begins at nothing.
    minutes.over()
    await count.round()
    assert sum((await counts(database, sale.drop)).values()) == 6


async def test_what_sql_may_not_have_heard_of_is_told_again_and_counts_once(
    web: WebProcess,
    count: Counting,
    minutes: Minutes,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sale = await sold_out(web)
    count.arrived(sale.drop, FanId("ana"), "")
    web.runtime.hub.refused[sale.drop]["sold_out"] += 4
    write = database.write

    async def unknown(*args: object) -> None:
        await write(*args)  # type: ignore[arg-type]
        raise DatabaseAway("SQL is away: no answer.")

    monkeypatch.setattr(database, "write", unknown)
    minutes.over()
    with pytest.raises(DatabaseAway):
        await count.round()
    monkeypatch.undo()
    await count.round()
    assert await counts(database, sale.drop) == {("refused", "sold_out"): 4}
    assert await arrivals(database) == {"ana": ""}


async def test_only_so_much_waits_while_sql_is_away(
    web: WebProcess,
    count: Counting,
    minutes: Minutes,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("SQL is away.")

    monkeypatch.setattr(counting, "ROWS_MAX", 3)
    monkeypatch.setattr(counting, "ARRIVALS_MAX", 2)
    monkeypatch.setattr(database, "write", away)
    sale = await sold_out(web)
    for number in range(5):
        count.arrived(sale.drop, FanId(f"fan{number}"), "")
        web.runtime.hub.refused[sale.drop][f"code{number}"] += 1
    minutes.over()
    with pytest.raises(DatabaseAway):
        await count.round()
    monkeypatch.undo()
    await count.round()
    assert len(await counts(database, sale.drop)) == 3
    assert len(await arrivals(database)) == 2


async def test_a_page_counts_whom_it_let_in_once_with_the_channel_that_brought_him(
    server: Server, sql_settings: Settings, tmp_path: Path, database: Database
) -> None:
    conf = settings(server.url, tmp_path, database_url=sql_settings.database_url)
    async with front(conf) as web:
        sale = await web.sale()
        for via in ("letter", "", "wall%20%20of%20text" * 20):
            async with web.http() as http:
                page = f"/drops/{sale.drop}"
                assert (await http.get(f"{page}?via={via}")).status_code == 200
                await http.get(f"{page}?via=later")
                assert (await http.get("/drops/nowhere?via=letter")).status_code == 404
    # Its end wrote what was counted by then.
    assert sorted((await arrivals(database)).values()) == ["", "", "letter"]


@pytest.mark.parametrize(
    ("via", "is_"),
    [("news-1_a.b", "news-1_a.b"), ("", ""), ("a b", ""), ("x" * 33, ""), ("a\n", ""), ("é", "")],
)
def test_a_channel_is_a_short_plain_word(via: str, is_: str) -> None:
    assert channel(via) == is_

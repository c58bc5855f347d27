"""New tickets are paced by the network they are asked from; who has one is never stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from dropengine.doors.newcomers import EACH_MAX, Newcomers
from dropengine.errors import Unavailable
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import SECRET, WebProcess, settings

server = web_process.server

HOUR_MS = 3_600_000


def newcomers(store: Store, at_once: int) -> Newcomers:
    conf = settings("unix:///nowhere", Path(), tickets_at_once_max=at_once, ticket_each_ms=HOUR_MS)
    return Newcomers(store, conf, SECRET.encode())


async def from_each(one: Newcomers, hosts: list[str]) -> list[bool]:
    """Who was let in at once."""
    return [await one.wait_ms((host, 1)) == 0 for host in hosts]


@pytest.fixture(autouse=True)
async def nobody_was_here(store: Store) -> None:
    await store.client.flushall()


@pytest.mark.parametrize(
    ("hosts", "let_in"),
    [
        (["192.0.2.1"] * 3, [True, True, False]),
        (["192.0.2.1", "192.0.2.2"] * 3, [True] * 4 + [False] * 2),
        ([f"192.0.2.{n}" for n in range(10)], [True] * 8 + [False] * 2),
        ([f"192.0.{n}.1" for n in range(10)], [True] * 10),
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"], [True, True, False]),
        ([f"2001:db8:0:{n:x}::1" for n in range(10)], [True] * 8 + [False] * 2),
        ([f"2001:db8:{n:x}::1" for n in range(10)], [True] * 10),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], [True, True, False]),
    ],
    ids=["address", "neighbours", "v4 /24", "v4 far", "v6 /64", "v6 /48", "v6 far", "v4 in v6"],
)
async def test_a_network_and_the_one_around_it_are_counted(
    store: Store, hosts: list[str], let_in: list[bool]
) -> None:
    assert await from_each(newcomers(store, 2), hosts) == let_in


async def test_callers_without_an_address_are_one_network(store: Store) -> None:
    one = newcomers(store, 1)
    assert await one.wait_ms(None) == 0
    assert 0 < await one.wait_ms(None) <= HOUR_MS


async def test_nobody_is_counted_where_there_is_no_limit(store: Store) -> None:
    assert await from_each(newcomers(store, 0), ["192.0.2.1"] * 50) == [True] * 50
    assert await store.client.keys("*") == []


async def test_no_address_can_be_read_in_what_is_kept(store: Store) -> None:
    await newcomers(store, 2).wait_ms(("192.0.2.77", 1))
    names = [name.decode() for name in await store.client.keys("*")]
    assert len(names) == 2
    assert all(name.startswith(store.house.keys.tickets("")) for name in names)
    # Nor found by trying them all, for those who lack the shop's secret.
    conf = settings("unix:///nowhere", Path(), tickets_at_once_max=2, ticket_each_ms=HOUR_MS)
    await Newcomers(store, conf, b"another secret").wait_ms(("192.0.2.77", 1))
    assert len(await store.client.keys("*")) == 4


async def test_beyond_it_the_page_is_a_watchers_and_old_tickets_are_good(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(server.url, tmp_path, tickets_at_once_max=2, ticket_each_ms=HOUR_MS)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        where = f"/drops/{sale.drop}"
        async with web.http() as http:
            pages = []
            for _ in range(4):
                http.cookies.clear()
                pages.append(await http.get(where))
        assert [page.status_code for page in pages] == [200] * 4
        assert ["set-cookie" in page.headers for page in pages] == [True, True, False, False]
        assert ["retry-after" in page.headers for page in pages] == [False, False, True, True]
        # An hour less the time that passed meanwhile.
        assert 3_000 < int(pages[-1].headers["retry-after"]) <= 3_600
        assert '"you":null' in pages[2].text
        await an_old_ticket_is_good(web, sale.drop, pages[0].headers["set-cookie"])


async def an_old_ticket_is_good(web: WebProcess, drop: str, cookie: str) -> None:
    ticket = cookie.partition("=")[2].partition(";")[0]
    async with web.http(ticket) as http:
        for _ in range(20):
            page = await http.get(f"/drops/{drop}")
            assert "retry-after" not in page.headers
            assert '"you":null' not in page.text
        answer = await http.post(f"/api/drops/{drop}/hold", json={"pool": "pin"})
        assert answer.status_code == 200


async def test_two_workers_count_together(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path, tickets_at_once_max=3, ticket_each_ms=HOUR_MS)
    async with web_process.front(conf) as one, web_process.front(conf) as other:
        sale = await one.sale()
        given = 0
        for web in (one, other) * 4:
            async with web.http() as http:
                given += "set-cookie" in (await http.get(f"/drops/{sale.drop}")).headers
        assert given == 3


async def test_a_crowd_is_asked_about_at_once(store: Store) -> None:
    one, house = newcomers(store, 10_000), store.house
    asked, admit = [], house.admit

    async def counting(
        networks: Sequence[tuple[str, str]], at_once: int, each_us: int
    ) -> list[int]:
        asked.append(len(networks))
        return await admit(networks, at_once, each_us)

    house.admit = counting  # type: ignore[method-assign]
    crowd = [one.wait_ms((f"10.{n // 250}.{n % 250}.1", 1)) for n in range(1_000)]
    assert set(await asyncio.gather(*crowd)) == {0}
    assert asked == [EACH_MAX, EACH_MAX, EACH_MAX, 1_000 - 3 * EACH_MAX]


async def test_a_crowd_at_a_server_that_is_away_is_told_so_one_and_all() -> None:
    one = newcomers(Store.connect("unix:///nowhere.sock"), 10)
    crowd = [one.wait_ms((f"10.0.{n}.1", 1)) for n in range(20)]
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}


async def test_who_leaves_meanwhile_keeps_nobody_waiting(store: Store) -> None:
    one = newcomers(store, 10)
    gone = asyncio.ensure_future(one.wait_ms(("10.1.1.1", 1)))
    stays = asyncio.ensure_future(one.wait_ms(("10.1.2.1", 1)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 0

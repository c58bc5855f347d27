"""A shop that names a beacon of its own, and a maker who tries last entries there: through the
list, the job that orders it, the server that tells the round, and the log that a stranger reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import msgspec
import pytest

from dropengine import config
from dropengine.cli import main
from dropengine.jobs.beacon_rounds import BeaconRounds
from dropengine.jobs.drawing import Drawing
from dropengine.jobs.revealing import Revealing
from dropengine.live.views import chance_view
from dropengine.log.draw.sheet import findings
from dropengine.log.draw.told import sheet_of
from dropengine.log.referee import judge
from dropengine.randomness import LATE_MS, BeaconRound, Source
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.chances import at_least_p
from tests.kit.grinding import Foresight, grind, hoping, knowing
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.own_beacon import BeaconServer, OwnBeacon
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import Clock, serving

DRAWS = 60
BY_SECRET = 5
"""Draws of the control: he always wins."""
SEED = 7
HONEST, UNITS = 19, 2
SHARE = UNITS / (HONEST + 1)
TRIES_MAX = 500


class Shop:
    """Its settings name the beacon and who tells its rounds; only the clock is the test's."""

    def __init__(self, store: Store, database: Database, beacon: OwnBeacon, url: str) -> None:
        told = {"DROPENGINE_BEACON_CHAIN": beacon.info(), "DROPENGINE_BEACON_URLS": url}
        self.settings, _ = config.load({}, told, None)
        self.chain = config.chain_of(self.settings)
        self.store, self.database = store, database
        self.clock = Clock(self.chain.due_ms(5_000_000))
        self.rounds = BeaconRounds(self.settings.beacon_urls)
        self.drawing = Drawing(store, Revealing(database, self.rounds, self.clock))

    async def sealed(
        self, number: int, foresees: Callable[[Source, bytes | None], Foresight], **named: int
    ) -> tuple[Sale, str]:
        """A list in which the maker's last entry is the one that he likes best; its name."""
        drawn = Random(number)
        sale = Sale(self.store, f"own-{number}", now=self.clock())
        text = in_mode(manifest(sale.drop, item("pin", {"pin": UNITS}), limit=1), "lobby")
        text = msgspec.structs.replace(text, **named)
        assert draw_secrets.fault_in_chance(text, self.chain) == ""

        source = await self.database.write(
            lambda sql: draw_secrets.named(sql, text, self.chain, self.clock())
        )
        assert source is not None
        sale.chance = source
        await sale.publish(text)
        await sale.creator("open")
        for n in range(HONEST):
            await sale.entered(f"fan-{n}", nonce=drawn.randbytes(16).hex())
        secret = await self.database.read(lambda sql: draw_secrets.of(sql, sale.drop))
        honest, puppet = (await sale.sealed()).entries, f"e{HONEST + 1}"
        ground = grind(
            honest, UNITS, foresees(source, secret), tries_max=TRIES_MAX, seed=number, puppet=puppet
        )
        assert ground.foreseen
        nonce = ground.sealed.entries[-1].nonce.hex()
        assert await sale.entered("puppet", nonce=nonce) == [puppet]
        await sale.creator("seal")
        assert (await sale.sealed()).root == ground.sealed.root
        return sale, puppet

    async def lines(self, sale: Sale) -> list[bytes]:
        return [line async for line in self.store.log(sale.drop)]


@pytest.mark.parametrize("sql_settings", ["sqlite"], indirect=True)
async def test_a_ground_puppet_wins_its_share_by_the_beacon_that_a_shop_names_and_no_more(
    store: Store, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beacon = OwnBeacon()
    server = BeaconServer(beacon, newest=0)
    async with AsyncExitStack() as stack:
        shop = Shop(store, database, beacon, await stack.enter_async_context(serving(server.app)))
        stack.push_async_callback(shop.rounds.close)
        for number in range(BY_SECRET):
            sale, puppet = await shop.sealed(number, lambda _, secret: knowing(secret or b""))
            assert await shop.drawing.do(sale.drop)
            assert puppet in sheet_of(await shop.lines(sale)).order[:UNITS]

        won, lines, sheets = 0, [], []
        for number in range(BY_SECRET, BY_SECRET + DRAWS):
            before = server.newest = shop.chain.first_from(shop.clock())
            counts = shop.chain.first_from(shop.clock() + LATE_MS)
            # The best that he has at the seal is the newest round that is known.
            sale, puppet = await shop.sealed(
                number, lambda *_, at=before: hoping(beacon, at), beacon_round=counts
            )
            assert not await shop.drawing.do(sale.drop), "nobody can know the round yet"
            shop.clock.pass_ms(LATE_MS)
            server.newest = counts
            assert await shop.drawing.do(sale.drop)
            lines = await shop.lines(sale)
            sheets.append(sheet_of(lines))
            won += puppet in sheets[-1].order[:UNITS]
        assert judge(lines).violations == []

    assert won > 0
    assert at_least_p(won, DRAWS, SHARE) > 0.01
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert shown.chance is not None
    view = chance_view(shown.manifest, shown.chance, 0)
    assert (view.beacon, view.round, view.own) == ("tests", counts, True)

    log = tmp_path / "log.ndjson"
    log.write_bytes(b"\n".join(lines))
    assert main.main(["verify", str(log)]) == 0
    assert "of tests, a chain that the shop named itself, due 30 s" in capsys.readouterr().out
    # With another key it is another chain, whatever hash it is given.
    other = OwnBeacon(secret=5).chain.named(counts)
    assert isinstance(sheets[-1].randomness, BeaconRound)
    for doctored in (msgspec.structs.replace(sheets[-1].randomness, own=other.own), other):
        told = msgspec.structs.replace(sheets[-1], randomness=doctored)
        assert [one.kept for one in findings(told)] == [True, False]
    right, wrong = (one.chain.public_key.hex().encode() for one in (beacon, OwnBeacon(secret=5)))
    found = judge([line.replace(right, wrong) for line in lines]).violations
    assert "the chain that is told does not have the hash" in found[0].sentence

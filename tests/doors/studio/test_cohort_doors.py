"""Creators say who may buy before a drop is open to all, by the API and on the shop's machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dropengine.cli import main
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import MANIFEST, Hand, Studio, new_drop

server = web_process.server
studio = studio_kit.studio

CLUB = """
[[cohorts]]
id = "club"
title = "Members"
units = 4
listed = true
codes = true
"""


async def published(studio: Studio, hand: Hand) -> str:
    drop = new_drop()
    text = MANIFEST.format(drop=drop).replace("limit = 3", 'limit = 3\nidentity = "verified"')
    where = f"/makers/{studio.lamps.id}/drops"
    answer = await hand.post(where, {"manifest": text + CLUB})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


async def test_a_list_and_codes_are_given_seen_and_taken_back(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        drop = await published(studio, ben)
        club = f"/drops/{drop}/cohorts/club"
        put = await ben.post(f"{club}/addresses", {"addresses": ["ana@x.org", "nobody"]})
        assert put.json() == {"new": 1, "known": 0, "wrong": ["nobody"], "beyond": 0}
        made = (await ben.post(f"{club}/codes", {"count": 2})).json()["codes"]
        assert len(set(made)) == 2
        line = {"id": "club", "title": "Members", "most": [4], "listed": 1, "came": 0}
        assert (await cyd.get(f"/drops/{drop}/cohorts")).json() == [line | {"codes": 2, "used": 0}]
        page = (await ben.get(club)).json()
        assert page["addresses"] == [{"address": "ana@x.org", "came_ms": 0}]
        assert sorted(one["code"] for one in page["codes"]) == sorted(
            code.replace("-", "") for code in made
        )
        # Who only looks sees numbers, and no address.
        assert (await cyd.get(club)).status_code == 403
        assert (await cyd.post(f"{club}/codes", {"count": 1})).status_code == 403
        nothing = await ben.post(f"/drops/{drop}/cohorts/gang/codes", {"count": 1})
        assert nothing.status_code == 404
        gone = await ben.send("DELETE", f"{club}/addresses", {})
        assert gone.json() == {"gone": 1}
        one = await ben.post(f"{club}/codes/strike", {"code": made[0]})
        assert one.json() == {"gone": 1, "used": 0}
        assert [left["code"] for left in (await ben.get(club)).json()["codes"]] == [
            made[1].replace("-", "")
        ]
        long = await ben.post(f"{club}/codes/strike", {"code": "a" * 1000})
        assert long.status_code == 400
        rest = await ben.post(f"{club}/codes/strike", {})
        assert rest.json() == {"gone": 1, "used": 0}


async def test_the_same_on_the_shops_machine(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "club.txt"
    file.write_text("ana@x.org\nben@x.org, ben@x.org\n")
    settings = studio.web.runtime.settings
    here = ["--data-dir", str(settings.data_dir), "--redis-url", str(settings.redis_url)]

    def typed(*words: str) -> str:
        assert main.main(["drop", *words, *here]) == 0
        return capsys.readouterr().out

    async with studio.person("ben") as ben:
        drop = await published(studio, ben)
        said = await asyncio.to_thread(typed, "cohorts", drop, "club", "--addresses", str(file))
        assert said == "2 addresses are new on the list, 0 were there.\n"
        codes = (await asyncio.to_thread(typed, "cohorts", drop, "club", "--codes", "3")).split()
        assert len(codes) == 3
        shown = await asyncio.to_thread(typed, "cohorts", drop)
        assert shown == "club\tMembers\t2 listed, 0 came\t3 codes, 0 used\n"
        listed = (await asyncio.to_thread(typed, "cohorts", drop, "club")).splitlines()
        assert listed == ["ana@x.org", "ben@x.org", *sorted(codes)]
        struck = await asyncio.to_thread(typed, "cohorts", drop, "club", "--strike")
        assert struck.startswith("2 addresses are on the list no more.")
        leaked = await asyncio.to_thread(
            typed, "cohorts", drop, "club", "--strike-code", codes[0].lower()
        )
        assert leaked == "It lets nobody in any more.\n"
        struck = await asyncio.to_thread(typed, "cohorts", drop, "club", "--strike-codes")
        assert struck.startswith("2 codes were struck.")

"""The numbers of a web process, as Prometheus reads them."""

from __future__ import annotations

from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.web_process import WebProcess

server = web_process.server
web = web_process.web


async def test_the_numbers_add_up_and_can_be_read_by_prometheus(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin@north": 3, "pin@south": 4}, withheld={"pin@south": 1}))
    await sale.held("ada", "pin@north")
    async with web.http() as http, web.watcher(sale.drop), web.fan(sale.drop) as fan:
        done = await fan.ask("hold", pool="pin@south")
        await fan.tick(done["seq"])
        text = (await http.get("/metrics")).text
    units: dict[str, dict[str, int]] = {}
    named: dict[str, float] = {}
    types = {}
    for row in text.splitlines():
        if row.startswith("# TYPE "):
            _, _, name, kind = row.split()
            types[name] = kind
            continue
        name, _, value = row.rpartition(" ")
        bare, _, labels = name.partition("{")
        assert bare in types
        known = dict(pair.split("=") for pair in labels.rstrip("}").split(",") if pair)
        if known.get("drop", f'"{sale.drop}"') != f'"{sale.drop}"':
            continue
        if bare == "dropengine_units":
            units.setdefault(known["pool"].strip('"'), {})[known["state"].strip('"')] = int(value)
        else:
            named[bare] = float(value)
    assert units == {
        "pin@north": {"free": 2, "held": 1, "sold": 0, "withheld": 0, "leased": 0},
        "pin@south": {"free": 2, "held": 1, "sold": 0, "withheld": 1, "leased": 0},
    }
    assert named["dropengine_seats"] == 2
    assert named["dropengine_fans"] == 1
    assert named["dropengine_log_length"] >= done["seq"]
    assert types["dropengine_units"] == "gauge"
    assert 0 < named["dropengine_memory_used_bytes"] < named["dropengine_memory_max_bytes"]
    assert named["dropengine_memory_max_bytes"] == 512 << 20
    assert named["dropengine_memory_alarm_percent"] == 0

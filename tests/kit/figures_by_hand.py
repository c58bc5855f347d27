"""The figures of a sale once more, from an exported log as plain JSON: written apart from the
package, a question at a time, each looking through the whole log. Slow, and without its words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
Values = dict[str, Any]
STEPS = [5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400]


class ByHand:
    """export: the lines of a log."""

    def __init__(self, export: Sequence[bytes]) -> None:
        self.log: list[Row] = [json.loads(line) for line in export]
        became = {row["guest"]: row["fan"] for row in self.all("adopted")}
        for row in self.log:
            if row.get("fan") in became:
                row["fan"] = became[row["fan"]]
        self.rules = self.log[0]["rules"]
        self.pools = [pool["id"] for pool in self.rules["pools"]]

    def all(self, *words: str) -> list[Row]:
        return [row for row in self.log if row["e"] in words]

    def sales(self) -> list[Row]:
        return self.all("sold", "rescued")

    def refunded(self, sale: Row) -> bool:
        return any(row["hold"] == sale["hold"] for row in self.all("refunded"))

    def worth(self, sale: Row) -> int:
        """What the provider captured of it in the end."""
        amount = int(sale["amount"])
        for row in self.all("mismatched"):
            later = row["seq"] > sale["seq"]
            if later and (row["hold"], row["charge"]) == (sale["hold"], sale["charge"]):
                amount = int(row["amount"])
        return amount

    def units_offered(self) -> Values:
        def of(pool: Row) -> int:
            moved = [row for row in self.all("added", "withdrawn") if row["pool"] == pool["id"]]
            more = sum(row["qty"] for row in moved if row["e"] == "added")
            less = sum(row["qty"] for row in moved if row["e"] == "withdrawn")
            return int(pool["cap"] - pool["withheld"] + more - less)

        found = {pool["id"]: of(pool) for pool in self.rules["pools"]}
        return {"": sum(found.values())} | found

    def units_sold(self) -> Values:
        kept = [sale for sale in self.sales() if not self.refunded(sale)]
        found = {p: sum(sale["qty"] for sale in kept if sale["pool"] == p) for p in self.pools}
        return {"": sum(found.values())} | found

    def units_by_way(self) -> Values:
        kept = [sale for sale in self.sales() if not self.refunded(sale)]
        found: Values = {}
        for sale in kept:
            way = self.way(self.hold(sale["hold"]))
            found[way] = found.get(way, 0) + sale["qty"]
        return {"": sum(found.values())} | found

    def units_by_cohort(self) -> Values:
        kept = [sale for sale in self.sales() if not self.refunded(sale)]
        found: Values = {}
        for sale in kept:
            hold = sale if sale["e"] == "rescued" else self.hold(sale["hold"])
            if cohort := hold.get("cohort", ""):
                found[cohort] = found.get(cohort, 0) + sale["qty"]
        return {"": sum(found.values())} | found

    def way(self, hold: Row) -> str:
        if hold["e"] == "held":
            return "press"
        entry = next(row for row in self.all("joined") if row["entry"] == hold["entry"])
        if hold["call"]:
            good = [
                row["entry"] for row in self.all("pointed", "joined") if row["why"] == "makegood"
            ]
            return "make-good" if hold["entry"] in good else "boost"
        if entry["why"] == "carried":
            return "carried"
        listed = any(entry["entry"] in row["ids"] for row in self.all("ordered"))
        return "list" if listed else "line"

    def sell_through(self) -> Values:
        sold, offered = self.units_sold(), self.units_offered()
        return {name: self.part(sold[name], offered[name]) for name in offered}

    def revenue(self) -> Values:
        return {"": sum(self.worth(sale) for sale in self.sales() if not self.refunded(sale))}

    def money_back(self) -> Values:
        return {"": sum(self.worth(sale) for sale in self.sales() if self.refunded(sale))}

    def time_to_sell_out(self) -> Values:
        opened = self.all("opened")
        if not opened:
            return {"": None}
        for row in self.log:
            if row["seq"] < opened[0]["seq"]:
                continue
            before = ByHand.__new__(ByHand)
            before.log, before.rules, before.pools = self.log[: row["seq"]], self.rules, self.pools
            changes = ("opened", "sold", "rescued", "withdrawn")
            if row["e"] in changes and before.nothing_left():
                return {"": row["at"] - opened[0]["at"]}
        return {"": None}

    def nothing_left(self) -> bool:
        """Nothing free and nothing held: as many are sold as are offered."""
        return self.units_sold() == self.units_offered()

    def hold(self, name: str) -> Row:
        return next(row for row in self.all("held", "offered") if row["hold"] == name)

    def paid_after(self, word: str) -> list[int]:
        return [
            sale["at"] - self.hold(sale["hold"])["at"]
            for sale in self.sales()
            if self.hold(sale["hold"])["e"] == word
        ]

    def press_to_paid(self) -> Values:
        return self.times(self.paid_after("held"))

    def offer_to_paid(self) -> Values:
        return self.times(self.paid_after("offered"))

    def arrival_to_paid(self) -> Values:
        took = []
        for fan in {sale["fan"] for sale in self.sales()}:
            came = min(row["at"] for row in self.all("held", "joined") if row["fan"] == fan)
            took.append(min(sale["at"] for sale in self.sales() if sale["fan"] == fan) - came)
        return self.times(took)

    def hold_abandon_rate(self) -> Values:
        pressed = [row["hold"] for row in self.all("held")]
        bought = {sale["hold"] for sale in self.sales()}
        back = {
            row["hold"]: "run out" if row["e"] == "expired" else "given back"
            for row in self.all("released", "expired")
            if row.get("by") != "creator"
        }
        given = [back[h] for h in pressed if h in back and h not in bought]
        mine = len([h for h in pressed if h in bought])
        return {
            "": self.part(len(given), len(given) + mine),
            "given back": given.count("given back"),
            "run out": given.count("run out"),
            "bought": mine,
        }

    def offer_claim_rate(self) -> Values:
        offers = {row["hold"] for row in self.all("offered")}
        took = offers & {row["hold"] for row in [*self.all("claimed"), *self.sales()]}
        declined = {row["hold"] for row in self.all("declined")} - took
        lapsed = {row["hold"] for row in self.all("lapsed")} - took
        count = len(took) + len(declined) + len(lapsed)
        return {
            "": self.part(len(took), count),
            "claimed": len(took),
            "declined": len(declined),
            "run out": len(lapsed),
        }

    def last_wishes(self) -> list[Row]:
        """The last place of each fan who got nothing and did not go away."""
        gone = {row["entry"] for row in self.all("left", "served")}
        gone |= {row["entry"] for row in self.all("removed") if row["why"] == "merged"}
        stay = [row for row in self.all("joined") if row["entry"] not in gone]
        buyers = {sale["fan"] for sale in self.sales()}
        return [
            [row for row in stay if row["fan"] == fan][-1]
            for fan in {row["fan"] for row in stay} - buyers
        ]

    def unmet_fans(self) -> Values:
        return {"": len(self.last_wishes())}

    def unmet_money(self) -> Values:
        item = {pool["id"]: pool["item"] for pool in self.rules["pools"]}
        price = {one["id"]: one["price"] for one in self.rules["items"]}
        return {"": sum(r["qty"] * price[item[r["pools"][0]]] for r in self.last_wishes())}

    def served_by_lane(self) -> Values:
        paid = {sale["hold"] for sale in self.sales()}
        lanes = [row["call"] for row in self.all("offered") if row["hold"] in paid]
        return {"": len(lanes), "base": lanes.count(0), "boost": lanes.count(1)}

    def later(self) -> list[tuple[int, int]]:
        """Of each entry that the base lane called first: so many offers, and so many ms."""
        offers = self.all("offered")
        firsts = [
            row
            for place, row in enumerate(offers)
            if row["entry"] not in {one["entry"] for one in offers[:place]}
        ]
        found = []
        for place, row in enumerate(firsts):
            before = [one for one in firsts[:place] if one["pool"] == row["pool"]]
            over = [at for at, b in enumerate(before) if b["n"] > row["n"] and not b["call"]]
            since = before[over[-1] + 1 :] if over else before
            late = len([one for one in since if one["call"] and one["n"] > row["n"]])
            found.append((late, row["at"] - [*before, row][-1 - late]["at"]))
            if row["call"]:
                found.pop()
        return found

    def spread(self, which: int) -> Values:
        took = sorted(one[which] for one in self.later())
        return {
            "": round(sum(took) / len(took), 2) if took else None,
            "half": took[(len(took) - 1) // 2] if took else None,
            "most": took[-1] if took else None,
            "entries": len(took),
        }

    def of_boost(self) -> dict[str, Values]:
        if not self.rules.get("points_until") and not any(
            row["call"] for row in self.all("offered")
        ):
            return {}
        return {
            "served_by_lane": self.served_by_lane(),
            "offers_later": self.spread(0),
            "time_later": self.spread(1),
        }

    def sales_over_time(self) -> Values:
        opened = [row["at"] for row in self.all("opened")]
        seconds = [(sale, (sale["at"] - opened[0]) // 1000) for sale in self.sales()]
        last = max([s for _, s in seconds], default=0)
        width = min(w for w in (1, 10, 60, 600, 3600, 86400) if last // w < 200 or w == 86400)
        found: Values = {}
        for sale, second in seconds:
            name = f"{sale['pool']} {second - second % width} s"
            found[name] = found.get(name, 0) + sale["qty"]
        return found

    def part(self, some: int, every: int) -> float | None:
        return None if every == 0 else round(some / every, 4)

    def times(self, took: list[int]) -> Values:
        took.sort()
        found: Values = {"count": len(took)}
        found["median_ms"] = took[(len(took) - 1) // 2] if took else None
        for least, most in zip([-1, *STEPS], STEPS, strict=False):
            found[f"up to {most} s"] = len([t for t in took if least * 1000 < t <= most * 1000])
        found["longer"] = len([t for t in took if t > STEPS[-1] * 1000])
        return found

    def figures(self) -> dict[str, Values]:
        return {
            "units_offered": self.units_offered(),
            "units_sold": self.units_sold(),
            "units_by_way": self.units_by_way(),
            **({"units_by_cohort": early} if (early := self.units_by_cohort())[""] else {}),
            "sell_through": self.sell_through(),
            "revenue": self.revenue(),
            "refunded": self.money_back(),
            "time_to_sell_out": self.time_to_sell_out(),
            "press_to_paid": self.press_to_paid(),
            "offer_to_paid": self.offer_to_paid(),
            "arrival_to_paid": self.arrival_to_paid(),
            "hold_abandon_rate": self.hold_abandon_rate(),
            "offer_claim_rate": self.offer_claim_rate(),
            "unmet_fans": self.unmet_fans(),
            "unmet_money": self.unmet_money(),
            **self.of_boost(),
            "sales_over_time": self.sales_over_time(),
        }

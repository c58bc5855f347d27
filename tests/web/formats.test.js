/** Numbers as people read them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { held, left, moments, money, poolName, span } from "../../dropengine/web/src/formats.js";
import { cell, grid } from "../../dropengine/web/src/grid.js";
import { drop, item, pool } from "./sale.js";

test("what is left reaches nothing exactly at the deadline", () => {
  assert.deepEqual([299_000, 298_001, 1, 0, -5].map(left), ["04:59", "04:59", "00:01", "00:00", "00:00"]);
  assert.deepEqual([3_600_000, 86_400_000 + 3_661_000].map(left), ["1:00:00", "1 d 01:01:01"]);
});

test("money is written in the drop's currency, exact", () => {
  assert.equal(money(2_400, drop()), "€24.00");
  assert.equal(money(123_456_789, drop({ currency: "USD" })), "$1,234,567.89");
  assert.equal(money(18_500, drop({ currency: "JPY", minor_digits: 0 })), "¥18,500");
  assert.equal(money(2_400, drop({ currency: "CHF" })), "CHF\u00a024.00");
});

test("lengths are said in the largest whole unit", () => {
  assert.deepEqual([1_000, 90_000, 60_000, 480_000, 7_200_000].map(span), ["1 second", "90 seconds", "1 minute", "8 minutes", "2 hours"]);
});

test("a moment is told in the reader's zone and in the drop's, once if they agree", () => {
  const { here, there } = moments(Date.UTC(2027, 6, 16, 16, 0), "Europe/Madrid");
  assert.match(here, /Sat, Jul 17, 01:00/);
  assert.match(there, /Fri, Jul 16, 18:00/);
  assert.equal(moments(0, "Asia/Tokyo").there, "");
  assert.equal(moments(0, "Not/AZone").there, "");
});

test("a pool is called by its item, and by its place where there are several", () => {
  const pools = { pin: pool(), "lamp@north": pool({ item: "lamp" }), "lamp@south": pool({ item: "lamp" }) };
  const here = drop({ pools, items: [item(), item({ id: "lamp", title: "Lamp", pools: ["lamp@north", "lamp@south"] })] });
  assert.deepEqual(["pin", "lamp@north"].map((id) => poolName(here, id)), ["Eclipse pin", "Lamp · north"]);
});

test("the wall shows every unit in a cell, and no more cells than can be seen", () => {
  for (const cap of [1, 7, 200, 1_200, 1_201, 100_000]) {
    const { each, cells, columns, rows } = grid(cap, 1.6);
    assert.ok(cells * each >= cap && cells <= 1_200 && columns * rows >= cells, `${cap}`);
  }
  const view = pool({ cap: 4, sold: 1, held: 1, free: 1, withheld: 1 });
  assert.deepEqual([0, 1, 2, 3].map((at) => cell(view, at, 1)), ["sold", "held", "free", "none"]);
});

test("an offer is in nobody's cart", () => {
  const words = (all, offered) => held(pool({ held: all, offered }));
  assert.equal(words(197, 47), "150 in carts, 47 offered to people in line");
  assert.deepEqual([words(9, 0), words(9, 9), words(1_200, 1_000), words(0, 0)], ["9 in carts", "9 offered to people in line", "200 in carts, 1,000 offered to people in line", ""]);
});

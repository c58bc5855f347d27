/** Numbers as people read them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lately, left, moment, moments, money, poolName, span, timeOfDay, us } from "../../dropengine/web/src/formats.js";
import { edition, held, stock } from "../../dropengine/web/src/words.js";
import { total } from "../../dropengine/web/src/state.js";
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

test("a moment is told in the reader's zone and in the drop's, once if they agree, in his own style", () => {
  const at = Date.UTC(2027, 6, 16, 16, 0);
  assert.deepEqual(moments(at, "Europe/Madrid", false), { here: "Sat 17 Jul 2027, 01:00 UTC+9", there: "Fri 16 Jul 2027, 18:00 UTC+2" });
  assert.deepEqual(moments(at, "Europe/Madrid", true), { here: "Sat, Jul 17, 2027, 1:00 AM UTC+9", there: "Fri, Jul 16, 2027, 6:00 PM UTC+2" });
  assert.equal(moments(0, "Asia/Tokyo", false).there, "");
  assert.equal(moments(0, "Not/AZone", false).there, "");
});

test("a moment with seconds shows them, and zones read as the server writes them", () => {
  const at = Date.UTC(2027, 0, 16, 16, 0, 30);
  assert.equal(moment(at, "UTC", false), "Sat 16 Jan 2027, 16:00:30 UTC");
  assert.equal(moment(at, "Asia/Kolkata", true), "Sat, Jan 16, 2027, 9:30:30 PM UTC+5:30");
  assert.equal(moment(at, "America/St_Johns", false), "Sat 16 Jan 2027, 12:30:30 UTC-3:30");
});

test("today is told by its time alone, another day with its date", () => {
  const now = Date.UTC(2027, 6, 16, 3, 0);
  assert.deepEqual([timeOfDay(now, false), timeOfDay(now, true)], ["12:00:00", "12:00:00 PM"]);
  assert.equal(lately(now - 60_000, now, false), "11:59:00");
  assert.equal(lately(now - 86_400_000, now, false), "Thu 15 Jul 2027, 12:00");
  assert.deepEqual(["en-US", "en", "en-GB", "de", undefined].map(us), [true, true, false, false, false]);
});

test("the stock of a choice is true words in every state", () => {
  const said = (more, over = false) => stock(pool(more), over);
  assert.equal(said({ free: 3, sold: 190, withheld: 7, waiting: 2 }), "3 left · 7 not for sale now · 2 in line");
  assert.equal(said({ free: 0, held: 9, offered: 2, sold: 191 }), "all 7 in carts, 2 offered to people in line");
  assert.equal(said({ free: 0, sold: 200 }), "sold out");
  assert.equal(said({ free: 0, withheld: 200 }), "none for sale now");
  assert.equal(said({ free: 3, sold: 197 }, true), "3 not sold");
});

test("what the wall says of an item adds up to what was made", () => {
  const words = edition(total([pool({ free: 90, held: 50, offered: 20, sold: 40, withheld: 15, leased: 5 })]));
  const [all, ...parts] = words.match(/\d+/g).map(Number).reverse();
  assert.equal(parts.reduce((sum, part) => sum + part, 0), all);
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

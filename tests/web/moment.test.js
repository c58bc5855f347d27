/** What stands beside the button: the last minute, then what the maker says, then a shop that is away. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SEEN, moment } from "../../dropengine/web/src/moment.js";
import { put } from "../../dropengine/web/src/storage.js";
import { NOW, hold, state } from "./sale.js";

const news = [{ seq: 9, at: NOW - 60_000, text: "Back in five minutes." }];
const late = hold({ deadline_ms: NOW + 60_000 });
const lost = { link: { live: false, way: "socket", since: NOW - 5_000, over: false, why: "" } };
const kindOf = (given, read = 0, now = NOW) => moment(state(given), now, read)?.kind ?? "none";

test("the moments come in the order in which they matter", () => {
  const all = { drop: { news }, you: { used: 1, holds: [late] }, state: { away: NOW - 1 } };
  assert.equal(kindOf(all), "last");
  assert.equal(kindOf({ ...all, you: { used: 1, holds: [hold({ origin: "line" })] } }), "none", "an offer has all the room");
  assert.equal(kindOf({ ...all, you: {} }), "news");
  assert.equal(kindOf({ ...all, you: {} }, 9), "away");
  assert.equal(kindOf({ state: lost }), "away");
  assert.equal(kindOf({ state: { link: { ...lost.link, over: true } } }), "none", "nothing comes back by itself");
  assert.equal(kindOf({}), "none");
});

test("the last minute stands there while there is more time to ask for", () => {
  assert.equal(kindOf({ you: { used: 1, holds: [hold({ deadline_ms: NOW + 60_001 })] } }), "none");
  assert.equal(kindOf({ you: { used: 1, holds: [{ ...late, extended: true }] } }), "none");
  assert.equal(kindOf({ you: { used: 1, holds: [{ ...late, checking: true }] } }), "none");
  assert.equal(kindOf({ drop: { extend_ms: 0 }, you: { used: 1, holds: [late] } }), "none");
  assert.equal(kindOf({ drop: { state: "frozen" }, you: { used: 1, holds: [late] } }), "none");
});

test("a message stands there until it was read, or is old", () => {
  assert.equal(kindOf({ drop: { news } }), "news");
  assert.equal(kindOf({ drop: { news } }, 9), "none");
  assert.equal(kindOf({ drop: { news: [{ ...news[0], seq: 10 }, ...news] } }, 9), "news");
  assert.equal(kindOf({ drop: { news } }, 0, NOW + 600_000), "none");
});

test("what was lost unasked stands there until it was read: a hold, a place, an order", () => {
  const order = { id: "h3", pool: "pin", qty: 1, amount: 2400, serials: [1], state: "refunded", at: NOW, number: "3-1" };
  const lost = [
    [{ ended: hold({ id: "h1", state: "expired" }) }, SEEN.hold, "h1"],
    [{ ended: hold({ id: "h2", state: "cancelled" }) }, SEEN.hold, "h2"],
    [{ ended_entry: { id: "e1", key: "k", n: 7, qty: 1, pools: ["pin"], why: "lapses" } }, SEEN.entry, "e1"],
    [{ ended_entry: { id: "e2", key: "k", n: 7, qty: 1, pools: ["pin"], why: "limit" } }, SEEN.entry, "e2"],
    [{ orders: [order] }, SEEN.order, "h3"],
  ];
  for (const [you, name, id] of lost) {
    assert.equal(kindOf({ drop: { news }, you }), "lost", id);
    assert.equal(kindOf({ you: { ...you, used: 1, holds: [hold()] } }), "none", "what he holds now is nearer");
    put(name, id);
    assert.equal(kindOf({ you }), "none", id);
  }
});

test("what was given up by himself needs no telling", () => {
  assert.equal(kindOf({ you: { ended: hold({ id: "h8", state: "released" }) } }), "none");
  assert.equal(kindOf({ you: { ended_entry: { id: "e8", key: "k", n: 7, qty: 1, pools: ["pin"], why: "left" } } }), "none");
  assert.equal(kindOf({ you: { orders: [{ id: "h9", pool: "pin", qty: 1, amount: 2400, serials: [1], state: "done", at: NOW, number: "9-1" }] } }), "none");
});

test("a hold that ended is not lost to whoever bought the same thing after it", () => {
  const ended = hold({ id: "h20", state: "expired", deadline_ms: NOW });
  const order = { id: "h21", pool: "pin", qty: 1, amount: 2400, serials: [1], state: "done", at: NOW + 5_000, number: "9-1" };
  assert.equal(kindOf({ you: { ended, orders: [order] } }), "none");
  assert.equal(kindOf({ you: { ended, orders: [{ ...order, at: NOW - 5_000 }] } }), "lost", "before it");
  assert.equal(kindOf({ you: { ended, orders: [{ ...order, pool: "other" }] } }), "lost", "another thing");
});

test("what was put away stays away in a browser whose storage is full", () => {
  const full = { getItem: () => null, setItem: () => assert.fail("full") };
  Object.defineProperty(globalThis, "sessionStorage", { value: full, configurable: true });
  put(SEEN.hold, "h30");
  assert.equal(kindOf({ you: { ended: hold({ id: "h30", state: "expired" }) } }), "none");
  delete globalThis.sessionStorage;
});

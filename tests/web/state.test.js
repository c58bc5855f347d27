/** One state, and what each message makes of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "../../dropengine/web/src/refused.js";
import { begun, heard, phase, room } from "../../dropengine/web/src/state.js";
import { NOW, drop, entry, hold, item, order, pool, snapshot, state, tick, you } from "./sale.js";

test("a tick replaces the public state and leaves the words", () => {
  const { state: after } = heard(state(), tick({ state: "paused", pools: { pin: pool({ free: 3, held: 7, sold: 190 }) } }));
  assert.equal(after.drop.state, "paused");
  assert.equal(after.drop.pools.pin.sold, 190);
  assert.equal(after.drop.title, "Eclipse pin");
});

test("a reason is shown as long as ticks tell it", () => {
  const { state: paused } = heard(state(), tick({ state: "paused", why: "Lunch" }));
  assert.equal(paused.drop.why, "Lunch");
  assert.equal(heard(paused, tick({ state: "live" })).state.drop.why, "");
});

test("who was refused for his network reads when it has been let in, until it is not any more", () => {
  const refused = { t: "refused", id: 1, seq: 10, code: "network_full", text: "Full.", network: "nHALL" };
  const says = (/** @type {any} */ at) => refusal(/** @type {any} */ (refused), at.drop);
  const { state: other } = heard(state(), tick({ exempt: ["nYARD"] }));
  const { state: mine } = heard(other, tick({ seq: 12, exempt: ["nYARD", "nHALL"] }));
  const { state: over } = heard(mine, tick({ seq: 13 }));
  assert.match(says(state()), /^Full\..*nHALL/);
  assert.match(says(other), /^Full\./);
  assert.match(says(mine), /press again/);
  assert.match(says(over), /^Full\./);
});

test("who was refused in early access reads when the drop is open to all", () => {
  const at = (/** @type {boolean} */ lasts) => heard(state({ drop: { early: { lasts: true, public_ms: NOW } } }), tick({ early: { lasts, public_ms: NOW } })).state.drop;
  for (const code of ["cohort_full", "not_eligible"]) {
    const says = (/** @type {boolean} */ lasts) => refusal(/** @type {any} */ ({ t: "refused", id: 1, seq: 10, code, text: "Not yet." }), at(lasts));
    assert.match(says(true), /^Not yet\./);
    assert.match(says(false), /open to everybody now/);
  }
});

test("an older tick never brings old stock back, but its moves count", () => {
  const mine = state({ you: { entries: [entry()] }, state: { seq: 50 } });
  const { state: after, behind } = heard(mine, tick({ seq: 49, pools: { pin: pool({ free: 99 }) }, lines: { pin: { r0: 5, left: [1] } } }));
  assert.equal(behind, true);
  assert.equal(after.drop.pools.pin.free, 200);
  assert.equal(after.you.entries[0].lines[0].place, 40);
});

test("a missed move is reported", () => {
  const { missed } = heard(state({ you: { entries: [entry()] } }), tick({ lines: { pin: { r0: 9, left: [] } } }));
  assert.equal(missed, true);
});

test("another worker that is a tick behind does not turn the page back", () => {
  const mine = state({ drop: { pools: { pin: pool({ free: 1 }) } }, state: { seq: 50 } });
  const { state: after } = heard(mine, snapshot({ seq: 49 }));
  assert.deepEqual([after.seq, after.drop.pools.pin.free], [50, 1]);
});

test("a server that lost something is believed all the same", () => {
  const mine = state({ you: { seq: 50, holds: [hold()] }, state: { seq: 50 } });
  const { state: after } = heard(mine, snapshot({ seq: 40, drop: drop({ epoch: "run-2" }), you: you({ seq: 40 }) }));
  assert.deepEqual([after.seq, after.you.holds.length], [40, 0]);
});

test("numbers that the shop marks as old are not shown as new", () => {
  const { state: after } = heard(state(), tick({ away: true, now: NOW + 5_000 }));
  assert.equal(after.away, NOW + 5_000);
  assert.equal(heard(after, tick({ away: true, now: NOW + 9_000 })).state.away, NOW + 5_000, "since when, not until when");
  assert.equal(heard(after, tick({ seq: 12 })).state.away, 0);
});

test("news come once, newest first", () => {
  const one = { t: "news", seq: 20, at: NOW, text: "one" };
  const two = { t: "news", seq: 30, at: NOW, text: "two" };
  let now = state();
  for (const message of [one, two, one]) now = heard(now, message).state;
  assert.deepEqual(now.drop.news.map((news) => news.text), ["two", "one"]);
});

test("an answer shows its hold before the state that follows it", () => {
  const { state: after } = heard(state(), { t: "done", id: 1, seq: 12, hold: hold() });
  assert.deepEqual(after.you.holds.map((one) => one.id), ["h1"]);
  const { state: back } = heard(after, { t: "done", id: 2, seq: 13, hold: hold({ state: "released" }) });
  assert.equal(back.you.holds.length, 0);
});

test("a join that got units at once shows them like a press", () => {
  const mine = state({ state: { asked: [{ t: "join", pools: ["pin", "red"], qty: 2 }] } });
  const { state: after } = heard(mine, { t: "done", id: 1, seq: 12, hold: hold({ qty: 1 }) });
  assert.deepEqual([after.you.holds.map((one) => one.id), after.you.entries], [["h1"], []]);
});

test("an answer that is older than what the fan sees changes nothing", () => {
  const mine = state({ you: { seq: 30 } });
  assert.equal(heard(mine, { t: "done", id: 1, seq: 29, hold: hold() }).state.you.holds.length, 0);
});

test("room counts holds, offers and kept orders, by drop and by item", () => {
  assert.equal(room(state(), "pin"), 2);
  assert.equal(room(state({ you: { used: 1 } }), "pin"), 1);
  const limited = { drop: { limit: 3, items: [item({ limit: 1 })] } };
  assert.equal(room(state(limited), "pin"), 1);
  assert.equal(room(state({ ...limited, you: { used: 1, orders: [order()] } }), "pin"), 0);
  assert.equal(room(state({ ...limited, you: { used: 0, orders: [order({ state: "refunded" })] } }), "pin"), 1);
  assert.equal(room(state({ you: { used: 5 } }), "pin"), 0);
});

test("live without a free or a held unit is sold out", () => {
  assert.equal(phase(drop({ pools: { pin: pool({ free: 0, held: 0, sold: 200 }) } })), "sold_out");
  assert.equal(phase(drop({ pools: { pin: pool({ free: 0, held: 1, sold: 199 }) } })), "live");
});

test("what the server rendered is true but not live", () => {
  const first = begun(snapshot());
  assert.deepEqual([first.link.live, first.link.since], [false, NOW]);
});

test("a watcher becomes a fan with the first snapshot that knows him", () => {
  const watcher = begun(snapshot({ you: null }));
  assert.equal(watcher.watching, true);
  assert.equal(heard(watcher, snapshot({ you: null })).state.watching, true);
  assert.equal(heard(watcher, snapshot()).state.watching, false);
  assert.equal(begun(snapshot()).watching, false);
});

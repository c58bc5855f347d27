/** A screen reader hears what changes what one can do, once; never the ticking of a clock. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { announce } from "../../dropengine/web/src/announce.js";
import { lately } from "../../dropengine/web/src/formats.js";
import { ending, gone } from "../../dropengine/web/src/words.js";
import { NOW, entry, gone as ended, hold, line, order, state } from "./sale.js";

const said = (before, after, then = NOW, now = NOW) => announce(state(before), state(after), then, now);

test("a second that passes says nothing", () => {
  const same = { you: { used: 1, holds: [hold()], entries: [entry()] } };
  assert.deepEqual(said(same, same, NOW, NOW + 1_000), []);
});

test("the last minute of a hold is said once", () => {
  const same = { you: { used: 1, holds: [hold({ deadline_ms: NOW + 60_500 })] } };
  assert.equal(said(same, same, NOW, NOW + 1_000).length, 1);
  assert.deepEqual(said(same, same, NOW + 1_000, NOW + 2_000), []);
});

test("an offer is said with its time", () => {
  assert.deepEqual(said({}, { you: { used: 1, holds: [hold({ origin: "line" })] } }), ["It is your turn: 1 × Eclipse pin. Take it within 30 minutes."]);
});

test("a place is said at marks on the way, not at every step", () => {
  const at = (place) => ({ you: { entries: [entry({ lines: [line({ place })] })] } });
  assert.deepEqual(said({}, at(41)), ["In line for Eclipse pin: place 41."]);
  assert.deepEqual(said(at(41), at(40)), []);
  assert.deepEqual(said(at(22), at(19)), ["In line for Eclipse pin: place 19."]);
});

test("buying, ending and losing the connection are said", () => {
  assert.deepEqual(said({}, { you: { orders: [order()] } }), ["Yours: 1 × Eclipse pin, #17."]);
  assert.match(said({}, { you: { ended: hold({ state: "expired" }) } })[0], /ran out/);
  const lost = { state: { link: { live: false, way: "socket", since: NOW, over: false, why: "" } } };
  assert.match(said({}, lost)[0], /connection is lost/);
  assert.match(said(lost, {})[0], /up to date again/);
});

test("every way a hold can end has its reason", () => {
  const ends = [{ state: "expired" }, { state: "released" }, { state: "cancelled" }, { state: "expired", origin: "line" }, { state: "released", origin: "line" }, { state: "expired", origin: "line", claimed: true }];
  const sentences = ends.map((end) => ending(hold(end)));
  assert.equal(new Set(sentences).size, 5, "a claimed offer ends like any other hold");
});

test("a pause and a cancellation are said with the maker's reason", () => {
  const before = state();
  const said = (/** @type {string} */ now, /** @type {string} */ why) => announce(before, state({ drop: { state: now, why } }), NOW, NOW);
  assert.deepEqual(said("paused", "Lunch"), ["The drop is paused. What you hold is safe. Lunch"]);
  assert.deepEqual(said("cancelled", "The box is lost"), ["The maker cancelled this drop. The box is lost"]);
  assert.deepEqual(said("cancelled", ""), ["The maker cancelled this drop."]);
});

test("a place that ended is said once, with its reason", () => {
  const after = { you: { ended_entry: ended() } };
  assert.match(said({ you: { entries: [entry()] } }, after)[0], /missed two turns\. You had joined as number 77; joining again puts you at the end/);
  assert.deepEqual(said(after, after), []);
});

test("every way a place can end has its reason", () => {
  const sentences = ["lapses", "left", "limit", "a reason of a newer shop"].map((why) => gone(ended({ why })));
  assert.equal(new Set(sentences).size, 4);
  for (const sentence of sentences) assert.match(sentence, /number 77/);
});

test("more time, a refund, and what can still be undone are said once", () => {
  const until = hold({ extended: true, deadline_ms: NOW + 399_000 });
  assert.match(said({ you: { used: 1, holds: [hold()] } }, { you: { used: 1, holds: [until] } })[0], /^More time: held for you until /);
  const back = (more) => ({ you: { orders: [order(more)] } });
  assert.deepEqual(said(back(), back({ state: "refund_pending" })), ["1 × Eclipse pin: Refunded by the maker: €24.00 is on its way back."]);
  assert.deepEqual(said(back({ state: "capture_pending" }), back()), [], "a payment that is completed changes nothing for a fan");
  const leaving = { t: "leave", entry: "e1" };
  const place = { you: { entries: [entry()] } };
  const before = state(place);
  assert.match(announce(before, { ...before, later: [leaving] }, NOW, NOW)[0], /Undo keeps your place/);
  assert.deepEqual(announce({ ...before, later: [leaving] }, before, NOW, NOW), ["Undone. Nothing was given up."]);
});

test("another time to open or to close is said, where it still means something", () => {
  const said = (/** @type {object} */ was, /** @type {object} */ is) => announce(state({ drop: was }), state({ drop: is }), NOW, NOW);
  const soon = { state: "scheduled", opens_ms: NOW + 600_000 };
  assert.deepEqual(said(soon, { ...soon, opens_ms: NOW + 1_200_000 }), [`The maker changed the time: this drop opens ${lately(NOW + 1_200_000, NOW)}.`]);
  assert.deepEqual(said(soon, { ...soon, opens_ms: 0 }), ["The maker opens this drop by hand."]);
  assert.deepEqual(said(soon, { state: "live", opens_ms: 0 }), ["The drop is open."], "opened by hand before its time");
  assert.deepEqual(said({}, { closes_ms: NOW + 600_000 }), [`The maker changed the time: this drop closes ${lately(NOW + 600_000, NOW)}.`]);
  assert.deepEqual(said({ closes_ms: NOW + 600_000 }, {}), ["No closing time any more."]);
});

test("who looks at an open list hears that he is in, and that it closes at another time", () => {
  const list = (/** @type {any} */ more) => state({ drop: { state: "lobby", mode: "lobby", listed: { seals_ms: NOW + 60_000, ...more } } });
  const inside = state({ drop: list({}).drop, you: { entries: [entry({ n: 0, lines: [], tickets: 1 })] } });
  assert.deepEqual(announce(list({}), inside, NOW, NOW), ["You are in the list."]);
  assert.match(announce(list({}), list({ seals_ms: NOW + 120_000 }), NOW, NOW).join(), /entries close/);
  assert.match(announce(list({}), list({ seals_ms: 0 }), NOW, NOW).join(), /by hand/);
});

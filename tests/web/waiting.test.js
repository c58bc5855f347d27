import { test } from "node:test";
import assert from "node:assert/strict";
import { POINTS_MAX, drawn, looked, minutes, reach, soon, told } from "../../dropengine/web/src/waiting.js";
import { about, changed, lifted, mission, notice, others, sealed, standing, until } from "../../dropengine/web/src/game_says.js";
import { NOW, entry, line, pool, state } from "./sale.js";

const MINUTE = 60_000;
const row = (/** @type {any} */ more = {}) => ({ why: "friend", title: "", points: 2, state: "counted", reason: "", at: NOW, until: 0, ...more });

test("a place is noted when it changes, and a whole night is told by a bounded number of points", () => {
  /** @type {import("../../dropengine/web/src/waiting.js").Point[]} */
  let past = [];
  for (let n = 0; n < 1_000; n += 1) past = looked(past, NOW + n * 1_000, 1_000 - n);
  assert.ok(past.length <= POINTS_MAX + 1);
  assert.deepEqual(past[0], [NOW, 1_000]);
  assert.deepEqual(past.at(-1), [NOW + 999_000, 1]);
  assert.equal(looked(past, NOW + 2_000_000, 1), past);
});

test("how long it takes is a range, by how the place fell of late, and nothing where nobody can tell", () => {
  const past = /** @type {[number, number][]} */ ([[NOW, 100], [NOW + 10 * MINUTE, 75]]);
  // 25 in ten minutes: 20 to 30 of them are as likely.
  assert.deepEqual(minutes(past, NOW + 10 * MINUTE, 75), [24, 37]);
  assert.match(soon(past, NOW + 10 * MINUTE, 75), /24 to 37 minutes/);
  assert.equal(minutes([[NOW, 100]], NOW + 10 * MINUTE, 100), null);
  assert.equal(minutes([[NOW, 100], [NOW + 5_000, 90]], NOW + 5_000, 90), null);
  assert.equal(minutes(past, NOW + 10 * MINUTE, 1), null);
  // What was hours ago says nothing of now.
  assert.equal(minutes([...past, [NOW + 11 * MINUTE, 74]], NOW + 90 * MINUTE, 74), null);
});

test("that the units cannot reach a place is said as soon as it is so, with the numbers", () => {
  const left = (/** @type {number} */ held) => pool({ free: 0, held, sold: 200 - held });
  assert.equal(reach(left(30), 5, line({ place: 30 })).short, 0);
  const short = reach(left(30), 5, line({ place: 41 }));
  assert.equal(short.short, 11);
  assert.equal(short.says, "30 units may still come. It reaches you only if 11 of those before you let go.");
  assert.match(reach(left(0), 5, line({ place: 1 })).says, /Every unit is sold/);
  // What is not for sale yet may come too.
  assert.equal(reach(pool({ free: 0, held: 0, sold: 150, withheld: 50 }), 5, line({ place: 50 })).short, 0);
  // Enough is said only where it is, whoever stands in the other lane; in between there is nothing to say.
  assert.match(reach(left(38), 5, line({ place: 30 })).says, /At most 37 offers go out before yours: that is enough/);
  assert.equal(reach(left(37), 5, line({ place: 30 })).says, "37 units may still come.");
  // Points count: the second of that lane may be called by the sixth call.
  assert.equal(reach(left(6), 5, line({ place: 41 }), line({ place: 2 })).short, 0);
  assert.equal(reach(left(5), 5, line({ place: 41 }), line({ place: 2 })).short, 1);
  // But nothing is promised of a place there: who gets more points than he has comes before him.
  assert.equal(reach(left(10), 5, line({ place: 41 }), line({ place: 2 })).says, "10 units may still come.");
  assert.match(reach(left(52), 5, line({ place: 41 }), line({ place: 2 })).says, /At most 51 offers/);
});

test("who waits in a line without a game is told the same in words, and nothing that is plain", () => {
  const of = (/** @type {any} */ held, /** @type {any} */ place, more = {}) =>
    told(state({ drop: { pools: { pin: pool({ free: 0, held, sold: 200 - held }) }, ...more }, you: { entries: [entry({ lines: [line({ place })] })] } }), NOW);
  assert.equal(of(30, 20), "");
  assert.equal(of(30, 31), "As it stands, the units cannot reach you. 30 units may still come. It reaches you only if 1 of those before you lets go.");
  assert.equal(of(30, 31, { state: "settled" }), "");
});

test("a place that falls is a line that climbs, from edge to edge", () => {
  const { path, last } = drawn([[NOW, 11], [NOW + 50, 6], [NOW + 100, 1]], NOW + 200, 200, 100);
  assert.equal(path, "M0 100H50V50H100V0H200");
  assert.equal(last, 0);
});

test("a fan reads who moved him up, what waits and until when, and why something does not count", () => {
  const rows = [row(), row({ state: "cured" }), row({ state: "refused", reason: "self" }), row({ why: "mission", title: "The word", points: 3 })];
  assert.deepEqual(lifted(rows), [
    { says: "2 friends confirmed", title: "", points: 4 },
    { says: "Done:", title: "The word", points: 3 },
  ]);
  assert.equal(standing(row({ state: "refused", reason: "self" }), NOW), "does not count: that was you yourself");
  assert.match(standing(row({ state: "waiting", reason: "delay", until: NOW + MINUTE }), NOW), /counts at/);
  assert.equal(about(row({ why: "collector" })), "From an earlier drop:");
  assert.equal(mission({ id: "a", title: "", kind: "tap", worth: 1, state: "running", ends: 0, done: false }, NOW), "The maker ticks it off.");
});

test("what is taken back is told with its reason, and said aloud once", () => {
  const before = { points: 4, rows: [row(), row({ at: NOW + 1 })], badges: [] };
  const after = { points: 2, rows: [row({ state: "taken_back", reason: "refunded" }), row({ at: NOW + 1 })], badges: [{ kind: "first_friend" }] };
  assert.equal(notice(after.rows.slice(0, 1)), "2 points were taken back. A friend's order was refunded.");
  assert.equal(changed(before, after), "2 points were taken back. A friend's order was refunded. You have 2 points left. New badge: First friend.");
  assert.equal(changed(after, after), "");
});

test("what did not count for the same reason is told once, and how often", () => {
  const refused = row({ state: "refused", reason: "network" });
  const told = others([refused, row(), { ...refused, at: NOW + 1 }, row({ state: "waiting", reason: "unpaid" }), refused]);
  assert.deepEqual(told.map(({ row: one, times }) => [one.reason, times]), [["network", 3], ["unpaid", 1]]);
});

test("points that count until the list is sealed are said to be fixed from then on", () => {
  const rules = /** @type {any} */ ({ points_until: "seal" });
  assert.deepEqual(["scheduled", "lobby", "ordering", "live", "paused"].map((state) => sealed(rules, state)), [false, false, true, true, true]);
  assert.notEqual(until(rules, "lobby"), until(rules, "live"));
  assert.ok(!sealed({ ...rules, points_until: "close" }, "live"));
});

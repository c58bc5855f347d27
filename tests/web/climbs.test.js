/** Places in the boost lane: every screen counts for itself, and asks only when it missed something. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { climbed } from "../../dropengine/web/src/climbs.js";
import { newer } from "../../dropengine/web/src/places.js";
import { entry, line, you } from "./sale.js";

const second = (more = {}) => entry({ rank: 3, boost: [line({ place: 4, r: 5, latest: 0 })], ...more });
const ticked = (mine, boosts, lines = {}) => climbed(mine, lines, boosts);

test("others come before me and go behind me", () => {
  const mine = you({ entries: [second()] });
  const moves = [[12, -1, 3], [99, -1, 3], [99, 3, 4], [5, 9, 2], [6, 2, -1]];
  const after = ticked(mine, { pin: { r0: 5, moves } }).you.entries[0];
  assert.deepEqual([after.boost[0].place, after.boost[0].r], [5, 10]);
  assert.deepEqual(after.lines, mine.entries[0].lines);
  // What was counted already counts once; a gap is asked about.
  const again = ticked(you({ entries: [after] }), { pin: { r0: 6, moves: moves.slice(1) } });
  assert.deepEqual(again.you.entries[0].boost, after.boost);
  assert.equal(ticked(you({ entries: [after] }), { pin: { r0: 11, moves: [] } }).missed, true);
});

test("both places of an entry move with one tick", () => {
  const after = ticked(you({ entries: [second()] }), { pin: { r0: 5, moves: [[1, 9, -1]] } }, { pin: { r0: 5, left: [1] } });
  assert.deepEqual([after.you.entries[0].lines[0].place, after.you.entries[0].boost[0].place], [40, 3]);
});

test("where I moved myself my place is due until it is told, and nobody is asked", () => {
  const gone = ticked(you({ entries: [second()] }), { pin: { r0: 4, moves: [[1, 9, -1], [77, 3, 5], [2, 9, -1]] } });
  assert.deepEqual([gone.missed, gone.you.entries[0].boost[0]], [false, { ...line({ place: 4, r: 5, latest: 0 }), due: true }]);
  const later = ticked(gone.you, { pin: { r0: 9, moves: [[3, 9, -1]] } });
  assert.deepEqual([later.missed, later.you], [false, gone.you]);
  const told = you({ seq: 11, entries: [second({ rank: 5, boost: [line({ place: 1, r: 7 })] })] });
  assert.deepEqual(newer(gone.you, told).entries[0].boost, told.entries[0].boost);
});

test("who stands there alone, as some did before there were second places, follows it too", () => {
  const mine = you({ entries: [entry({ lane: "boost", rank: 1023 })] });
  assert.equal(ticked(mine, { pin: { r0: 5, moves: [[12, 1023, -1]] } }).you.entries[0].lines[0].place, 40);
});

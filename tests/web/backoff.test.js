/** Coming back: full jitter from 0 to 1 s, doubling to 30 s and never above. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { delay } from "../../dropengine/web/src/backoff.js";
import { mayComeBack } from "../../dropengine/web/src/wire.js";

test("the longest wait doubles from one second and stops at thirty", () => {
  const most = [0, 1, 2, 3, 4, 5, 6, 50, 5_000].map((attempt) => delay(attempt, () => 1));
  assert.deepEqual(most, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test("the shortest wait is none, so that a crowd spreads over the whole time", () => {
  for (const attempt of [0, 3, 9]) assert.equal(delay(attempt, () => 0), 0);
});

test("the waits of many screens are spread evenly", () => {
  const waits = Array.from({ length: 4_000 }, () => delay(3));
  const quarter = (i) => waits.filter((ms) => Math.floor(ms / 2_000) === i).length;
  for (const i of [0, 1, 2, 3]) assert.ok(Math.abs(quarter(i) - 1_000) < 200, `${quarter(i)} of 4000 in quarter ${i}`);
});

test("a page comes back after every ending but those that say not to", () => {
  for (const code of [0, 1000, 1001, 1006, 1008, 1009, 1012, 1013, 4000, 4029, 4499]) assert.equal(mayComeBack(code), true, `${code}`);
  for (const code of [4500, 4501, 4504, 4999]) assert.equal(mayComeBack(code), false, `${code}`);
});

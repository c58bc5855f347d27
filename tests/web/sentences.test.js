/** Sentences of the catalogue: filled in, and chosen by a count. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fill } from "../../dropengine/web/src/sentences.js";

test("numbers are written as people write them, texts as they are", () => {
  assert.equal(fill("{count} of {what}", { count: 12_345, what: "{count} $& $1" }), "12,345 of {count} $& $1");
});

test("a plural is chosen by its count", () => {
  const units = { one: "{count} unit", other: "{count} units" };
  assert.deepEqual([0, 1, 2, 1_000].map((count) => fill(units, { count })), ["0 units", "1 unit", "2 units", "1,000 units"]);
});

/** What spends or gives up cannot be pressed in the second in which it appears. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { SLEEP_MS, Waking } from "../../dropengine/web/src/waking.js";

mock.timers.enable({ apis: ["setTimeout"] });

test("it sleeps for a second from when it is first shown, and is shown again when it wakes", () => {
  let now = 0;
  let woken = 0;
  const waking = new Waking(() => (woken += 1), () => now);
  for (const at of [0, 60, 150, 300, SLEEP_MS - 1]) {
    now = at;
    assert.equal(waking.asleep("pay h1"), true, `${at}`);
    waking.shown();
  }
  now = SLEEP_MS;
  assert.equal(waking.asleep("pay h1"), false);
  mock.timers.tick(SLEEP_MS + 1);
  assert.equal(woken, 1);
});

test("another thing in the same place sleeps anew, and so does what was gone for a moment", () => {
  let now = 0;
  const waking = new Waking(() => undefined, () => now);
  waking.asleep("pay h1");
  waking.shown();
  now = 5_000;
  assert.equal(waking.asleep("pay h2"), true);
  waking.shown();
  assert.equal(waking.asleep("pay h1"), true);
});

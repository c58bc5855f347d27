/** The server's clock on a screen: the best round trip counts, the device's own date never does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "../../dropengine/web/src/clock.js";

const SERVER = 1_800_000_000_000;

/** A device whose timer and date the test moves. */
function device(date = 5_000) {
  const at = { timer: 1_000, date };
  return { at, clock: new Clock(() => at.timer, () => at.date), pass: (ms) => ((at.timer += ms), (at.date += ms)) };
}

test("before anything was heard the device's own date is all there is", () => {
  const { clock } = device(777_000);
  assert.equal(clock.now(), 777_000);
});

test("a round trip is taken at its middle", () => {
  const { clock, at, pass } = device();
  const sent = at.timer;
  pass(80);
  clock.trip(sent, at.timer, SERVER);
  assert.equal(clock.now(), SERVER + 40);
  pass(1_000);
  assert.equal(clock.now(), SERVER + 1_040);
});

test("the fastest of the last eight round trips is believed", () => {
  const { clock, at, pass } = device();
  const trip = (there, back) => {
    const sent = at.timer;
    pass(there);
    const server = SERVER + at.timer;
    pass(back);
    clock.trip(sent, at.timer, server);
  };
  trip(900, 10);
  assert.equal(clock.now() - SERVER - at.timer, 445);
  trip(4, 4);
  assert.equal(clock.now() - SERVER - at.timer, 0);
  trip(10, 900);
  assert.equal(clock.now() - SERVER - at.timer, 0);
  for (let i = 0; i < 8; i += 1) trip(100, 300);
  assert.equal(clock.now() - SERVER - at.timer, -100, "the ninth is forgotten");
});

test("a message from the future corrects a clock that is behind", () => {
  const { clock, at, pass } = device();
  clock.hear(SERVER);
  assert.equal(clock.now(), SERVER);
  clock.hear(SERVER - 500);
  assert.equal(clock.now(), SERVER, "a late message is no news");
  pass(100);
  clock.hear(SERVER + 300);
  assert.equal(clock.now(), SERVER + 300);
});

test("setting the device's date is forgotten with the next word of the server", () => {
  const { clock, at } = device();
  clock.trip(at.timer, at.timer, SERVER);
  assert.equal(clock.slept(), false);
  at.date += 86_400_000;
  assert.equal(clock.slept(), true);
  assert.equal(clock.slept(), false);
  clock.hear(SERVER - 20);
  assert.equal(clock.now(), SERVER - 20);
});

test("after a sleep in which the timer stood still the time is right again at once", () => {
  const { clock, at } = device();
  clock.trip(at.timer, at.timer, SERVER);
  at.date += 600_000;
  assert.equal(clock.slept(), true);
  assert.equal(clock.now(), SERVER + 600_000);
  clock.trip(at.timer, at.timer, SERVER + 599_000);
  assert.equal(clock.now(), SERVER + 599_000, "and a measurement is better than the date's word");
});

test("a server's clock that was set back is believed with the next round trip, however slow it is", () => {
  const { clock, at, pass } = device();
  clock.trip(at.timer, at.timer, SERVER);
  clock.hear(SERVER);
  pass(60_000);
  const sent = at.timer;
  pass(300);
  clock.trip(sent, at.timer, SERVER - 3_600_000);
  assert.equal(clock.now(), SERVER - 3_600_000 + 150);
});

test("a round trip that ends before it began is no measurement", () => {
  const { clock } = device(42);
  clock.trip(10, 5, SERVER);
  assert.equal(clock.now(), 42);
});

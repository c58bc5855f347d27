/** What gives up is sent four seconds after the tap, unless it is undone or something newer came. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { LATER_MS, Later } from "../../dropengine/web/src/later.js";
import { entry, hold, you } from "./sale.js";

const LEAVE = { t: "leave", entry: "e1" };
const BACK = { t: "release", hold: "h1" };
const mine = you({ holds: [hold()], entries: [entry()] });

let sent = [];
let now = 0;
let later;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [sent, now] = [[], 0];
  later = new Later((command) => sent.push(command), () => undefined, () => now);
});

const pass = (ms) => {
  now += ms;
  mock.timers.tick(ms);
};

for (const command of [LEAVE, BACK]) {
  test(`${command.t}: nothing happens before its time, then once, however often it was tapped`, () => {
    for (const at of [0, 60, 150]) {
      pass(at);
      later.begin(command, mine);
    }
    pass(LATER_MS - 211);
    assert.deepEqual([sent, later.list()], [[], [command]]);
    pass(2);
    assert.deepEqual([sent, later.list()], [[command], []]);
    pass(60_000);
    assert.equal(sent.length, 1);
  });

  test(`${command.t}: undone, it never happens`, () => {
    later.begin(command, mine);
    pass(LATER_MS - 1);
    later.undo(command);
    pass(60_000);
    assert.deepEqual([sent, later.list()], [[], []]);
  });
}

test("what changed meanwhile is kept: an offer came, paying began, the time was extended, it ended", () => {
  const others = [
    [LEAVE, you({ entries: [entry({ state: "offered" })] })],
    [LEAVE, you()],
    [BACK, you({ holds: [hold({ state: "paying" })] })],
    [BACK, you({ holds: [hold({ extended: true })] })],
    [BACK, you()],
  ];
  for (const [command, changed] of others) {
    later.begin(command, mine);
    later.look(mine, false);
    assert.equal(later.list().length, 1);
    later.look(changed, false);
    assert.equal(later.list().length, 0);
  }
  pass(60_000);
  assert.deepEqual(sent, []);
});

test("another press is the newer wish", () => {
  later.begin(BACK, mine);
  later.look(mine, true);
  pass(60_000);
  assert.deepEqual(sent, []);
});

test("a page that stood still too long does not do it after all", () => {
  later.begin(LEAVE, mine);
  now += 600_000;
  mock.timers.tick(LATER_MS);
  assert.deepEqual([sent, later.list()], [[], []]);
});

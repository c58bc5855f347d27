/** A command has one key for its whole life; no reply means unknown, and is settled, never assumed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Commands, PATIENCE_MS, STALE_MS, TRIES } from "../../dropengine/web/src/commands.js";
import { freshKey } from "../../dropengine/web/src/wire.js";
import { entry, gone, hold, you } from "./sale.js";

const HOLD = { t: "hold", pool: "pin", qty: 1 };

function asked() {
  const commands = new Commands();
  const answers = [];
  const one = commands.ask(HOLD, 0, (answer) => answers.push(answer));
  return { commands, one, answers };
}

test("every command gets a key of its own that the protocol accepts", () => {
  const keys = new Set(Array.from({ length: 1_000 }, freshKey));
  assert.equal(keys.size, 1_000);
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_.:@-]{1,64}$/);
});

test("an answer ends its command and no other", () => {
  const { commands, one, answers } = asked();
  commands.ask(HOLD, 0, () => assert.fail("not mine"));
  commands.answered({ t: "done", id: one.id, seq: 1 }, 1);
  assert.deepEqual([answers.length, commands.open.size], [1, 1]);
  assert.equal(commands.answered({ t: "done", id: 99, seq: 1 }, 1), null);
});

test("a command is sent once, and again with the same key only when its answer stays out", () => {
  const { commands, one } = asked();
  const [first] = commands.due(0);
  assert.equal(first, one);
  first.sent = 0;
  assert.deepEqual(commands.due(PATIENCE_MS - 1), []);
  assert.equal(commands.due(PATIENCE_MS)[0].key, one.key);
});

test("after a lost connection it is repeated with its key", () => {
  const { commands, one } = asked();
  one.sent = 10;
  commands.lost();
  assert.equal(commands.due(20)[0].key, one.key);
});

test("what the fan's state shows of the key settles it without asking", () => {
  for (const shown of [{ holds: [hold({ key: "*" })] }, { ended: hold({ key: "*", state: "expired" }) }, { entries: [entry({ key: "*" })] }, { ended_entry: gone({ key: "*" }) }]) {
    const { commands, one, answers } = asked();
    const json = JSON.stringify(shown).replaceAll('"*"', JSON.stringify(one.key));
    one.sent = 10;
    commands.settled(you(JSON.parse(json)));
    assert.equal(answers.length, 0, "an answer is still on its way");
    commands.lost();
    commands.settled(you(JSON.parse(json)));
    assert.equal(answers[0].t, "done");
    assert.equal(commands.open.size, 0);
  }
});

test("an old press is looked up, never repeated behind somebody's back", () => {
  const { commands, one, answers } = asked();
  one.sent = 10;
  commands.lost();
  assert.deepEqual(commands.due(STALE_MS), []);
  assert.deepEqual([answers[0].t, answers[0].code], ["refused", "away"]);
});

test("away and too many are asked again after the time they name, a few times", () => {
  const { commands, one, answers } = asked();
  for (let i = 0; i < TRIES; i += 1) {
    one.sent = 0;
    one.tries = i;
    commands.answered({ t: "refused", id: one.id, seq: 1, code: "away", text: "", retry_ms: 1_000 }, 0);
    assert.deepEqual(commands.due(499), []);
    assert.equal(commands.due(1_500)[0].key, one.key);
  }
  one.tries = TRIES;
  commands.answered({ t: "refused", id: one.id, seq: 1, code: "away", text: "Away." }, 0);
  assert.equal(answers[0].code, "away");
});

test("every other refusal is told at once", () => {
  const { commands, one, answers } = asked();
  commands.answered({ t: "refused", id: one.id, seq: 1, code: "all_held", text: "" }, 0);
  assert.equal(answers[0].code, "all_held");
});

test("who is paced is not asked for again before his own time", () => {
  const { commands, one } = asked();
  for (let i = 0; i < TRIES; i += 1) {
    one.sent = 0;
    one.tries = i;
    commands.answered({ t: "refused", id: one.id, seq: 1, code: "too_many_requests", text: "", retry_ms: 10_000 }, 0);
    assert.deepEqual(commands.due(9_999), []);
    assert.equal(commands.due(12_500)[0].key, one.key);
  }
});

test("whoever answers everything but one command is not asked for ever", () => {
  const commands = new Commands();
  const said = [];
  const asked = commands.ask(HOLD, 0, (answer) => said.push(answer.code));
  let sent = 0;
  for (let now = 0; now < 10 * STALE_MS; now += 1_000) {
    for (const one of commands.due(now)) {
      one.sent = now;
      sent += 1;
      assert.ok(now - asked.born < STALE_MS, "an old press is not repeated");
    }
  }
  assert.deepEqual([said, commands.open.size], [["away"], 0]);
  assert.equal(sent, Math.ceil(STALE_MS / PATIENCE_MS));
});

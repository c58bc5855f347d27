/** What stands beside the button: the last minute, then what the maker says, then a shop that is away. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { moment } from "../../dropengine/web/src/moment.js";
import { NOW, hold, state } from "./sale.js";

const news = [{ seq: 9, at: NOW - 60_000, text: "Back in five minutes." }];
const late = hold({ deadline_ms: NOW + 60_000 });
const lost = { link: { live: false, way: "socket", since: NOW - 5_000, over: false, why: "" } };
const kindOf = (given, read = 0, now = NOW) => moment(state(given), now, read)?.kind ?? "none";

test("the moments come in the order in which they matter", () => {
  const all = { drop: { news }, you: { used: 1, holds: [late] }, state: { away: NOW - 1 } };
  assert.equal(kindOf(all), "last");
  assert.equal(kindOf({ ...all, you: { used: 1, holds: [hold({ origin: "line" })] } }), "none", "an offer has all the room");
  assert.equal(kindOf({ ...all, you: {} }), "news");
  assert.equal(kindOf({ ...all, you: {} }, 9), "away");
  assert.equal(kindOf({ state: lost }), "away");
  assert.equal(kindOf({}), "none");
});

test("the last minute stands there while there is more time to ask for", () => {
  assert.equal(kindOf({ you: { used: 1, holds: [hold({ deadline_ms: NOW + 60_001 })] } }), "none");
  assert.equal(kindOf({ you: { used: 1, holds: [{ ...late, extended: true }] } }), "none");
  assert.equal(kindOf({ you: { used: 1, holds: [{ ...late, checking: true }] } }), "none");
  assert.equal(kindOf({ drop: { extend_ms: 0 }, you: { used: 1, holds: [late] } }), "none");
  assert.equal(kindOf({ drop: { state: "frozen" }, you: { used: 1, holds: [late] } }), "none");
});

test("a message stands there until it was read, or is old", () => {
  assert.equal(kindOf({ drop: { news } }), "news");
  assert.equal(kindOf({ drop: { news } }, 9), "none");
  assert.equal(kindOf({ drop: { news: [{ ...news[0], seq: 10 }, ...news] } }, 9), "news");
  assert.equal(kindOf({ drop: { news } }, 0, NOW + 600_000), "none");
});

/** What a fan is asked about being called: only what he can use, and nothing twice. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url, browserOf, isFor, standing } from "../../dropengine/web/src/calling.js";

const waiting = { entries: [{ state: "waiting" }], holds: [], orders: [] };
const nothing = { entries: [], holds: [], orders: [] };
const known = (more) => ({ permission: "default", on: false, drop: { state: "live" }, you: nothing, ...more });

test("who waits is asked whether he wants to be called", () => {
  assert.equal(standing(known({ you: waiting })), "turn");
  assert.equal(standing(known({ you: { ...nothing, entries: [{ state: "offered" }] } })), "turn");
  assert.equal(standing(known({ you: { ...nothing, entries: [{ state: "left" }] } })), "hidden");
});

test("before a drop opens everybody is, and whoever only watches is not", () => {
  assert.equal(standing(known({ drop: { state: "scheduled" } })), "opens");
  assert.equal(standing(known({ drop: { state: "scheduled" }, you: null })), "hidden");
});

test("who is called sees it as long as there is something to call for", () => {
  for (const state of ["scheduled", "live", "paused", "closing", "frozen"]) {
    assert.equal(standing(known({ permission: "granted", on: true, drop: { state } })), "on");
  }
  for (const state of ["settled", "cancelled"]) {
    assert.equal(standing(known({ permission: "granted", on: true, drop: { state }, you: waiting })), "hidden");
  }
});

test("who said no to his browser is told so where it matters, and not asked", () => {
  assert.equal(standing(known({ permission: "denied", you: waiting })), "denied");
  assert.equal(standing(known({ permission: "denied", on: true, you: waiting })), "denied");
  assert.equal(standing(known({ permission: "denied", drop: { state: "scheduled" } })), "hidden");
});

test("a browser knows itself by the name that the shop gives it", async () => {
  assert.match(await browserOf("x"), /^[0-9a-f]{32}$/);
  // As `sha256sum` on any machine says it.
  assert.equal(await browserOf(""), "e3b0c44298fc1c149afbf4c8996fb924");
});

test("a subscription for another key is told from one for ours", () => {
  const key = new Uint8Array([251, 255, 190, 1]).buffer;
  assert.equal(base64url(key), "-_--AQ");
  assert.ok(isFor(key, "-_--AQ"));
  assert.ok(!isFor(key, "AQ"));
  // Some browsers do not tell.
  assert.ok(isFor(null, "AQ"));
});

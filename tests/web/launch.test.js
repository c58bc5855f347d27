/** Early access and places that were carried over: what the one button says, and to whom. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { action } from "../../dropengine/web/src/action.js";
import "../../dropengine/web/src/launch.js";
import { heard } from "../../dropengine/web/src/state.js";
import { NOW, choice, entry, state, tick } from "./sale.js";

const club = { id: "club", title: "Umbra Club" };
/** @param {any} [you] @param {any} [drop] */
const early = (you = {}, drop = {}) => state({ you, drop: { early: { lasts: true, public_ms: NOW + 60_000 }, cohorts: [club], ...drop } });
const pressed = (/** @type {any} */ one) => action(one, choice(), NOW);

test("in early access who is in no cohort is told whose it is and when it is his", () => {
  const { kind, label, thing, command } = pressed(early());
  assert.deepEqual([kind, thing, command], ["early", "Umbra Club", null]);
  assert.match(label, /^For you from .*1:01/);
  assert.equal(pressed(early({}, { early: { lasts: true, public_ms: 0 } })).label, "For you a little later");
});

test("who is in one presses as ever, and so does everybody once it is open to all", () => {
  assert.equal(pressed(early({ cohorts: ["club"] })).kind, "hold");
  const { state: after } = heard(early(), /** @type {any} */ (tick({ early: { lasts: false, public_ms: NOW } })));
  assert.equal(pressed(after).kind, "hold");
});

test("before the opening the page says when it opens, and who is not known is led to sign in", () => {
  assert.match(pressed(early({}, { state: "scheduled", opens_ms: NOW + 30_000 })).label, /^Opens/);
  assert.equal(pressed(early(null, { identity: "verified" })).kind, "sign");
});

test("who has a place keeps it on the button", () => {
  assert.equal(pressed(early({ entries: [entry()] })).kind, "line");
});

test("a place that was carried over is confirmed once", () => {
  const carried = (/** @type {string} */ how) => state({ you: { entries: [entry({ carried: how })] }, drop: { state: "scheduled" } });
  assert.deepEqual(pressed(carried("asked")).command, { t: "confirm", entry: "e1" });
  assert.notEqual(pressed(carried("confirmed")).command?.t, "confirm");
  assert.equal(pressed(state({ you: { entries: [entry({ carried: "asked" })] }, drop: { state: "settled" } })).kind, "over");
});

/** Early access and places that were carried over: what the one button says, and to whom. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { action } from "../../dropengine/web/src/action.js";
import { toAll } from "../../dropengine/web/src/early.js";
import "../../dropengine/web/src/launch.js";
import { heard } from "../../dropengine/web/src/state.js";
import { NOW, choice, entry, line, pool, state, tick } from "./sale.js";

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
  const full = { pools: { pin: pool({ free: 0, held: 200 }) } };
  assert.match(pressed(early({ cohorts: ["club"], entries: [entry()] }, full)).hint, /^40 ahead of you/);
});

test("who is passed by reads why: others may have what is left, and he may not for now", () => {
  const waits = (/** @type {any} */ more = {}) => ({ cohorts: ["club"], entries: [entry({ lines: [line({ place: 1 })], ...more })] });
  assert.match(pressed(early(waits())).hint, /^What early access sets aside for you is taken/);
  assert.match(pressed(state({ you: waits({ carried: "confirmed" }) })).hint, /^What was set aside for those who waited last time is taken/);
  // No more than he may have is no ceiling of his cohort.
  assert.match(pressed(early({ ...waits(), used: 2 })).hint, /^You are next/);
});

test("who is refused at the ceiling of his cohort may join the line, whatever is left for others", () => {
  const refused = (/** @type {any} */ more = {}) => ({ command: { t: "hold", pool: "pin", qty: 1 }, refused: { t: "refused", id: 1, seq: 9, code: "cohort_full", text: "", room: 0, ...more } });
  const at = (/** @type {any} */ refusal, /** @type {any} */ drop = {}) => pressed({ ...early({ cohorts: ["club"] }, drop), refusal });
  assert.deepEqual(at(refused()).command, { t: "join", pools: ["pin"], qty: 1 });
  assert.equal(at(refused({ room: 1 })).kind, "hold");
  assert.equal(at(refused(), { early: { lasts: false, public_ms: NOW } }).kind, "hold");
});

test("who waits while it is not his time is told so, and not that he is next", () => {
  for (const more of [{}, { carried: "confirmed" }]) {
    assert.match(pressed(early({ entries: [entry(more)] })).hint, /calls only people who have early access/);
    assert.doesNotMatch(pressed(early({ entries: [entry(more)] }, { early: { lasts: false, public_ms: NOW } })).hint, /early access/);
  }
});

test("a screen for everybody says until when it is early access, by the drop's clocks", () => {
  assert.match(toAll(early().drop), /^Early access until .+\.$/);
  assert.match(toAll(early({}, { early: { lasts: true, public_ms: 0 } }).drop), /until the maker opens it to all/);
  assert.equal(toAll(early({}, { early: { lasts: false, public_ms: NOW } }).drop), "");
});

test("a place that was carried over is confirmed once", () => {
  const carried = (/** @type {string} */ how) => state({ you: { entries: [entry({ carried: how })] }, drop: { state: "scheduled" } });
  assert.deepEqual(pressed(carried("asked")).command, { t: "confirm", entry: "e1" });
  assert.notEqual(pressed(carried("confirmed")).command?.t, "confirm");
  assert.equal(pressed(state({ you: { entries: [entry({ carried: "asked" })] }, drop: { state: "settled" } })).kind, "over");
});

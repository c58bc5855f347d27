import { test } from "node:test";
import assert from "node:assert/strict";
import { action } from "../../dropengine/web/src/action.js";
import "../../dropengine/web/src/launch.js";
import { because, entry as card, gone, told, waits } from "../../dropengine/web/src/listed.js";
import { heard } from "../../dropengine/web/src/state.js";
import { NOW, choice, drop, entry, hold, pool, state, tick, you } from "./sale.js";

const rules = { window_ms: 1_800_000, first_offer_ms: 600_000, tickets_most: 5, commitment: "fc" };
const two = { cup: pool({ item: "cup" }), pin: pool() };
/** @param {any} more */
const of = ({ mine = null, ...more }) => state({ drop: { mode: "lobby", chance: rules, listed: { entries: 3, seals_ms: NOW + 60_000 }, state: "lobby", ...more }, ...(mine === null ? {} : { you: { entries: [mine] } }) });
const listed = (/** @type {any} */ more = {}) => entry({ n: 0, lines: [], tickets: 1, pools: ["pin"], ...more });

test("who enters names his kinds in his order, and adds a number that nobody could choose", () => {
  const { kind, label, command } = action(of({ pools: two }), choice({ also: ["cup"] }), NOW);
  assert.deepEqual([kind, label], ["join", "Enter the list"]);
  assert.ok(command?.t === "join");
  assert.deepEqual(command.pools, ["pin", "cup"]);
  assert.match(command.nonce ?? "", /^[0-9a-f]{32}$/);
});

test("before the list opens nothing can be pressed, and the button says when it does", () => {
  const { kind, label, command } = action(of({ state: "scheduled", opens_ms: NOW + 1_860_000 }), choice(), NOW);
  assert.equal(kind, "early");
  // Half an hour before the opening, by a reader's clock in Tokyo.
  assert.match(label, /1:01/);
  assert.equal(command, null);
});

test("nobody holds or joins while the list is ordered", () => {
  assert.equal(action(of({ state: "ordering" }), choice(), NOW).kind, "over");
  assert.equal(action(of({ state: "ordering", mine: listed() }), choice(), NOW).label, "Your place is being drawn");
});

test("who is not known is led to where he signs in", () => {
  assert.equal(action(state({ you: null, drop: { state: "lobby", chance: rules, identity: "verified" } }), choice(), NOW).label, "Sign in to enter");
});

test("an offer has the button, whatever the list says", () => {
  const one = of({ state: "live", mine: listed({ n: 2, state: "offered" }) });
  assert.equal(action({ ...one, you: you({ holds: [hold({ origin: "line" })], entries: one.you?.entries ?? [] }) }, choice(), NOW).kind, "claim");
});

test("a fan is told why he has more tickets than one", () => {
  assert.equal(because(1, 5), "");
  assert.match(because(2, 5), /2 tickets, because you went away empty once/);
  assert.match(because(3, 5), /3 tickets, because you went away empty 2 times/);
  assert.match(because(5, 5), /the most/);
});

test("how far the calls have come is told, once they go beyond the first round", () => {
  assert.equal(told({ entries: 3_000 }), "");
  assert.equal(told({ won: 200, called: 200 }), "200 were called at first.");
  assert.equal(told({ won: 200, called: 231 }), "200 were called at first. So far the calls have come to number 231.");
});

test("whoever was carried over stands before the list, and its numbers begin behind him", () => {
  const one = of({ state: "live", listed: { entries: 30, won: 5, called: 12, behind: 2 }, mine: listed({ n: 9 }) });
  const [mine] = one.you?.entries ?? [];
  assert.ok(mine);
  assert.equal(card(one, mine, NOW)?.arrival, "Number 7 of 30");
  assert.match(told(one.drop.listed), /number 10/);
  // Only those before the list were called yet, and one of them went.
  const before = { entries: 30, won: 5, called: 8, behind: 10 };
  assert.equal(told(before), "5 were called at first.");
  assert.doesNotMatch(gone(/** @type {any} */ ({ n: 3, why: "left" }), drop({ listed: before })), /number/);
});

test("a beacon is waited for until its round is due", () => {
  const beacon = { ...rules, commitment: "", round: 7, beacon: "quicknet", due_ms: NOW + 60_000 };
  const one = drop({ chance: beacon, listed: { entries: 3 } });
  assert.match(waits(/** @type {any} */ (one), NOW), /quicknet/);
  assert.match(waits(/** @type {any} */ (one), NOW + 60_000), /about to/);
  assert.equal(waits(/** @type {any} */ ({ ...one, chance: rules }), NOW), "");
});

test("who got none reads his number, and that the next draw knows it", () => {
  const lost = of({ mode: "draw", state: "settled", identity: "verified", listed: { entries: 3_000, won: 200, called: 231 }, mine: listed({ n: 412 }) });
  const shown = action(lost, choice(), NOW);
  assert.deepEqual([shown.label, shown.hint], ["None for you this time", "Chance made you number 412 of 3,000."]);
  const [mine] = lost.you?.entries ?? [];
  assert.ok(mine);
  assert.equal(card(lost, mine, NOW)?.arrival, "Number 412 of 3,000");
  assert.ok(JSON.stringify(card(lost, mine, NOW)?.says).includes("one ticket more"));
  const guests = { ...lost, drop: { ...lost.drop, identity: "guest" } };
  assert.ok(!JSON.stringify(card(guests, mine, NOW)?.says).includes("one ticket more"));
  // Whoever was called has no loss there.
  assert.ok(!JSON.stringify(card(lost, { ...mine, lapses: 1 }, NOW)?.says).includes("one ticket more"));
});

test("who left the list before it had an order had no number", () => {
  assert.equal(gone({ id: "e1", key: "k", n: 0, qty: 1, pools: ["pin"], why: "left" }, /** @type {any} */ (drop({}))), "You were in the list, and left it.");
});

test("a tick tells of the list, and one of another drop of none", () => {
  const { state: after } = heard(of({}), /** @type {any} */ (tick({ state: "lobby", listed: { entries: 4 } })));
  assert.equal(after.drop.listed?.entries, 4);
});

/** A sentence that the server writes as well as the script is the same in both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as words from "../../dropengine/web/src/words.js";
import { NOW, drop, order, pool } from "./sale.js";

const template = (/** @type {string} */ name) => readFileSync(new URL(`../../dropengine/web/templates/${name}.html`, import.meta.url), "utf8");
/** `{% set NAME = {...} %}` of a template. */
const table = (/** @type {string} */ text, /** @type {string} */ name) => JSON.parse(text.match(new RegExp(`set ${name} = (\\{[^}]*\\})`))[1].replace(/,\s*\}/, "}"));

const FAN = template("fan");
const PARTS = template("parts");
const WORDS = template("words");

test("what the sale is doing", () => {
  const said = table(PARTS, "PHASES");
  for (const [phase, text] of Object.entries(said)) assert.equal(text, words.PHASES[phase]);
  assert.deepEqual(Object.keys(words.PHASES).filter((phase) => !(phase in said)), ["scheduled"]);
});

test("the page before its script", () => {
  const [rest] = words.holdHint(1_000).split(" 1 second ").slice(1);
  for (const text of [words.EARLY, words.EARLY_BY_HAND, words.MOMENT, words.SAVED, words.WEAKER, words.CALENDAR, words.UP_TO_DATE.page, rest]) assert.ok(FAN.includes(text), text);
  assert.ok(FAN.includes(`<h2>${words.from} <bdi>`));
});

test("the stock, and choosing", () => {
  const { free, unsold, held, offered, sold, back, cap } = words.UNITS;
  for (const text of [held, offered, sold, back, cap]) assert.ok(PARTS.includes(`<dt>${text}</dt>`), text);
  assert.ok(PARTS.includes(`"${unsold}" if over else "${free}"`));
  for (const text of [words.OPENS_SOON, words.BY_HAND, words.WHICH, words.HOW_MANY, words.FEWER, words.MORE, words.may(1).slice(1), words.inLineNow({ ...pool(), waiting: 1, buying: 1 }).slice(-"of them buying".length)]) assert.ok(PARTS.includes(text), text);
});

test("an order's money, whose sum stands beside it on its own page", () => {
  const said = table(WORDS, "MONEY");
  for (const [state, text] of Object.entries(said)) {
    const told = words.paid(order({ state }), drop());
    assert.equal(text, told.replace(/^Paid €24\.00/, "Paid").replace(" of €24.00", "").replace("€24.00", "the money"));
  }
  assert.notEqual(words.paid(order({ state: "done", at: NOW }), drop()), "€24.00");
});

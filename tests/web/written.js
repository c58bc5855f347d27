/** Writes moments, sums, numbers and lengths as a page does, in the language it is run for: JSON in, JSON out. */

import { readFileSync } from "node:fs";
import { language } from "#said";
import { money, moment, number, span } from "../../dropengine/web/src/formats.js";

const { moments, sums, numbers, spans } = JSON.parse(readFileSync(0, "utf8"));
const plurals = new Intl.PluralRules(language);
const written = {
  language,
  moments: moments.map((/** @type {[number, string]} */ [ms, zone]) => moment(ms, zone, false)),
  sums: sums.map((/** @type {[number, string, number]} */ [amount, currency, minor_digits]) => money(amount, /** @type {any} */ ({ currency, minor_digits }))),
  numbers: numbers.map(number),
  spans: spans.map(span),
  plurals: numbers.map((/** @type {number} */ one) => plurals.select(one)),
};
process.stdout.write(JSON.stringify(written));

/** Writes moments, sums, numbers and lengths as a page does, in the language it is run for: JSON in, JSON out. */

import { readFileSync } from "node:fs";
import { language, stopped } from "#said";
import { money, moment, number, span } from "../../dropengine/web/src/formats.js";
import { refusal as told } from "../../dropengine/web/src/refused.js";
import * as words from "../../dropengine/web/src/words.js";

const { moments, sums, numbers, spans, refusals, reasons } = JSON.parse(readFileSync(0, "utf8"));
// As `voice.entry.js` does.
words.tell(language === "en" ? { refusal: told } : { refusal: told, stopped });
const refusal = (/** @type {string} */ code, /** @type {string} */ text) => words.refusal(/** @type {any} */ ({ code, text }), /** @type {any} */ ({ limit: 1 }));
const plurals = new Intl.PluralRules(language);
const written = {
  language,
  moments: moments.map((/** @type {[number, string]} */ [ms, zone]) => moment(ms, zone, false)),
  sums: sums.map((/** @type {[number, string, number]} */ [amount, currency, minor_digits]) => money(amount, /** @type {any} */ ({ currency, minor_digits }))),
  numbers: numbers.map(number),
  spans: spans.map(span),
  refusals: refusals.map((/** @type {[string, string]} */ [code, text]) => refusal(code, text)),
  unknown: refusal("away", words.UNKNOWN),
  reasons: reasons.map(words.whyStopped),
  plurals: numbers.map((/** @type {number} */ one) => plurals.select(one)),
};
process.stdout.write(JSON.stringify(written));

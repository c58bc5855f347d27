/** Sentences of the catalogue, filled in: numbers as people of its language write them, plurals by its rules. */

import { language } from "#said";

const NUMBERS = new Intl.NumberFormat(language);
const PLURALS = new Intl.PluralRules(language);

/** @param {number} value */
export const number = (value) => NUMBERS.format(value);

/**
 * @param {string | {other: string, [category: string]: string}} sentence the latter is chosen by `count`
 * @param {Record<string, string | number>} values
 */
export function fill(sentence, values) {
  const text = typeof sentence === "string" ? sentence : (sentence[PLURALS.select(Number(values["count"]))] ?? sentence.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

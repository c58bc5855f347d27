/**
 * The rules that may still change: when the sale opens and closes, and what an answer of the shop is worth now, whose
 * server may begin, or cease, to write to disk before it answers. They stand in the page already, so this comes late
 * and writes only what is new.
 *
 * @import {DropView} from "./wire.js"
 */

import { moments } from "./formats.js";
import { toOpen } from "./state.js";
import { CALENDAR, MAKERS_TIME, SAVED, WEAKER } from "./words.js";

/** @param {DropView} drop */
export function tellRules(drop) {
  for (const one of document.querySelectorAll("drop-kept")) {
    const text = drop.durable ? SAVED : WEAKER;
    if (one.textContent !== text) one.textContent = text;
  }
  // Nobody is reminded of what is open.
  document.querySelector("form.remind")?.toggleAttribute("hidden", !toOpen(drop));
  for (const one of document.querySelectorAll("drop-time")) if (one instanceof HTMLElement) tellTime(one, drop);
}

/**
 * A time of the sale; `data-what`: which one. Its whole row is there only where there is such a time.
 * @param {HTMLElement} one
 * @param {DropView} drop
 */
function tellTime(one, drop) {
  const { what = "", at: told } = one.dataset;
  const at = what === "closes" ? drop.closes_ms : toOpen(drop) ? drop.opens_ms : 0;
  if (told === String(at)) return;
  one.dataset["at"] = String(at);
  one.closest("div")?.toggleAttribute("hidden", at === 0);
  if (at === 0) return one.replaceChildren();
  const { here, there } = moments(at, drop.zone);
  const time = document.createElement("time");
  time.dateTime = new Date(at).toISOString();
  time.textContent = here;
  const calendar = document.createElement("a");
  calendar.href = `/drops/${drop.id}/${what}.ics`;
  calendar.textContent = CALENDAR;
  one.replaceChildren(time, there === "" ? "" : ` (${there}, ${MAKERS_TIME})`, " · ", calendar);
}

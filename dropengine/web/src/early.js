/**
 * Early access, as its fans see it: who may begin something already, and when it is open to all. Only pages of drops
 * that have cohorts need it.
 *
 * @import {Action, Choice} from "./action.js"
 * @import {CohortView, DropView, EntryView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import * as say from "#said";
import { join } from "./action.js";
import { lately, moments, poolName } from "./formats.js";
import { fill } from "./sentences.js";
import { room } from "./state.js";
import { inLine } from "./words.js";

const words = say.early_access;
/** While something may begin, or a list may be entered. */
const SELLS = ["lobby", "live", "sold_out", "paused"];
const BEFORE = ["scheduled", ...SELLS];

/** Whether a drop is not open to all yet. @param {DropView} drop */
export const lasts = (drop) => drop.early?.lasts === true && BEFORE.includes(drop.state);

/** What their maker calls them. @param {CohortView[]} cohorts */
const names = (cohorts) => cohorts.map(({ title }) => title).join(", ");

/** Those that a fan is in. @param {State} state */
export const his = ({ drop, you }) => (drop.cohorts ?? []).filter(({ id }) => you?.cohorts?.includes(id));

/** Whether it is early access, and not his. @param {State} state */
export const notHis = (state) => lasts(state.drop) && his(state).length === 0;

/**
 * On a screen for everybody: until when it lasts, by the drop's clocks; '' when it is open to all.
 * @param {DropView} drop
 */
export function toAll(drop) {
  if (!lasts(drop)) return "";
  const at = drop.early?.public_ms ?? 0;
  const { here, there } = moments(at, drop.zone);
  return at === 0 ? words.by_hand : fill(words.until, { when: there === "" ? here : there });
}

/**
 * Under the heading of the sale: until when it lasts, and whether it is the fan's own.
 * @param {State} state
 * @param {number} now
 * @param {unknown} usual
 */
export function head(state, now, usual) {
  const { drop } = state;
  if (!lasts(drop)) return usual;
  const at = drop.early?.public_ms ?? 0;
  const mine = his(state);
  return html`${usual}
    <p class="when early">${at === 0 ? words.by_hand : fill(words.until, { when: lately(at, now) })} ${mine.length === 0 ? nothing : html`<strong>${words.yours} <bdi>${names(mine)}</bdi></strong>`}</p>`;
}

/**
 * The one button of who is in none of them, while it is not his time.
 * @param {State} state
 * @param {number} now
 * @returns {Action | undefined}
 */
export function button(state, now) {
  const { drop, you } = state;
  if (you === null || !lasts(drop) || !SELLS.includes(drop.state) || his(state).length > 0) return undefined;
  // What he has, he has: a place that was carried over, or an order.
  if (you.entries.length + you.orders.length > 0) return undefined;
  const at = drop.early?.public_ms ?? 0;
  const label = at === 0 ? words.later : fill(words.from, { when: lately(at, now) });
  return { kind: "early", label, clock: "", thing: names(drop.cohorts ?? []), hint: words.theirs, command: null, sleeps: false };
}

/**
 * The line where a unit lies free that who waits in it is not offered, though he could take one: it calls at once, so
 * others may have it and he may not.
 * @param {State} state
 * @param {EntryView} entry
 * @param {number} now
 */
export function passedBy(state, entry, now) {
  const { drop } = state;
  if (drop.state !== "live" || drop.calls_ms || entry.state !== "waiting" || entry.cool_ms > now) return undefined;
  return entry.lines.find(({ pool }) => {
    const { free = 0, item = "" } = drop.pools[pool] ?? {};
    return free > 0 && room(state, item) > 0;
  });
}

/**
 * At the ceiling of his cohorts, while others still may press: the line for who was refused there, and what who waits
 * in it reads.
 * @param {State} state
 * @param {Choice} choice
 * @param {number} now
 * @returns {Action | undefined}
 */
export function ceiling(state, choice, now) {
  const { drop, you, refusal } = state;
  if (you === null || !lasts(drop)) return undefined;
  const waiting = you.entries.filter((entry) => entry.state === "waiting");
  const none = notHis(state);
  for (const entry of waiting) {
    // Who is in none, with a place that was carried over, is called by no line before it is open to all.
    const at = none && drop.state === "live" && !drop.calls_ms && entry.cool_ms <= now ? entry.lines[0] : passedBy(state, entry, now);
    if (at) return { kind: "line", label: inLine(at.place), clock: "", thing: poolName(drop, at.pool), hint: none ? words.waits : words.ceiling, command: null, sleeps: false };
  }
  const refused = refusal?.command.t === "hold" && refusal.command.pool === choice.pool ? refusal.refused : undefined;
  const can = room(state, drop.pools[choice.pool]?.item ?? "");
  if (waiting.length > 0 || drop.state !== "live" || refused?.code !== "cohort_full" || refused.room || can < 1) return undefined;
  // The refusal beside the button says why.
  return join(choice, Math.min(choice.qty, can), "", poolName(drop, choice.pool));
}

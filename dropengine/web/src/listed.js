/**
 * A list that chance orders, as its fans see it: before it opens, while it is open, while it is ordered, and what came
 * of it. Only the pages of drops that are launched otherwise load this.
 *
 * @import {Action, Choice} from "./action.js"
 * @import {DropView, EndedEntry, EntryView, ListView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import * as say from "#said";
import { ALSO_MAX } from "./action.js";
import { lately, left, moments, poolName } from "./formats.js";
import { fill } from "./sentences.js";
import { ended, known, offered, open, room } from "./state.js";
import { freshKey } from "./wire.js";
import * as words from "./words.js";

const chance = say.chance;

/** What this page adds to the randomness: it has its part in the order, and nobody could choose it. */
const nonce = freshKey();

/** When its list opens: a lobby before the opening, the others with it; 0: by hand. @param {DropView} drop */
export const opensAt = ({ mode, opens_ms, chance: rules }) => (opens_ms === 0 ? 0 : opens_ms - (mode === "lobby" ? (rules?.window_ms ?? 0) : 0));

/** When it is to be sealed if it opens as planned; 0: by hand. @param {DropView} drop */
const sealsAt = ({ mode, opens_ms, chance: rules }) => (opens_ms === 0 ? 0 : opens_ms + (mode === "lobby" ? 0 : (rules?.window_ms ?? 0)));

/** @param {ListView | null | undefined} list */
const size = (list) => list?.entries ?? 0;

/** A fan's own place of the list, whose fate is open. @param {State} state */
const mine = ({ you }) => (you?.entries ?? []).find((entry) => (entry.tickets ?? 0) > 0);

/** Which number of the list a place is. @param {EntryView} entry @param {DropView} drop */
const numberOf = ({ n }, { listed }) => n - (listed?.behind ?? 0);

/** How many are in, in words. @param {ListView | null | undefined} list */
export const inside = (list) => (size(list) === 0 ? chance.nobody : fill(say.chance_inside, { count: size(list) }));

/**
 * What is told of the order: how many were called at first, and how far the calls have come.
 * @param {ListView | null | undefined} list
 */
export function told(list) {
  const { won = 0, called = 0, behind = 0 } = list ?? {};
  if (won === 0) return "";
  // As long as only places from an earlier drop were called, nobody of the list was.
  return [fill(say.chance_won, { count: won }), called > won && called > behind ? fill(chance.up_to, { n: called - behind }) : ""].filter((one) => one !== "").join(" ");
}

/**
 * What the list waits for while it is ordered.
 * @param {DropView} drop
 * @param {number} now
 */
export function waits({ chance: rules, listed }, now) {
  const { placed = 0, revealed = "" } = listed ?? {};
  if (placed > 0) return fill(chance.placing, { placed, count: size(listed) });
  if (revealed !== "" || !rules?.round) return "";
  const { beacon = "", due_ms = 0, own = false } = rules;
  return due_ms > now ? fill(own ? chance.waits_own : chance.waits, { beacon, when: lately(due_ms, now) }) : fill(chance.waits_soon, { beacon });
}

/** @param {number} at @param {string} zone */
const times = (at, zone) => {
  const { here, there } = moments(at, zone);
  return html`<time datetime=${new Date(at).toISOString()}>${here}</time>${there === "" ? "" : html`<span class="there">${there}, ${words.MAKERS_TIME}</span>`}`;
};

/**
 * How the sale stands, as its heading says it.
 * @param {State} state
 * @param {number} now
 * @param {unknown} usual what it is in every other drop
 */
export function head(state, now, usual) {
  const { drop, planned, you } = state;
  const { listed } = drop;
  const changed = drop.opens_ms === planned.opens_ms ? nothing : html`<strong class="there">${words.changed(planned.opens_ms, now)}</strong>`;
  if (drop.state === "scheduled") {
    const opens = opensAt(drop);
    if (opens === 0) return html`<p class="phase">${chance.opens_soon}</p><p class="when">${chance.opens_by_hand} ${changed}</p>`;
    return html`<p class="phase">${chance.opens_in}</p>
      <p class="countdown" role="timer" aria-live="off">${left(opens - now)}</p>
      <p class="when two-lines">${times(opens, drop.zone)}</p>
      <p class="when">${fill(chance.orders_at, { when: lately(sealsAt(drop), now) })} ${changed}</p>`;
  }
  if (drop.state === "lobby") {
    const seals = listed?.seals_ms ?? 0;
    if (seals === 0) return html`<p class="phase live">${chance.open_by_hand}</p><p class="when">${inside(listed)} · ${chance.closes_by_hand} ${changed}</p>`;
    return html`<p class="phase live">${chance.open}</p>
      <p class="countdown" role="timer" aria-live="off">${left(seals - now)}</p>
      <p class="when two-lines"><strong class="inside">${inside(listed)}</strong> ${times(seals, drop.zone)} ${changed}</p>`;
  }
  if (drop.state === "ordering") {
    return html`<p class="phase">${words.PHASES["ordering"]}</p>
      <p class="when">${fill(say.chance_fixed, { count: size(listed) })} ${waits(drop, now)}</p>`;
  }
  const result = told(listed);
  const entry = mine(state);
  const offer = (you?.holds ?? []).find((hold) => open(hold) && offered(hold));
  const yours = entry !== undefined && offer !== undefined && drop.state !== "frozen";
  return html`${yours ? html`<p class="phase live">${chance.called}</p><p class="when">${fill(chance.number, { n: numberOf(entry, drop), count: size(listed) })}</p>` : usual}
    ${result === "" ? nothing : html`<p class="when results">${result}</p>`}`;
}

/**
 * @param {string} kind
 * @param {string} label
 * @param {string} [hint]
 * @returns {Action}
 */
const shows = (kind, label, hint = "") => ({ kind, label, clock: "", thing: "", hint, command: null, sleeps: false });

/**
 * What the one button says, where that is another thing than in every other drop.
 * @param {State} state
 * @param {Choice} choice
 * @param {number} now
 * @returns {Action | undefined}
 */
export function listed(state, choice, now) {
  const { drop } = state;
  const entry = mine(state);
  if (drop.state === "scheduled") return early(drop, now);
  if (drop.state === "lobby" && entry !== undefined) return shows("line", chance.is_in, decides(drop, now));
  if (drop.state === "lobby") return enter(state, choice);
  if (drop.state === "ordering") return entry === undefined ? shows("over", chance.closed, chance.not_in) : shows("line", chance.drawing, chance.stays);
  if (entry === undefined || entry.state !== "waiting") return undefined;
  return ended(drop) && drop.state !== "cancelled" ? shows("over", chance.lost, fill(chance.drawn, { n: numberOf(entry, drop), count: size(drop.listed) })) : undefined;
}

/** @param {DropView} drop @param {number} now */
function decides({ listed }, now) {
  const seals = listed?.seals_ms ?? 0;
  return seals === 0 ? chance.decides_by_hand : fill(chance.decides, { when: lately(seals, now) });
}

/** @param {DropView} drop @param {number} now */
function early(drop, now) {
  const opens = opensAt(drop);
  const hint = (drop.chance?.tickets_most ?? 1) > 1 ? chance.early_tickets : chance.early;
  if (opens === 0) return shows("early", chance.opens_soon, hint);
  return opens <= now ? shows("early", words.OPENING) : shows("early", words.opensAt(lately(opens, now)), hint);
}

/** @param {State} state @param {Choice} choice @returns {Action | undefined} */
function enter(state, choice) {
  const { drop, you, watching } = state;
  if (you === null && known(drop)) return shows("sign", chance.sign_in, chance.enter_hint);
  const pool = drop.pools[choice.pool];
  if (watching || pool === undefined) return undefined;
  const pools = [choice.pool, ...choice.also.filter((one) => one !== choice.pool).slice(0, ALSO_MAX)];
  const qty = Math.max(1, Math.min(choice.qty, room(state, pool.item)));
  const label = drop.mode === "draw" ? chance.enter_draw : chance.enter;
  const several = Object.keys(drop.pools).length > 1;
  return { ...shows("join", label, chance.enter_hint), thing: several ? poolName(drop, choice.pool) : "", command: { t: "join", pools, qty, nonce } };
}

/**
 * Why somebody has so many tickets; '' for one.
 * @param {number} count
 * @param {number} most
 */
export function because(count, most) {
  if (count < 2) return "";
  const tickets = fill(say.chance_tickets, { count });
  return count === most ? fill(chance.because_most, { tickets }) : fill(say.chance_because, { tickets, count: count - 1 });
}

/**
 * The card of a place in the list, and of what came of it.
 * @param {State} state
 * @param {EntryView} entry
 * @param {number} now
 */
export function entry(state, entry, now) {
  const { drop } = state;
  const { tickets = 0, pools = [] } = entry;
  if (tickets === 0) return undefined;
  const most = drop.chance?.tickets_most ?? 1;
  if (entry.n === 0) {
    const sealed = drop.state !== "lobby";
    const several = Object.keys(drop.pools).length > 1;
    const why = because(tickets, most);
    return {
      title: chance.is_in,
      arrival: most > 1 ? fill(say.chance_tickets, { count: tickets }) : inside(drop.listed),
      places: pools.length > 1 ? html`<p>${fill(say.chance_wants, { count: entry.qty })}</p><ol class="wants">${pools.map((pool) => html`<li dir="auto">${poolName(drop, pool)}</li>`)}</ol>` : html`<p class="wants"><bdi>${entry.qty} × ${poolName(drop, pools[0] ?? "")}</bdi></p>`,
      says: [why, sealed ? chance.stays : several ? chance.change : ""].filter((one) => one !== "").join(" "),
      leave: chance.leave,
    };
  }
  const lost = entry.state === "waiting" && ended(drop) && drop.state !== "cancelled";
  // A guest is somebody else in the next drop, and practice counts for nothing.
  const next = lost && known(drop) && !drop.practice && drop.mode === "draw" && drop.state === "settled" && entry.hold === "" && entry.lapses === 0 && tickets < most;
  const usual = ended(drop) ? "" : words.turn(drop.k, entry, now);
  return {
    title: lost ? chance.lost : words.lineFor(entry.qty),
    arrival: fill(chance.number, { n: numberOf(entry, drop), count: size(drop.listed) }),
    ...(lost ? { places: nothing } : {}),
    says: html`${lost ? told(drop.listed) : usual} ${next ? chance.next_draw : ""}${lost ? html` <a href=${`/drops/${drop.id}/why`}>${chance.why}</a>` : nothing}`,
    leave: words.LEAVE,
  };
}

/** Why a place of the list ended. @param {EndedEntry} entry @param {DropView} drop */
export function gone({ n, why }, { listed }) {
  if (n === 0) return chance.was_in;
  const number = n - (listed?.behind ?? 0);
  return `${/** @type {Record<string, string>} */ (say.gone)[why] ?? say.gone.other} ${number > 0 ? fill(chance.was_number, { n: number }) : ""}`.trim();
}

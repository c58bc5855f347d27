/**
 * The drop's heart: the countdown before it opens, then the true stock: free, in carts, sold.
 *
 * @import {DropView, PoolView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing, svg } from "lit";
import { Part } from "./part.js";
import { phase } from "./state.js";
import { carts, left, moments, number } from "./formats.js";

/** @typedef {{cap: number, free: number, held: number, offered: number, sold: number, back: number, waiting: number, buying: number}} Sum */

/**
 * Several pools as one. `back`: not for sale at the moment (withheld or leased).
 * @param {PoolView[]} pools
 * @returns {Sum}
 */
export function total(pools) {
  const none = { cap: 0, free: 0, held: 0, offered: 0, sold: 0, back: 0, waiting: 0, buying: 0 };
  return pools.reduce(
    (sum, pool) => ({
      cap: sum.cap + pool.cap,
      free: sum.free + pool.free,
      held: sum.held + pool.held,
      offered: sum.offered + pool.offered,
      sold: sum.sold + pool.sold,
      back: sum.back + pool.withheld + pool.leased,
      waiting: sum.waiting + pool.waiting,
      buying: sum.buying + pool.buying,
    }),
    none,
  );
}

/**
 * The stock as a bar: sold, held, free; what is withheld stays empty.
 * @param {Sum} sum
 */
export function bar(sum) {
  const part = (/** @type {number} */ units) => (sum.cap === 0 ? 0 : (units / sum.cap) * 1000);
  const [sold, held] = [part(sum.sold), part(sum.held)];
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="none" width="1000" height="10"></rect>
    ${svg`<rect class="free" width=${sold + held + part(sum.free)} height="10"></rect>
    <rect class="held" width=${sold + held} height="10"></rect>
    <rect class="sold" width=${sold} height="10"></rect>`}
  </svg>`;
}

/**
 * The same in numbers.
 * @param {Sum} sum
 */
export function figures(sum) {
  return html`<dl class="figures">
    <div class="free"><dt>free</dt><dd>${number(sum.free)}</dd></div>
    <div class="held"><dt>in carts</dt><dd>${number(carts(sum))}</dd></div>
    ${sum.offered > 0 ? html`<div class="offered"><dt>offered to people in line</dt><dd>${number(sum.offered)}</dd></div>` : nothing}
    <div class="sold"><dt>sold</dt><dd>${number(sum.sold)}</dd></div>
    <div class="cap"><dt>made</dt><dd>${number(sum.cap)}</dd></div>
  </dl>`;
}

export const PHASES = /** @type {Record<string, string>} */ ({
  scheduled: "Opens",
  live: "Open now",
  paused: "Paused by the maker",
  sold_out: "Sold out",
  closing: "Closing",
  settled: "Over",
  cancelled: "Cancelled",
  frozen: "Stopped",
});

/** The maker's own words about a pause or a cancellation. @param {DropView} drop */
export const reason = (drop) => (drop.why ? html`<p class="when why">${drop.why}</p>` : nothing);

export class DropStock extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const sum = total(Object.values(drop.pools));
    const now = phase(drop);
    return html`${now === "scheduled" ? this.#opening(drop.opens_ms, drop.zone) : this.#open(now, drop.closes_ms, sum)}
      ${reason(drop)} ${bar(sum)} ${figures(sum)}`;
  }

  /**
   * @param {number} opens
   * @param {string} zone
   */
  #opening(opens, zone) {
    if (opens === 0) return html`<p class="phase">Opens soon</p><p class="when">The maker opens this drop by hand.</p>`;
    const { here, there } = moments(opens, zone);
    return html`<p class="phase">Opens in</p>
      <p class="countdown" role="timer" aria-live="off">${left(opens - this.now)}</p>
      <p class="when"><time datetime=${new Date(opens).toISOString()}>${here}</time>${there === "" ? "" : html`<span class="there">${there} for the maker</span>`}</p>`;
  }

  /**
   * @param {string} now
   * @param {number} closes
   * @param {Sum} sum
   */
  #open(now, closes, sum) {
    const soon = (now === "live" || now === "paused") && closes > this.now;
    const line = sum.waiting > 0 ? `${number(sum.waiting)} in line${sum.buying > 0 ? `, ${number(sum.buying)} of them buying` : ""}` : "";
    return html`<p class="phase ${now}">${PHASES[now] ?? now}</p>
      <p class="when">${line}${line !== "" && soon ? " · " : ""}${soon ? html`closes in <span class="digits">${left(closes - this.now)}</span>` : ""}</p>`;
  }
}

customElements.define("drop-stock", DropStock);

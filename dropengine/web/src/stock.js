/**
 * The drop's heart: what the sale is doing, the countdown before it opens, then the true stock.
 *
 * @import {DropView} from "./wire.js"
 * @import {State, Sum} from "./state.js"
 */

import { html, nothing, svg } from "lit";
import { Part } from "./part.js";
import { ended, phase, total } from "./state.js";
import { carts, left, moments, number } from "./formats.js";
import * as words from "./words.js";

/**
 * The stock as a bar: sold, held, free; what is not for sale now stays empty.
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
 * The same in numbers, which add up to what was made. The last of them stand only where there are some.
 * @param {Sum} sum
 * @param {boolean} over nothing begins any more
 * @returns {{kind: string, name: string, units: number}[]}
 */
export function parts(sum, over) {
  const some = [
    { kind: "offered", name: words.UNITS.offered, units: sum.offered },
    { kind: "back", name: words.UNITS.back, units: sum.back },
  ].filter((part) => part.units > 0);
  return [{ kind: "free", name: over ? words.UNITS.unsold : words.UNITS.free, units: sum.free }, { kind: "held", name: words.UNITS.held, units: carts(sum) }, { kind: "sold", name: words.UNITS.sold, units: sum.sold }, ...some];
}

/**
 * @param {Sum} sum
 * @param {boolean} over
 */
export const figures = (sum, over) => html`<dl class="figures">
    ${parts(sum, over).map(({ kind, name, units }) => html`<div class=${kind}><dt>${name}</dt><dd>${number(units)}</dd></div>`)}
    <div class="cap"><dt>${words.UNITS.cap}</dt><dd>${number(sum.cap)}</dd></div>
  </dl>`;

/**
 * What the sale is doing, as a heading.
 * @param {DropView} drop
 * @param {Sum} sum
 */
export function sale(drop, sum) {
  const now = phase(drop);
  return now === "live" && sum.free === 0 && carts(sum) > 0 ? "all_held" : now;
}

/** The maker's own words about a pause or a cancellation. @param {DropView} drop */
export const reason = (drop) => (drop.why ? html`<p class="when why" dir="auto">${drop.why}</p>` : nothing);

/** Whether units are sold in this moment: only then do they glow. @param {DropView} drop */
export const glow = (drop) => (ended(drop) || drop.state === "frozen" ? "still" : "");

export class DropStock extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const sum = total(Object.values(drop.pools));
    const now = sale(drop, sum);
    return html`${now === "scheduled" ? this.#opening(drop.opens_ms, drop.zone) : this.#open(now, drop.closes_ms, sum)}
      ${reason(drop)}
      <div class="stock ${glow(drop)}">${bar(sum)} ${figures(sum, ended(drop))}</div>`;
  }

  /**
   * @param {number} opens
   * @param {string} zone
   */
  #opening(opens, zone) {
    if (opens === 0) return html`<p class="phase">${words.OPENS_SOON}</p><p class="when">${words.BY_HAND}</p>`;
    const { here, there } = moments(opens, zone);
    return html`<p class="phase">${words.OPENS_IN}</p>
      <p class="countdown" role="timer" aria-live="off">${left(opens - this.now)}</p>
      <p class="when two-lines"><time datetime=${new Date(opens).toISOString()}>${here}</time>${there === "" ? "" : html`<span class="there">${there}, ${words.MAKERS_TIME}</span>`}</p>`;
  }

  /**
   * @param {string} now
   * @param {number} closes
   * @param {Sum} sum
   */
  #open(now, closes, sum) {
    const soon = ["live", "all_held", "sold_out", "paused"].includes(now) && closes > this.now;
    const said = [now === "all_held" ? words.may(sum.held) : "", words.inLineNow(sum)].filter((part) => part !== "").join(" · ");
    return html`<p class="phase ${now}">${words.PHASES[now] ?? now}</p>
      <p class="when">${said}${said !== "" && soon ? " · " : ""}${soon ? html`${words.closesIn} <span class="digits">${left(closes - this.now)}</span>` : ""}</p>`;
  }
}

customElements.define("drop-stock", DropStock);

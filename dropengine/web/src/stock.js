/**
 * The drop's heart: what the sale is doing, the countdown before it opens, then the true stock.
 *
 * @import {DropView} from "./wire.js"
 * @import {State, Sum} from "./state.js"
 */

import { html, nothing, svg } from "lit/html.js";
import { Part } from "./part.js";
import { ended, phase, toClose, total } from "./state.js";
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
export const reason = (drop) => (drop.why ? html`<p class="when why" dir="auto">${words.whyStopped(drop.why)}</p>` : nothing);

/** Whether units are sold in this moment: only then do they glow. @param {DropView} drop */
export const glow = (drop) => (ended(drop) || drop.state === "frozen" ? "still" : "");

export class DropStock extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown(state) {
    const { drop, planned } = state;
    const sum = total(Object.values(drop.pools));
    const now = sale(drop, sum);
    const usual = now === "scheduled" ? this.#opening(drop, planned.opens_ms) : this.#open(now, drop, planned.closes_ms, sum);
    return html`${words.told().head?.(state, this.now, usual) ?? usual}
      ${reason(drop)}
      <div class="stock ${glow(drop)}">${bar(sum)} ${figures(sum, ended(drop))}</div>`;
  }

  /**
   * A time that is not the one this page came with was changed while somebody looked.
   * @param {number} is
   * @param {number} was
   */
  #changed(is, was) {
    return is === was ? nothing : html`<strong class="there">${words.changed(was, this.now)}</strong>`;
  }

  /**
   * @param {DropView} drop
   * @param {number} was
   */
  #opening({ opens_ms: opens, zone }, was) {
    if (opens === 0) return html`<p class="phase">${words.OPENS_SOON}</p><p class="when">${words.BY_HAND} ${this.#changed(opens, was)}</p>`;
    const { here, there } = moments(opens, zone);
    return html`<p class="phase">${words.OPENS_IN}</p>
      <p class="countdown" role="timer" aria-live="off">${left(opens - this.now)}</p>
      <p class="when two-lines"><time datetime=${new Date(opens).toISOString()}>${here}</time>${there === "" ? "" : html`<span class="there">${there}, ${words.MAKERS_TIME}</span>`}</p>`;
  }

  /**
   * @param {string} now
   * @param {DropView} drop
   * @param {number} was
   * @param {Sum} sum
   */
  #open(now, drop, was, sum) {
    const closes = drop.closes_ms;
    const soon = toClose(drop) && closes > this.now;
    const said = [now === "all_held" ? words.may(sum.held) : "", words.inLineNow(sum), toClose(drop) && was > 0 && closes === 0 ? words.NO_CLOSE : ""].filter((part) => part !== "").join(" · ");
    return html`<p class="phase ${now}">${words.PHASES[now] ?? now}</p>
      <p class="when">${said}${said !== "" && soon ? " · " : ""}${soon ? html`<span>${said === "" ? words.CLOSES_IN : words.closesIn} <span class="digits">${left(closes - this.now)}</span></span> ${this.#changed(closes, was)}` : ""}</p>`;
  }
}

customElements.define("drop-stock", DropStock);

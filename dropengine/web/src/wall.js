/**
 * The big screen for a shop window: the countdown, then the edition as a picture, one cell a unit.
 *
 * @import {ItemView, PoolView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing, svg } from "lit";
import { cell, grid } from "./grid.js";
import { Part } from "./part.js";
import { phase } from "./state.js";
import { PHASES, reason, total } from "./stock.js";
import { carts, held, left, moments, number, timeOfDay } from "./formats.js";

const GAP = 0.16;

export class DropWall extends Part {
  /** @override */
  static properties = { ...Part.properties, ratio: { state: true } };

  constructor() {
    super();
    this.ratio = 1.6;
    this.eye = new ResizeObserver(() => {
      const frame = this.querySelector(".grids");
      if (frame !== null && frame.clientHeight > 0) this.ratio = frame.clientWidth / frame.clientHeight;
    });
  }

  /** @override */
  updated() {
    const frame = this.querySelector(".grids");
    if (frame !== null) this.eye.observe(frame);
  }

  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const now = phase(drop);
    const sum = total(Object.values(drop.pools));
    const [news] = drop.news;
    return html`<section class="head ${now}">
        ${now === "scheduled" && drop.opens_ms > 0 ? this.#countdown(drop.opens_ms, drop.zone) : html`<p class="huge ${now}">${now === "live" ? html`${number(sum.free)}<small>free</small>` : now === "scheduled" ? "Opens soon" : PHASES[now]}</p>`}
        ${reason(drop)}
        <dl class="wallfigures">
          ${now === "live" ? nothing : html`<div class="free"><dt>free</dt><dd>${number(sum.free)}</dd></div>`}
          <div class="held"><dt>in carts</dt><dd>${number(carts(sum))}</dd></div>
          ${sum.offered > 0 ? html`<div class="offered"><dt>offered</dt><dd>${number(sum.offered)}</dd></div>` : nothing}
          <div class="sold"><dt>sold</dt><dd>${number(sum.sold)}</dd></div>
          <div class="waiting"><dt>in line</dt><dd>${number(sum.waiting)}</dd></div>
        </dl>
      </section>
      <section class="grids">${drop.items.map((item) => this.#item(item.title, item.pools.flatMap((id) => drop.pools[id] ?? []), drop.items))}</section>
      ${news === undefined ? nothing : html`<p class="latest"><time>${timeOfDay(news.at)}</time> ${news.text}</p>`}`;
  }

  /**
   * @param {number} opens
   * @param {string} zone
   */
  #countdown(opens, zone) {
    const { here, there } = moments(opens, zone);
    return html`<p class="huge digits" role="timer" aria-live="off">${left(opens - this.now)}</p>
      <p class="until">Opens ${there === "" ? here : there}</p>`;
  }

  /**
   * @param {string} title
   * @param {PoolView[]} pools
   * @param {ItemView[]} items all that share the screen: their cells are of one size
   */
  #item(title, pools, items) {
    const sum = total(pools);
    const { each, columns, rows } = grid(Math.max(...items.map((item) => item.cap)), this.ratio / items.length);
    const cells = Math.ceil(sum.cap / each);
    const view = /** @type {PoolView} */ ({ ...pools[0], ...sum });
    const words = `${title}: ${sum.free} free, ${held(sum) || "0 in carts"}, ${sum.sold} sold of ${sum.cap}`;
    return html`<figure>
      <svg viewBox="0 0 ${columns} ${rows}" preserveAspectRatio="${items.length > 1 ? "xMinYMin" : "xMidYMid"} meet" role="img" aria-label=${words}>
        ${Array.from({ length: cells }, (_, at) => svg`<rect class=${cell(view, at, each)} x=${(at % columns) + GAP / 2} y=${Math.floor(at / columns) + GAP / 2} width=${1 - GAP} height=${1 - GAP} rx="0.14"></rect>`)}
      </svg>
      ${items.length > 1 || each > 1 ? html`<figcaption>${title}${each > 1 ? ` · one cell is ${each} units` : ""}</figcaption>` : nothing}
    </figure>`;
  }
}

customElements.define("drop-wall", DropWall);

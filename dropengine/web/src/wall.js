/**
 * The big screen for a shop window: the countdown, then the edition as a picture, one cell a unit.
 *
 * @import {Game} from "./game_wire.js"
 * @import {DropView, ItemView, PoolView} from "./wire.js"
 * @import {State, Sum} from "./state.js"
 */

import { html, nothing, svg } from "lit/html.js";
import { chance, game } from "#said";
import { toAll } from "./early.js";
import { cell, grid } from "./grid.js";
import { Part } from "./part.js";
import { opensAt, told, waits } from "./listed.js";
import { fill } from "./sentences.js";
import { ended, total } from "./state.js";
import { glow, parts, reason, sale } from "./stock.js";
import { lately, left, moments, number } from "./formats.js";
import * as words from "./words.js";

const GAP = 0.16;
/** A line that is longer is drawn with so many. */
const QUEUE_MAX = 60;
/** Before a drop opens whose list chance orders. */
const BEFORE = ["scheduled", "lobby", "ordering"];

export class DropWall extends Part {
  constructor() {
    super();
    /** @type {Game | null} what is everybody's of the game of the line, where there is one */
    this.game = null;
    this.ratio = 1.6;
    this.eye = new ResizeObserver(() => {
      const frame = this.querySelector(".grids");
      if (frame === null || frame.clientHeight === 0) return;
      this.ratio = frame.clientWidth / frame.clientHeight;
      this.again();
    });
  }

  /** @override */
  rendered() {
    const frame = this.querySelector(".grids");
    if (frame !== null) this.eye.observe(frame);
  }

  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const sum = total(Object.values(drop.pools));
    const now = sale(drop, sum);
    const open = now === "live";
    const [news] = drop.news;
    const result = told(drop.listed);
    const early = toAll(drop);
    const before = drop.chance && BEFORE.includes(now);
    return html`<section class="head ${now} ${glow(drop)}">
        ${before ? this.#list(drop) : now === "scheduled" && drop.opens_ms > 0 ? this.#countdown(drop.opens_ms, drop.zone) : html`<p class="huge ${now}">${open ? html`${number(sum.free)}<small>${words.UNITS.free}</small>` : now === "scheduled" ? words.OPENS_SOON : words.PHASES[now]}</p>`}
        ${now === "all_held" ? html`<p class="until">${words.may(sum.held)}</p>` : nothing} ${result === "" ? nothing : html`<p class="until">${result}</p>`} ${early === "" ? nothing : html`<p class="until">${early}</p>`} ${reason(drop)}
        <dl class="wallfigures">
          ${parts(sum, ended(drop)).map(({ kind, name, units }) => (open && kind === "free" ? nothing : html`<div class=${kind}><dt>${name}</dt><dd>${number(units)}</dd></div>`))}
          <div class="cap"><dt>${words.UNITS.cap}</dt><dd>${number(sum.cap)}</dd></div>
          <div class="waiting"><dt>${before ? chance.in_list : words.UNITS.waiting}</dt><dd>${number(before ? (drop.listed?.entries ?? 0) : sum.waiting)}</dd></div>
        </dl>
        ${before || ended(drop) ? nothing : this.#line(sum)}
      </section>
      <section class="grids ${glow(drop)}">${drop.items.map((item) => this.#item(item.title, item.pools.flatMap((id) => drop.pools[id] ?? []), drop.items))}</section>
      ${news === undefined ? nothing : html`<p class="latest"><time>${lately(news.at, this.now)}</time> <bdi>${news.text}</bdi></p>`}`;
  }

  /** The line as it moves: its head at the left, who is buying first. @param {Sum} sum */
  #line({ waiting, buying }) {
    const lifts = this.game?.boosts_hour ?? 0;
    const tasks = (this.game?.missions ?? []).filter(({ state }) => state === "running");
    const shown = Math.min(waiting, QUEUE_MAX);
    return html`${waiting === 0 ? nothing : html`<p class="queue" aria-hidden="true"><span>${words.UNITS.waiting}</span> ${Array.from({ length: shown }, (_, n) => html`<i class=${n < buying ? "buys" : ""}></i>`)}${waiting > shown ? "…" : ""}</p>`}
      ${lifts + tasks.length === 0 ? nothing : html`<p class="until game">${lifts === 0 ? nothing : html`<span><b>${number(lifts)}</b> ${game.wall_boosts}</span>`}${tasks.map((task) => html`<span>${game.wall_missions}: <bdi>${task.title}</bdi> <b>+${number(task.worth)}</b></span>`)}</p>`}`;
  }

  /**
   * A list that chance orders, until the drop opens with it: how many are in matters more than anything else.
   * @param {DropView} drop
   */
  #list(drop) {
    const { listed, state, zone } = drop;
    const at = state === "scheduled" ? opensAt(drop) : (listed?.seals_ms ?? 0);
    const { here, there } = moments(at, zone);
    const when = there === "" ? here : there;
    if (state === "ordering") return html`<p class="huge ordering">${words.PHASES["ordering"]}</p><p class="until">${waits(drop, this.now)}</p>`;
    if (state === "scheduled" && at === 0) return html`<p class="huge scheduled">${chance.opens_soon}</p>`;
    if (state === "scheduled") return html`<p class="huge digits" role="timer" aria-live="off">${left(at - this.now)}</p><p class="until">${fill(chance.opens_at, { when })}</p>`;
    if (at === 0) return html`<p class="huge lobby">${chance.open_by_hand}</p><p class="until">${chance.closes_by_hand}</p>`;
    return html`<p class="huge digits" role="timer" aria-live="off">${left(at - this.now)}</p><p class="until">${chance.open_by_hand}. ${fill(chance.orders_at, { when })}</p>`;
  }

  /**
   * @param {number} opens
   * @param {string} zone
   */
  #countdown(opens, zone) {
    const { here, there } = moments(opens, zone);
    return html`<p class="huge digits" role="timer" aria-live="off">${left(opens - this.now)}</p>
      <p class="until">${words.opensAt(there === "" ? here : there)}</p>`;
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
    return html`<figure>
      <svg viewBox="0 0 ${columns} ${rows}" preserveAspectRatio="${items.length > 1 ? "xMinYMin" : "xMidYMid"} meet" role="img" aria-label=${`${title}: ${words.edition(sum)}`}>
        ${Array.from({ length: cells }, (_, at) => svg`<rect class=${cell(view, at, each)} x=${(at % columns) + GAP / 2} y=${Math.floor(at / columns) + GAP / 2} width=${1 - GAP} height=${1 - GAP} rx="0.14"></rect>`)}
      </svg>
      ${items.length > 1 || each > 1 ? html`<figcaption><bdi>${title}</bdi>${each > 1 ? ` · ${words.cellIs(each)}` : ""}</figcaption>` : nothing}
    </figure>`;
  }
}

customElements.define("drop-wall", DropWall);

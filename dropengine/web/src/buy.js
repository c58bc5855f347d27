/**
 * Choosing, and the one button that changes in place. It is always the same element: whoever has it under the
 * thumb or in focus keeps it.
 *
 * @import {ItemView} from "./wire.js"
 * @import {Action, Choice} from "./action.js"
 * @import {Lost} from "./moment.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import { ALSO_MAX, action, second, units } from "./action.js";
import { moment } from "./moment.js";
import { Part, goPay } from "./part.js";
import { ended, room, total } from "./state.js";
import { bar, glow } from "./stock.js";
import { lately, money, poolName } from "./formats.js";
import { kept, put } from "./storage.js";
import * as words from "./words.js";

const READ = "dropengine.read";

export class DropBuy extends Part {
  constructor() {
    super();
    /** @type {Choice} */
    this.choice = { pool: "", qty: 1, also: [] };
  }

  /**
   * @override
   * @param {State} state
   */
  shown(state) {
    const choice = this.#valid(state);
    const first = action(state, choice, this.now);
    const more = second(state, choice, this.now);
    const counts = more !== null || ["early", "hold", "join"].includes(first.kind);
    return html`${this.#pools(state, choice)} ${counts ? this.#qty(state, choice) : nothing} ${first.kind === "join" ? this.#also(state, choice) : nothing}
      <div class="press">
        ${this.#moment(state)} ${this.#one(first)}
        ${state.refusal === null ? nothing : html`<p class="refusal" role="alert">${words.refusal(state.refusal.refused, state.drop)}</p>`}
      </div>
      ${more === null ? nothing : html`<button type="button" class="two" @click=${() => this.#press(more)}>${more.label}${more.thing === "" ? nothing : html`: <bdi>${more.thing}</bdi>`}</button>`}`;
  }

  /** @param {Action} first */
  #one(first) {
    const asleep = first.sleeps && this.waking.asleep(`${first.kind} ${JSON.stringify(first.command)}`);
    const signs = first.kind === "sign";
    const can = (signs || first.command !== null) && !asleep;
    return html`<p id="hint" class="hint">${first.thing === "" ? nothing : html`<bdi class="thing">${first.thing}</bdi> `}${first.hint}</p>
      <button type="button" class="one ${first.kind} ${asleep ? "asleep" : ""}" aria-disabled=${can ? "false" : "true"} aria-describedby="hint" @click=${() => can && (signs ? location.assign(`/you?to=${location.pathname}`) : this.#press(first))}>
        <span class="label">${first.label}</span>${first.clock === "" ? nothing : html` <span class="clock">${first.clock}</span>`}
      </button>`;
  }

  /** @param {State} state */
  #moment(state) {
    const one = moment(state, this.now, Number(kept(READ) ?? 0));
    if (one === null) return nothing;
    if (one.kind === "away") return html`<p class="moment warn">${one.shop ? words.AWAY : words.COMING_BACK}</p>`;
    if (one.kind === "news") {
      return html`<div class="moment">
        <p class="who">${words.from} <bdi>${state.drop.maker}</bdi>, ${lately(one.at, this.now)}</p>
        <p class="text" dir="auto" tabindex="0">${one.text}</p>
        <button type="button" class="small" @click=${() => this.#read(one.seq)}>${words.READ}</button>
      </div>`;
    }
    if (one.kind === "lost") return this.#lost(state, one.lost);
    const command = /** @type {const} */ ({ t: "extend", hold: one.hold.id });
    const can = !this.waking.asleep(`extend ${one.hold.id}`) && state.asked.length === 0;
    return html`<div class="moment warn">
      <p><strong>${words.LAST_MINUTE}</strong> ${words.oneMore(state.drop.extend_ms)}</p>
      <button type="button" class="small" aria-disabled=${can ? "false" : "true"} @click=${() => can && this.hands?.ask(command)}>${words.more(state.drop.extend_ms)}</button>
    </div>`;
  }

  /**
   * @param {State} state
   * @param {Lost} lost
   */
  #lost(state, { name, id, hold, entry, order }) {
    const { drop } = state;
    const what = hold ?? order;
    const thing = what ? units(state, what) : (entry?.pools ?? []).map((pool) => poolName(drop, pool)).join(", ");
    const why = hold ? words.ending(hold) : entry ? words.gone(entry, drop) : order ? words.paid(order, drop) : "";
    return html`<div class="moment warn">
      <p><bdi>${thing}</bdi>: ${why}${order?.why ? html` <q dir="auto">${order.why}</q>` : nothing}</p>
      <button type="button" class="small" @click=${() => this.#read(id, name)}>${words.READ}</button>
    </div>`;
  }

  /**
   * @param {number | string} id
   * @param {string} [name]
   */
  #read(id, name = READ) {
    put(name, String(id));
    this.again();
  }

  /**
   * What was chosen, as far as it still exists; else the first thing that can be had.
   * @param {State} state
   * @returns {Choice}
   */
  #valid({ drop, ...state }) {
    const all = drop.items.flatMap((item) => item.pools);
    const pool = all.includes(this.choice.pool) ? this.choice.pool : (all.find((id) => (drop.pools[id]?.free ?? 0) > 0) ?? all[0] ?? "");
    const item = drop.items.find((one) => one.pools.includes(pool));
    const most = Math.min(item?.most ?? 1, Math.max(1, room({ drop, ...state }, item?.id ?? "")));
    // Once there, a choice stays: it must not jump to another pool because this one just sold out.
    if (this.choice.pool !== pool) this.choice = { ...this.choice, pool };
    return { ...this.choice, pool, qty: Math.min(this.choice.qty, most) };
  }

  /**
   * @param {State} state
   * @param {Choice} choice
   */
  #pools({ drop }, choice) {
    const all = drop.items.flatMap((item) => item.pools.map((pool) => ({ item, pool })));
    if (all.length < 2) return nothing;
    return html`<fieldset class="pools">
      <legend>${words.WHICH}</legend>
      ${all.map(({ item, pool }) => this.#row(item, pool, choice))}
    </fieldset>`;
  }

  /**
   * @param {ItemView} item
   * @param {string} pool
   * @param {Choice} choice
   */
  #row(item, pool, choice) {
    const drop = /** @type {State} */ (this.state).drop;
    const view = drop.pools[pool];
    if (view === undefined) return nothing;
    return html`<label class="pool ${view.free > 0 ? "" : "gone"} ${glow(drop)}">
      <input type="radio" name="pool" .value=${pool} .checked=${choice.pool === pool} @change=${() => this.#choose({ pool, qty: 1, also: [] })} />
      <bdi class="name">${poolName(drop, pool)}</bdi> <span class="price">${money(item.price, drop)}</span>
      <span class="left">${words.stock(view, ended(drop))}</span>
      ${bar(total([view]))}
    </label>`;
  }

  /**
   * @param {State} state
   * @param {Choice} choice
   */
  #qty(state, choice) {
    const item = state.drop.items.find((one) => one.pools.includes(choice.pool));
    if (item === undefined) return nothing;
    const most = Math.min(item.most, room(state, item.id));
    if (most < 2) return nothing;
    const step = (/** @type {number} */ by) => this.#choose({ qty: Math.min(most, Math.max(1, choice.qty + by)) });
    const button = (/** @type {number} */ by, /** @type {string} */ name, /** @type {string} */ sign) => html`<button type="button" aria-label=${name} aria-disabled=${choice.qty + by < 1 || choice.qty + by > most ? "true" : "false"} @click=${() => step(by)}>${sign}</button>`;
    return html`<div class="qty" role="group" aria-label=${words.HOW_MANY}>
      <span class="how">${words.HOW_MANY}</span>
      ${button(-1, words.FEWER, "−")}
      <output aria-live="polite">${choice.qty}</output>
      ${button(1, words.MORE, "+")}
      <span class="sum">${money(item.price * choice.qty, state.drop)}</span>
    </div>`;
  }

  /**
   * @param {State} state
   * @param {Choice} choice
   */
  #also({ drop }, choice) {
    const others = drop.items.flatMap((item) => item.pools).filter((pool) => pool !== choice.pool);
    if (others.length === 0) return nothing;
    const toggle = (/** @type {string} */ pool) => this.#choose({ also: choice.also.includes(pool) ? choice.also.filter((one) => one !== pool) : [...choice.also, pool] });
    return html`<fieldset class="also">
      <legend>${words.ALSO}</legend>
      ${others.map((pool) => {
        const at = choice.also.indexOf(pool);
        return html`<label><input type="checkbox" .checked=${at >= 0} ?disabled=${at < 0 && choice.also.length >= ALSO_MAX} @change=${() => toggle(pool)} /><bdi>${poolName(drop, pool)}</bdi>${at >= 0 ? html`<span class="rank">${at + 2}.</span>` : nothing}</label>`;
      })}
    </fieldset>`;
  }

  /** @param {Partial<Choice>} change */
  #choose(change) {
    this.choice = { ...this.choice, ...change };
    this.again();
  }

  /** @param {Action} pressed */
  async #press(pressed) {
    if (pressed.command === null || this.hands === null) return;
    const { command } = pressed;
    const answer = await this.hands.ask(command);
    if (answer.t === "done" && command.t === "pay") goPay(answer, command.holds[0] ?? "");
    // Fewer than asked are there: the next press asks for those.
    if (answer.t === "refused" && command.t === "hold") {
      const can = answer.code === "all_held" ? answer.free : ["limit_reached", "cohort_full"].includes(answer.code) ? answer.room : 0;
      if (can !== undefined && can > 0) this.#choose({ qty: can });
    }
  }
}

customElements.define("drop-buy", DropBuy);

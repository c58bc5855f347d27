/**
 * Choosing, and the one button that changes in place. It is always the same element: whoever has it under the
 * thumb or in focus keeps it.
 *
 * @import {ItemView} from "./wire.js"
 * @import {Action, Choice} from "./action.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit";
import { action, second } from "./action.js";
import { Part, goPay } from "./part.js";
import { room } from "./state.js";
import { bar, total } from "./stock.js";
import { count, money, number, poolName, span } from "./formats.js";

/** How long a question back ("leave?") stands before the button shows the state again. */
const QUESTION_MS = 6_000;

export class DropBuy extends Part {
  /** @override */
  static properties = { ...Part.properties, choice: { state: true } };

  constructor() {
    super();
    /** @type {Choice} */
    this.choice = { pool: "", qty: 1, also: [], leaving: false };
    this.question = 0;
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
        <button type="button" class="one ${first.kind}" aria-disabled=${pressable(first) ? "false" : "true"} aria-describedby="hint" @click=${() => this.#press(first)}>
          <span class="label">${first.label}</span>${first.clock === "" ? nothing : html` <span class="clock">${first.clock}</span>`}
        </button>
        <p id="hint" class="hint">${first.hint}</p>
        ${state.refusal === null ? nothing : html`<p class="refusal" role="alert">${sentence(state)}</p>`}
      </div>
      ${more === null ? nothing : html`<button type="button" class="two" @click=${() => this.#press(more)}>${further(state, more)}</button>`}`;
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
      <legend>Which one</legend>
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
    const stock = view.free > 0 ? `${number(view.free)} free` : view.held > 0 ? `all held, ${number(view.held)} may come back` : "sold out";
    return html`<label class="pool ${view.free > 0 ? "" : "gone"}">
      <input type="radio" name="pool" .value=${pool} .checked=${choice.pool === pool} @change=${() => this.#choose({ pool, qty: 1, also: [] })} />
      <span class="name">${poolName(drop, pool)}</span> <span class="price">${money(item.price, drop)}</span>
      <span class="left">${stock}${view.waiting > 0 ? ` · ${number(view.waiting)} in line` : ""}</span>
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
    return html`<div class="qty" role="group" aria-label="How many">
      <span class="how">How many</span>
      <button type="button" aria-label="One fewer" ?disabled=${choice.qty <= 1} @click=${() => step(-1)}>−</button>
      <output aria-live="polite">${choice.qty}</output>
      <button type="button" aria-label="One more" ?disabled=${choice.qty >= most} @click=${() => step(1)}>+</button>
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
      <legend>I would also take, in this order</legend>
      ${others.map((pool) => {
        const at = choice.also.indexOf(pool);
        return html`<label><input type="checkbox" .checked=${at >= 0} @change=${() => toggle(pool)} /><span>${poolName(drop, pool)}</span>${at >= 0 ? html`<span class="rank">${at + 2}.</span>` : nothing}</label>`;
      })}
    </fieldset>`;
  }

  /** @param {Partial<Choice>} change */
  #choose(change) {
    this.choice = { ...this.choice, leaving: false, ...change };
  }

  /** @param {Action} pressed */
  async #press(pressed) {
    clearTimeout(this.question);
    if (pressed.turn === "leaving") {
      this.#choose({ leaving: true });
      this.question = window.setTimeout(() => this.#choose({}), QUESTION_MS);
      return;
    }
    this.#choose({});
    if (pressed.command === null || this.ask === null) return;
    const { command } = pressed;
    const answer = await this.ask(command);
    if (answer.t === "done" && command.t === "pay") goPay(answer, command.holds[0] ?? "");
    // Fewer than asked are there: the next press asks for those.
    if (answer.t === "refused" && command.t === "hold") {
      const can = answer.code === "all_held" ? answer.free : answer.code === "limit_reached" ? answer.room : 0;
      if (can !== undefined && can > 0) this.#choose({ qty: can });
    }
  }
}

/**
 * The second button's words: they name the thing only where there is more than one.
 * @param {State} state
 * @param {Action} more
 */
function further({ drop }, more) {
  const { command } = more;
  const [pool, qty] = command?.t === "hold" ? [command.pool, command.qty] : command?.t === "join" ? [command.pools[0] ?? "", command.qty] : ["", 1];
  const what = Object.keys(drop.pools).length > 1 ? `: ${poolName(drop, pool)}` : "";
  if (command?.t === "hold") return `Also hold ${qty === 1 ? "one more" : `${qty} more`}${what}`;
  return `Join the line for ${qty === 1 ? "one more" : `${qty} more`}${what}`;
}

/** @param {Action} one */
const pressable = (one) => one.command !== null || one.turn !== "";

/**
 * The last refusal's sentence, with its numbers.
 * @param {State} state
 */
export function sentence({ refusal, drop }) {
  if (refusal === null) return "";
  const { refused } = refusal;
  if (refused.code === "all_held" && refused.free) return `Only ${count(refused.free, "unit")} free at this moment. Press again to take ${refused.free === 1 ? "it" : "them"}.`;
  if (refused.code === "all_held" && refused.held) return `${refused.text} (${number(refused.held)} may come back)`;
  if (refused.code === "limit_reached" && refused.room) return `${refused.text} You may have ${refused.room} more.`;
  if (refused.code === "limit_reached") return `${refused.text} The limit is ${count(drop.limit, "unit")}.`;
  if (refused.code === "too_many_requests" && refused.retry_ms) return `${refused.text} Again in ${span(1_000 * Math.ceil(refused.retry_ms / 1_000))}.`;
  return refused.text;
}

customElements.define("drop-buy", DropBuy);

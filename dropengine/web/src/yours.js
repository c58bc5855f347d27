/**
 * What a fan has: holds and offers, places in line, orders with their serials, and how the last of them ended.
 *
 * @import {Command, EndedEntry, EntryView, HoldView, OrderView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { units } from "./action.js";
import { SEEN, last } from "./moment.js";
import { Part, goPay } from "./part.js";
import { ended as over, itemOf, kept, offered, open } from "./state.js";
import { lately, money, number, poolName } from "./formats.js";
import * as storage from "./storage.js";
import * as words from "./words.js";

export class DropYours extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown(state) {
    const you = state.you;
    if (you === null) return nothing;
    const holds = [...you.holds].filter(open).sort((a, b) => a.deadline_ms - b.deadline_ms);
    const first = holds.find(offered) ?? holds[0];
    const entries = you.entries.filter((entry) => entry.state === "waiting" || entry.state === "offered");
    const ended = you.ended && you.ended.id !== storage.kept(SEEN.hold) ? you.ended : null;
    const lost = you.ended_entry && you.ended_entry.id !== storage.kept(SEEN.entry) && state.drop.state !== "settled" ? you.ended_entry : null;
    if (holds.length + entries.length + you.orders.length === 0 && ended === null && lost === null) return nothing;
    return html`<h2 class="sr">${words.YOURS}</h2>
      ${repeat(holds, (hold) => hold.id, (hold) => this.#hold(state, hold, hold === first))}
      ${ended === null ? nothing : this.#ended(units(state, ended), words.ending(ended), SEEN.hold, ended.id, nothing)}
      ${lost === null ? nothing : this.#lost(state, lost)}
      ${repeat(entries, (entry) => entry.id, (entry) => this.#entry(state, entry))}
      ${repeat([...you.orders].reverse(), (order) => order.id, (order) => this.#order(state, order))}`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   * @param {boolean} first the one button is about this one
   */
  #hold(state, hold, first) {
    const still = state.drop.state === "frozen";
    const warn = !still && last(hold, this.now);
    return html`<article class="card hold ${warn ? "warn" : ""}">
      <h3><bdi>${units(state, hold)}</bdi></h3>
      <p>${this.#standing(state, hold)}</p>
      ${still ? nothing : this.#buttons(state, hold, first)}
    </article>`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   * @param {boolean} first
   */
  #buttons(state, hold, first) {
    const offer = offered(hold);
    const rest = hold.deadline_ms - this.now;
    const { extend_ms } = state.drop;
    // In the last minute this stands beside the one button.
    const longer = !offer && !hold.extended && !hold.checking && rest > 0 && extend_ms > 0 && !last(hold, this.now);
    return html`<footer>
      ${first ? nothing : offer ? this.#button(state, words.TAKE, { t: "claim", hold: hold.id }, "strong") : this.#button(state, words.PAY, { t: "pay", holds: [hold.id] }, `strong ${hold.state}`)}
      ${longer ? this.#button(state, words.more(extend_ms), { t: "extend", hold: hold.id }) : nothing}
      ${hold.checking ? nothing : this.#giveUp(state, { t: "release", hold: hold.id }, offer ? words.PASS : words.GIVE_BACK, offer ? words.PASSING : words.GIVING)}
    </footer>`;
  }

  /**
   * @param {State} state
   * @param {string} label
   * @param {Command} command
   * @param {string} [kind]
   */
  #button(state, label, command, kind = "") {
    const asleep = command.t !== "claim" && this.waking.asleep(JSON.stringify(command));
    const can = !asleep && state.asked.length === 0;
    return html`<button type="button" class="small ${kind}" aria-disabled=${can ? "false" : "true"} @click=${() => can && this.#do(command)}>${label}</button>`;
  }

  /**
   * A button that gives up: it takes a while, and can be undone.
   * @param {State} state
   * @param {Command & ({t: "release"} | {t: "leave"})} command
   * @param {string} label
   * @param {string} meanwhile
   */
  #giveUp(state, command, label, meanwhile) {
    const same = (/** @type {Command} */ one) => JSON.stringify(one) === JSON.stringify(command);
    const pending = state.later.some(same);
    const asleep = this.waking.asleep(JSON.stringify(command));
    const can = !asleep && !pending && state.asked.length === 0;
    // Undo stands beside it: a second tap of the same finger must not meet it.
    return html`<button type="button" class="small" aria-disabled=${can ? "false" : "true"} @click=${() => can && this.hands?.later(command)}>${pending ? meanwhile : label}</button>
      ${pending ? html`<button type="button" class="small strong" @click=${() => this.hands?.undo(command)}>${words.UNDO}</button>` : nothing}`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   */
  #standing({ drop }, hold) {
    if (drop.state === "frozen") return words.STILL;
    if (hold.checking) return words.asking(hold);
    if (offered(hold)) return words.offeredUntil(hold);
    return `${money(hold.price * hold.qty, drop)}. ${hold.state === "paying" ? `${words.PAYING} ` : ""}${words.heldUntil(hold)}`;
  }

  /**
   * @param {string} what
   * @param {string} why
   * @param {string} name
   * @param {string} id
   * @param {unknown} way back
   */
  #ended(what, why, name, id, way) {
    const seen = () => {
      storage.put(name, id);
      this.again();
    };
    return html`<article class="card ended">
      <p><bdi>${what}</bdi>: ${why}</p>
      <footer>${way}<button type="button" class="small" @click=${seen}>${words.READ}</button></footer>
    </article>`;
  }

  /**
   * @param {State} state
   * @param {EndedEntry} entry
   */
  #lost(state, entry) {
    const { drop } = state;
    const pools = entry.pools.filter((pool) => drop.pools[pool] !== undefined);
    const open = pools.length > 0 && entry.why !== "limit" && ["live", "sold_out", "paused"].includes(drop.state);
    const way = open ? this.#button(state, words.AGAIN, { t: "join", pools, qty: entry.qty }) : nothing;
    return this.#ended(pools.map((pool) => poolName(drop, pool)).join(", "), words.gone(entry, drop), SEEN.entry, entry.id, way);
  }

  /**
   * @param {State} state
   * @param {EntryView} entry
   */
  #entry(state, entry) {
    const { drop } = state;
    const still = over(drop) || drop.state === "frozen";
    const own = words.told().entry?.(state, entry, this.now);
    return html`<article class="card entry">
      <header>
        <h3>${own?.title ?? words.lineFor(entry.qty)}</h3>
        <p class="arrival">${own?.arrival ?? words.joinedAs(entry.n)}</p>
      </header>
      ${own?.places ?? html`<ul class="places">
        ${entry.lines.map(
          (line) => html`<li>
            <span class="place">${number(line.place)}</span>
            <span class="line"><strong dir="auto">${poolName(drop, line.pool)}</strong> ${words.ahead(drop, line)}</span>
          </li>`,
        )}
      </ul>`}
      <p>${own?.says ?? (over(drop) ? words.LINE_OVER : words.turn(drop.k, entry, this.now))}</p>
      ${still ? nothing : html`<footer>${this.#giveUp(state, { t: "leave", entry: entry.id }, own?.leave ?? words.LEAVE, words.LEAVING)}</footer>`}
    </article>`;
  }

  /**
   * @param {State} state
   * @param {OrderView} order
   */
  #order(state, order) {
    const { drop } = state;
    const cap = itemOf(drop, order.pool)?.cap ?? 0;
    return html`<article class="card order ${kept(order) ? "" : "back"}">
      <p class="serials">${order.serials.map((serial) => html`<span class="serial"><span class="no">#${serial}</span> <span class="of">${words.ofAll(cap)}</span></span>`)}</p>
      <h3 dir="auto">${poolName(drop, order.pool)}</h3>
      <p>${words.paid(order, drop)} ${lately(order.at, this.now)}</p>
      ${order.why ? html`<p class="why" dir="auto">${order.why}</p>` : nothing}
      <footer><a class="small" href=${`/drops/${drop.id}/orders/${order.id}`}>${words.orderPage(order)}</a></footer>
    </article>`;
  }

  /** @param {Command} command */
  async #do(command) {
    const answer = await this.hands?.ask(command);
    if (command.t === "pay" && answer !== undefined) goPay(answer, command.holds[0] ?? "");
  }
}

customElements.define("drop-yours", DropYours);

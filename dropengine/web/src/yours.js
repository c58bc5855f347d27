/**
 * What a fan has: holds and offers with their time, places in line, orders with their serials, and how the last
 * hold ended.
 *
 * @import {Command, EntryView, HoldView, OrderView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ending, gone, last } from "./announce.js";
import { asking, units } from "./action.js";
import { Part, goPay } from "./part.js";
import { itemOf, kept, offered, open } from "./state.js";
import { left, money, number, poolName, span, timeOfDay } from "./formats.js";

/** What ended was read and put away: the last hold, the last place. */
const SEEN = { hold: "dropengine.ended", entry: "dropengine.ended.entry" };

const MONEY = /** @type {Record<string, string>} */ ({
  capture_pending: "Paid. The payment is being completed.",
  capture_failed: "The payment could not be collected in full. The unit stays yours until the maker decides.",
  done: "Paid.",
  refund_pending: "Given back. Your money is on its way.",
  refunded: "Given back, and your money too.",
  refund_failed: "Given back, but your money could not be returned to you. Ask the maker for it.",
});

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
    const ended = you.ended && you.ended.id !== this.#seen("hold") ? you.ended : null;
    const lost = you.ended_entry && you.ended_entry.id !== this.#seen("entry") && state.drop.state !== "settled" ? you.ended_entry : null;
    if (holds.length + entries.length + you.orders.length === 0 && ended === null && lost === null) return nothing;
    return html`<h2 class="sr">Yours</h2>
      ${repeat(holds, (hold) => hold.id, (hold) => this.#hold(state, hold, hold === first))}
      ${ended === null ? nothing : this.#ended(ending(state, ended), "hold", ended.id)}
      ${lost === null ? nothing : this.#ended(gone(lost), "entry", lost.id)}
      ${repeat(entries, (entry) => entry.id, (entry) => this.#entry(state, entry))}
      ${repeat([...you.orders].reverse(), (order) => order.id, (order) => this.#order(state, order))}`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   * @param {boolean} first the one button is about this one
   */
  #hold(state, hold, first) {
    const offer = offered(hold);
    const rest = hold.deadline_ms - this.now;
    const still = state.drop.state === "frozen";
    const warn = !still && last(hold, this.now);
    return html`<article class="card hold ${warn ? "warn" : ""}">
      <header>
        <h3>${units(state, hold)}</h3>
        <p class="digits">${still || hold.checking || rest <= 0 ? "…" : left(rest)}</p>
      </header>
      <p>${this.#standing(state, hold, offer)}</p>
      ${warn && !hold.extended && state.drop.extend_ms > 0 ? html`<p class="warning">Less than a minute is left. You may ask for ${span(state.drop.extend_ms)} more, once.</p>` : nothing}
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
    const busy = state.asked.length > 0;
    const warn = last(hold, this.now);
    const button = (/** @type {string} */ words, /** @type {Command} */ command, kind = "small") => html`<button type="button" class=${kind} ?disabled=${busy} @click=${() => this.#do(command, hold.id)}>${words}</button>`;
    return html`<footer>
      ${first ? nothing : offer ? button("Claim", { t: "claim", hold: hold.id }, "small strong") : button("Pay", { t: "pay", holds: [hold.id] }, "small strong")}
      ${!offer && !hold.extended && !hold.checking && rest > 0 && state.drop.extend_ms > 0 ? button(`${span(state.drop.extend_ms)} more`, { t: "extend", hold: hold.id }, warn ? "small strong" : "small") : nothing}
      ${hold.checking ? nothing : button(offer ? "Pass on it" : "Give it back", { t: "release", hold: hold.id })}
    </footer>`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   * @param {boolean} offer
   */
  #standing({ drop }, hold, offer) {
    if (drop.state === "frozen") return "Set aside for you. Its time stands still while the drop is stopped.";
    if (hold.checking) return asking(hold);
    if (offer) return `Offered to you by the line until ${timeOfDay(hold.deadline_ms)}.`;
    const sum = money(hold.price * hold.qty, drop);
    return hold.state === "paying" ? `${sum}, payment begun. Held until ${timeOfDay(hold.deadline_ms)}.` : `${sum}. Held until ${timeOfDay(hold.deadline_ms)}.`;
  }

  /**
   * @param {string} why
   * @param {"hold" | "entry"} what
   * @param {string} id
   */
  #ended(why, what, id) {
    return html`<article class="card ended">
      <p>${why}</p>
      <footer><button type="button" class="small" @click=${() => this.#dismiss(what, id)}>All right</button></footer>
    </article>`;
  }

  /**
   * @param {State} state
   * @param {EntryView} entry
   */
  #entry(state, entry) {
    const { drop } = state;
    const several = entry.lines.length > 1;
    const over = ["closing", "settled", "cancelled"].includes(drop.state);
    return html`<article class="card entry">
      <header>
        <h3>In line${entry.qty > 1 ? ` for ${entry.qty}` : ""}</h3>
        <p class="arrival">arrival ${number(entry.n)}</p>
      </header>
      <ul class="places" ?hidden=${!several}>
        ${entry.lines.map(
          (line) => html`<li>
            <span class="place">${number(line.place)}</span>
            <span class="line">${several || Object.keys(drop.pools).length > 1 ? html`<strong>${poolName(drop, line.pool)}</strong> ` : nothing}${line.place === 1 ? "next" : `${number(line.place - 1)} ahead${line.buying > 0 ? `, ${number(line.buying)} of them buying` : ""}`}</span>
          </li>`,
        )}
      </ul>
      ${over ? html`<p>The drop has ended; this line is not called any more.</p>` : html`<p>${this.#turn(drop.k, entry)}</p>`}
      ${(entry.state === "offered" || entry.cool_ms > this.now) && !over && drop.state !== "frozen" ? html`<footer><button type="button" class="small" ?disabled=${state.asked.length > 0} @click=${() => this.#do({ t: "leave", entry: entry.id }, "")}>Leave the line</button></footer>` : nothing}
    </article>`;
  }

  /**
   * @param {number} k
   * @param {EntryView} entry
   */
  #turn(k, entry) {
    if (entry.state === "offered") return entry.lapses > 0 ? "Your second turn: your offer is above. Missing it ends your place." : "Called: your offer is above. Your place stays until you have bought.";
    if (entry.cool_ms > this.now) return `You missed one turn. You keep your place and can be called again in ${left(entry.cool_ms - this.now)}; missing a second ends it. What is free meanwhile you may hold like anybody.`;
    if (entry.lane === "boost") return "In the boost lane: every few calls come from here. The place is provisional.";
    if (entry.lapses > 0) return "You missed one turn and keep your place; missing a second ends it.";
    const at = entry.lines[0];
    if (at === undefined || at.place < 2 || k < 2) return "Your place only falls. You may close this page; it is kept for you.";
    const latest = Math.min(at.latest > 0 ? at.latest : Infinity, Math.ceil((at.place * k) / (k - 1)));
    return `Your place only falls: your turn is call ${number(latest)} from now at the latest.`;
  }

  /**
   * @param {State} state
   * @param {OrderView} order
   */
  #order(state, order) {
    const { drop } = state;
    const cap = itemOf(drop, order.pool)?.cap ?? 0;
    const back = !kept(order);
    return html`<article class="card order ${back ? "back" : ""}">
      <p class="serials">${order.serials.map((serial) => html`<span class="serial"><span class="no">#${serial}</span> <span class="of">of ${number(cap)}</span></span>`)}</p>
      <h3>${poolName(drop, order.pool)}</h3>
      <p>${money(order.amount, drop)} · ${timeOfDay(order.at)} · ${MONEY[order.state] ?? ""}</p>
    </article>`;
  }

  /**
   * @param {Command} command
   * @param {string} hold
   */
  async #do(command, hold) {
    const answer = await this.ask?.(command);
    if (command.t === "pay" && answer !== undefined) goPay(answer, hold);
  }

  /** @param {"hold" | "entry"} what */
  #seen(what) {
    try {
      return sessionStorage.getItem(SEEN[what]);
    } catch {
      return this.dismissed[what];
    }
  }

  /**
   * @param {"hold" | "entry"} what
   * @param {string} id
   */
  #dismiss(what, id) {
    this.dismissed[what] = id;
    try {
      sessionStorage.setItem(SEEN[what], id);
    } catch {
      // Without storage the note comes back with the next page, which harms nobody.
    }
    this.requestUpdate();
  }

  dismissed = /** @type {Record<string, string | null>} */ ({ hold: null, entry: null });
}

customElements.define("drop-yours", DropYours);

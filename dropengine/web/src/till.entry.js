/**
 * The till and the basket of a fan's page: what is prepared before a drop opens, what was had of it, and paying for
 * several things at once. Only pages of drops with something to choose need it; it comes after what every page needs.
 *
 * @import {Answer} from "./commands.js"
 * @import {BasketView, Command, HoldView, PaymentView, Want, WayView} from "./wire.js"
 * @import {Prepared} from "./basket.js"
 * @import {State} from "./state.js"
 */

import * as say from "#said";
import * as basket from "./basket.js";
import { BY_HAND, CASH, chooses, fitting, means, payable, reckon, swaps, unpaid, within } from "./till.js";
import { lately, left, money, number, poolName, span } from "./formats.js";
import { fill } from "./sentences.js";
import { ended, offered } from "./state.js";
import { PAY, refusal, tell, told } from "./words.js";

const { lit: { html, nothing, render }, ask } = /** @type {Required<ReturnType<typeof told>>} */ (told());
const words = say.till;
const wants = say.basket;
/** Before anything can be held. */
const BEFORE = ["scheduled"];
/** While a press may hold something. */
const SELLS = ["live", "sold_out"];

class Till {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {State | null} */
    this.state = null;
    this.now = 0;
    this.way = "";
    this.provider = "";
    this.all = false;
    /** Holds that are not to be paid yet. @type {Set<string>} */
    this.not = new Set();
    /** @type {Prepared | null} */
    this.prepared = null;
    /** What the last basket came to, with what was asked. @type {{wants: Want[], came: BasketView} | null} */
    this.came = null;
    this.page = "";
    this.busy = false;
  }

  /**
   * @param {State} state
   * @param {number} now
   */
  show(state, now) {
    this.state = state;
    this.now = now;
    this.again();
  }

  again() {
    if (this.state !== null) render([this.#basket(this.state), this.#came(this.state), this.#open(this.state), this.#till(this.state)], this.place);
  }

  /**
   * @param {Command} command
   * @returns {Promise<Answer>}
   */
  async #ask(command) {
    this.busy = true;
    this.page = "";
    this.again();
    const answer = await ask(command);
    this.busy = false;
    if (answer.t === "refused") this.page = answer.page ?? "";
    this.again();
    return answer;
  }

  /** The way to a payment's page, in this tab. @param {string | undefined} page */
  #go(page) {
    const url = new URL(page || "about:blank", location.href);
    if (url.protocol === "https:" || url.protocol === "http:") location.assign(url);
  }

  /**
   * A press of the one button that means paying: the till is shown instead, where there is something to choose.
   * @param {State} state
   * @param {string} hold
   */
  takes(state, hold) {
    const payment = unpaid(state).find(({ holds }) => holds.includes(hold));
    const choice = chooses(state.drop) || payable(state, this.now).length > 1 || (payment?.holds.length ?? 0) > 1;
    if (!choice) return false;
    if (payment?.page) this.#go(payment.page);
    else {
      const head = this.place.querySelector("h2");
      head?.scrollIntoView({ block: "start" });
      if (head instanceof HTMLElement) head.focus({ preventScroll: true });
    }
    return true;
  }

  /**
   * @param {string} label
   * @param {() => void} pressed
   * @param {string} [kind]
   */
  #button(label, pressed, kind = "") {
    const can = !this.busy;
    return html`<button type="button" class="small ${kind}" aria-disabled=${can ? "false" : "true"} @click=${() => can && pressed()}>${label}</button>`;
  }

  // --- The basket. ---

  /** @param {State} state */
  #basket(state) {
    const { drop } = state;
    const pools = drop.items.flatMap((item) => item.pools);
    const before = BEFORE.includes(drop.state);
    if (pools.length < 2 || drop.chance || state.you === null || !(before || SELLS.includes(drop.state))) return nothing;
    this.prepared ??= basket.read(drop);
    const prepared = this.prepared;
    if (!before && prepared.wants.length === 0) return nothing;
    const change = (/** @type {Prepared} */ next) => {
      this.prepared = next;
      basket.keep(drop, next);
      this.again();
    };
    return html`<section class="card basket">
      <h2>${wants.title}</h2>
      <p>${before ? wants.why : wants.now}</p>
      <ul>
        ${pools.map((pool) => this.#want(state, prepared, pool, pools, change))}
      </ul>
      ${prepared.wants.length < 2
        ? nothing
        : html`<label class="tick"><input type="checkbox" .checked=${prepared.all} @change=${() => change({ ...prepared, all: !prepared.all })} /><span>${wants.all}</span></label>`}
      ${before ? (prepared.wants.length > 0 ? html`<p role="status">${wants.kept}</p>` : nothing) : html`<footer>${this.#button(wants.press, () => void this.#press(prepared), "strong")}${this.#button(wants.drop, () => change({ wants: [], all: false }))}</footer>`}
    </section>`;
  }

  /**
   * @param {State} state
   * @param {Prepared} prepared
   * @param {string} pool
   * @param {string[]} pools
   * @param {(next: Prepared) => void} change
   */
  #want({ drop }, prepared, pool, pools, change) {
    const want = prepared.wants.find((one) => one.pools[0] === pool);
    const qty = want?.qty ?? 0;
    const name = poolName(drop, pool);
    const most = drop.items.find((item) => item.pools.includes(pool))?.most ?? 1;
    return html`<li>
      <span class="what"><bdi>${name}</bdi></span>
      <label class="many"><span class="sr">${wants.many}: <bdi>${name}</bdi></span>
        <select @change=${(/** @type {{target: HTMLSelectElement}} */ { target }) => change(basket.put(drop, prepared, pool, Number(target.value)))}>
          ${Array.from({ length: most + 1 }, (_, many) => html`<option value=${many} .selected=${many === qty}>${number(many)}</option>`)}
        </select>
      </label>
      ${qty === 0
        ? nothing
        : html`<label class="else"><span>${wants.second}</span>
            <select aria-label=${`${wants.second} ${name}`} @change=${(/** @type {{target: HTMLSelectElement}} */ { target }) => change(basket.second(prepared, pool, target.value))}>
              <option value="" .selected=${want?.pools[1] === undefined}>${wants.none}</option>
              ${pools.filter((other) => other !== pool).map((other) => html`<option value=${other} .selected=${want?.pools[1] === other}>${poolName(drop, other)}</option>`)}
            </select>
          </label>`}
    </li>`;
  }

  /** @param {Prepared} prepared */
  async #press(prepared) {
    const answer = await this.#ask({ t: "basket", wants: prepared.wants, all: prepared.all });
    if (answer.t !== "done") return;
    if (answer.basket) this.came = { wants: prepared.wants, came: answer.basket };
    // Had once, it is not asked for by itself again; with nothing had it stays, and can be pressed once more.
    if (this.state !== null && (answer.basket?.had.length ?? 1) > 0) {
      this.prepared = { wants: [], all: false };
      basket.keep(this.state.drop, this.prepared);
    }
    this.again();
  }

  /** @param {State} state */
  #came({ drop, you }) {
    if (this.came === null || ended(drop)) return nothing;
    const { wants: asked, came } = this.came;
    const waits = (/** @type {Want} */ want) => you?.entries.some((entry) => entry.lines.some((line) => want.pools.includes(line.pool)));
    return html`<section class="card came" role="status">
      <h2>${came.had.length === 0 ? wants.nothing : came.missing.length === 0 ? wants.everything : wants.some}</h2>
      <ul>
        ${came.had.map(({ hold }) => html`<li><bdi>${hold.qty} × ${poolName(drop, hold.pool)}</bdi>: ${wants.had}</li>`)}
        ${came.missing.map((missing) => {
          const want = asked[missing.want];
          if (want === undefined) return nothing;
          const joins = ["all_held", "sold_out", "not_your_turn"].includes(missing.code) && !waits(want);
          return html`<li>
            <bdi>${want.qty} × ${want.pools.map((pool) => poolName(drop, pool)).join(", ")}</bdi>: ${refusal({ ...missing, t: "refused", id: 0, seq: 0 }, drop)}
            ${joins ? this.#button(wants.join, () => void this.#ask({ t: "join", pools: want.pools, qty: want.qty })) : nothing}
          </li>`;
        })}
      </ul>
      <footer>${this.#button(say.read, () => {
        this.came = null;
        this.again();
      })}</footer>
    </section>`;
  }

  // --- Paying. ---

  /** @param {string} word */
  #mean(word) {
    return word === BY_HAND ? words.by_hand : word === CASH ? words.cash : words.card;
  }

  /** @param {State} state */
  #open(state) {
    const { drop } = state;
    // One thing, one payment, nothing to choose: its card says all that there is to say.
    const open = unpaid(state);
    if (!chooses(drop) && open.every(({ holds }) => holds.length < 2)) return nothing;
    return open.map((payment) => this.#payment(state, payment));
  }

  /**
   * @param {State} state
   * @param {PaymentView} payment
   */
  #payment(state, payment) {
    const { drop } = state;
    const way = (drop.ways ?? []).find(({ id }) => id === payment.way);
    const rest = payment.deadline_ms - this.now;
    const says = payment.leaving ? words.leaving : payment.asking ? words.asking : rest > 0 ? fill(words.until, { when: lately(payment.deadline_ms, this.now), left: left(rest) }) : say.over;
    return html`<section class="card payment">
      <h2>${fill(words.open, { sum: money(payment.amount, drop) })}</h2>
      <ul>${within(state, payment).map((hold) => html`<li><bdi>${hold.qty} × ${poolName(drop, hold.pool)}</bdi></li>`)}</ul>
      <p>${this.#mean(payment.provider)}${way === undefined ? nothing : html` · <bdi>${way.title}</bdi>`}</p>
      ${payment.reference ? html`<p>${words.reference} <strong>${payment.reference}</strong></p>` : nothing}
      <p>${says}</p>
      ${payment.leaving || payment.asking
        ? nothing
        : html`<footer>
            ${payment.page ? html`<a class="small strong" href=${payment.page}>${say.back_to_payment}</a>` : nothing}
            ${this.#button(words.otherwise, () => void this.#ask({ t: "unpay", payment: payment.id }))}
          </footer>`}
    </section>`;
  }

  /** @param {State} state */
  #till(state) {
    const { drop } = state;
    const holds = payable(state, this.now);
    const [first] = holds;
    if (first === undefined || ["frozen", "cancelled"].includes(drop.state)) return nothing;
    // One thing, and nothing to choose: the one button pays it.
    if (!chooses(drop) && holds.length < 2) return nothing;
    const chosen = holds.filter((hold) => !this.not.has(hold.id));
    const ways = fitting(drop, chosen);
    const way = ways.find(({ id }) => id === this.way) ?? ways[0];
    const how = means(drop, way);
    const mean = how.includes(this.provider) ? this.provider : (how[0] ?? "");
    const { lines, way: carriage, sum } = reckon(chosen, way);
    return html`<section class="card till">
      <h2 tabindex="-1">${words.title}</h2>
      <p>${fill(words.held, { when: lately(first.deadline_ms, this.now) })}</p>
      <ul>
        ${holds.map((hold) => this.#hold(state, hold, holds.length > 1))}
      </ul>
      ${ways.length === 0
        ? nothing
        : html`<fieldset><legend>${words.way}</legend>
            ${ways.map((one) => this.#choice("way", one.id, one === way, () => (this.way = one.id), html`<bdi>${one.title}</bdi>`, this.#costs(state, one)))}
          </fieldset>`}
      ${how.length < 2
        ? nothing
        : html`<fieldset><legend>${words.how}</legend>
            ${how.map((word) => this.#choice("how", word, word === mean, () => (this.provider = word), this.#mean(word), word === BY_HAND ? fill(words.within, { span: span(drop.hand_ms ?? 0) }) : ""))}
          </fieldset>`}
      ${chosen.length < 2 ? nothing : html`<label class="tick"><input type="checkbox" .checked=${this.all} @change=${() => (this.all = !this.all)} /><span>${words.all}</span></label>`}
      <dl class="sums">
        ${lines.map(({ hold, sum }) => html`<div><dt><bdi>${hold.qty} × ${poolName(drop, hold.pool)}</bdi></dt><dd>${money(sum, drop)}</dd></div>`)}
        ${way === undefined ? nothing : html`<div><dt><bdi>${way.title}</bdi></dt><dd>${money(carriage, drop)}</dd></div>`}
        <div class="sum"><dt>${words.sum}</dt><dd>${money(sum, drop)}</dd></div>
      </dl>
      ${this.page === "" ? nothing : html`<p><a href=${this.page}>${say.back_to_payment}</a></p>`}
      ${chosen.length === 0 ? html`<p>${words.none}</p>` : html`<footer>${this.#button(`${PAY} ${money(sum, drop)}`, () => void this.#pay(chosen, way, mean), "strong")}</footer>`}
    </section>`;
  }

  /**
   * @param {State} state
   * @param {WayView} way
   */
  #costs({ drop }, way) {
    const amount = money(way.amount ?? 0, drop);
    const off = money(way.off ?? 0, drop);
    const costs = way.amount && way.off ? fill(say.way.both, { amount, off }) : way.amount ? fill(say.way.amount, { amount }) : way.off ? fill(say.way.off, { off }) : say.way.nothing;
    const when = way.until_ms ? fill(way.from_ms ? words.window : words.window_end, { first: lately(way.from_ms ?? 0, this.now), last: lately(way.until_ms, this.now) }) : (way.countries ?? []).join(", ");
    return when === "" ? costs : `${when} · ${costs}`;
  }

  /**
   * @param {string} name
   * @param {string} value
   * @param {boolean} on
   * @param {() => void} set
   * @param {unknown} label
   * @param {string} says
   */
  #choice(name, value, on, set, label, says) {
    const change = () => {
      set();
      this.again();
    };
    return html`<label class="tick"><input type="radio" name=${name} value=${value} .checked=${on} @change=${change} /><span>${label}${says === "" ? nothing : html`<br /><small>${says}</small>`}</span></label>`;
  }

  /**
   * @param {State} state
   * @param {HoldView} hold
   * @param {boolean} several
   */
  #hold({ drop }, hold, several) {
    const name = `${hold.qty} × ${poolName(drop, hold.pool)}`;
    const toggle = () => {
      if (!this.not.delete(hold.id)) this.not.add(hold.id);
      this.again();
    };
    const others = offered(hold) ? [] : swaps(drop, hold);
    const swap = (/** @type {{target: HTMLSelectElement}} */ { target }) => {
      const pool = target.value;
      target.value = "";
      if (pool !== "" && !this.busy) void this.#ask({ t: "swap", hold: hold.id, pool });
    };
    return html`<li>
      ${several ? html`<label class="tick"><input type="checkbox" .checked=${!this.not.has(hold.id)} @change=${toggle} /><bdi>${name}</bdi></label>` : html`<bdi>${name}</bdi>`}
      ${others.length === 0
        ? nothing
        : html`<select aria-label=${`${words.swap} ${name}`} @change=${swap}>
            <option value="" selected>${words.swap}</option>
            ${others.map(({ pool, why }) => html`<option value=${pool} ?disabled=${why !== ""}>${poolName(drop, pool)}${why === "" ? "" : ` (${why === "price" ? words.not_price : words.not_none})`}</option>`)}
          </select>`}
    </li>`;
  }

  /**
   * @param {HoldView[]} holds
   * @param {WayView | undefined} way
   * @param {string} provider
   */
  async #pay(holds, way, provider) {
    const answer = await this.#ask({ t: "pay", holds: holds.map(({ id }) => id), way: way?.id ?? "", provider, all: holds.length > 1 && this.all });
    if (answer.t === "done") this.#go(answer.payment?.page || Object.values(answer.pay ?? {})[0]);
  }
}

const place = document.querySelector("drop-till");
if (place instanceof HTMLElement) {
  const till = new Till(place);
  tell({ till: (state, hold) => till.takes(state, hold) });
  document.addEventListener("told", (event) => {
    const { after, now } = /** @type {CustomEvent<{after: State, now: number}>} */ (event).detail;
    till.show(after, now);
  });
}

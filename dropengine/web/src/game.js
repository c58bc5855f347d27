/**
 * The game of the line on a fan's page: his places in both lanes and how they move, who moved him up and what moves
 * him next, missions, badges, the board, and what he shares.
 *
 * @import {Game, Mission, Told} from "./game_wire.js"
 * @import {Point} from "./waiting.js"
 * @import {EntryView, LinePlace, PoolView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { html, nothing, svg } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import * as say from "#said";
import { clockOf, number, poolName } from "./formats.js";
import * as wire from "./game_wire.js";
import * as says from "./game_says.js";
import { Part } from "./part.js";
import { fill } from "./sentences.js";
import { ended } from "./state.js";
import * as storage from "./storage.js";
import * as waiting from "./waiting.js";

const words = say.game;
/** @typedef {Record<string, string>} Table */

/** The field of the chart, in units of its own. */
const WIDE = 300;
const HIGH = 64;
/** A board shows so many rows at first. */
const BOARD_ROWS = 10;
const CLEARED_MS = 4_000;
/** @type {Table} */
const refusals = { ...say.refused, ...say.game_refused };

export class DropGame extends Part {
  constructor() {
    super();
    /** @type {Game | null} what the shop told last */
    this.game = null;
    /** What is to be done when something of his changed. @type {(told: Told) => void} */
    this.heard = () => undefined;
    /** What is said aloud. */
    this.aloud = "";
    /** @type {Map<string, Point[]>} what this page saw of each place */
    this.past = new Map();
    /** What became of what he sent last, by where he sent it. @type {Record<string, string>} */
    this.answers = {};
    this.busy = "";
    this.copied = false;
  }

  /**
   * @override
   * @param {State} state
   */
  shown(state) {
    const { game } = this;
    const rules = state.drop.game;
    if (rules === undefined || rules === null || game === null) return nothing;
    const entry = (state.you?.entries ?? []).find((one) => one.state === "waiting" || one.state === "offered");
    const over = ended(state.drop);
    return html`<section class="card game" aria-labelledby="game">
      <header><h2 id="game">${words.title}</h2><p class="points">${says.points(game.points)}</p></header>
      <p class="sr" role="status">${this.aloud}</p>
      ${this.#notice(state.drop.id, game)}
      ${over ? nothing : html`<p>${says.lane(state.drop.k)} ${says.until(game.rules, state.drop.state)}</p>`}
      ${entry === undefined || over ? this.#outside(state, game, over) : this.#standing(state, entry)}
      ${this.#book(game)}
      ${over || says.sealed(game.rules, state.drop.state) ? nothing : this.#next(state, game)}
      ${this.#badges(game)}
      ${this.#board(state, game)}
    </section>`;
  }

  /** @param {State} state @param {Game} game @param {boolean} over */
  #outside(state, game, over) {
    if (over || ["scheduled", "frozen"].includes(state.drop.state)) return nothing;
    return html`<p>${game.points > 0 ? words.keeps : words.join_first}</p>`;
  }

  /** What was taken back, until he has read it. @param {string} drop @param {Game} game */
  #notice(drop, { rows }) {
    const back = rows.filter(({ state }) => state === "taken_back");
    const read = storage.always(`taken ${drop}`) ?? "";
    const fresh = back.filter((row) => !read.includes(says.key(row)));
    if (fresh.length === 0) return nothing;
    const seen = () => {
      storage.putAlways(`taken ${drop}`, back.map(says.key).join());
      this.again();
    };
    return html`<div class="notice"><p>${says.notice(fresh)}</p><button type="button" class="small" @click=${seen}>${say.read}</button></div>`;
  }

  /** @param {State} state @param {EntryView} entry */
  #standing({ drop }, entry) {
    const several = entry.lines.length > 1;
    return repeat(
      entry.lines,
      (line) => line.pool,
      (line) => {
        const pool = drop.pools[line.pool];
        // What was made good before there were two places stands in the boost lane alone.
        const alone = entry.lane !== "base";
        const boost = alone ? line : entry.boost?.find((one) => one.pool === line.pool);
        return html`<section class="lane">
          ${several ? html`<h3 dir="auto">${poolName(drop, line.pool)}</h3>` : nothing}
          <dl class="lanes">
            ${alone ? nothing : html`<div><dt>${words.base}</dt><dd>${number(line.place)}</dd></div>`}
            ${boost === undefined ? nothing : html`<div class="boost"><dt>${words.boost}</dt><dd>${boost.due ? "…" : number(boost.place)} <span>${words.provisional}</span></dd></div>`}
          </dl>
          ${alone ? nothing : this.#chart(drop.id, entry, line)}
          ${pool === undefined || alone ? nothing : this.#reach(drop.k, entry, line, pool, boost)}
        </section>`;
      },
    );
  }

  /** @param {number} k @param {EntryView} entry @param {LinePlace} line @param {PoolView} pool @param {LinePlace} [boost] */
  #reach(k, entry, line, pool, boost) {
    const soon = waiting.soon(this.past.get(line.pool) ?? [], this.now, line.place);
    const { short, says: reaches } = waiting.reach(pool, k, line, boost);
    if (entry.state === "offered") return nothing;
    return html`${soon === "" ? nothing : html`<p class="soon">${soon}</p>`}
      ${reaches === "" ? nothing : html`<p class="reach ${short > 0 ? "short" : ""}">${short > 0 ? html`<strong>${say.waiting.cannot}</strong> ` : nothing}${reaches}</p>`}`;
  }

  /** How his place fell, as a line that climbs. @param {string} drop @param {EntryView} entry @param {LinePlace} line */
  #chart(drop, entry, line) {
    const before = this.past.get(line.pool) ?? waiting.seen(drop, entry.id, line.pool);
    const past = waiting.looked(before, this.now, line.place);
    if (past !== before) waiting.keep(drop, entry.id, line.pool, past);
    this.past.set(line.pool, past);
    const first = past[0];
    if (past.length < 2 || first === undefined) return nothing;
    const { path, last } = waiting.drawn(past, this.now, WIDE, HIGH);
    const alt = fill(say.waiting.chart, { first: first[1], last: line.place, time: clockOf(first[0]) });
    return html`<figure class="climb">
      <svg viewBox="0 -6 ${WIDE + 8} ${HIGH + 12}" preserveAspectRatio="none" role="img" aria-label=${alt}>
        ${svg`<path class="under" d=${`${path}V${HIGH + 6}H0Z`}></path><path class="line" d=${path}></path><path class="now" d=${`M${WIDE} ${last}h0`}></path>`}
      </svg>
      <figcaption aria-hidden="true"><span>${number(first[1])} · ${clockOf(first[0])}</span> <span>${number(line.place)} · ${say.waiting.now}</span></figcaption>
    </figure>`;
  }

  /** Who moved him up, and what of his waits or came to nothing. @param {Game} game */
  #book(game) {
    const lifted = says.lifted(game.rows);
    const others = says.others(game.rows);
    if (lifted.length + others.length === 0) return nothing;
    return html`<section class="book">
      <h3>${words.book}</h3>
      <ul>
        ${lifted.map((one) => html`<li class="counted"><span>${one.says} ${one.title === "" ? nothing : html`<bdi>${one.title}</bdi>`}</span> <b>+${number(one.points)}</b></li>`)}
        ${others.map(({ row, times }) => html`<li class=${row.state}><span>${says.about(row)} ${times > 1 ? `× ${number(times)} ` : ""}${row.title === "" ? nothing : html`<bdi>${row.title}</bdi>`} <small>${says.standing(row, this.now)}</small></span> <b>${row.state === "waiting" ? html`<span class="sr">${words.later}</span>+${number(row.points * times)}` : row.state === "taken_back" ? html`<s>+${number(row.points * times)}</s>` : "0"}</b></li>`)}
      </ul>
    </section>`;
  }

  /** What moves him next: his link, and what there is to do. @param {State} state @param {Game} game */
  #next(state, game) {
    const { friends } = game.rules;
    const tasks = game.missions;
    if (friends === null && tasks.length === 0) return nothing;
    return html`<section class="next">
      <h3>${words.next}</h3>
      ${friends === null ? nothing : html`<div class="share">
        <p>${says.friend(friends)}</p>
        ${game.code === "" ? html`<p>${words.no_link}</p>` : this.#share(state, game)}
      </div>`}
      ${repeat(tasks, (one) => one.id, (one) => this.#mission(state, one))}
    </section>`;
  }

  /** @param {State} state @param {Game} game */
  #share({ drop }, { link, card }) {
    const shares = typeof navigator.share === "function";
    const share = () => navigator.share({ title: drop.title, url: link }).catch(() => undefined);
    const copy = async () => {
      await navigator.clipboard?.writeText(link).then(
        () => (this.copied = true),
        () => /** @type {HTMLInputElement | null} */ (this.querySelector("input.link"))?.select(),
      );
      this.again();
      setTimeout(() => {
        this.copied = false;
        this.again();
      }, CLEARED_MS);
    };
    return html`<label class="sr" for="ref">${words.link}</label>
      <input id="ref" class="link" readonly .value=${link} @focus=${(/** @type {FocusEvent} */ event) => event.target instanceof HTMLInputElement && event.target.select()} />
      <footer>
        ${shares ? html`<button type="button" class="small strong" @click=${share}>${words.share}</button>` : nothing}
        <button type="button" class="small ${shares ? "" : "strong"}" @click=${copy}>${words.copy_link}</button>
        <span role="status">${this.copied ? words.copied : ""}</span>
      </footer>
      <details><summary>${words.card}</summary>
        <a href=${card} download=${`${drop.id}.png`}><img src=${card} alt=${words.card_is} width="1200" height="630" loading="lazy" /></a>
        <p>${words.card_why}</p>
      </details>`;
  }

  /** @param {State} state @param {Mission} task */
  #mission({ drop }, task) {
    const says_ = says.mission(task, this.now);
    // Whoever hears a word may type it at once: this page may not know yet that it was said.
    const open = !task.done && task.state !== "over" && task.kind !== "tap" && !(task.ends > 0 && task.ends <= this.now);
    const answer = this.answers[task.id] ?? "";
    const label = task.kind === "code" ? words.word : words.answer;
    return html`<form class="mission ${task.done ? "done" : ""}" aria-label=${task.title} @submit=${(/** @type {SubmitEvent} */ event) => this.#says(event, drop.id, task.id)}>
      <p class="task"><strong dir="auto">${task.title}</strong> <b>${task.done ? html`<span aria-hidden="true">✓</span> ` : "+"}${number(task.worth)}</b></p>
      ${says_ === "" ? nothing : html`<p>${says_}</p>`}
      ${open ? html`<div class="say"><label for=${`said-${task.id}`}>${label}</label>
        <input id=${`said-${task.id}`} name="said" required maxlength="80" autocomplete="off" autocapitalize="none" spellcheck="false" />
        <button class="small strong" aria-disabled=${this.busy === "" ? "false" : "true"}>${words.send}</button></div>` : nothing}
      <p role="status">${answer}</p>
    </form>`;
  }

  /** @param {SubmitEvent} event @param {string} drop @param {string} id */
  async #says(event, drop, id) {
    event.preventDefault();
    const form = event.target;
    if (this.busy !== "" || !(form instanceof HTMLFormElement)) return;
    const said = String(new FormData(form).get("said"));
    await this.#sends(id, () => wire.tell(drop, id, said));
    if (this.answers[id] === "") form.reset();
  }

  /** @param {string} where @param {() => Promise<Told>} send */
  async #sends(where, send) {
    this.busy = where;
    this.again();
    const told = await send();
    this.busy = "";
    this.answers[where] = "code" in told ? (refusals[told.code] ?? say.game_refused.other) : "";
    this.heard(told);
    this.again();
  }

  /** @param {Game} game */
  #badges({ badges }) {
    if (badges.length === 0) return nothing;
    return html`<section class="badges">
      <h3>${words.badges}</h3>
      <ul>${badges.map(({ kind, drop }) => html`<li><img src=${`/drops/${drop}/badges/${kind}.svg`} alt="" width="72" height="72" /><span>${/** @type {Table} */ (say.game_badge)[kind] ?? ""}</span></li>`)}</ul>
    </section>`;
  }

  /** @param {State} state @param {Game} game */
  #board({ drop, you }, { board, points }) {
    const { rows, on, name } = board;
    const mine = rows.findIndex((row) => row.you);
    const shown = mine < BOARD_ROWS ? rows.slice(0, BOARD_ROWS) : [...rows.slice(0, BOARD_ROWS - 1), rows[mine]].filter((row) => row !== undefined);
    const tied = (/** @type {number} */ rank) => rows.filter((row) => row.rank === rank).length > 1;
    const join = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (this.busy !== "" || !(event.target instanceof HTMLFormElement)) return;
      const called = String(new FormData(event.target).get("name")).trim();
      void this.#sends("board", () => wire.show(drop.id, called));
    };
    const leave = () => void (this.busy === "" && this.#sends("board", () => wire.show(drop.id, "")));
    return html`<section class="board">
      <h3>${words.board}</h3>
      ${shown.length === 0 ? html`<p>${words.board_empty}</p>` : html`<ol>${shown.map((row) => html`<li class=${row.you ? "mine" : ""}><span class="rank">${number(row.rank)}${tied(row.rank) ? html`<span aria-hidden="true">=</span><span class="sr">${words.tied}</span>` : ""}</span> <bdi>${row.name}</bdi>${row.you ? html` <span class="me">${words.you}</span>` : nothing} <b>${says.points(row.points)}</b></li>`)}</ol>`}
      ${you === null ? nothing : on ? html`<p>${fill(words.board_on, { name })} <button type="button" class="small" aria-disabled=${this.busy === "" ? "false" : "true"} @click=${leave}>${words.board_off}</button></p>` : points > 0 ? html`<form class="say" @submit=${join}>
        <label for="board-name">${words.board_why}</label>
        <input id="board-name" name="name" required maxlength="24" autocomplete="nickname" />
        <button class="small" aria-disabled=${this.busy === "" ? "false" : "true"}>${words.board_join}</button></form>` : html`<p>${words.board_later}</p>`}
      <p role="status">${this.answers["board"] ?? ""}</p>
    </section>`;
  }
}

customElements.define("drop-game", DropGame);

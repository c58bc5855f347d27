/**
 * For who has a code of early access: it makes him one of those who may begin already. Who that is then comes with his
 * state, as everything of his does.
 *
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import * as say from "#said";
import { his, lasts } from "./early.js";
import { Part } from "./part.js";

const words = say.early_access;
/** @type {Record<number, string>} */
const WHY = { 404: words.no_code, 409: words.code_used };

export class DropCode extends Part {
  /** What became of the last code. */
  #said = "";
  #asking = false;

  /**
   * @override
   * @param {State} state
   */
  shown(state) {
    const { drop, you } = state;
    const codes = (drop.cohorts ?? []).some((one) => one.codes);
    if (!codes || you === null || !lasts(drop) || his(state).length > 0) return nothing;
    return html`<form class="card code" @submit=${(/** @type {SubmitEvent} */ event) => this.#use(event, drop.id)}>
      <label for="code">${words.have_code}</label>
      <input id="code" name="code" required maxlength="32" autocomplete="off" autocapitalize="characters" spellcheck="false" />
      <button class="small" aria-disabled=${this.#asking ? "true" : "false"}>${words.use_code}</button>
      <p role="status">${this.#said}</p>
    </form>`;
  }

  /**
   * @param {SubmitEvent} event
   * @param {string} drop
   */
  async #use(event, drop) {
    event.preventDefault();
    if (this.#asking || !(event.target instanceof HTMLFormElement)) return;
    const code = String(new FormData(event.target).get("code"));
    this.#asking = true;
    const how = { method: "POST", headers: { "content-type": "application/json" }, credentials: /** @type {const} */ ("same-origin"), body: JSON.stringify({ code }) };
    const answer = await fetch(`/api/drops/${encodeURIComponent(drop)}/early`, how).catch(() => null);
    this.#asking = false;
    this.#said = answer?.ok ? "" : (WHY[answer?.status ?? 0] ?? words.code_later);
    this.again();
  }
}

customElements.define("drop-code", DropCode);

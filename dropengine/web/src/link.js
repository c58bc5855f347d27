/**
 * Says whether the page is up to date; if not, since when it is not. A silently stale page must be impossible.
 * What the sale is doing is said elsewhere, in other words.
 *
 * @import {State} from "./state.js"
 */

import { html } from "lit/html.js";
import { Part } from "./part.js";
import * as words from "./words.js";

export class DropLink extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ link, away }) {
    if (link.live && away > 0) return this.#stale(words.awaySince(away));
    if (link.live && link.quiet) return html`<p class="link"><span class="dot"></span>${words.CHECKING}</p>`;
    if (link.live) return html`<p class="link live"><span class="dot"></span>${words.UP_TO_DATE[link.way]}</p>`;
    const first = link.way === "page" && link.why === "" && this.now - link.since < 5_000;
    if (first) return html`<p class="link"><span class="dot"></span>${words.UP_TO_DATE.page}</p>`;
    return this.#stale(words.notSince(link.since), link.why, link.over);
  }

  #stale(what = "", why = "", over = false) {
    return html`<p class="link stale"><span class="dot"></span><span><strong>${what}.</strong> ${why}</span> ${over ? html`<button type="button" class="small" @click=${() => location.reload()}>${words.LOAD_AGAIN}</button>` : ""}</p>`;
  }
}

customElements.define("drop-link", DropLink);

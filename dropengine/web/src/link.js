/**
 * Says whether the page is live; if not, since when it is stale. A silently stale page must be impossible.
 *
 * @import {State} from "./state.js"
 */

import { html } from "lit";
import { Part } from "./part.js";
import { timeOfDay } from "./formats.js";

const WAYS = { socket: "Live", stream: "Live", poll: "Live, every few seconds", page: "Connecting…" };

export class DropLink extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ link, away }) {
    if (link.live && away > 0) {
      return html`<p class="link stale"><span class="dot"></span><span><strong>The shop is out of reach since ${timeOfDay(away)}.</strong> Nothing is lost; the page goes on by itself.</span></p>`;
    }
    if (link.live) return html`<p class="link live"><span class="dot"></span>${WAYS[link.way]}</p>`;
    const first = link.way === "page" && link.why === "" && this.now - link.since < 5_000;
    if (first) return html`<p class="link"><span class="dot"></span>${WAYS.page}</p>`;
    const what = link.why === "" ? "Coming back…" : link.why;
    return html`<p class="link stale">
      <span class="dot"></span><span><strong>Not live since ${timeOfDay(link.since)}.</strong> ${what}</span>
      ${link.over ? html`<button type="button" class="small" @click=${() => location.reload()}>Load again</button>` : ""}
    </p>`;
  }
}

customElements.define("drop-link", DropLink);

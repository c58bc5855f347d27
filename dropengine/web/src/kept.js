/**
 * The rules that may still change: when the sale opens and closes, and what an answer of the shop is worth now, whose
 * server may begin, or cease, to write to disk before it answers.
 *
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import { moment } from "./formats.js";
import { Part } from "./part.js";
import { toOpen } from "./state.js";
import { CALENDAR, SAVED, WEAKER } from "./words.js";

export class DropKept extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    return html`${drop.durable ? SAVED : WEAKER}`;
  }
}

/** A time of the sale; `data-what`: which one. Its whole row is there only where there is such a time. */
export class DropTime extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const { what } = this.dataset;
    const at = what === "closes" ? drop.closes_ms : toOpen(drop) ? drop.opens_ms : 0;
    this.closest("div")?.toggleAttribute("hidden", at === 0);
    return at === 0 ? nothing : html`<time datetime=${new Date(at).toISOString()}>${moment(at)}</time> · <a href=${`/drops/${drop.id}/${what}.ics`}>${CALENDAR}</a>`;
  }
}

customElements.define("drop-time", DropTime);
customElements.define("drop-kept", DropKept);

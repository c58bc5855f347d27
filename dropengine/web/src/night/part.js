/**
 * What the live parts of the night have in common: each renders into itself, over what the server rendered there; until
 * the first word comes, the server's stand.
 *
 * @import {Night} from "./wire.js"
 */

import { html, nothing, render } from "lit/html.js";
import { number } from "../formats.js";

export class Part extends HTMLElement {
  #begun = false;

  /** @param {Night} night */
  show(night) {
    if (!this.#begun) this.replaceChildren();
    this.#begun = true;
    render(this.shown(night), this);
  }

  /**
   * @param {Night} _night
   * @returns {unknown}
   */
  shown(_night) {
    return nothing;
  }
}

/** What only the public messages tell: it follows every tick. */
export class DropPart extends Part {}
/**
 * What the desk tells, once a second. Rows that come and go all night are mapped, not repeated by key: `repeat` leaves
 * a comment behind in the page for each row that it takes out.
 */
export class DeskPart extends Part {}

/**
 * @param {[string, unknown][]} rows
 */
export const pairs = (rows) => html`<dl class="pairs">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${typeof value === "number" ? number(value) : value}</dd></div>`)}</dl>`;

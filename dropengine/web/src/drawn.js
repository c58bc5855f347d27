/**
 * What anybody can check of an order: the fingerprint of the list as soon as it is fixed, then what the order was made
 * with, and the file that has all of it.
 *
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import { chance, draw } from "#said";
import { Part } from "./part.js";

export class DropDrawn extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    const { root = "", revealed = "" } = drop.listed ?? {};
    const told = (/** @type {string} */ name, /** @type {string} */ hash, /** @type {string} */ why) => (hash === "" ? nothing : html`<details><summary>${name}</summary><p class="hash">${hash}</p><p>${why}</p></details>`);
    const done = revealed !== "" && drop.state !== "ordering";
    return html`${told(draw.root, root, draw.root_why)} ${told(chance.revealed, revealed, chance.revealed_why)}
      ${done ? html`<p class="check"><a href=${`/drops/${drop.id}/order.json`}>${chance.check}</a> <span>${chance.check_why}</span></p>` : nothing}`;
  }
}

customElements.define("drop-drawn", DropDrawn);

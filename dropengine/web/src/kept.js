/**
 * What an answer of the shop is worth now: its server may begin, or cease, to write to disk before it answers.
 *
 * @import {State} from "./state.js"
 */

import { html } from "lit";
import { Part } from "./part.js";
import { SAVED, WEAKER } from "./words.js";

export class DropKept extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    return html`${drop.durable ? SAVED : WEAKER}`;
  }
}

customElements.define("drop-kept", DropKept);

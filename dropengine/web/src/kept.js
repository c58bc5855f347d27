/**
 * What an answer of the shop is worth now: its server may begin, or cease, to write to disk before it answers.
 *
 * @import {State} from "./state.js"
 */

import { html } from "lit";
import { Part } from "./part.js";

export class DropKept extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    return drop.durable
      ? html`every answer you get is already on disk`
      : html`an answer may be lost if the power fails within a second of it`;
  }
}

customElements.define("drop-kept", DropKept);

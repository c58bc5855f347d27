/**
 * What the maker said to everybody, newest first.
 *
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Part } from "./part.js";
import { timeOfDay } from "./formats.js";

export class DropNews extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    if (drop.news.length === 0) return nothing;
    return html`<h2>From ${drop.maker}</h2>
      <ol class="news">
        ${repeat(drop.news, (one) => one.seq, (one) => html`<li><time datetime=${new Date(one.at).toISOString()}>${timeOfDay(one.at)}</time><p>${one.text}</p></li>`)}
      </ol>`;
  }
}

customElements.define("drop-news", DropNews);

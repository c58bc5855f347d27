/**
 * What the maker said to everybody, newest first.
 *
 * @import {State} from "./state.js"
 */

import { html, nothing } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { Part } from "./part.js";
import { lately } from "./formats.js";
import { from } from "./words.js";

export class DropNews extends Part {
  /**
   * @override
   * @param {State} state
   */
  shown({ drop }) {
    if (drop.news.length === 0) return nothing;
    return html`<h2>${from} <bdi>${drop.maker}</bdi></h2>
      <ol class="news">
        ${repeat(drop.news, (one) => one.seq, (one) => html`<li><time datetime=${new Date(one.at).toISOString()}>${lately(one.at, this.now)}</time><p dir="auto">${one.text}</p></li>`)}
      </ol>`;
  }
}

customElements.define("drop-news", DropNews);

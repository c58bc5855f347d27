/**
 * A live part of a page: renders into the page itself, over what the server rendered there, from the one state
 * and the server's clock. Until the first state comes, the server's words stand.
 *
 * @import {Command} from "./wire.js"
 * @import {Answer} from "./commands.js"
 * @import {State} from "./state.js"
 */

import { nothing, render } from "lit/html.js";
import { Waking } from "./waking.js";

/**
 * What a part may do. `later`: give up, unless it is undone.
 * @typedef {{ask: (command: Command) => Promise<Answer>, later: (command: Command) => void, undo: (command: Command) => void}} Hands
 */

/** The page's styles and reading order hold inside a part, so it renders into itself. */
export class Part extends HTMLElement {
  /** Whether it will render at the end of this turn. */
  #due = false;
  /** Whether what stands in it is its own. */
  #begun = false;

  constructor() {
    super();
    /** @type {State | null} */
    this.state = null;
    /** The server's clock, ms. */
    this.now = 0;
    /** @type {Hands | null} */
    this.hands = null;
    this.waking = new Waking(() => this.again());
  }

  /**
   * @param {State} state
   * @param {number} now the server's clock, ms
   */
  show(state, now) {
    this.state = state;
    this.now = now;
    this.again();
  }

  /** Renders once more, however often it is asked within one turn. */
  again() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.state !== null) this.#render(this.state);
    });
  }

  /** @param {State} state */
  #render(state) {
    const focused = this.contains(document.activeElement);
    if (!this.#begun) this.replaceChildren();
    this.#begun = true;
    render(this.shown(state), this);
    this.waking.shown();
    this.rendered();
    // What had the focus is gone: it goes on at the one button instead of at the top of the page.
    const one = document.querySelector("button.one");
    if (focused && document.activeElement === document.body && one instanceof HTMLElement) one.focus({ preventScroll: true });
  }

  /** Called after each rendering. */
  rendered() {}

  /**
   * @param {State} _state
   * @returns {unknown} a template
   */
  shown(_state) {
    return nothing;
  }
}

/**
 * Opens the payment page, in this tab; coming back shows the true state.
 * @param {Answer} answer to `pay`
 * @param {string} hold
 */
export function goPay(answer, hold) {
  const address = answer.t === "done" ? answer.pay?.[hold] : undefined;
  if (address === undefined) return;
  const url = new URL(address, location.href);
  if (url.protocol === "https:" || url.protocol === "http:") location.assign(url);
}

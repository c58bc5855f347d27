/**
 * A live part of a page: renders into the page itself, over what the server rendered there, from the one state
 * and the server's clock. Until the first state comes, the server's words stand.
 *
 * @import {Command} from "./wire.js"
 * @import {Answer} from "./commands.js"
 * @import {State} from "./state.js"
 */

import { LitElement, nothing } from "lit";
import { Waking } from "./waking.js";

/**
 * What a part may do. `later`: give up, unless it is undone.
 * @typedef {{ask: (command: Command) => Promise<Answer>, later: (command: Command) => void, undo: (command: Command) => void}} Hands
 */

export class Part extends LitElement {
  /** @override */
  static properties = { state: { attribute: false }, now: { attribute: false } };

  constructor() {
    super();
    /** @type {State | null} */
    this.state = null;
    /** The server's clock, ms. */
    this.now = 0;
    /** @type {Hands | null} */
    this.hands = null;
    this.focused = false;
    this.waking = new Waking(() => this.requestUpdate());
  }

  /**
   * @override
   * @returns {this} the element itself: the page's styles and reading order hold inside it
   */
  createRenderRoot() {
    return this;
  }

  /** @override */
  shouldUpdate() {
    return this.state !== null;
  }

  /** @override */
  willUpdate() {
    this.focused = this.contains(document.activeElement);
    if (!this.hasUpdated) this.replaceChildren();
  }

  /** @override */
  updated() {
    this.waking.shown();
    // What had the focus is gone: it goes on at the one button instead of at the top of the page.
    const one = document.querySelector("button.one");
    if (this.focused && document.activeElement === document.body && one instanceof HTMLElement) one.focus({ preventScroll: true });
  }

  /** @override */
  render() {
    return this.state === null ? nothing : this.shown(this.state);
  }

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

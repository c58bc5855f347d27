/**
 * Keeps the studio's socket: comes back when it is lost, and says since when the page is not up to date.
 *
 * @import {Night, Page, Said} from "./wire.js"
 */

import { delay } from "../backoff.js";
import { mayComeBack, parse } from "../wire.js";
import { PROTOCOL } from "./wire.js";

/** A second that tells nothing is late; so much of it, and the page says so. */
const SILENCE_MS = 4_000;
const LOOK_MS = 1_000;
const OVER = "You are signed out, or may not look here any more.";

export class Channel {
  /**
   * @param {Page} page
   * @param {(night: Night, what: "drop" | "desk" | "link") => void} shown called with every change
   */
  constructor(page, shown) {
    /** @type {Night} */
    this.night = { page, drop: null, desk: null, link: { live: false, since: 0, why: "" } };
    this.shown = shown;
    this.attempt = 0;
    this.heardAt = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.back = 0;
    this.over = false;
  }

  start() {
    window.setInterval(() => this.#look(), LOOK_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.socket === null) this.#open();
    });
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.#open();
    });
    this.#open();
  }

  #open() {
    if (this.over) return;
    clearTimeout(this.back);
    this.#close();
    const url = new URL(`/studio/drops/${encodeURIComponent(this.night.page.drop)}/live`, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, PROTOCOL);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.addEventListener("message", ({ data }) => {
      const said = /** @type {Said | null} */ (parse(String(data)));
      if (said !== null && this.socket === socket) this.#hear(said);
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.socket === socket) this.#lost(code);
    });
  }

  #close() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** @param {Said} said */
  #hear(said) {
    this.heardAt = performance.now();
    if (said.t === "snapshot") {
      this.attempt = 0;
      this.#show({ drop: said.drop, link: { live: true, since: said.drop.now, why: "" } }, "drop");
      this.#show({}, "link");
    }
    const { drop, link } = this.night;
    if (said.t === "desk") this.#show({ desk: said, link: { ...link, since: said.now } }, "desk");
    if (said.t === "tick" && drop !== null) this.#show({ drop: { ...drop, ...tick(said) } }, "drop");
    if (said.t === "beat") this.night = { ...this.night, link: { ...link, since: said.now } };
  }

  /** @param {number} code */
  #lost(code) {
    this.#close();
    this.over = !mayComeBack(code);
    const { link } = this.night;
    if (link.live || this.over) this.#show({ link: { ...link, live: false, why: this.over ? OVER : "" } }, "link");
    if (this.over) return;
    this.back = window.setTimeout(() => this.#open(), delay(this.attempt));
    this.attempt += 1;
  }

  #look() {
    if (this.socket !== null && performance.now() - this.heardAt > SILENCE_MS) this.#lost(0);
  }

  /**
   * @param {Partial<Night>} change
   * @param {"drop" | "desk" | "link"} what
   */
  #show(change, what) {
    this.night = { ...this.night, ...change };
    this.shown(this.night, what);
  }
}

/**
 * What a tick says of the drop.
 * @param {import("../wire.js").Tick} said
 */
function tick({ seq: _seq, t: _t, lines: _lines, ...rest }) {
  return { why: "", away: false, ...rest };
}

/**
 * What the fan page and the wall share: read the first state, keep the channel, hand every new state and every
 * second of the server's clock to the parts of the page.
 *
 * @import {Hands} from "./part.js"
 * @import {Snapshot} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { Live } from "./live.js";
import { Part } from "./part.js";
import { parse } from "./wire.js";
import { NO_STATE, told as later } from "./words.js";

/**
 * @param {string[]} names of the elements to keep
 * @param {(before: State, after: State, then: number, now: number) => void} [told] called with every change
 * @returns {Live}
 */
export function begin(names, told = () => undefined) {
  const block = document.getElementById("state");
  const first = parse(block?.textContent ?? "", "snapshot");
  if (first?.t !== "snapshot") throw new Error(NO_STATE);
  const parts = names.flatMap((name) => [...document.querySelectorAll(name)]).filter((part) => part instanceof Part);
  const live = new Live({ first: /** @type {Snapshot} */ (first), shown: () => show() });
  let before = live.state;
  let then = live.now();
  let timer = 0;

  const show = () => {
    const now = live.now();
    for (const part of parts) part.show(live.state, now);
    told(before, live.state, then, now);
    before = live.state;
    then = now;
    // Again on the next full second of the server's clock, so that all screens turn together.
    clearTimeout(timer);
    timer = window.setTimeout(show, 1_000 - (now % 1_000) + 5);
  };

  /** @type {Hands["ask"]} */
  const ask = (command) => {
    // What the order has to know is asked before it is paid, on a page of its own.
    const { drop } = live.state;
    if (command.t !== "pay") return live.ask(command);
    // Where there is something to choose the till stands between.
    if (later().till?.(live.state, command.holds[0] ?? "")) return new Promise(() => undefined);
    if (!drop.asks) return live.ask(command);
    location.assign(`/drops/${drop.id}/holds/${command.holds}/asked`);
    return new Promise(() => undefined);
  };
  const hands = { ask, later: live.askLater.bind(live), undo: live.undo.bind(live) };
  for (const part of parts) part.hands = hands;
  document.addEventListener("visibilitychange", show);
  live.start();
  show();
  return live;
}

/**
 * What gives up is sent a while after the tap, so that it can be undone. Until then nothing has happened: a page that
 * is closed meanwhile, or something newer (an offer, a payment, another command), keeps what was to be given up.
 *
 * @import {Command, You} from "./wire.js"
 */

export const LATER_MS = 4_000;
/** A page that stood still for so long is not what the tap was meant for. */
const STOOD_STILL_MS = 2_000;

/** @typedef {{command: Command, then: string, timer: number, at: number}} Waiting */

export class Later {
  /**
   * @param {(command: Command) => void} send
   * @param {() => void} changed
   * @param {() => number} timer
   */
  constructor(send, changed, timer) {
    this.send = send;
    this.changed = changed;
    this.timer = timer;
    /** @type {Map<string, Waiting>} */
    this.waiting = new Map();
  }

  /**
   * @param {Command} command `release` or `leave`
   * @param {You | null} you
   */
  begin(command, you) {
    const id = target(command);
    if (this.waiting.has(id)) return;
    const at = this.timer() + LATER_MS;
    const timer = setTimeout(() => this.#due(id), LATER_MS);
    this.waiting.set(id, { command, then: standing(command, you), timer: Number(timer), at });
    this.changed();
  }

  /** @param {Command} command */
  undo(command) {
    const id = target(command);
    clearTimeout(this.waiting.get(id)?.timer);
    if (this.waiting.delete(id)) this.changed();
  }

  /**
   * Forgets what is not as it was when the fan tapped.
   * @param {You | null} you
   * @param {boolean} busy another command is under way: that is the newer wish
   */
  look(you, busy) {
    for (const [id, { command, then, timer }] of this.waiting) {
      if (!busy && standing(command, you) === then) continue;
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  /** @returns {Command[]} */
  list() {
    return [...this.waiting.values()].map(({ command }) => command);
  }

  /** @param {string} id */
  #due(id) {
    const one = this.waiting.get(id);
    if (one === undefined) return;
    this.waiting.delete(id);
    if (this.timer() - one.at > STOOD_STILL_MS) this.changed();
    else this.send(one.command);
  }
}

/** What a command gives up: a hold's or an entry's id. @param {Command} command */
const target = (command) => (command.t === "release" ? command.hold : command.t === "leave" ? command.entry : "");

/**
 * How that stands now.
 * @param {Command} command
 * @param {You | null} you
 */
function standing(command, you) {
  const id = target(command);
  const hold = you?.holds.find((one) => one.id === id);
  const entry = you?.entries.find((one) => one.id === id);
  return JSON.stringify([hold?.state, hold?.claimed, hold?.extended, entry?.state, entry?.lapses]);
}

/**
 * Commands under way. Each has one key for its whole life, so asking again is harmless; one whose answer was
 * lost is *unknown*, and is settled by what the fan's state shows of its key, or by asking again.
 *
 * @import {Command, Done, Refused, You} from "./wire.js"
 */

import { freshKey } from "./wire.js";
import { UNKNOWN } from "./words.js";

/** After this long a press is no longer what the person wants now: it is looked up, never repeated. */
export const STALE_MS = 60_000;
/** An answer that takes longer on a living connection is asked for again. */
export const PATIENCE_MS = 8_000;
/** How often `away` and `too_many_requests` are asked again before a person is told. */
export const TRIES = 4;

/** @typedef {Done | Refused} Answer */

/**
 * @typedef {object} Asked
 * @property {Command} command
 * @property {number} id
 * @property {string} key
 * @property {number} born
 * @property {number} sent
 * @property {number} tries
 * @property {number} wait not again before this time; times are the page's timer, ms
 * @property {(answer: Answer) => void} settle
 */

export class Commands {
  constructor() {
    /** @type {Map<number, Asked>} */
    this.open = new Map();
    this.last = 0;
  }

  /**
   * @param {Command} command
   * @param {number} now
   * @param {(answer: Answer) => void} settle
   * @returns {Asked}
   */
  ask(command, now, settle) {
    this.last += 1;
    const asked = { command, id: this.last, key: freshKey(), born: now, sent: -Infinity, tries: 0, wait: 0, settle };
    this.open.set(asked.id, asked);
    return asked;
  }

  /**
   * @param {Answer} answer
   * @param {number} now
   * @returns {Asked | null} the command that this answer ended; null if none, or if it will be asked again
   */
  answered(answer, now) {
    const asked = this.open.get(answer.id);
    if (asked === undefined) return null;
    if (answer.t === "refused" && again(answer) && asked.tries < TRIES && now - asked.born < STALE_MS) {
      asked.sent = -Infinity;
      const retry = answer.retry_ms ?? 1_000;
      // Whoever is paced was told his own time: sooner is too soon. A shop that was away must not meet all at once.
      asked.wait = now + retry * (answer.code === "too_many_requests" ? 1 + Math.random() / 4 : 0.5 + Math.random());
      return null;
    }
    this.open.delete(asked.id);
    asked.settle(answer);
    return asked;
  }

  /** No connection carries an answer any more: everything open is unknown. */
  lost() {
    for (const asked of this.open.values()) asked.sent = -Infinity;
  }

  /**
   * What must be sent now. Old ones are given up with a sentence; call after `settled`.
   * @param {number} now
   * @returns {Asked[]}
   */
  due(now) {
    for (const asked of this.open.values()) {
      if (now - asked.born >= STALE_MS && now - asked.sent >= PATIENCE_MS) this.#giveUp(asked);
    }
    return [...this.open.values()].filter((asked) => now >= asked.wait && now - asked.sent >= PATIENCE_MS);
  }

  /**
   * The fan's fresh state shows what some unknown commands made: those are done.
   * @param {You} you
   */
  settled(you) {
    for (const asked of this.open.values()) {
      if (asked.sent !== -Infinity) continue;
      const hold = [...you.holds, ...(you.ended ? [you.ended] : [])].find((one) => one.key === asked.key);
      const entry = [...you.entries, ...(you.ended_entry ? [you.ended_entry] : [])].find((one) => one.key === asked.key);
      if (hold === undefined && entry === undefined) continue;
      this.open.delete(asked.id);
      asked.settle({ t: "done", id: asked.id, seq: you.seq, hold: hold ?? null, entry: entry?.id ?? "" });
    }
  }

  /** @param {Asked} asked */
  #giveUp(asked) {
    this.open.delete(asked.id);
    asked.settle({ t: "refused", id: asked.id, seq: 0, code: "away", text: UNKNOWN });
  }

  /** @returns {Command[]} */
  list() {
    return [...this.open.values()].map((asked) => asked.command);
  }
}

/** Refusals that say nothing about the sale. @param {Refused} refused */
const again = (refused) => refused.code === "away" || refused.code === "too_many_requests";

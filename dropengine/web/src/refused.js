/**
 * Why a command was not carried out, in the language of the page and with its numbers.
 *
 * @import {DropView, Refused} from "./wire.js"
 */

import * as say from "#said";
import { lately, span } from "./formats.js";
import { fill } from "./sentences.js";
import { UNKNOWN, may } from "./words.js";

/** @type {Record<string, string>} */
const OURS = say.refused;

/**
 * @param {Refused} refused
 * @param {DropView} drop
 */
export function refusal(refused, drop) {
  const { code, free, held, room, retry_ms, network, when_ms } = refused;
  // The server says it in English by itself, and more than the sentence where there is more.
  const text = (say.language !== "en" && refused.text !== UNKNOWN && OURS[code]) || refused.text;
  // A refusal stands until the next press; what it says may have changed meanwhile.
  if (network && drop.exempt?.includes(network)) return say.let_in;
  if (["cohort_full", "not_eligible"].includes(code) && drop.early?.lasts === false) return say.early_access.over;
  if (code === "all_held" && free) return fill(say.press_again, { count: free });
  if (code === "all_held" && held) return `${text} (${may(held)})`;
  if (code === "limit_reached") return `${text} ${room ? fill(say.may_have_more, { count: room }) : fill(say.limit_is, { count: drop.limit })}`;
  if (code === "too_many_requests" && retry_ms) return `${text} ${fill(say.again_in, { span: span(1_000 * Math.ceil(retry_ms / 1_000)) })}`;
  if (network) return `${text} ${fill(say.network_is, { name: network })}`;
  if (when_ms) return `${text} ${fill(say.refused_until, { when: lately(when_ms, drop.now) })}`;
  return text;
}

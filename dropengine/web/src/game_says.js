/**
 * What a fan is told of his points: who moved him up, what waits and why, what was refused or taken back. Pure.
 *
 * @import {Friends, Mission, PointRow, Rules} from "./game_wire.js"
 */

import * as say from "#said";
import { lately, span } from "./formats.js";
import { fill } from "./sentences.js";

const words = say.game;
/** While a drop is in one of these its list may still grow. */
const UNSEALED = ["scheduled", "lobby"];
/** @typedef {Record<string, string>} Table */

/** @param {number} count */
export const points = (count) => fill(say.game_points, { count });

/** One in so many calls goes to who has points. @param {number} k */
export const lane = (k) => fill(words.lane, { k });

/** Whether points are what they are: the list is sealed. @param {Rules} rules @param {string} state of the drop */
export const sealed = ({ points_until }, state) => points_until === "seal" && !UNSEALED.includes(state);

/** Until when points count. @param {Rules} rules @param {string} state of the drop */
export function until(rules, state) {
  if (sealed(rules, state)) return words.sealed;
  return rules.points_until === "seal" ? words.until_seal : words.until_close;
}

/** What a friend is worth, and when he counts. @param {Friends} friends */
export function friend({ worth, most, delay_ms, paid }) {
  const when = delay_ms > 0 ? fill(words.friend_later, { span: span(delay_ms) }) : words.friend_now;
  return `${fill(paid ? words.friend_paid : words.friend_verified, { points: points(worth) })} ${when} ${fill(words.friend_most, { points: points(most) })}`;
}

/** @param {PointRow} row */
export const counts = ({ state }) => state === "counted" || state === "cured";

/** What a row is about: `Two friends confirmed`, a mission, an earlier drop; the title stands beside it. @param {PointRow} row */
export const about = ({ why }) => /** @type {Table} */ (say.game_of)[why] ?? "";

/**
 * How a row stands, in a sentence; '' where it just counts.
 * @param {PointRow} row
 * @param {number} now
 */
export function standing({ state, reason, until }, now) {
  const why = /** @type {Table} */ (say.game_reason)[reason] ?? "";
  if (state === "waiting" && until > now) return fill(words.counts_at, { when: lately(until, now) });
  if (state === "cured") return words.cured;
  return why;
}

/**
 * Who moved him up, friends together: what counts, the newest first.
 * @param {PointRow[]} rows
 * @returns {{says: string, title: string, points: number}[]}
 */
export function lifted(rows) {
  const counted = rows.filter(counts);
  const friends = counted.filter(({ why }) => why === "friend");
  const sum = friends.reduce((all, row) => all + row.points, 0);
  const first = friends.length === 0 ? [] : [{ says: fill(say.game_friends, { count: friends.length }), title: "", points: sum }];
  return [...first, ...counted.filter(({ why }) => why !== "friend").map((row) => ({ says: about(row), title: row.title, points: row.points }))];
}

/**
 * What did not count for him, the same for the same reason together: who was farmed for reads of it once.
 * @param {PointRow[]} rows
 * @returns {{row: PointRow, times: number}[]}
 */
export function others(rows) {
  /** @type {Map<string, {row: PointRow, times: number}>} */
  const told = new Map();
  for (const row of rows.filter((one) => !counts(one))) {
    const { why, title, points, state, reason, until } = row;
    const like = [why, title, points, state, reason, until].join(";");
    const known = told.get(like);
    if (known === undefined) told.set(like, { row, times: 1 });
    else known.times += 1;
  }
  return [...told.values()];
}

/**
 * Whether he can do anything about a mission now, else how it stands.
 * @param {Mission} mission
 * @param {number} now
 */
export function mission({ kind, state, ends, done }, now) {
  if (done) return words.done;
  if (state === "over" || (ends > 0 && ends <= now)) return words.mission_over;
  if (kind === "tap") return words.mission_tap;
  if (state === "waiting") return words.mission_waits;
  return ends > 0 ? fill(words.mission_until, { when: lately(ends, now) }) : "";
}

/**
 * What changed between two looks, for who does not see it: at most one sentence a look.
 * @param {{points: number, rows: PointRow[], badges: {kind: string}[]}} before
 * @param {{points: number, rows: PointRow[], badges: {kind: string}[]}} after
 */
export function changed(before, after) {
  const said = [];
  const back = taken(before.rows, after.rows);
  if (back.length > 0) said.push(notice(back));
  if (after.points > before.points) said.push(fill(words.say_more, { points: points(after.points) }));
  else if (after.points < before.points) said.push(fill(words.say_fewer, { points: points(after.points) }));
  const had = new Set(before.badges.map(({ kind }) => kind));
  for (const { kind } of after.badges) if (!had.has(kind)) said.push(fill(words.say_badge, { name: /** @type {Table} */ (say.game_badge)[kind] ?? "" }));
  return said.join(" ");
}

/** Which rows were taken back since. @param {PointRow[]} before @param {PointRow[]} after */
export function taken(before, after) {
  const had = new Set(before.filter(({ state }) => state === "taken_back").map(key));
  return after.filter((row) => row.state === "taken_back" && !had.has(key(row)));
}

/** Which row of his book this is. @param {PointRow} row */
export const key = ({ why, title, at }) => `${why} ${title} ${at};`;

/** What was taken back, with its reason. @param {PointRow[]} rows */
export function notice(rows) {
  const sum = rows.reduce((all, row) => all + row.points, 0);
  return `${fill(say.game_taken, { count: sum })} ${/** @type {Table} */ (say.game_reason)[rows[0]?.reason ?? ""] ?? ""}`.trim();
}

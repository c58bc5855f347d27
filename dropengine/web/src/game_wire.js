/**
 * What the doors of the game tell and take: beside the live channel, which only says how many points a place has.
 * Times are ms of the shop's clock, 0 stands for "not".
 */

/** @typedef {{worth: number, most: number, delay_ms: number, network_most: number, domain_most: number, paid: boolean}} Friends */
/** @typedef {{bought: number, missed: number, most: number}} Collectors */
/** @typedef {{points_until: string, most: number, friends: Friends | null, collectors: Collectors | null}} Rules */
/** @typedef {{why: string, title: string, points: number, state: string, reason: string, at: number, until: number}} PointRow */
/** @typedef {{id: string, title: string, kind: string, worth: number, state: string, ends: number, done: boolean}} Mission */
/** @typedef {{rank: number, name: string, points: number, you: boolean}} BoardRow */
/** @typedef {{kind: string, drop: string, title: string, at: number}} Badge */

/**
 * @typedef {object} Game
 * @property {string} link with his code; the plain address for who is nobody yet
 * @property {string} card
 * @property {string} code '' for who is nobody yet
 * @property {Rules} rules
 * @property {number} points
 * @property {boolean} came
 * @property {PointRow[]} rows the newest first
 * @property {Mission[]} missions
 * @property {{on: boolean, name: string, rows: BoardRow[]}} board
 * @property {Badge[]} badges
 * @property {number} boosts_hour
 */

/** What a door answered: the game as it is now, or why not. @typedef {{game: Game} | {code: string, detail: string}} Told */

/** @param {string} drop @param {string} door */
const address = (drop, door) => `/api/drops/${encodeURIComponent(drop)}/${door}`;

/** @param {string} drop @returns {Promise<Told>} */
export const game = (drop) => asked(address(drop, "game"), {});

/** He came by a friend's link. @param {string} drop @param {string} ref @returns {Promise<Told>} */
export const came = (drop, ref) => asked(address(drop, "came"), posted({ ref }));

/** @param {string} drop @param {string} mission @param {string} said @returns {Promise<Told>} */
export const tell = (drop, mission, said) => asked(address(drop, "mission"), posted({ mission, said }));

/** How he wants to stand on the board, '' for not at all. @param {string} drop @param {string} name @returns {Promise<Told>} */
export const show = (drop, name) => asked(address(drop, "board"), posted(name === "" ? { off: true } : { name }));

/** @param {object} body @returns {RequestInit} */
const posted = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** @param {string} where @param {RequestInit} how @returns {Promise<Told>} */
async function asked(where, how) {
  try {
    const answer = await fetch(where, { ...how, cache: "no-store", credentials: "same-origin" });
    const said = await answer.json();
    return answer.ok ? { game: said } : { code: String(said.code ?? ""), detail: String(said.detail ?? said.title ?? "") };
  } catch {
    return { code: "away", detail: "" };
  }
}

/** Follows places as a page does: JSON in, JSON out; null where it has to ask, or to wait for what it is told. */

import { readFileSync } from "node:fs";
import { climb } from "../../dropengine/web/src/climbs.js";
import { follow } from "../../dropengine/web/src/places.js";

/** @type {{n: number, rank: number, place: number, r: number, r0: number, moves: any[]}[]} */
const asked = JSON.parse(readFileSync(0, "utf8"));
const followed = asked.map(({ n, rank, place, r, r0, moves }) => {
  const line = { pool: "pin", place, r, buying: 0, latest: 0 };
  const after = rank > 0 ? climb(n, rank, line, { r0, moves }) : follow(n, line, { r0, left: moves });
  return after === null || after.due ? null : [after.place, after.r];
});
process.stdout.write(JSON.stringify(followed));

// The order of a draw by somebody who has read docs/fairness.md and nothing else of Drop Engine.
//
// Reads draw sheets from standard input, one JSON a line, and writes for each what it makes of it:
// {"root", "randomness", "order", "round", "proofs"}. Signatures of beacons are left to a library,
// as that page advises: that a signature holds is taken on trust here.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

const LATE_MS = 30000;
const QUICKNET = { genesis: 1692803367, period: 3 };

const hash = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const ascii = (text) => Buffer.from(text, "ascii");
const hex = (text) => Buffer.from(text, "hex");
const u8 = (n) => Buffer.of(n);
const u32 = (n) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};

// --- The root. ---

function leaf({ id, tickets, nonce }) {
  const name = ascii(id);
  const number = hex(nonce);
  return hash(u8(0), u8(name.length), name, u32(tickets), u8(number.length), number);
}

function node(left, right) {
  return hash(u8(1), left, right);
}

/** The largest power of two smaller than n, for n > 1. */
function split(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function rootOf(leaves) {
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return node(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** Is a leaf at its place in a list of so many entries with this root? */
export function isIn(its, at, size, proof, root) {
  const left = [...proof];
  let here = its;
  for (let last = size - 1; last > 0; last = Math.floor(last / 2)) {
    if (at % 2 === 1 || at < last) {
      const next = left.shift();
      if (next === undefined) return false;
      here = at % 2 === 1 ? node(next, here) : node(here, next);
    }
    at = Math.floor(at / 2);
  }
  return left.length === 0 && here.equals(root);
}

// --- The randomness. ---

function randomnessOf(source, revealed, root) {
  if (source.kind === "drand") return hash(revealed);
  const commitment = hash(ascii("dropengine/draw/commitment/1"), revealed);
  if (commitment.toString("hex") !== source.commitment) throw new Error("nothing is proven");
  return hash(ascii("dropengine/draw/randomness/1"), revealed, root);
}

/** The round that counts, by the rule of quicknet. */
function roundThatCounts({ randomness, sealed_ms: sealedMs }) {
  if (randomness.kind !== "drand") return 0;
  const { genesis, period } = QUICKNET;
  let earliest = Math.max(1, Math.ceil(((sealedMs + LATE_MS) / 1000 - genesis) / period) - 2);
  while ((genesis + (earliest - 1) * period) * 1000 < sealedMs + LATE_MS) earliest += 1;
  return Math.max(randomness.round, earliest);
}

// --- The order. ---

function scoreOf({ id, tickets }, randomness, root) {
  let smallest = null;
  for (let i = 1; i <= tickets; i += 1) {
    const drawn = hash(randomness, root, ascii(id), u32(i));
    if (smallest === null || Buffer.compare(drawn, smallest) < 0) smallest = drawn;
  }
  return smallest;
}

function orderOf(entries, randomness, root) {
  return entries
    .map((entry) => ({ id: entry.id, score: scoreOf(entry, randomness, root) }))
    .sort((a, b) => Buffer.compare(a.score, b.score) || Buffer.compare(ascii(a.id), ascii(b.id)))
    .map(({ id }) => id);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { proofs = [], ...sheet } = JSON.parse(line);
  const leaves = sheet.entries.map(leaf);
  const root = rootOf(leaves);
  const randomness = randomnessOf(sheet.randomness, hex(sheet.revealed), root);
  const made = {
    root: root.toString("hex"),
    randomness: randomness.toString("hex"),
    order: orderOf(sheet.entries, randomness, root),
    round: roundThatCounts(sheet),
    proofs: proofs.map((way, at) => isIn(leaves[at], at, leaves.length, way.map(hex), root)),
  };
  console.log(JSON.stringify(made));
}

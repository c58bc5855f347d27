// A fair order, written from docs/fairness.md alone. It needs node and no packages.
//
// It reads draw sheets, one a line, and writes for each what it found itself: the root, the order,
// the round that counts (0 with a commitment) and the way of each entry up to the root; and, if the
// sheet has `proofs`, the ways of all entries, whether each shows that its entry is in the list.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

// Bytes -------------------------------------------------------------------------------------------

function demand(holds, what) {
  if (!holds) throw new Error(what);
}

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const ascii = (text) => Buffer.from(text, "ascii");

const u8 = (n) => Buffer.from([n]);

function u32(n) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

function u64(n) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
}

// The bytes of a text of lower-case hex digits; `lengths` are the lengths it may have.
function unhex(text, lengths, what) {
  demand(typeof text === "string" && /^([0-9a-f]{2})*$/.test(text), `${what}: not lower-case hex`);
  demand(lengths.includes(text.length / 2), `${what}: ${text.length / 2} bytes`);
  return Buffer.from(text, "hex");
}

const hex = (bytes) => bytes.toString("hex");

// The list ----------------------------------------------------------------------------------------

const ID = /^[A-Za-z0-9_.:@-]{1,64}$/;
const wholeFrom = (n, least, most) => Number.isSafeInteger(n) && n >= least && n <= most;

function readEntry(entry) {
  demand(typeof entry.id === "string" && ID.test(entry.id), `id ${JSON.stringify(entry.id)}`);
  demand(wholeFrom(entry.tickets, 1, 100), `tickets of ${entry.id}: ${entry.tickets}`);
  return {
    id: ascii(entry.id),
    tickets: entry.tickets,
    nonce: unhex(entry.nonce, [0, 16], `nonce of ${entry.id}`),
  };
}

function readList(entries) {
  const ids = new Set(entries.map((entry) => entry.id));
  demand(ids.size === entries.length, "an id stands in the list twice");
  return entries.map(readEntry);
}

// The root, and the way up to it --------------------------------------------------------------------

const ZERO = u8(0);
const ONE = u8(1);

const leafOf = ({ id, tickets, nonce }) =>
  sha256(ZERO, u8(id.length), id, u32(tickets), u8(nonce.length), nonce);

const nodeOf = (left, right) => sha256(ONE, left, right);

// All levels of the tree, the leaves first, the root alone last.
function levelsOf(leaves) {
  const levels = [leaves];
  for (let below = leaves; below.length > 1; ) {
    const above = [];
    for (let i = 0; i < below.length; i += 2) {
      above.push(i + 1 < below.length ? nodeOf(below[i], below[i + 1]) : below[i]);
    }
    levels.push(above);
    below = above;
  }
  return levels;
}

const rootOfLeaves = (leaves) => (leaves.length ? levelsOf(leaves).at(-1)[0] : sha256());

// The root of a list of { id, tickets, nonce }, in hex.
function root(entries) {
  return hex(rootOfLeaves(readList(entries).map(leafOf)));
}

// For each entry, the hashes beside its way up, the lowest first.
function ways(entries) {
  const levels = levelsOf(readList(entries).map(leafOf));
  return entries.map((_, place) => {
    const beside = [];
    let at = place;
    for (const level of levels) {
      const partner = at % 2 === 1 ? at - 1 : at + 1;
      if (partner < level.length) beside.push(hex(level[partner]));
      at = Math.floor(at / 2);
    }
    return beside;
  });
}

// Whether `entry` is at place `at` of a list of `count` entries with this root.
function isInList(entry, at, count, hashes, rootHex) {
  if (!wholeFrom(count, 1, Number.MAX_SAFE_INTEGER) || !wholeFrom(at, 0, count - 1)) return false;
  const rest = hashes.map((text) => unhex(text, [32], "hash of the way"));
  let here = leafOf(readEntry(entry));
  for (let last = count - 1; last > 0; last = Math.floor(last / 2)) {
    if (at % 2 === 1 || at < last) {
      if (!rest.length) return false;
      const next = rest.shift();
      here = at % 2 === 1 ? nodeOf(next, here) : nodeOf(here, next);
    }
    at = Math.floor(at / 2);
  }
  return rest.length === 0 && hex(here) === rootHex;
}

// The randomness ----------------------------------------------------------------------------------

function commitment(secretHex) {
  const secret = unhex(secretHex, [32], "secret");
  return hex(sha256(ascii("dropengine/draw/commitment/1"), secret));
}

// The chains of drand that the page knows, by their hash.
const QUICKNET = {
  publicKey:
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510" +
    "d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesis: 1692803367,
  period: 3,
  groupHash: "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
  id: "quicknet",
};

function chainHash({ period, genesis, publicKey, groupHash, id }) {
  const key = Buffer.from(publicKey, "hex");
  const name = ascii(id === "default" ? "" : id);
  return hex(sha256(u32(period), u64(genesis), key, Buffer.from(groupHash, "hex"), name));
}

const CHAINS = { [chainHash(QUICKNET)]: QUICKNET };

// The chain of a source: the one that the page knows, or the one that is told with it.
function chainOf({ chain, own }) {
  if (CHAINS[chain]) return CHAINS[chain];
  demand(own, `the chain ${chain} is not known: nothing is proven`);
  const told = {
    publicKey: hex(unhex(own.public_key, [96], "public key")),
    genesis: own.genesis,
    period: own.period,
    groupHash: hex(unhex(own.group_hash, [32], "group hash")),
    id: own.id,
  };
  demand(/^[A-Za-z0-9._-]{1,32}$/.test(told.id), `id ${told.id}`);
  demand(wholeFrom(told.genesis, 0, 2 ** 40) && wholeFrom(told.period, 1, 86400), "times of a chain");
  demand(chainHash(told) === chain, "the hash is not that of the chain: nothing is proven");
  return told;
}

// The moment a round is due, in milliseconds since 1970.
const dueMs = ({ genesis, period }, round) =>
  (BigInt(genesis) + (BigInt(round) - 1n) * BigInt(period)) * 1000n;

const NOTICE_MS = 30000n;

// The round that counts for a list that names `named` and was sealed at `sealedMs`.
function roundThatCounts(chain, named, sealedMs) {
  const periodMs = BigInt(chain.period) * 1000n;
  const late = BigInt(sealedMs) + NOTICE_MS - dueMs(chain, 1);
  const earliest = late > 0n ? (late + periodMs - 1n) / periodMs + 1n : 1n;
  return earliest > BigInt(named) ? earliest : BigInt(named);
}

// The randomness of a source. Node alone cannot check the signature of a beacon: ask a library.
function randomness(source, revealedHex, rootHex) {
  if (source.kind === "drand") return hex(sha256(unhex(revealedHex, [48], "signature")));
  demand(source.kind === "commit", `source ${source.kind}`);
  demand(
    commitment(revealedHex) === source.commitment,
    "the secret does not give the commitment: nothing is proven",
  );
  return hex(
    sha256(
      ascii("dropengine/draw/randomness/1"),
      unhex(revealedHex, [32], "secret"),
      unhex(rootHex, [32], "root"),
    ),
  );
}

// The order ---------------------------------------------------------------------------------------

function scoreOf({ id, tickets }, randomBytes, rootBytes) {
  let least = null;
  for (let i = 1; i <= tickets; i++) {
    const drawn = sha256(randomBytes, rootBytes, id, u32(i));
    if (least === null || Buffer.compare(drawn, least) < 0) least = drawn;
  }
  return least;
}

// The ids of a list in their order.
function order(entries, randomnessHex) {
  const list = readList(entries);
  const rootBytes = rootOfLeaves(list.map(leafOf));
  const randomBytes = unhex(randomnessHex, [32], "randomness");
  return list
    .map((entry) => ({ id: entry.id, score: scoreOf(entry, randomBytes, rootBytes) }))
    .sort((a, b) => Buffer.compare(a.score, b.score) || Buffer.compare(a.id, b.id))
    .map(({ id }) => id.toString("ascii"));
}

// Draw sheets -------------------------------------------------------------------------------------

// `root` and `order` of a sheet are only told: nothing follows from them.
function draw({ randomness: source, entries, sealed_ms: sealedMs, revealed, proofs = [] }) {
  const found = root(entries);
  let counts = 0n;
  if (source.kind === "drand") {
    counts = roundThatCounts(chainOf(source), source.round, sealedMs);
  }
  return {
    root: found,
    order: order(entries, randomness(source, revealed, found)),
    round: Number(counts),
    ways: ways(entries),
    proofs: proofs.map((hashes, at) => isInList(entries[at], at, entries.length, hashes, found)),
  };
}

for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line.trim()) console.log(JSON.stringify(draw(JSON.parse(line))));
}

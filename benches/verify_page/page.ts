// What is measured in the browser, and what it is compared with: the same tree by @noble/hashes.
import { sha256 as noble } from "@noble/hashes/sha2.js";
import { getAddressEncoder, type Address } from "@solana/kit";

import { type Bytes, fromHex, hex, keyOf } from "../../web/src/verify/bytes.js";
import type { Step } from "../../web/src/verify/finding.js";
import { verify } from "../../web/src/verify/levels.js";
import { climb, leaf, leafBytes, leavesOf, rootOf } from "../../web/src/verify/merkle.js";
import { serverAt } from "../../web/src/verify/server.js";
import { WALLETS, decode } from "../../web/src/verify/table.js";

interface Hour {
  readonly hour: number;
  readonly program: string;
  readonly mint: string;
  readonly root: string;
  readonly data_hash: string;
  readonly total: string;
  readonly devices: number;
}

const asked = (await (await fetch("/hour.json")).json()) as Hour;
const network = { program: keyOf(asked.program) as Bytes, mint: keyOf(asked.mint) as Bytes };
const server = serverAt(location.origin, (...given) => fetch(...given));
const block = {
  hour: asked.hour,
  status: 2,
  devices: BigInt(asked.devices),
  total: BigInt(asked.total),
  root: fromHex(asked.root) as Bytes,
  dataHash: fromHex(asked.data_hash) as Bytes,
};
const raw = new Uint8Array(await (await fetch(`/rewards/${asked.hour}/wallets.csv`)).arrayBuffer());
const wallets = decode(raw, WALLETS, "wallets.csv");
const texts = Array.from({ length: wallets.rows }, (_, row) => wallets.text("wallet", row));

async function ours(): Promise<string> {
  return hex(await rootOf(await leavesOf(network, wallets.keys("wallet"), wallets.numbers("lifetime"))));
}

/** The same bytes hashed by the library, one after the other. */
function library(): string {
  let level: Uint8Array[] = [];
  const lifetimes = wallets.numbers("lifetime");
  for (let row = 0; row < wallets.rows; row++) {
    level.push(noble(leafBytes(network, wallets.key("wallet", row), lifetimes[row] as bigint)));
  }
  const pair = new Uint8Array(65);
  pair[0] = 1;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      let [first, second] = [level[at] as Uint8Array, level[at + 1] as Uint8Array];
      for (let byte = 0; byte < 32; byte++) {
        const difference = (first[byte] as number) - (second[byte] as number);
        if (difference === 0) continue;
        if (difference > 0) [first, second] = [second, first];
        break;
      }
      pair.set(first, 1);
      pair.set(second, 33);
      above.push(noble(pair));
    }
    if (level.length % 2 === 1) above.push(level[level.length - 1] as Uint8Array);
    level = above;
  }
  return hex(level[0] as Uint8Array);
}

/** The way of one leaf up a tree as deep as that of all wallets. */
async function way(): Promise<string> {
  const siblings = Array.from({ length: Math.ceil(Math.log2(wallets.rows)) }, () => new Uint8Array(32).fill(7));
  return hex((await climb(await leaf(network, wallets.key("wallet", 0), 5n), siblings)).at(-1) as Bytes);
}

async function level(level: 2 | 3): Promise<string> {
  const wrong: Step[] = [];
  const sources = { ...server, block: async () => block };
  await verify(network, sources, { hour: asked.hour, level, wallet: null, shown: asked.root }, (step) => {
    if (step.state !== "right") wrong.push(step);
  });
  if (wrong.length > 0) throw new Error(wrong.map((each) => each.says).join("; "));
  return asked.root;
}

function addresses(read: (text: string) => unknown): string {
  for (const text of texts) if (read(text) === null) throw new Error(text);
  return String(texts.length);
}

const encoder = getAddressEncoder();
const measures: { readonly [name: string]: () => string | Promise<string> } = {
  tree: ours,
  "tree by noble": library,
  way,
  "level 2": () => level(2),
  "level 3": () => level(3),
  addresses: () => addresses(keyOf),
  "addresses by kit": () => addresses((text) => encoder.encode(text as Address)),
};

/** Seconds of one measure, and what it came to. */
async function measure(name: string): Promise<{ seconds: number; result: string }> {
  const begun = performance.now();
  const result = await (measures[name] as () => string | Promise<string>)();
  return { seconds: (performance.now() - begun) / 1000, result };
}

Object.assign(globalThis, { measure, ready: true });

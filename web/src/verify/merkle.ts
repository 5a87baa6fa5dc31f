/** The tree over an hour's wallets, as the program verifies it: SHA-256, tagged leaves and nodes, sorted pairs. */

import { type Bytes, KEY_BYTES, compare, joined, sha256 } from "./bytes.js";

export const LEAF_TAG = 0;
const NODE_TAG = 1;
const NODE_BYTES = 1 + 2 * KEY_BYTES;
const AMOUNT_BYTES = 8;
const LEAF_BYTES = 1 + 3 * KEY_BYTES + AMOUNT_BYTES;
/** Hashes that wait for each other: WebCrypto answers each by itself. */
const TOGETHER = 4096;
/** Of an hour in which nobody has earned anything yet: no leaf hashes to it. */
export const EMPTY_ROOT: Bytes = new Uint8Array(KEY_BYTES);

/** Told how many hashes are made, and how many there are to make. */
export type Progress = (done: number, all: number) => void;

/** What leaves are bound to: the program that pays, and its mint. */
export interface Network {
  readonly program: Bytes;
  readonly mint: Bytes;
}

/** Write the bytes that a wallet's leaf is the hash of; `lifetime` in base units. */
export function leafBytes(network: Network, wallet: Uint8Array, lifetime: bigint): Bytes {
  const data = new Uint8Array(LEAF_BYTES);
  data[0] = LEAF_TAG;
  data.set(network.program, 1);
  data.set(network.mint, 1 + KEY_BYTES);
  data.set(wallet, 1 + 2 * KEY_BYTES);
  new DataView(data.buffer).setBigUint64(LEAF_BYTES - AMOUNT_BYTES, lifetime, true);
  return data;
}

/** Hash a wallet's leaf. */
export function leaf(network: Network, wallet: Uint8Array, lifetime: bigint): Promise<Bytes> {
  return sha256(leafBytes(network, wallet, lifetime));
}

/** Hash two children under the node tag, the smaller first. */
export function node(a: Uint8Array, b: Uint8Array): Promise<Bytes> {
  const tag = new Uint8Array([NODE_TAG]);
  return sha256(compare(a, b) < 0 ? joined(tag, a, b) : joined(tag, b, a));
}

/** All hashes on the way from a leaf to what its proof leads to, the leaf first. */
export async function climb(hashed: Bytes, proof: readonly Bytes[]): Promise<Bytes[]> {
  const path = [hashed];
  for (const sibling of proof) path.push(await node(path[path.length - 1] as Bytes, sibling));
  return path;
}

/**
 * The root over leaf hashes, 32 bytes each; the odd one out of a level moves up as it is.
 *
 * Zeros when there are none.
 */
export async function rootOf(leaves: Bytes, progress: Progress = () => {}): Promise<Bytes> {
  let level = leaves;
  let done = leaves.length / KEY_BYTES;
  const all = Math.max(0, 2 * done - 1);
  while (level.length > KEY_BYTES) {
    const width = level.length / KEY_BYTES;
    const pairs = width >> 1;
    const above = new Uint8Array((width - pairs) * KEY_BYTES);
    const below = level;
    await hashed(
      pairs,
      NODE_BYTES,
      (into, at, pair) => {
        const first = 2 * pair * KEY_BYTES;
        into[at] = NODE_TAG;
        into.set(below.subarray(first, first + 2 * KEY_BYTES), at + 1);
        sortPair(into, at + 1);
      },
      above,
    );
    if (width % 2 === 1) above.set(below.subarray((width - 1) * KEY_BYTES), pairs * KEY_BYTES);
    level = above;
    done += pairs;
    progress(done, all);
  }
  return level.length === 0 ? EMPTY_ROOT : level;
}

/** The leaf hashes of wallets (32 bytes each) with all that each ever earned, in their order. */
export async function leavesOf(
  network: Network,
  wallets: Uint8Array,
  lifetimes: BigUint64Array,
  progress: Progress = () => {},
): Promise<Bytes> {
  const count = lifetimes.length;
  const out = new Uint8Array(count * KEY_BYTES);
  const form = leafBytes(network, EMPTY_ROOT, 0n);
  const amount = new DataView(new ArrayBuffer(AMOUNT_BYTES));
  const amountBytes = new Uint8Array(amount.buffer);
  await hashed(
    count,
    LEAF_BYTES,
    (into, at, number) => {
      into.set(form, at);
      into.set(wallets.subarray(number * KEY_BYTES, (number + 1) * KEY_BYTES), at + 1 + 2 * KEY_BYTES);
      amount.setBigUint64(0, lifetimes[number] as bigint, true);
      into.set(amountBytes, at + LEAF_BYTES - AMOUNT_BYTES);
    },
    out,
    (done) => progress(done, Math.max(0, 2 * count - 1)),
  );
  return out;
}

/** Hash `count` texts of `size` bytes, each as `fill` writes it, into `out`. */
export async function hashed(
  count: number,
  size: number,
  fill: (into: Bytes, at: number, number: number) => void,
  out: Bytes,
  progress: (done: number) => void = () => {},
): Promise<void> {
  const texts = new Uint8Array(Math.min(count, TOGETHER) * size);
  for (let from = 0; from < count; from += TOGETHER) {
    const until = Math.min(count, from + TOGETHER);
    const waiting: Promise<void>[] = [];
    for (let number = from; number < until; number++) {
      const at = (number - from) * size;
      fill(texts, at, number);
      waiting.push(
        sha256(texts.subarray(at, at + size)).then((digest) => out.set(digest, number * KEY_BYTES)),
      );
    }
    await Promise.all(waiting);
    progress(until);
  }
}

/** Put the smaller of two hashes from `at` on first. */
function sortPair(data: Bytes, at: number): void {
  for (let byte = at; byte < at + KEY_BYTES; byte++) {
    const difference = (data[byte] as number) - (data[byte + KEY_BYTES] as number);
    if (difference < 0) return;
    if (difference > 0) {
      const first = data.slice(at, at + KEY_BYTES);
      data.copyWithin(at, at + KEY_BYTES, at + 2 * KEY_BYTES);
      data.set(first, at + KEY_BYTES);
      return;
    }
  }
}

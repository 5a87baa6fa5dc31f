/** A season against what the keeper divides (tests/vectors/season.json), right and changed. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Bytes, base58, fromHex, hex, keyOf, sha256 } from "../src/verify/bytes.js";
import { Finding, type Level, type Step } from "../src/verify/finding.js";
import { type Season, type Share, type Sources, distribute, verifySeason } from "../src/verify/season.js";

interface Vectors {
  readonly program: string;
  readonly mint: string;
  readonly season: number;
  readonly pools: readonly string[];
  readonly points: string;
  readonly root: string;
  readonly data_hash: string;
  readonly claims: readonly [string, string][];
  readonly proofs: readonly string[];
}

const VECTORS = process.env["IONET_VECTORS"] ?? "../tests/vectors";
const found = JSON.parse(readFileSync(`${VECTORS}/season.json`, "utf8")) as Vectors;
const network = { program: keyOf(found.program) as Bytes, mint: keyOf(found.mint) as Bytes };
const pools = found.pools.map(BigInt);
const bytes = (text: string): Bytes => Uint8Array.from(new TextEncoder().encode(text));
const right: Season = {
  season: found.season,
  leaves: found.claims.length,
  pools,
  root: fromHex(found.root) as Bytes,
  dataHash: fromHex(found.data_hash) as Bytes,
};

function share(at: number): Share {
  const [wallet, amount] = found.claims[at] as [string, string];
  const proof = (found.proofs[at] as string).match(/.{64}/g) ?? [];
  return { season: found.season, wallet, index: at, amount: BigInt(amount), proof };
}

async function check(level: Level, at: number | null, told: Partial<Sources> = {}): Promise<[boolean, Step[]]> {
  const steps: Step[] = [];
  const sources: Sources = {
    account: async () => right,
    share: async () => share(at ?? 0),
    points: async () => bytes(found.points),
    ...told,
  };
  const address = at === null ? null : (found.claims[at] as [string, string])[0];
  const wallet = address === null ? null : { address, key: keyOf(address) as Bytes };
  const asked = { season: found.season, level, wallet, shown: found.root };
  return [await verifySeason(network, sources, asked, (step) => steps.push(step)), steps];
}

test("every wallet's amount is the keeper's", () => {
  const made = distribute(bytes(found.points), pools);
  assert.deepEqual(made.map((each) => [base58(each.wallet), String(each.amount)]), found.claims);
});

test("every wallet's leaf leads to the root, and the root follows from the points", async () => {
  for (const at of found.claims.keys()) {
    const [holds, steps] = await check(2, at);
    assert.ok(holds, JSON.stringify(steps));
    assert.equal(steps.at(-1)?.title, `the wallet is leaf ${at} of ${found.claims.length}`);
    assert.ok(steps.some((each) => each.value === hex(right.dataHash)));
  }
});

test("what is changed is told, and whose fault it is", async () => {
  const changed = found.points.replace(/\d+\n$/, "99\n");
  const whole = { ...right, dataHash: await sha256(bytes(changed)) };
  for (const [told, says, blamed] of [
    [{ points: async () => bytes(changed) }, /^points.csv has SHA-256/, "Whoever serves"],
    [{ share: async () => ({ ...share(1), amount: 1n }) }, /^the proof leads to/, "Whoever serves"],
    [{ share: async () => ({ ...share(1), index: 0 }) }, /^the proof leads to/, "Whoever serves"],
    [{ share: async () => share(0) }, /^the proof is of wallet/, "Whoever serves"],
    [{ share: async () => ({ ...share(1), proof: ["00"] }) }, /hashes that are none$/, "Whoever serves"],
    [{ account: async () => null }, /has no season/, "Whoever serves"],
    [{ account: async () => ({ ...right, root: right.dataHash }) }, /^this page shows the root/, "Whoever serves"],
    [{ account: async () => ({ ...right, leaves: 1 }) }, /but the season has 1 leaves$/, "Whoever opened"],
    [{ account: async () => whole, points: async () => bytes(changed) }, /^the points have the root/, "Whoever opened"],
  ] as const) {
    const [holds, steps] = await check(2, 1, told);
    assert.ok(!holds);
    const wrong = steps.filter((each) => each.state === "wrong");
    assert.equal(wrong.length, 1, JSON.stringify(steps));
    assert.match(wrong[0]?.says ?? "", says);
    assert.ok(wrong[0]?.todo?.startsWith(blamed), wrong[0]?.todo);
  }
});

test("what is no file of points", () => {
  const wallet = (found.claims[0] as [string, string])[0];
  for (const [text, says] of [
    ["", /begins with , not with/],
    ["wallet,points\n", /begins with wallet,points/],
    ["wallet,pool,points\nme,gpu,1\n", /line 2 of the file of points has no address/],
    [`wallet,pool,points\n${wallet},tpu,1\n`, /line 2 of the file of points is no/],
    [`wallet,pool,points\n${wallet},gpu,-1\n`, /line 2 of the file of points is no/],
    [`wallet,pool,points\n${wallet},gpu,1,1\n`, /line 2 of the file of points is no/],
  ] as const) {
    assert.throws(() => distribute(bytes(text), pools), (error) => error instanceof Finding && says.test(error.message));
  }
});

/**
 * An airdrop season checked: a wallet's leaf, and who gets what computed from the published points.
 *
 * It begins with what the viewer's own node says of the season. `ionet season claim` computes the same.
 */

import { io } from "./amount.js";
import { type Bytes, KEY_BYTES, compare, equal, fromHex, hex, keyOf, sha256 } from "./bytes.js";
import { type Advice, Altered, Finding, type Level, type Step, outcome } from "./finding.js";
import { LEAF_TAG, type Network, type Progress, climb, hashed, rootOf } from "./merkle.js";

/** A season's account, as the tokenomics program keeps it; base units for each of POOLS. */
export interface Season {
  readonly season: number;
  readonly leaves: number;
  readonly pools: readonly bigint[];
  readonly root: Bytes;
  readonly dataHash: Bytes;
}

/** A wallet's leaf and its way to the root, as whoever serves the page answers. */
export interface Share {
  readonly season: number;
  readonly wallet: string;
  readonly index: number;
  readonly amount: bigint;
  readonly proof: readonly string[];
}

/** Where things come from. */
export interface Sources {
  /** From the viewer's node, null where there is no such account. Throws Unavailable. */
  readonly account: (season: number) => Promise<Season | null>;
  /** Throws Unavailable, and Finding for an answer of another form. */
  readonly share: (season: number, wallet: string) => Promise<Share>;
  readonly points: (season: number) => Promise<Bytes>;
}

/** What to check: a season, how far, and whose leaf. `shown` is the root that the page shows, hexadecimal. */
export interface Asked {
  readonly season: number;
  readonly level: Level;
  readonly wallet: { readonly address: string; readonly key: Bytes } | null;
  readonly shown: string | null;
}

/** A wallet's leaf, by its place among all. */
export interface Claim {
  readonly wallet: Bytes;
  readonly amount: bigint;
}

const POOLS = ["gpu", "cpu", "creators"];
const HEADER = "wallet,pool,points";
const NUMBER_BYTES = 4;
const AMOUNT_BYTES = 8;
const LEAF_BYTES = 1 + 3 * KEY_BYTES + 2 * NUMBER_BYTES + AMOUNT_BYTES;
const ADVICE: Advice = {
  altered:
    "Whoever serves this page gave something else than what the season was opened with. Don't rely on its figures: " +
    "get the season's points from whoever opened it, and check them there (ionet season claim).",
  attested:
    "Whoever opened the season did this, so it isn't whoever serves this page. Until its claims open the guardian can " +
    "cancel it: show it to them.",
};

/** Check; returns whether all of it holds. */
export async function verifySeason(
  network: Network,
  sources: Sources,
  asked: Asked,
  report: (step: Step) => void,
  progress: Progress = () => {},
): Promise<boolean> {
  let holds = true;
  const right = (level: Level, title: string, value: string): void => report({ level, title, state: "right", value });
  const step = async <T>(level: Level, title: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      holds = false;
      report({ level, title, ...outcome(error, ADVICE) });
      return null;
    }
  };
  const { level, wallet } = asked;
  const season = await step(1, "the season, from your node", () => onChain(sources, asked, right));
  if (season === null) return false;
  if (wallet !== null) {
    await step(1, "the wallet's leaf leads to the root on chain", async () => {
      await checkLeaf(network, season, wallet, await sources.share(season.season, wallet.address), right);
    });
  }
  if (level > 1) {
    await step(2, "the root on chain follows from the points", async () => {
      await checkPoints(network, season, wallet, await sources.points(season.season), right, progress);
    });
  }
  return holds;
}

type Right = (level: Level, title: string, value: string) => void;

async function onChain(sources: Sources, { season, shown }: Asked, right: Right): Promise<Season> {
  const found = await sources.account(season);
  if (found === null) throw new Altered(`your node has no season ${season}`);
  if (found.season !== season) throw new Finding(`what your node has for season ${season} is of season ${found.season}`);
  const root = hex(found.root);
  if (shown !== null && shown !== root) {
    throw new Altered(`this page shows the root ${shown}, but season ${season} has ${root} on chain`);
  }
  right(1, "the season's root, from your node", root);
  return found;
}

async function checkLeaf(
  network: Network,
  season: Season,
  wallet: NonNullable<Asked["wallet"]>,
  found: Share,
  right: Right,
): Promise<void> {
  if (found.season !== season.season || found.wallet !== wallet.address) {
    throw new Altered(
      `the proof is of wallet ${found.wallet} in season ${found.season}, not of ${wallet.address} in season ${season.season}`,
    );
  }
  const siblings = found.proof.map(fromHex);
  if (siblings.some((each) => each?.length !== KEY_BYTES)) throw new Altered("the proof has hashes that are none");
  const claim = { wallet: wallet.key, amount: found.amount };
  const path = await climb(await sha256(leafBytes(network, season.season, found.index, claim)), siblings as Bytes[]);
  for (const [at, hash] of path.entries()) {
    const title = at === 0 ? `the leaf: this wallet, ${io(found.amount)} IO` : `hashed with sibling ${at} of ${siblings.length}`;
    right(1, title, hex(hash));
  }
  const top = path[path.length - 1] as Bytes;
  if (!equal(top, season.root)) {
    throw new Altered(
      `the proof leads to ${hex(top)}, but the root on chain is ${hex(season.root)}: the wallet doesn't get ` +
        `${found.amount} base units`,
    );
  }
  right(1, "that is the root on chain", hex(top));
}

async function checkPoints(
  network: Network,
  season: Season,
  wallet: Asked["wallet"],
  points: Bytes,
  right: Right,
  progress: Progress,
): Promise<void> {
  const hash = hex(await sha256(points));
  const stated = hex(season.dataHash);
  if (hash !== stated) throw new Altered(`points.csv has SHA-256 ${hash}, but the season was opened with ${stated}`);
  right(2, "points.csv is the file that the season was opened with", hash);
  const claims = distribute(points, season.pools);
  if (claims.length !== season.leaves) {
    throw new Finding(`by the points ${claims.length} wallets get something, but the season has ${season.leaves} leaves`);
  }
  const leaves = new Uint8Array(claims.length * KEY_BYTES);
  const fill = (into: Bytes, at: number, index: number): void =>
    into.set(leafBytes(network, season.season, index, claims[index] as Claim), at);
  await hashed(claims.length, LEAF_BYTES, fill, leaves, (done) => progress(done, Math.max(0, 2 * claims.length - 1)));
  const root = hex(await rootOf(leaves, progress));
  if (root !== hex(season.root)) {
    throw new Finding(`the points have the root ${root}, but the season has ${hex(season.root)}`);
  }
  right(2, `every wallet's amount was computed, ${claims.length} of them: the root is that on chain`, root);
  if (wallet === null) return;
  const mine = claims.findIndex((each) => equal(each.wallet, wallet.key));
  if (mine < 0) right(2, "the wallet gets nothing by the points", "it has none, or too few for one base unit");
  else right(2, `the wallet is leaf ${mine} of ${claims.length}`, `${io((claims[mine] as Claim).amount)} IO`);
}

/**
 * Who gets what: of each pool the wallet's part of its points, rounded down; in the order of the wallets' bytes.
 *
 * Throws Finding for what is no file of points.
 */
export function distribute(points: Bytes, pools: readonly bigint[]): Claim[] {
  const [header, ...lines] = new TextDecoder().decode(points).split(/\r\n|\n|\r/);
  if (header !== HEADER) throw new Finding(`the file of points begins with ${header?.slice(0, 40)}, not with ${HEADER}`);
  if (lines[lines.length - 1] === "") lines.pop();
  const totals = pools.map(() => 0n);
  const earned = new Map<string, { key: Bytes; own: bigint[] }>();
  for (const [at, line] of lines.entries()) {
    const [address, name, count, ...more] = line.split(",");
    const pool = POOLS.indexOf(name ?? "");
    if (pool < 0 || more.length > 0 || !/^[0-9]+$/.test(count ?? "")) {
      throw new Finding(`line ${at + 2} of the file of points is no ${HEADER}: ${line.slice(0, 80)}`);
    }
    const own = earned.get(address as string) ?? { key: keyAt(address as string, at + 2), own: pools.map(() => 0n) };
    const added = BigInt(count as string);
    own.own[pool] = (own.own[pool] as bigint) + added;
    totals[pool] = (totals[pool] as bigint) + added;
    earned.set(address as string, own);
  }
  const claims: Claim[] = [];
  for (const { key, own } of earned.values()) {
    const parts = own.map((each, pool) => (each === 0n ? 0n : ((pools[pool] as bigint) * each) / (totals[pool] as bigint)));
    const amount = parts.reduce((sum, each) => sum + each, 0n);
    if (amount > 0n) claims.push({ wallet: key, amount });
  }
  return claims.sort((a, b) => compare(a.wallet, b.wallet));
}

function keyAt(address: string, line: number): Bytes {
  const key = keyOf(address);
  if (key === null) throw new Finding(`line ${line} of the file of points has no address: ${address.slice(0, 80)}`);
  return key;
}

/** The bytes that a leaf is the hash of: bound to program, mint and season. */
export function leafBytes(network: Network, season: number, index: number, claim: Claim): Bytes {
  const data = new Uint8Array(LEAF_BYTES);
  const numbers = new DataView(data.buffer);
  data[0] = LEAF_TAG;
  data.set(network.program, 1);
  data.set(network.mint, 1 + KEY_BYTES);
  let at = 1 + 2 * KEY_BYTES;
  numbers.setUint32(at, season, true);
  numbers.setUint32((at += NUMBER_BYTES), index, true);
  data.set(claim.wallet, (at += NUMBER_BYTES));
  numbers.setBigUint64(at + KEY_BYTES, claim.amount, true);
  return data;
}

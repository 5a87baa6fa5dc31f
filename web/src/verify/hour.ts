/** Level 3: an hour computed again from its published files, as `ionet rewards verify` does. */

import { io } from "./amount.js";
import { equal, hex, sha256 } from "./bytes.js";
import { HOUR, cumulative, monthOf, monthStart } from "./emission.js";
import { Altered, Finding, Unavailable, pathOf } from "./finding.js";
import type { Files, Read, ReadManifest } from "./files.js";
import { NotCanonical, type Value, parse } from "./json.js";
import { type FileName, type Manifest, SUMS } from "./manifest.js";
import { leavesOf, rootOf } from "./merkle.js";
import { type Result, reward } from "./rule.js";
import { OBSERVATION, Table, WALLETS, difference, encode } from "./table.js";

/** What the rule goes by, beside the hour before. */
export const GIVEN = ["verdicts.csv", "observed.csv", "inputs.csv", "classes.csv"] as const;
/** What the rule gives. */
export const COMPUTED = ["rewards.csv", "wallets.csv"] as const;
type Tables = { [name in FileName]?: Table };
/** Told of each thing that holds: what, and its hash or figure. */
export type Told = (title: string, value: string) => void;

/**
 * Compute an hour again and compare every byte; throws Finding for the first that differs, and Unavailable.
 *
 * `began` is the month in which emission began by the chain; `root` is that of the tree over wallets.csv where it was built before.
 */
export async function recompute(
  files: Files,
  read: ReadManifest,
  began: number,
  root: string | null,
  told: Told,
): Promise<void> {
  const { manifest } = read;
  const hour = Number(manifest.hour);
  requireScheduled(manifest, began);
  told("start and emission follow the schedule", `${io(manifest.emitted)} IO by its end`);
  const before = await walletsBefore(files, manifest, told);
  const found: Tables = {};
  for (const name of GIVEN) {
    found[name] = await given(files, manifest, name, before);
    told(`${name} is the file that the manifest names`, manifest.files[name].sha256);
  }
  const block = blockOf(manifest, found, before);
  for (const [name, right] of [
    ["rewards.csv", block.rewards],
    ["wallets.csv", block.wallets],
  ] as const) {
    const hash = await requireComputed(files, manifest, name, right);
    told(`${name}: ${right.rows} rows by the rule, every byte equal`, hash);
  }
  const words = unseen(hour, found["observed.csv"], found["inputs.csv"]);
  if (words !== null) throw new Finding(words);
  told("inputs.csv says what observed.csv says of every device", `${found["inputs.csv"]?.rows} devices`);
  const waves = await requireRecord(files, manifest);
  told("pow.json is the file that the manifest names", manifest.files["pow.json"].sha256);
  // What the rule gives is wallets.csv by now, to the byte.
  requireSums(manifest, root ?? (await rootOfWallets(manifest, block.wallets)), block, found, waves);
  told("the manifest's sums and counts follow", `${io(manifest.paid)} IO paid`);
}

/** Throw Finding where an hour isn't of an emission, or emitted other than the schedule says. */
function requireScheduled(manifest: Manifest, began: number): void {
  const hour = Number(manifest.hour);
  const begin = Number(manifest.start) - hour * HOUR;
  const month = monthOf(begin);
  // A month far away is NaN, and equals nothing.
  if (begin < 0 || monthStart(month) !== begin) {
    throw new Finding(
      `manifest of hour ${hour}: start is ${manifest.start}, but hour ${hour} of an emission begins ` +
        `${hour} hours after a month`,
    );
  }
  if (month !== began) {
    throw new Finding(
      `manifest of hour ${hour}: start is ${manifest.start}, but emission began at ${monthStart(began)} on chain: ` +
        `it is ${monthStart(began) + hour * HOUR}`,
    );
  }
  const emitted = cumulative(month, hour + 1);
  if (manifest.emitted !== emitted) {
    throw new Finding(
      `manifest of hour ${hour}: emitted is ${manifest.emitted}, but the schedule gives ${emitted}`,
    );
  }
}

/** All wallets before an hour, by the files of the one before, whose manifest's hash this hour's has. */
async function walletsBefore(files: Files, manifest: Manifest, told: Told): Promise<Table> {
  const hour = Number(manifest.hour);
  const { previous } = manifest;
  if (hour === 0) return new Table(WALLETS, 0);
  if (previous === null) throw new Finding(`manifest of hour ${hour}: previous is nothing`);
  const read = await files.manifest(
    hour - 1,
    previous,
    (found) => `manifest of hour ${hour}: previous is ${previous}, but the rule gives ${found}`,
  );
  told(`the hour before, ${hour - 1}: manifest.json is the one that this hour's names`, read.hash);
  const wallets = await files.table(read.manifest, "wallets.csv");
  told(`${pathOf(hour - 1, "wallets.csv")} is the file that its manifest names`, read.manifest.files["wallets.csv"].sha256);
  return wallets;
}

/** A table that the rule goes by; throws Finding with what in it is wrong. */
async function given(files: Files, manifest: Manifest, name: FileName, before: Table): Promise<Table> {
  const read = await files.read(manifest, name);
  if (read.differs === null) return files.decoded(manifest, name, read);
  const words = await where(files, manifest, name, read, before);
  throw new Altered(words === null ? read.differs : `${read.differs}; ${words}`);
}

/** What in a file that isn't the manifest's is wrong, as far as the hour's other files tell. */
async function where(
  files: Files,
  manifest: Manifest,
  name: FileName,
  read: Read,
  before: Table,
): Promise<string | null> {
  const found: Tables = {};
  try {
    found[name] = files.decoded(manifest, name, read);
  } catch (error) {
    if (error instanceof Finding) return error.message;
    throw error;
  }
  let rewards: Table;
  try {
    for (const other of ["inputs.csv", "observed.csv", "classes.csv"] as const) {
      found[other] ??= await files.table(manifest, other);
    }
    rewards = await files.table(manifest, "rewards.csv");
  } catch (error) {
    if (error instanceof Finding || error instanceof Unavailable) return null;
    throw error;
  }
  const hour = Number(manifest.hour);
  const words = unseen(hour, found["observed.csv"], found["inputs.csv"]);
  if (words !== null || (name !== "inputs.csv" && name !== "classes.csv")) return words;
  try {
    const block = blockOf(manifest, found, before);
    return difference(pathOf(hour, "rewards.csv"), rewards, block.rewards, `this ${name}`);
  } catch (error) {
    if (error instanceof Finding) return error.message;
    throw error;
  }
}

function blockOf(manifest: Manifest, found: Tables, before: Table): Result {
  const hour = { number: Number(manifest.hour), start: manifest.start, emitted: manifest.emitted };
  try {
    return reward(hour, found["inputs.csv"] as Table, found["classes.csv"] as Table, before);
  } catch (error) {
    if (error instanceof Finding) throw new Finding(`hour ${hour.number}: ${error.message}`);
    throw error;
  }
}

/** Throw Finding unless a file is what the rule gives, to the byte; returns the hash of what it gives. */
async function requireComputed(
  files: Files,
  manifest: Manifest,
  name: FileName,
  right: Table,
): Promise<string> {
  const path = pathOf(Number(manifest.hour), name);
  const read = await files.read(manifest, name);
  let words: string | null;
  try {
    words = difference(path, files.decoded(manifest, name, read), right);
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    words = error.message;
  }
  const says = [read.differs, words].filter((each) => each !== null);
  if (says.length > 0) throw new (read.differs === null ? Finding : Altered)(says.join("; "));
  const bytes = encode(right);
  // One way to write a table: equal values are equal bytes, and this is here to show it.
  if (!equal(bytes, read.data)) throw new Finding(`${path} is written otherwise than the rule's own file`);
  return hex(await sha256(bytes));
}

/** Where `inputs.csv` says that something else was seen of a device than `observed.csv` does. */
function unseen(hour: number, observed: Table | undefined, inputs: Table | undefined): string | null {
  if (observed === undefined || inputs === undefined) return null;
  const [stated, right] = [inputs, observed].map((table) => {
    const part = new Table(OBSERVATION, table.rows);
    for (const [name, kind] of OBSERVATION) {
      if (kind === "key") part.keys(name).set(table.keys(name));
      else part.numbers(name).set(table.numbers(name));
    }
    return part;
  }) as [Table, Table];
  return difference(pathOf(hour, "inputs.csv"), stated, right, "observed.csv");
}

/** Look at `pow.json`: its bytes, and whose it is. Returns how many waves are in it. */
async function requireRecord(files: Files, manifest: Manifest): Promise<bigint> {
  const path = pathOf(Number(manifest.hour), "pow.json");
  const read = await files.read(manifest, "pow.json");
  if (read.differs !== null) throw new Altered(read.differs);
  let record: { [name: string]: Value };
  try {
    record = parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(read.data)) as { [name: string]: Value };
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof TypeError) throw new Finding(`${path}: pow.json is not canonical JSON`);
    throw error;
  }
  if (record === null || typeof record !== "object" || !Array.isArray(record.waves)) {
    throw new Finding(`${path}: pow.json is no record of an hour`);
  }
  if (record.hour !== manifest.hour || record.start !== manifest.start) {
    throw new Finding(`${path} is of hour ${String(record.hour)}, from ${String(record.start)} on`);
  }
  return BigInt(record.waves.length);
}

/** Throw Finding where a manifest states something else than what follows from the files. */
function requireSums(manifest: Manifest, root: string, block: Result, found: Tables, waves: bigint): void {
  const { wallets, rewards } = block;
  const right: { readonly [name: string]: string | bigint } = {
    root,
    ...Object.fromEntries(SUMS.map((name) => [name, sums(block)[name]])),
    ...rowsOf({ ...found, "rewards.csv": rewards, "wallets.csv": wallets }, waves),
  };
  for (const [name, value] of Object.entries(right)) {
    const stated = statedOf(manifest, name);
    if (stated !== value) {
      throw new Finding(
        `manifest of hour ${manifest.hour}: ${name} is ${stated}, but the rule gives ${value}`,
      );
    }
  }
}

async function rootOfWallets(network: Manifest, wallets: Table): Promise<string> {
  return hex(await rootOf(await leavesOf(network, wallets.keys("wallet"), wallets.numbers("lifetime"))));
}

function sums(block: Result): { readonly [name in (typeof SUMS)[number]]: bigint } {
  const { total, pot, paid, succeeded, failed, missed } = block;
  const devices = BigInt(block.rewards.rows);
  return { total, pot, paid, carried: pot - paid, devices, succeeded, failed, missed };
}

function rowsOf(found: Tables, waves: bigint): { [name: string]: bigint } {
  const rows = Object.entries(found).map(([name, table]) => [`files.${name}.rows`, BigInt(table.rows)] as const);
  return Object.fromEntries([...rows, ["files.pow.json.rows", waves] as const].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function statedOf(manifest: Manifest, name: string): string | bigint {
  const file = /^files\.(.+)\.rows$/.exec(name);
  if (file !== null) return manifest.files[file[1] as FileName].rows;
  return manifest[name as "root" | (typeof SUMS)[number]];
}

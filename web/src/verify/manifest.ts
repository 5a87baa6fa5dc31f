/** An hour's manifest: what its files are and add up to. Its hash is on chain. */

import { type Bytes, fromHex, keyOf } from "./bytes.js";
import { Finding } from "./finding.js";
import { NotCanonical, type Value, parse } from "./json.js";

export const MANIFEST = "manifest.json";
/** All that a manifest names. */
export const FILES = [
  "classes.csv",
  "inputs.csv",
  "observed.csv",
  "pow.json",
  "rewards.csv",
  "verdicts.csv",
  "wallets.csv",
] as const;
export type FileName = (typeof FILES)[number];
/** No manifest is larger. */
export const MOST_BYTES = 16_384;
/** The rules of rewards that this page knows (docs/rewards.md). */
const RULES = [3n, 4n, 5n];
const U64 = 2n ** 64n;

/** A published file as its manifest describes it. */
export interface File {
  readonly sha256: string;
  readonly bytes: bigint;
  readonly rows: bigint;
}

/** The sums of an hour, in the manifest's own names; amounts in base units. */
export const SUMS = [
  "total",
  "pot",
  "paid",
  "carried",
  "devices",
  "succeeded",
  "failed",
  "missed",
] as const;
const COUNTS = ["hour", "start", "emitted", "rule", ...SUMS] as const;
type Counts = { readonly [name in (typeof COUNTS)[number]]: bigint };

/** What an hour's files are and add up to; `previous` is the hash of the last hour's manifest. */
export interface Manifest extends Counts {
  readonly program: Bytes;
  readonly mint: Bytes;
  readonly root: string;
  readonly previous: string | null;
  readonly files: { readonly [name in FileName]: File };
}

/** Read a manifest's bytes as that of an hour; throws Finding. */
export function readManifest(data: Uint8Array, hour: number): Manifest {
  const manifest = form(data);
  if (manifest.hour !== BigInt(hour)) {
    throw new Finding(`the manifest in ${hour} is of hour ${manifest.hour}`);
  }
  if (!RULES.includes(manifest.rule)) {
    throw new Finding(
      `hour ${hour} follows rule ${manifest.rule}, but this program knows ${RULES.join(", ")}: upgrade ionet`,
    );
  }
  return manifest;
}

function form(data: Uint8Array): Manifest {
  let value: Value;
  try {
    value = parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data));
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof TypeError) {
      throw new Finding(`${MANIFEST} is not canonical JSON`);
    }
    throw error;
  }
  const fields = object(value, "it", [...COUNTS, "program", "mint", "root", "previous", "files"]);
  const files = object(fields.files as Value, "files", FILES);
  const counts = Object.fromEntries(COUNTS.map((name) => [name, count(fields[name] as Value, name)]));
  return {
    ...(counts as Counts),
    program: address(fields.program as Value, "program"),
    mint: address(fields.mint as Value, "mint"),
    root: digest(fields.root as Value, "root"),
    previous: fields.previous === null ? null : digest(fields.previous as Value, "previous"),
    files: Object.fromEntries(
      FILES.map((name) => [name, file(files[name] as Value, `files.${name}`)]),
    ) as unknown as Manifest["files"],
  };
}

function wrong(where: string, what: string): Finding {
  return new Finding(`${MANIFEST} is no manifest: ${where} ${what}`);
}

function file(value: Value, where: string): File {
  const fields = object(value, where, ["sha256", "bytes", "rows"]);
  return {
    sha256: digest(fields.sha256 as Value, `${where}.sha256`),
    bytes: count(fields.bytes as Value, `${where}.bytes`),
    rows: count(fields.rows as Value, `${where}.rows`),
  };
}

function object(value: Value, where: string, names: readonly string[]): { [name: string]: Value } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw wrong(where, "is no object");
  for (const name of names) if (!(name in value)) throw wrong(name, "is missing");
  for (const name of Object.keys(value)) if (!names.includes(name)) throw wrong(name, "is not one of its fields");
  return value;
}

function count(value: Value, where: string): bigint {
  if (typeof value !== "bigint" || value < 0n || value >= U64) throw wrong(where, "is no integer of 64 bits");
  return value;
}

function digest(value: Value, where: string): string {
  if (typeof value !== "string" || value.length !== 64 || fromHex(value) === null) {
    throw wrong(where, "is no SHA-256 in hexadecimal");
  }
  return value;
}

function address(value: Value, where: string): Bytes {
  const key = typeof value === "string" ? keyOf(value) : null;
  if (key === null) throw wrong(where, "is no address");
  return key;
}

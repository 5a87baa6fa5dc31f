/**
 * An hour's tables: canonical CSV into columns and back, so that the same rows are the same bytes.
 *
 * UTF-8, LF, a header with the columns' names in their order, integers in decimal, addresses in base58
 * (nothing for the zero address). As keeper/tables.py, and stricter: what isn't written as it would be written
 * again is refused by its row and column.
 */

import { type Bytes, KEY_BYTES, base58, compare, readKey } from "./bytes.js";
import { Finding } from "./finding.js";

/** What a column holds: addresses, or unsigned integers of so many bytes. */
export type Kind = "key" | "u1" | "u2" | "u4" | "u8";
/** A table's columns, in their order. */
export type Columns = readonly (readonly [string, Kind])[];

const MOST: Record<Exclude<Kind, "key">, bigint> = {
  u1: 2n ** 8n - 1n,
  u2: 2n ** 16n - 1n,
  u4: 2n ** 32n - 1n,
  u8: 2n ** 64n - 1n,
};
const NUMBER = /^(0|[1-9][0-9]{0,19})$/;

const SEEN: Columns = [
  ["up_since", "u8"],
  ["online", "u1"],
  ["work", "u1"],
  ["vram_failures", "u1"],
  ["vram_failed_at", "u8"],
  ["measured_tier", "u1"],
  ["processors_shown", "u1"],
];
/** What was seen of a device, in `observed.csv` and `inputs.csv` alike. */
export const OBSERVATION: Columns = [["device", "key"], ...SEEN];

/** A device in an hour: what the rule goes by. */
export const INPUTS: Columns = [
  ["device", "key"],
  ["payout", "key"],
  ["co_staker", "key"],
  ["class", "u2"],
  ["processors", "u1"],
  ["tier", "u1"],
  ["terminated", "u1"],
  ["slash_pending", "u1"],
  ["barred_until", "u8"],
  ["sufficient_since", "u8"],
  ["own", "u8"],
  ["co_amount", "u8"],
  ["co_until", "u8"],
  ["co_state", "u1"],
  ["co_reward_bps", "u2"],
  ...SEEN,
  ["hired", "u1"],
];
/** A class at the start of an hour, the multiplier in hundredths. */
export const CLASSES: Columns = [
  ["id", "u2"],
  ["multiplier", "u2"],
  ["pool", "u1"],
];
/** What an hour was for a device; amounts in base units. */
export const REWARDS: Columns = [
  ["device", "key"],
  ["pool", "u1"],
  ["status", "u1"],
  ["reasons", "u2"],
  ["score", "u8"],
  ["normalised", "u8"],
  ["reward", "u8"],
  ["supplier", "u8"],
  ["co_staker", "u8"],
];
/** A wallet: all that it ever earned, and how much of it in the hour; base units. */
export const WALLETS: Columns = [
  ["wallet", "key"],
  ["lifetime", "u8"],
  ["earned", "u8"],
];
/** What became of a device in a wave, of which a page looks at the form alone. */
export const VERDICTS: Columns = [
  ["device", "key"],
  ["wave", "u8"],
  ["kind", "u1"],
  ["code", "u1"],
  ["ms", "u8"],
  ["root", "key"],
  ["opened", "u1"],
];
/** The first rule by which `observed.csv` has `unshown`. */
const SHOWN_FIRST = 5;

/** What the next hour's observations go on from, by a rule. */
export function observed(rule: number): Columns {
  const memory: Columns = [
    ["failed_until", "u8"],
    ["soft_at", "u8"],
    ["soft_before", "u8"],
    ["vram_hours", "u4"],
    ["carried", "u1"],
  ];
  return [...OBSERVATION, ...memory, ...(rule >= SHOWN_FIRST ? ([["unshown", "u1"]] as const) : [])];
}

/** Rows by columns: 32 bytes a row for addresses, an integer for the rest. */
export class Table {
  private readonly places: Map<string, Bytes | BigUint64Array>;

  constructor(
    readonly columns: Columns,
    readonly rows: number,
  ) {
    this.places = new Map(
      columns.map(([name, kind]) => [
        name,
        kind === "key" ? new Uint8Array(rows * KEY_BYTES) : new BigUint64Array(rows),
      ]),
    );
  }

  /** A column of addresses. */
  keys(name: string): Bytes {
    return this.places.get(name) as Bytes;
  }

  /** A column of integers. */
  numbers(name: string): BigUint64Array {
    return this.places.get(name) as BigUint64Array;
  }

  /** An address of a row. */
  key(name: string, row: number): Bytes {
    return this.keys(name).subarray(row * KEY_BYTES, (row + 1) * KEY_BYTES);
  }

  /** A value as the file has it. */
  text(name: string, row: number): string {
    const column = this.places.get(name);
    if (column instanceof BigUint64Array) return String(column[row]);
    const key = this.key(name, row);
    return key.every((each) => each === 0) ? "" : base58(key);
  }

  /** Whether a row has the same value in a column as one of `other`. */
  same(name: string, row: number, other: Table): boolean {
    const [a, b] = [this.places.get(name), other.places.get(name)];
    if (a instanceof BigUint64Array) return a[row] === (b as BigUint64Array)[row];
    const [key, found] = [a as Bytes, b as Bytes];
    for (let at = row * KEY_BYTES; at < (row + 1) * KEY_BYTES; at++) if (key[at] !== found[at]) return false;
    return true;
  }

  /** Whether a column of addresses or integers rises from row to row. */
  rises(name: string): boolean {
    const column = this.places.get(name);
    for (let row = 1; row < this.rows; row++) {
      const rises =
        column instanceof BigUint64Array
          ? (column[row - 1] as bigint) < (column[row] as bigint)
          : compare(this.key(name, row - 1), this.key(name, row)) < 0;
      if (!rises) return false;
    }
    return true;
  }
}

/** Write a table as its file's bytes. */
export function encode(table: Table): Bytes {
  const lines = [table.columns.map(([name]) => name).join(",")];
  for (let row = 0; row < table.rows; row++) {
    lines.push(table.columns.map(([name]) => table.text(name, row)).join(","));
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

/**
 * Read a file's bytes; `path` is what sentences call it.
 *
 * Throws Finding, naming the first row and column that no table of this kind has.
 */
export function decode(data: Uint8Array, columns: Columns, path: string): Table {
  const lines = new TextDecoder("utf-8", { ignoreBOM: true }).decode(data).split("\n");
  const header = columns.map(([name]) => name).join(",");
  if (lines[0] !== header) throw new Finding(`${path}: the header is not ${header}`);
  if (lines.length < 2 || lines[lines.length - 1] !== "") {
    throw new Finding(`${path}: the last row doesn't end`);
  }
  const table = new Table(columns, lines.length - 2);
  for (let row = 0; row < table.rows; row++) {
    const cells = (lines[row + 1] as string).split(",");
    if (cells.length !== columns.length) {
      throw new Finding(`${path}: row ${row + 1} has ${cells.length} values, not ${columns.length}`);
    }
    for (const [at, [name, kind]] of columns.entries()) {
      const wrong = put(table, name, kind, row, cells[at] as string);
      if (wrong !== null) throw new Finding(`${path}: row ${row + 1}, ${name}: ${wrong}`);
    }
  }
  return table;
}

/** Put a cell into its place; returns what is wrong with it, null for nothing. */
function put(table: Table, name: string, kind: Kind, row: number, cell: string): string | null {
  if (kind === "key") {
    const column = table.keys(name);
    const at = row * KEY_BYTES;
    if (cell === "") return null;
    if (!readKey(cell, column, at)) return "not an address of 32 bytes in base58";
    const zero = table.key(name, row).every((each) => each === 0);
    return zero ? "the zero address is written as nothing" : null;
  }
  const value = NUMBER.test(cell) ? BigInt(cell) : null;
  if (value === null || value > MOST[kind]) return `not a whole number from 0 to ${MOST[kind]}`;
  table.numbers(name)[row] = value;
  return null;
}

/**
 * The first value of a column of `right` in which `published` differs from what `who` gives, in a sentence.
 *
 * Null where there is none: then, as there is one way to write a table, the bytes are equal as well.
 */
export function difference(path: string, published: Table, right: Table, who = "the rule"): string | null {
  const cell = firstCell(published, right, who);
  if (published.rows === right.rows) return cell === null ? null : `${path}: ${cell}`;
  const counts = `${path} has ${published.rows} rows, but ${who} gives ${right.rows}`;
  return cell === null ? counts : `${counts}; ${cell}`;
}

function firstCell(published: Table, right: Table, who: string): string | null {
  for (let row = 0; row < Math.min(published.rows, right.rows); row++) {
    for (const [name] of right.columns) {
      if (published.same(name, row, right)) continue;
      const [stated, found] = [published, right].map((table) => table.text(name, row) || "nothing");
      return `row ${row + 1}, ${name}: ${stated}, but ${who} gives ${found}`;
    }
  }
  return null;
}

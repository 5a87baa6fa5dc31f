/** An hour's files as whoever serves them gives them, each held against its manifest. */

import { type Bytes, hex, sha256 } from "./bytes.js";
import { Altered, pathOf } from "./finding.js";
import { type FileName, MANIFEST, MOST_BYTES, type Manifest, readManifest } from "./manifest.js";
import { CLASSES, type Columns, INPUTS, REWARDS, type Table, VERDICTS, WALLETS, decode, observed } from "./table.js";

/** Whoever serves files: the one with this SHA-256, or Unavailable. More than `most` bytes are Altered. */
export type Fetch = (hour: number, name: string, hash: string, most: number) => Promise<Bytes>;

/** A file that was read: `differs` says, in a sentence, that it isn't the one of the manifest. */
export interface Read {
  readonly data: Bytes;
  readonly hash: string;
  readonly differs: string | null;
}

/** A manifest that was read, and the SHA-256 of its bytes. */
export interface ReadManifest {
  readonly manifest: Manifest;
  readonly hash: string;
}

/** The columns that a table has by a rule. */
export function columnsOf(name: FileName, rule: bigint): Columns {
  const tables: { readonly [name in FileName]?: Columns } = {
    "classes.csv": CLASSES,
    "inputs.csv": INPUTS,
    "observed.csv": observed(Number(rule)),
    "rewards.csv": REWARDS,
    "verdicts.csv": VERDICTS,
    "wallets.csv": WALLETS,
  };
  return tables[name] as Columns;
}

/** The files of hours, each fetched and read once. */
export class Files {
  private readonly reads = new Map<string, Promise<Read>>();
  private readonly tables = new Map<string, Table>();

  constructor(private readonly fetch: Fetch) {}

  /** An hour's manifest, which must have this hash; throws Altered, with `otherwise` for another hash. */
  async manifest(hour: number, hash: string, otherwise: (found: string) => string): Promise<ReadManifest> {
    const data = await this.fetch(hour, MANIFEST, hash, MOST_BYTES);
    const found = hex(await sha256(data));
    if (found !== hash) throw new Altered(otherwise(found));
    return { manifest: readManifest(data, hour), hash: found };
  }

  /** A file, whether or not it is the manifest's. */
  read(manifest: Manifest, name: FileName): Promise<Read> {
    const path = pathOf(Number(manifest.hour), name);
    const known = this.reads.get(path);
    if (known !== undefined) return known;
    const reading = this.readOnce(manifest, name, path);
    this.reads.set(path, reading);
    return reading;
  }

  private async readOnce(manifest: Manifest, name: FileName, path: string): Promise<Read> {
    const stated = manifest.files[name];
    // A changed byte may come with more of them, of which a few rows say enough.
    const most = 2 * Number(stated.bytes) + MOST_BYTES;
    const data = await this.fetch(Number(manifest.hour), name, stated.sha256, most);
    const hash = hex(await sha256(data));
    const differs =
      hash === stated.sha256 ? null : `${path} is not the file that the manifest names: its SHA-256 differs`;
    return { data, hash, differs };
  }

  /** A table, which must be the manifest's; throws Altered. */
  async table(manifest: Manifest, name: FileName): Promise<Table> {
    const read = await this.read(manifest, name);
    if (read.differs !== null) throw new Altered(read.differs);
    return this.decoded(manifest, name, read);
  }

  /** A table in whatever bytes came; throws Finding for those that are none. */
  decoded(manifest: Manifest, name: FileName, read: Read): Table {
    const path = pathOf(Number(manifest.hour), name);
    const known = this.tables.get(path);
    if (known !== undefined) return known;
    const table = decode(read.data, columnsOf(name, manifest.rule), path);
    this.tables.set(path, table);
    return table;
  }
}

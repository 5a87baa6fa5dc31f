/**
 * The checks that a page offers, line by line: a wallet's leaf, an hour's whole tree, the rule itself.
 *
 * Each begins with what the viewer's own node says of the hour's block, and believes nobody else.
 */

import { io } from "./amount.js";
import { type Block, STATUS } from "./block.js";
import { type Bytes, equal, fromHex, hex } from "./bytes.js";
import { Files, type Fetch, type ReadManifest } from "./files.js";
import { Altered, Finding, type Level, type Step, Unavailable, outcome } from "./finding.js";
import { recompute } from "./hour.js";
import { type Network, type Progress, climb, leaf, leavesOf, rootOf } from "./merkle.js";
import type { Table } from "./table.js";

/** A wallet's leaf and its way to the root, as whoever serves the page answers. */
export interface Proof {
  readonly hour: number;
  readonly wallet: string;
  readonly lifetime: bigint;
  readonly proof: readonly string[];
}

/** Where things come from. */
export interface Sources {
  /** An hour's block from the viewer's node, null where there is no such account. Throws Unavailable. */
  readonly block: (hour: number) => Promise<Block | null>;
  /** The month in which emission began (0 for January 1970), from the viewer's node. Throws Unavailable. */
  readonly startMonth: () => Promise<number>;
  /** Throws Unavailable, and Finding for an answer of another form. */
  readonly proof: (hour: number, wallet: string) => Promise<Proof>;
  readonly file: Fetch;
}

/** A wallet: its address, its bytes, and what the page says that it ever earned (base units), if it says so. */
export interface Holder {
  readonly address: string;
  readonly key: Bytes;
  readonly shown: bigint | null;
}

/** What to check: an hour, how far, and whose leaf. `shown` is the root that the page shows, hexadecimal. */
export interface Asked {
  readonly hour: number;
  readonly level: Level;
  readonly wallet: Holder | null;
  readonly shown: string | null;
}

/** Told each line as it is done. */
export type Report = (step: Step) => void;

const ANOTHER =
  "Whoever serves this page gave something else than what operators attested. Don't rely on its figures: get the " +
  "hour from an operator (ionet rewards fetch --from URL) and check it there (ionet rewards verify).";
const ATTESTED =
  "Operators attested this, so it isn't whoever serves this page. Show it to the guardian, who can veto an hour " +
  "until it is final; ionet rewards verify finds the same.";
const KEPT =
  "Accounts of old hours are closed: check a newer hour, whose tree has all that was ever earned, or choose a " +
  "node of the network that this page is about.";

const NODE = "Choose another node and check again.";

/** Check; returns whether all of it holds. */
export async function verify(
  network: Network,
  sources: Sources,
  asked: Asked,
  report: Report,
  progress: Progress = () => {},
): Promise<boolean> {
  const check = new Check(network, sources, asked, report, progress);
  return await check.run();
}

class Check {
  private holds = true;
  private foundWrong = false;
  private root: string | null = null;
  private readonly files: Files;

  constructor(
    private readonly network: Network,
    private readonly sources: Sources,
    private readonly asked: Asked,
    private readonly report: Report,
    private readonly progress: Progress,
  ) {
    this.files = new Files(sources.file);
  }

  async run(): Promise<boolean> {
    const block = await this.step(1, "the hour's block, from your node", () => this.block());
    if (block === null) return false;
    const { wallet, level } = this.asked;
    if (wallet !== null) await this.step(1, "the wallet's leaf leads to the root on chain", () => this.leaf(block, wallet));
    if (level === 1) return this.holds;
    const read = await this.step(2, "manifest.json is the one on chain", () => this.manifest(block));
    if (read === null) return false;
    const whole = await this.step(2, "wallets.csv is the tree on chain", () => this.tree(block, read));
    // The rule names the row in which the wallets differ.
    if (level === 3 || (whole === null && this.foundWrong)) await this.rule(read);
    return this.holds;
  }

  /** Report what a step comes to; null where it didn't hold. */
  private async step<T>(level: Level, title: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.holds = false;
      this.foundWrong ||= error instanceof Finding;
      this.report({ level, title, ...outcome(error, { altered: ANOTHER, attested: ATTESTED }) });
      return null;
    }
  }

  private right(level: Level, title: string, value: string): void {
    this.report({ level, title, state: "right", value });
  }

  private async block(): Promise<Block> {
    const { hour, shown } = this.asked;
    const block = await this.sources.block(hour);
    if (block === null) {
      throw new Unavailable(
        `emission hour ${hour} is not on chain: nobody attested it, or its account was closed`,
        KEPT,
      );
    }
    if (block.hour !== hour) {
      throw new Unavailable(`your node's account is of hour ${block.hour}, not ${hour}`, NODE);
    }
    this.finality(block);
    if (shown !== null && shown !== hex(block.root)) {
      throw new Altered(`this page shows root ${shown}, but on chain it is ${hex(block.root)}`);
    }
    this.right(1, "root on chain", hex(block.root));
    this.right(1, "hash of the manifest, on chain", hex(block.dataHash));
    return block;
  }

  /** What isn't final pays nobody: not even a right tree holds then. */
  private finality({ hour, status, devices }: Block): void {
    const title = `hour ${hour} is ${STATUS[status] ?? "in no known state"} on chain`;
    const value = `${devices} devices`;
    if (STATUS[status] === "final") return this.right(1, title, value);
    this.holds = false;
    const says = "it isn't final: nothing is paid by it yet, and it can be vetoed";
    this.report({ level: 1, title, value, state: "unknown", says, todo: "Check it again once it is final." });
  }

  private async leaf(block: Block, wallet: Holder): Promise<void> {
    const { hour } = this.asked;
    const found = await this.sources.proof(hour, wallet.address);
    if (found.hour !== hour || found.wallet !== wallet.address) {
      throw new Altered(
        `the proof is of wallet ${found.wallet} in hour ${found.hour}, not of ${wallet.address} in hour ${hour}`,
      );
    }
    const siblings = found.proof.map(fromHex);
    if (siblings.some((each) => each?.length !== 32)) throw new Altered("the proof has hashes that are none");
    const path = await climb(await leaf(this.network, wallet.key, found.lifetime), siblings as Bytes[]);
    for (const [at, hash] of path.entries()) {
      const title = at === 0 ? `the leaf: this wallet, ${io(found.lifetime)} IO` : `hashed with sibling ${at} of ${siblings.length}`;
      this.right(1, title, hex(hash));
    }
    const top = path[path.length - 1] as Bytes;
    if (!equal(top, block.root)) {
      throw new Altered(
        `the proof leads to ${hex(top)}, but the root on chain is ${hex(block.root)}: the wallet didn't earn ` +
          `${found.lifetime} base units by hour ${hour}`,
      );
    }
    if (wallet.shown !== null && wallet.shown !== found.lifetime) {
      throw new Altered(
        `this page says that the wallet earned ${wallet.shown} base units, but ${found.lifetime} leads to the root`,
      );
    }
    this.right(1, "that is the root on chain", hex(top));
  }

  private async manifest(block: Block): Promise<ReadManifest> {
    const { hour } = this.asked;
    const onChain = (name: string, chain: string | bigint, found: string | bigint): string =>
      `emission hour ${hour}: ${name} on chain is ${chain}, but ${found} in the published files`;
    const dataHash = hex(block.dataHash);
    const read = await this.files.manifest(hour, dataHash, (found) => onChain("data_hash", dataHash, found));
    const { manifest } = read;
    for (const [name, chain, found] of [
      ["root", hex(block.root), manifest.root],
      ["total", block.total, manifest.total],
      ["devices", block.devices, manifest.devices],
    ] as const) {
      if (chain !== found) throw new Finding(onChain(name, chain, found));
    }
    if (!equal(manifest.program, this.network.program) || !equal(manifest.mint, this.network.mint)) {
      throw new Finding(`manifest of hour ${hour}: program or mint is another network's`);
    }
    this.right(2, "manifest.json has the hash, the root and the sums on chain", read.hash);
    return read;
  }

  private async tree(block: Block, { manifest }: ReadManifest): Promise<true> {
    const { hour, wallet } = this.asked;
    const wallets = await this.files.table(manifest, "wallets.csv");
    this.right(2, "wallets.csv is the file that the manifest names", manifest.files["wallets.csv"].sha256);
    const lifetimes = wallets.numbers("lifetime");
    const leaves = await leavesOf(this.network, wallets.keys("wallet"), lifetimes, this.progress);
    const root = hex(await rootOf(leaves, this.progress));
    this.root = root;
    if (root !== manifest.root) {
      throw new Finding(`hour ${hour}: wallets.csv has root ${root}, not ${manifest.root}`);
    }
    this.right(2, `the tree over all ${wallets.rows} wallets has the root on chain`, root);
    const total = lifetimes.reduce((sum, each) => sum + each, 0n);
    if (total !== block.total) {
      throw new Finding(`hour ${hour}: wallets.csv adds up to ${total}, but total on chain is ${block.total}`);
    }
    this.right(2, "all that they ever earned adds up to the total on chain", `${io(total)} IO`);
    if (wallet !== null) this.whose(wallets, wallet);
    return true;
  }

  private whose(wallets: Table, wallet: Holder): void {
    for (let row = 0; row < wallets.rows; row++) {
      if (!equal(wallets.key("wallet", row), wallet.key)) continue;
      const lifetime = wallets.numbers("lifetime")[row] as bigint;
      if (wallet.shown !== null && wallet.shown !== lifetime) {
        throw new Altered(
          `this page says that the wallet earned ${wallet.shown} base units, but wallets.csv has ${lifetime}`,
        );
      }
      this.right(2, `the wallet is row ${row + 1} of wallets.csv`, `${io(lifetime)} IO`);
      return;
    }
    if (wallet.shown !== null && wallet.shown !== 0n) {
      throw new Altered(
        `this page says that the wallet earned ${wallet.shown} base units, but it isn't in wallets.csv`,
      );
    }
    this.right(2, "the wallet is in no row of wallets.csv", "it has earned nothing");
  }

  private async rule(read: ReadManifest): Promise<void> {
    const title = "the hour follows from its inputs by the rule";
    const done = await this.step(3, title, async () => {
      const began = await this.sources.startMonth();
      await recompute(this.files, read, began, this.root, (what, value) => this.right(3, what, value));
      return true;
    });
    if (done === true) this.right(3, title, "computed in this browser, every byte equal");
  }
}

/** The checks against hours that the keeper published, right and changed (tests/vectors/rewards.json). */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { io } from "../src/verify/amount.js";
import type { Block } from "../src/verify/block.js";
import { type Bytes, base58, fromHex, hex, keyOf, sha256 } from "../src/verify/bytes.js";
import { cumulative } from "../src/verify/emission.js";
import { Altered, Finding, type Step, Unavailable } from "../src/verify/finding.js";
import { NotCanonical, parse } from "../src/verify/json.js";
import { type Asked, type Proof, type Sources, verify } from "../src/verify/levels.js";
import { climb, leaf, rootOf } from "../src/verify/merkle.js";
import { reward } from "../src/verify/rule.js";
import { CLASSES, INPUTS, Table, WALLETS, decode } from "../src/verify/table.js";

interface Shown {
  readonly root: string;
  readonly data_hash: string;
  readonly total: string;
  readonly devices: number;
}
interface Hour {
  readonly hour: number;
  readonly block: Shown;
  readonly files: { readonly [name: string]: string };
}
interface Wrong {
  readonly what: string;
  readonly kind: "altered" | "attested";
  readonly block: Shown;
  readonly files: { readonly [name: string]: string | null };
  readonly says: string;
}

const VECTORS = process.env["IONET_VECTORS"] ?? "../tests/vectors";
function read<T>(name: string): T {
  return JSON.parse(readFileSync(`${VECTORS}/${name}.json`, "utf-8")) as T;
}

const golden = read<{ program: string; mint: string; hours: Hour[]; wrong: Wrong[] }>("rewards");
const network = { program: keyOf(golden.program) as Bytes, mint: keyOf(golden.mint) as Bytes };
const hours = new Map(golden.hours.map((each) => [each.hour, each]));

function block(hour: number, shown: Shown): Block {
  return {
    hour,
    status: 2,
    devices: BigInt(shown.devices),
    total: BigInt(shown.total),
    root: fromHex(shown.root) as Bytes,
    dataHash: fromHex(shown.data_hash) as Bytes,
  };
}

/** Whoever serves the hours, with some files of one changed or away. */
function sources(changed: { readonly [path: string]: string | null } = {}, told: Partial<Sources> = {}): Sources {
  return {
    block: async (hour) => {
      const found = hours.get(hour);
      return found === undefined ? null : block(hour, found.block);
    },
    // July 2024.
    startMonth: async () => 54 * 12 + 6,
    proof: async (hour, wallet) => await proofOf(hour, wallet),
    file: async (hour, name) => {
      const path = `${hour}/${name}`;
      const text = path in changed ? changed[path] : hours.get(hour)?.files[name];
      if (text === undefined || text === null) throw new Unavailable(`${path} is missing`, "ask somebody else");
      return new TextEncoder().encode(text);
    },
    ...told,
  };
}

/** A proof as the API gives it, made from wallets.csv. */
async function proofOf(hour: number, wallet: string): Promise<Proof> {
  const text = hours.get(hour)?.files["wallets.csv"] as string;
  const wallets = decode(new TextEncoder().encode(text), WALLETS, "wallets.csv");
  const leaves: Bytes[] = [];
  let at = -1;
  for (let row = 0; row < wallets.rows; row++) {
    if (wallets.text("wallet", row) === wallet) at = row;
    leaves.push(await leaf(network, wallets.key("wallet", row), wallets.numbers("lifetime")[row] as bigint));
  }
  const lifetime = wallets.numbers("lifetime")[at] as bigint;
  const proof: string[] = [];
  let level = leaves;
  while (level.length > 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) proof.push(hex(sibling));
    const above: Bytes[] = [];
    for (let pair = 0; pair < level.length; pair += 2) {
      const two = level.slice(pair, pair + 2);
      above.push(two.length === 2 ? ((await climb(two[0] as Bytes, [two[1] as Bytes]))[1] as Bytes) : (two[0] as Bytes));
    }
    level = above;
    at >>= 1;
  }
  return { hour, wallet, lifetime, proof };
}

function walletOf(hour: number, row: number): { address: string; key: Bytes; lifetime: bigint } {
  const [address, lifetime] = (hours.get(hour)?.files["wallets.csv"]?.split("\n")[row] as string).split(",");
  return { address: address as string, key: keyOf(address as string) as Bytes, lifetime: BigInt(lifetime as string) };
}

async function run(asked: Partial<Asked>, from = sources()): Promise<{ holds: boolean; steps: Step[] }> {
  const steps: Step[] = [];
  const holds = await verify(
    network,
    from,
    { hour: 1, level: 3, wallet: null, shown: null, ...asked },
    (step) => steps.push(step),
  );
  assert.equal(holds, steps.every((each) => each.state === "right"));
  return { holds, steps };
}

function says(steps: readonly Step[]): string[] {
  return steps.filter((each) => each.state !== "right").map((each) => each.says as string);
}

for (const hour of [0, 1, 743, 744]) {
  test(`hour ${hour} holds at every level`, async () => {
    const holder = walletOf(hour, 3);
    const asked = { hour, wallet: { ...holder, shown: holder.lifetime }, shown: hours.get(hour)?.block.root as string };
    const { holds, steps } = await run(asked);
    assert.deepEqual(says(steps), []);
    assert.ok(holds);
    const manifest = hours.get(hour)?.files["manifest.json"] as string;
    const values = steps.map((each) => each.value);
    assert.ok(values.includes(hours.get(hour)?.block.root));
    for (const digest of manifest.match(/[0-9a-f]{64}/g) as string[]) assert.ok(values.includes(digest), digest);
  });
}

for (const wrong of golden.wrong) {
  test(`named alike: ${wrong.what}`, async () => {
    const changed = Object.fromEntries(Object.entries(wrong.files).map(([name, text]) => [`1/${name}`, text]));
    const from = sources(changed, {
      block: async (hour) => block(hour, hour === 1 ? wrong.block : (hours.get(hour) as Hour).block),
    });
    const { steps } = await run({}, from);
    const found = says(steps);
    assert.ok(found.includes(wrong.says), `${found.join("\n")}\nbut the keeper says\n${wrong.says}`);
    const step = steps.find((each) => each.says === wrong.says) as Step;
    const missing = wrong.says.endsWith("is missing");
    assert.equal(step.state, missing ? "unknown" : "wrong");
    if (missing) return;
    const blamed = step.todo?.startsWith("Whoever serves") ? "altered" : "attested";
    // A manifest's own word for the hour before is held against the file that is there.
    assert.equal(blamed, wrong.what.startsWith("another hour before") ? "altered" : wrong.kind);
  });
}

test("pow.json with bytes that the keeper refuses isn't taken for a right one", async () => {
  const published = hours.get(1) as Hour;
  const record = published.files["pow.json"] as string;
  const manifest = published.files["manifest.json"] as string;
  const digestOf = async (text: string): Promise<string> => hex(await sha256(new TextEncoder().encode(text)));
  const changed = `\ufeff${record}`;
  const named = manifest.replace(await digestOf(record), await digestOf(changed));
  assert.notEqual(named, manifest);
  const from = sources(
    { "1/pow.json": changed, "1/manifest.json": named },
    { block: async () => block(1, { ...published.block, data_hash: await digestOf(named) }) },
  );
  assert.deepEqual(says((await run({}, from)).steps), ["1/pow.json: pow.json is not canonical JSON"]);
});

test("an hour of an emission that began in another month than on chain", async () => {
  const { holds, steps } = await run({ hour: 1, level: 3 }, sources({}, { startMonth: async () => 54 * 12 + 7 }));
  const wrong = steps.filter((each) => each.state !== "right");
  assert.deepEqual(
    [holds, wrong.map((each) => [each.state, each.says])],
    [false, [["wrong", "manifest of hour 1: start is 1719795600, but emission began at 1722470400 on chain: it is 1722474000"]]],
  );
});

test("an hour that can still be vetoed doesn't hold", async () => {
  const from = sources({}, { block: async (hour) => ({ ...block(hour, (hours.get(hour) as Hour).block), status: 1 }) });
  const { holds, steps } = await run({}, from);
  assert.equal(holds, false);
  assert.deepEqual(says(steps), ["it isn't final: nothing is paid by it yet, and it can be vetoed"]);
  assert.equal(steps.filter((each) => each.state === "unknown").length, 1);
});

test("a changed manifest isn't the one on chain", async () => {
  const manifest = hours.get(1)?.files["manifest.json"] as string;
  const changed = manifest.replace('"paid":4', '"paid":5');
  assert.notEqual(changed, manifest);
  const { steps } = await run({}, sources({ "1/manifest.json": changed }));
  const found = hex(await sha256(new TextEncoder().encode(changed)));
  assert.deepEqual(says(steps), [
    `emission hour 1: data_hash on chain is ${hours.get(1)?.block.data_hash}, but ${found} in the published files`,
  ]);
});

test("a changed byte of wallets.csv is named by its row at level 2, too", async () => {
  const text = hours.get(1)?.files["wallets.csv"] as string;
  const { steps } = await run({ level: 2 }, sources({ "1/wallets.csv": text.replace(/,(\d)/, ",9$1") }));
  const found = says(steps);
  assert.equal(found.length, 2);
  assert.match(found[0] as string, /^1\/wallets\.csv is not the file that the manifest names: its SHA-256 differs$/);
  assert.match(found[1] as string, /differs; 1\/wallets\.csv: row 1, lifetime: 9\d+, but the rule gives \d+$/);
});

test("answers that aren't about what was asked, or don't lead to the root", async () => {
  const { address, key, lifetime } = walletOf(1, 2);
  const wallet = { address, key, shown: null };
  const other = walletOf(1, 3).address;
  const told = async (change: (proof: Proof) => Proof, shown: bigint | null = null): Promise<string> => {
    const from = sources({}, { proof: async (hour, name) => change(await proofOf(hour, name)) });
    const { steps } = await run({ level: 1, wallet: { ...wallet, shown } }, from);
    const wrong = steps.filter((each) => each.state === "wrong");
    assert.equal(wrong.length, 1);
    assert.match(wrong[0]?.todo as string, /^Whoever serves this page/);
    return wrong[0]?.says as string;
  };
  const words = await told((proof) => ({ ...proof, lifetime: lifetime + 1n }));
  assert.match(words, new RegExp(`^the proof leads to [0-9a-f]{64}, but the root on chain is ${hours.get(1)?.block.root}`));
  assert.match(await told((proof) => ({ ...proof, proof: proof.proof.slice(1) })), /^the proof leads to/);
  assert.match(await told((proof) => ({ ...proof, proof: ["xy"] })), /^the proof has hashes that are none/);
  assert.match(await told((proof) => ({ ...proof, hour: 0 })), /^the proof is of wallet .* in hour 0, not of .* in hour 1$/);
  assert.match(await told((proof) => ({ ...proof, wallet: other })), new RegExp(`^the proof is of wallet ${other}`));
  assert.equal(
    await told((proof) => proof, lifetime + 5n),
    `this page says that the wallet earned ${lifetime + 5n} base units, but ${lifetime} leads to the root`,
  );
  const past = sources({}, { proof: async (hour, name) => ({ ...(await proofOf(0, name)), hour }) });
  const { steps } = await run({ level: 1, wallet: { ...walletOf(0, 2), shown: null } }, past);
  assert.match(says(steps)[0] as string, /^the proof leads to/);
});

test("a wallet that earned nothing is in no row, and a page that says otherwise is told", async () => {
  const key = await sha256(new Uint8Array(1));
  const wallet = { address: base58(key), key, shown: 0n };
  const from = sources({}, { proof: async () => { throw new Unavailable("nothing is proved", "see level 2"); } });
  const { steps } = await run({ level: 2, wallet }, from);
  assert.ok(steps.some((each) => each.title === "the wallet is in no row of wallets.csv"));
  const told = await run({ level: 2, wallet: { ...wallet, shown: 7n } }, from);
  assert.ok(says(told.steps).includes("this page says that the wallet earned 7 base units, but it isn't in wallets.csv"));
});

test("a page that shows another root, an hour that isn't on chain, a node that is away or elsewhere", async () => {
  const shown = "ab".repeat(32);
  const root = hours.get(1)?.block.root;
  assert.deepEqual(says((await run({ shown, level: 1 })).steps), [
    `this page shows root ${shown}, but on chain it is ${root}`,
  ]);
  const gone = await run({ hour: 5 });
  assert.deepEqual(says(gone.steps), [
    "emission hour 5 is not on chain: nobody attested it, or its account was closed",
  ]);
  const away = sources({}, { block: async () => { throw new Unavailable("your node didn't answer", "choose another"); } });
  const { steps } = await run({}, away);
  assert.deepEqual(steps.map(({ state, says: words, todo }) => [state, words, todo]), [
    ["unknown", "your node didn't answer", "choose another"],
  ]);
  const elsewhere = sources({}, { block: async () => block(7, (hours.get(1) as Hour).block) });
  assert.deepEqual(says((await run({}, elsewhere)).steps), ["your node's account is of hour 7, not 1"]);
});

test("without a secure context it says so", async () => {
  const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto") as PropertyDescriptor;
  Object.defineProperty(globalThis, "crypto", { configurable: true, value: {} });
  try {
    const { steps } = await run({ level: 2 });
    assert.match(says(steps)[0] as string, /^this page wasn't loaded securely/);
  } finally {
    Object.defineProperty(globalThis, "crypto", crypto);
  }
});

test("trees are the program's", async () => {
  const rows = read<{ leaves: string[]; root: string; leaf: string; proof: string; proves: boolean }[]>("merkle");
  for (const row of rows) {
    const leaves = fromHex(row.leaves.join("")) as Bytes;
    assert.equal(hex(await rootOf(leaves)), row.root);
    const siblings = (row.proof.match(/.{1,64}/g) ?? []).map((each) => fromHex(each) as Bytes);
    // A sibling that is cut short is refused before it is hashed: see answers that don't lead to the root.
    if (siblings.some((each) => each.length !== 32)) continue;
    const path = await climb(fromHex(row.leaf) as Bytes, siblings);
    assert.equal(hex(path[path.length - 1] as Bytes) === row.root, row.proves);
  }
});

test("the emission is the program's, months that have begun too", () => {
  // JSON.parse would round what is above 2^53.
  let compared = 0;
  const text = readFileSync(`${VECTORS}/emission.json`, "utf-8");
  for (const [line] of text.matchAll(/\{[^}]*\}/g)) {
    const of = (name: string): string | undefined => new RegExp(`"${name}":\\s*(\\d+)`).exec(line)?.[1];
    const [start, passed, emitted] = [of("start_month"), of("hours"), of("cumulative")];
    if (start === undefined || passed === undefined || emitted === undefined) continue;
    assert.equal(cumulative(Number(start), Number(passed)), BigInt(emitted), line);
    compared++;
  }
  assert.ok(compared > 100);
});

test("addresses are read and written in the one way there is", async () => {
  for (let number = 0; number < 300; number++) {
    const key = await sha256(new Uint8Array([number & 0xff, number >> 8]));
    if (number % 3 === 0) key.fill(0, 0, number % 33);
    if (number % 5 === 0) key.fill(0, 32 - (number % 31));
    const text = base58(key);
    assert.deepEqual(keyOf(text), key);
    assert.equal(keyOf(`1${text}`), null);
    if (text.startsWith("1")) assert.equal(keyOf(text.slice(1)), null);
  }
  assert.equal(base58(new Uint8Array(32)), "1".repeat(32));
  assert.equal(base58(new Uint8Array(32).fill(255)), "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG");
  assert.equal(keyOf("JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFH"), null);
  for (const text of ["", "l", "é".repeat(44), "z".repeat(44), "z".repeat(500)]) assert.equal(keyOf(text), null);
});

test("amounts have all their decimals", () => {
  assert.deepEqual([0n, 1n, 123_456_789n, 448_028_673_834n].map(io), [
    "0.00000000",
    "0.00000001",
    "1.23456789",
    "4,480.28673834",
  ]);
  assert.equal(io(80_000_000_000_000_000n), "800,000,000.00000000");
});

test("canonical JSON alone, with integers as large as they come", () => {
  assert.deepEqual(parse('{"a":[9007199254740993,-1],"b":null}'), Object.assign(Object.create(null), { a: [9007199254740993n, -1n], b: null }));
  for (const text of ['{"b":1,"a":2}', '{"a": 1}', '{"a":1.5}', '{"a":01}', '{"a":1}x', '{"a":1,"a":1}', "", "[", "[1,]", '{"a"}', '"\\u0061"', "-0", "[".repeat(99), '{{}:1}', "nul"]) {
    assert.throws(() => parse(text), NotCanonical, text);
  }
});

test("rows that no hour has are refused by the rule, however they are written", () => {
  const files = (hours.get(0) as Hour).files;
  const table = (name: "inputs.csv" | "classes.csv", columns: typeof INPUTS): Table =>
    decode(new TextEncoder().encode(files[name]), columns, name);
  const hour = { number: 0, start: 1_719_792_000n, emitted: 448_028_673_835n };
  const before = new Table(WALLETS, 0);
  const found = reward(hour, table("inputs.csv", INPUTS), table("classes.csv", CLASSES), before);
  assert.equal(found.paid, 448_028_673_825n);
  const paid = new Table(WALLETS, 1);
  paid.numbers("lifetime")[0] = 448_028_673_836n;
  assert.throws(() => reward(hour, table("inputs.csv", INPUTS), table("classes.csv", CLASSES), paid), {
    message: "448028673836 base units were paid before hour 0, 1 too many",
  });
  for (const [name, value] of [["processors", 9n], ["tier", 5n], ["co_state", 4n], ["own", 2n ** 62n]] as const) {
    const rows = table("inputs.csv", INPUTS);
    rows.numbers(name)[0] = value;
    assert.throws(() => reward(hour, rows, table("classes.csv", CLASSES), before), Finding);
  }
  assert.ok(new Altered("") instanceof Finding);
});

// Hours that tests/browser/test_rule_by_chance.py published: two in each folder of IONET_HOURS.
const others = process.env["IONET_HOURS"];
const folders = others === undefined ? [] : readdirSync(others);
test(`${2 * folders.length} hours of others hold`, async () => {
  for (const folder of folders) {
    const bytes = (hour: number, name: string): Bytes =>
      new Uint8Array(readFileSync(`${others}/${folder}/${hour}/${name}`));
    for (const hour of [0, 1]) {
      const manifest = new TextDecoder().decode(bytes(hour, "manifest.json"));
      const stated = (name: string): string => (new RegExp(`"${name}":"?([0-9a-f]+)`).exec(manifest) as RegExpExecArray)[1] as string;
      const found = { root: stated("root"), data_hash: "", total: stated("total"), devices: Number(stated("devices")) };
      const dataHash = await sha256(bytes(hour, "manifest.json"));
      const { steps } = await run(
        { hour },
        sources({}, {
          block: async () => ({ ...block(hour, found), dataHash }),
          file: async (of, name) => bytes(of, name),
        }),
      );
      assert.deepEqual(says(steps), [], `${folder}/${hour}`);
    }
  }
});

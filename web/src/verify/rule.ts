/**
 * The rule: which devices earn in an hour, how much, and what every wallet has earned so far.
 *
 * The same as keeper/rewards/rule.py, written once more, in whole numbers of any size: from the same rows both
 * give the same bytes. docs/protocol.md, R7 to R10.
 */

import { KEY_BYTES } from "./bytes.js";
import { Finding } from "./finding.js";
import { REWARDS, Table, WALLETS } from "./table.js";

const HOUR = 3_600n;
const IO = 10n ** 8n;
/** Pools share an hour 9.5 to 0.5; points are shown in thousandths. */
const ENTERPRISE_POINTS = 9_500_000n;
const ALL_POINTS = 10_000_000n;
const POINT_PARTS = 1_000n;
const POOLS = [0n, 1n];
/** A device must have been up for longer than this before the hour, seconds. */
const UPTIME = 5n * HOUR;
const VRAM_FAILURES = 4n;
const VRAM_PAUSE = 12n * HOUR;
const BPS = 10_000n;
/** 200 IO for each processor, times the multiplier where that is above 1 (100 hundredths). */
const MIN_STAKE = 200n * IO;
const MULTIPLIER_UNIT = 100n;
const ACTIVE = 1n;
const WAITING = 2n;

/** What became of a device's proof of work. */
const WORK = { missing: 0n, passed: 1n, failed: 2n, slow: 3n, unshown: 4n };

/** Why a device earned nothing: a bit for each criterion. */
const REASON = {
  notRewarded: 1n,
  terminated: 2n,
  slashPending: 4n,
  insufficientStake: 8n,
  uptime: 16n,
  vram: 32n,
  workMissing: 64n,
  workFailed: 128n,
  offline: 256n,
  barred: 512n,
  workSlow: 1024n,
  workUnshown: 2048n,
};
/** What a nominated device can fail; everything else keeps it from being nominated. */
const DURING_HOUR = REASON.workMissing | REASON.workFailed | REASON.workSlow | REASON.offline;
const MISSED = 0n;
const FAILED = 1n;
const SUCCEEDED = 2n;

/** No network has seconds or amounts from here on; below, sums of a few of them fit 64 bits. */
const LARGEST = 2n ** 62n;
/** The program's own bounds, as far as a column could hold more. */
const BOUNDS: readonly (readonly [string, bigint])[] = [
  ["processors", 8n],
  ["tier", 4n],
  ["co_state", 3n],
  ["co_reward_bps", BPS],
  ["work", WORK.unshown],
  ["measured_tier", 4n],
];

/** An hour: its start (unix seconds), and what may have been paid by its end (base units). */
export interface Hour {
  readonly number: number;
  readonly start: bigint;
  readonly emitted: bigint;
}

/** What the rule gives; `pot` is what could be paid, `paid` what was, `total` all ever paid. */
export interface Result {
  readonly rewards: Table;
  readonly wallets: Table;
  readonly pot: bigint;
  readonly paid: bigint;
  readonly total: bigint;
  readonly succeeded: bigint;
  readonly failed: bigint;
  readonly missed: bigint;
}

/**
 * Compute an hour from `inputs.csv`, `classes.csv` and the `wallets.csv` of the hour before.
 *
 * Throws Finding for rows that no hour can be computed from.
 */
export function reward(hour: Hour, inputs: Table, classes: Table, before: Table): Result {
  require(inputs, classes, before);
  const paidBefore = sum(before.numbers("lifetime"));
  const pot = hour.emitted - paidBefore;
  if (pot < 0n) {
    throw new Finding(`${paidBefore} base units were paid before hour ${hour.number}, ${-pot} too many`);
  }
  const rewards = new Table(REWARDS, inputs.rows);
  rewards.keys("device").set(inputs.keys("device"));
  const counts = [0n, 0n, 0n];
  const sums = POOLS.map(() => 0n);
  const some = POOLS.map(() => false);
  const known = byClass(classes);
  for (let row = 0; row < inputs.rows; row++) {
    const [multiplier, pool] = known.get(number(inputs, "class", row)) ?? [0n, 0n];
    const failed = reasons(hour, inputs, row, multiplier);
    const score = scoreOf(inputs, row, multiplier);
    const status = failed === 0n ? SUCCEEDED : (failed & ~DURING_HOUR) === 0n ? FAILED : MISSED;
    put(rewards, row, { pool, status, reasons: failed, score });
    counts[Number(status)] = (counts[Number(status)] as bigint) + 1n;
    if (status === SUCCEEDED) {
      sums[Number(pool)] = (sums[Number(pool)] as bigint) + score;
      some[Number(pool)] = true;
    }
  }
  const amounts = divide(pot, some);
  const points = divide(ALL_POINTS * POINT_PARTS, some);
  for (let row = 0; row < inputs.rows; row++) {
    if (number(rewards, "status", row) !== SUCCEEDED) continue;
    const pool = Number(number(rewards, "pool", row));
    const score = number(rewards, "score", row);
    const whole = sums[pool] as bigint;
    const earned = (score * (amounts[pool] as bigint)) / whole;
    const active = number(inputs, "co_state", row) === ACTIVE;
    const coStaker = active ? (earned * number(inputs, "co_reward_bps", row)) / BPS : 0n;
    put(rewards, row, {
      normalised: (score * (points[pool] as bigint)) / whole,
      reward: earned,
      supplier: earned - coStaker,
      co_staker: coStaker,
    });
  }
  const paid = sum(rewards.numbers("reward"));
  const [missed, failed, succeeded] = counts as [bigint, bigint, bigint];
  const wallets = added(inputs, rewards, before);
  return { rewards, wallets, pot, paid, total: paidBefore + paid, succeeded, failed, missed };
}

/** The criteria that a device failed. */
function reasons(hour: Hour, inputs: Table, row: number, multiplier: bigint): bigint {
  const of = (name: string): bigint => number(inputs, name, row);
  const { start } = hour;
  const state = of("co_state");
  const counts = state === ACTIVE || (state === WAITING && start < of("co_until"));
  const stake = of("own") + (counts ? of("co_amount") : 0n);
  const atLeastOne = multiplier > MULTIPLIER_UNIT ? multiplier : MULTIPLIER_UNIT;
  const minimum = (MIN_STAKE / MULTIPLIER_UNIT) * atLeastOne * of("processors");
  const since = of("sufficient_since");
  const upSince = of("up_since");
  const work = of("work");
  const criteria: [bigint, boolean][] = [
    [REASON.notRewarded, multiplier === 0n],
    [REASON.terminated, of("terminated") !== 0n],
    [REASON.slashPending, of("slash_pending") !== 0n],
    [REASON.insufficientStake, since === 0n || since > start || stake < minimum],
    [REASON.uptime, upSince === 0n || upSince + UPTIME >= start],
    [REASON.vram, of("vram_failures") >= VRAM_FAILURES && of("vram_failed_at") + VRAM_PAUSE >= start],
    [REASON.workMissing, work === WORK.missing],
    [REASON.workFailed, work === WORK.failed],
    [REASON.workSlow, work === WORK.slow],
    [REASON.workUnshown, work === WORK.unshown],
    [REASON.offline, of("online") === 0n],
    // The last bar before the hour's end tells of any moment of it.
    [REASON.barred, of("barred_until") > start],
  ];
  return criteria.reduce((found, [reason, failed]) => (failed ? found | reason : found), 0n);
}

/** `50 * tier + 200 * multiplier * processors + 5 * hired`, the multiplier in hundredths. */
function scoreOf(inputs: Table, row: number, multiplier: bigint): bigint {
  const of = (name: string): bigint => number(inputs, name, row);
  // A device that was never measured counts as one of the lowest tier.
  const measured = of("measured_tier") || 1n;
  const tier = of("tier") < measured ? of("tier") : measured;
  const shown = of("processors_shown");
  const processors = shown > 0n && shown < of("processors") ? shown : of("processors");
  return 50n * tier + 200n * multiplier * processors + 5n * of("hired");
}

/** Divide by the pools in which a device succeeded: a pool without one gives its part to the other. */
function divide(whole: bigint, some: readonly boolean[]): bigint[] {
  if (!some.every(Boolean)) return some.map((is) => (is ? whole : 0n));
  const enterprise = (whole * ENTERPRISE_POINTS) / ALL_POINTS;
  return [enterprise, whole - enterprise];
}

/** Add what devices earned to what wallets had; wallets that never earned are left out. */
function added(inputs: Table, rewards: Table, before: Table): Table {
  const found = new Map<string, { lifetime: bigint; earned: bigint }>();
  for (let row = 0; row < before.rows; row++) {
    found.set(raw(before, "wallet", row), { lifetime: number(before, "lifetime", row), earned: 0n });
  }
  for (let row = 0; row < inputs.rows; row++) {
    for (const [wallet, part] of [
      ["payout", "supplier"],
      ["co_staker", "co_staker"],
    ] as const) {
      const amount = number(rewards, part, row);
      if (amount === 0n) continue;
      const name = raw(inputs, wallet, row);
      const had = found.get(name);
      if (had === undefined) found.set(name, { lifetime: amount, earned: amount });
      else {
        had.lifetime += amount;
        had.earned += amount;
      }
    }
  }
  const wallets = new Table(WALLETS, found.size);
  // A character for each byte: texts are in the order of bytes.
  const names = [...found.keys()].sort((a, b) => (a < b ? -1 : 1));
  for (const [row, name] of names.entries()) {
    const key = wallets.key("wallet", row);
    for (let byte = 0; byte < KEY_BYTES; byte++) key[byte] = name.charCodeAt(byte);
    put(wallets, row, found.get(name) as { lifetime: bigint; earned: bigint });
  }
  return wallets;
}

/** Throw Finding for rows that aren't in order, or that no network has. */
function require(inputs: Table, classes: Table, before: Table): void {
  for (const [table, name] of [
    [inputs, "device"],
    [before, "wallet"],
    [classes, "id"],
  ] as const) {
    if (!table.rises(name)) {
      throw new Finding("rows must be sorted by address or number, and none may be there twice");
    }
  }
  const wide = inputs.columns.filter(([, kind]) => kind === "u8").map(([name]) => [name, LARGEST - 1n] as const);
  for (const [table, bounds] of [
    [inputs, [...BOUNDS, ...wide]],
    [classes, [["multiplier", 50_000n], ["pool", 1n]]],
    [before, [["lifetime", LARGEST - 1n]]],
  ] as const) {
    for (const [name, most] of bounds) {
      let highest = 0n;
      for (const value of table.numbers(name)) if (value > highest) highest = value;
      if (highest > most) throw new Finding(`${name} is ${highest} in a row, which is more than ${most}`);
    }
  }
}

function byClass(classes: Table): Map<bigint, [bigint, bigint]> {
  const found = new Map<bigint, [bigint, bigint]>();
  for (let row = 0; row < classes.rows; row++) {
    found.set(number(classes, "id", row), [number(classes, "multiplier", row), number(classes, "pool", row)]);
  }
  return found;
}

function number(table: Table, name: string, row: number): bigint {
  return table.numbers(name)[row] as bigint;
}

function put(table: Table, row: number, values: { readonly [name: string]: bigint }): void {
  for (const [name, value] of Object.entries(values)) table.numbers(name)[row] = value;
}

function raw(table: Table, name: string, row: number): string {
  return String.fromCharCode(...table.key(name, row));
}

function sum(column: BigUint64Array): bigint {
  let all = 0n;
  for (const each of column) all += each;
  return all;
}

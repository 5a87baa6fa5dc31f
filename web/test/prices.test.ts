/** A class's price is the programs' own (tests/vectors/staking_price.json, which Rust wrote). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { holdsFrom, priceAt, pricesUntil } from "../src/acts/prices.js";

type Row = Readonly<Record<string, bigint | boolean>>;

const VECTORS = process.env["IONET_VECTORS"] ?? "../tests/vectors";
const HOUR = 3600n;

test("a price is what the program says", () => {
  const text = readFileSync(`${VECTORS}/staking_price.json`, "utf-8");
  // Numbers beyond 2^53 keep their digits.
  const rows = JSON.parse(text.replace(/:(-?\d+)/g, ':"$1"'), (_, each) =>
    typeof each === "string" && /^-?\d+$/.test(each) ? BigInt(each) : each,
  ) as Row[];
  assert.ok(rows.length > 50);
  for (const row of rows) {
    const number = (name: string): bigint => row[name] as bigint;
    // No hour, no step: nothing writes such an account.
    if (number("step") && !number("price_hour")) continue;
    const of = {
      amount: number("price"),
      low: number("low"),
      high: number("high"),
      step: number("step"),
      stepAt: holdsFrom(Number(number("price_hour"))),
      nextLow: number("next_low"),
      nextHigh: number("next_high"),
      boundsAt: number("bounds_at"),
    };
    const found = priceAt(of, number("now"));
    const wanted = { amount: number("amount"), low: number("low_now"), high: number("high_now"), isStale: row["stale"] };
    assert.deepEqual(found, wanted, JSON.stringify(row, (_, each) => (typeof each === "bigint" ? String(each) : each)));
  }
});

test("the prices of a time are those that hold in it, each from its second on", () => {
  const of = { amount: 1000n, low: 1n, high: 10_000n, step: 1000n, stepAt: 5n * HOUR, nextLow: 2000n, nextHigh: 3000n, boundsAt: 6n * HOUR };
  const found = (from: bigint, to: bigint) => pricesUntil(of, from, to).map(({ at, price }) => [at, price.amount]);
  assert.deepEqual(found(4n * HOUR, 7n * HOUR), [[4n * HOUR, 1000n], [5n * HOUR, 1100n], [6n * HOUR, 2000n]]);
  assert.deepEqual(found(5n * HOUR, 6n * HOUR), [[5n * HOUR, 1100n]]);
});

/** Amounts as people write and read them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { read, show } from "../src/ui/amounts.js";

test("an amount has all its decimals, and a token without any is whole", () => {
  assert.equal(show(123_456_789_012n, 8), "1,234.56789012");
  assert.equal(show(-1n, 6), "-0.000001");
  assert.equal(show(1_500n, 0), "1,500");
  assert.equal(show(0n, 0), "0");
});

test("commas part thousands, and no others", () => {
  assert.equal(read("1,250.5", 8), 125_050_000_000n);
  assert.equal(read("1250000", 6), 1_250_000_000_000n);
  // Elsewhere that is one and a half: it isn't taken for fifteen.
  for (const text of ["1,5", "1,2,3", "12,50", "1,250,5", "1.250,5", ",5"]) assert.throws(() => read(text, 8), /such as 1,250.5/);
  assert.throws(() => read("1,5", 0), /whole number/);
});

test("a share in percent is as it is typed", () => {
  assert.deepEqual(["1.1", "0.29", "12.5", "20"].map((each) => read(each, 2)), [110n, 29n, 1250n, 2000n]);
});

// What is an explorer is the same here as in keeper/settings/explorer.py: tests/vectors/explorers.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { isExplorer, shownAt } from "../src/chain/explorer.js";

const VECTORS = process.env["IONET_VECTORS"] ?? "../tests/vectors";
const vectors = JSON.parse(readFileSync(`${VECTORS}/explorers.json`, "utf8")) as {
  right: [string, string, string][];
  wrong: string[];
};

test("where it shows a transaction, and an address", () => {
  for (const [template, transaction, address] of vectors.right) {
    assert.ok(isExplorer(template), template);
    assert.equal(shownAt(template, true, "ID"), transaction);
    assert.equal(shownAt(template, false, "ID"), address);
  }
});

test("what is none", () => {
  for (const template of [...vectors.wrong, `https://x.example/{tx,address}/{id}${"x".repeat(300)}`]) assert.ok(!isExplorer(template), template);
});

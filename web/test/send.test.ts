/** What is said of a transaction on its way, by what a node answers: nobody is told to sign again what may land. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { answering, type Script } from "./page.js";
import type { Signature } from "@solana/kit";
import { follow, forget, lastSent, pending, remember, type Outcome, type Pending } from "../src/tx/send.js";

const SIGNATURE = "5".repeat(88) as Signature;
const SENT: Pending = { signature: SIGNATURE, wire: "AQ==", lastValid: "100", title: "Stake", at: 0 };
const ASKED = { searchTransactionHistory: true };

const status = (slot: number, confirmationStatus: string | null = null, err: unknown = null): unknown => ({
  context: { slot },
  value: [confirmationStatus === null ? null : { slot, confirmations: null, err, confirmationStatus }],
});
const epoch = (absoluteSlot: number, blockHeight: number): unknown => ({
  absoluteSlot, blockHeight, epoch: 0, slotIndex: absoluteSlot, slotsInEpoch: 432_000, transactionCount: 1,
});
/** A node's trial that refuses. */
const refused = (err: unknown): unknown => ({
  code: -32002,
  message: "Transaction simulation failed",
  data: { err, logs: [], accounts: null, unitsConsumed: 0, returnData: null },
});

/** What is told, each once in turn, and how it was sent. */
async function told(script: Script): Promise<{ states: string[]; last: Outcome; skipped: unknown[] }> {
  const states: string[] = [];
  let last: Outcome = { state: "sent" };
  const asked = answering(script);
  await follow(SENT, (outcome) => {
    last = outcome;
    if (states.at(-1) !== outcome.state) states.push(outcome.state);
  });
  const skipped = asked.filter(([method]) => method === "sendTransaction");
  return { states, last, skipped: skipped.map(([, [, given]]) => (given as { skipPreflight?: boolean }).skipPreflight) };
}

test("it is final, and the node is asked for its history", async () => {
  const asked = answering({ getSignatureStatuses: [status(5, "finalized")] });
  await follow(SENT, () => {});
  assert.deepEqual(asked, [["getSignatureStatuses", [[SIGNATURE], ASKED]]]);
});

test("what is final forgets itself, and not what was signed after it", async () => {
  remember(SENT);
  const next = { ...SENT, signature: "4".repeat(88) as Signature };
  answering({ getSignatureStatuses: [status(5, "confirmed"), status(6, "finalized")] });
  await follow(SENT, ({ state }) => {
    if (state === "confirmed") remember(next);
  });
  assert.deepEqual(pending(), next);
  await follow(next, () => {});
  assert.equal(pending(), null);
});

test("a browser that may keep nothing remembers what was sent as long as the page is there", () => {
  const given = Object.getOwnPropertyDescriptor(globalThis, "localStorage")!;
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get: () => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    },
  });
  try {
    assert.equal(pending(), null);
    remember(SENT);
    assert.deepEqual(pending(), SENT);
    assert.equal(lastSent(), SIGNATURE);
    forget(SIGNATURE);
    assert.equal(pending(), null);
  } finally {
    Object.defineProperty(globalThis, "localStorage", given);
  }
});

test("a node that is behind the one that counts blocks doesn't say that it expired", async () => {
  const { states } = await told({
    getSignatureStatuses: [status(90), status(90), status(201, "finalized")],
    getEpochInfo: [epoch(200, 101)],
  });
  assert.deepEqual(states, ["sent", "final"]);
  const over = await told({ getSignatureStatuses: [status(200)], getEpochInfo: [epoch(200, 101)] });
  assert.deepEqual(over.states, ["sent", "expired"]);
});

test("what failed on a fork alone isn't refused", async () => {
  const failed = { InstructionError: [2, { Custom: 1 }] };
  const { states } = await told({ getSignatureStatuses: [status(5, "processed", failed), status(6, "finalized")] });
  assert.deepEqual(states, ["sent", "final"]);
});

test("it failed, and why isn't known", async () => {
  const failed = { InstructionError: [2, { Custom: 6 }] };
  const { states, last } = await told({ getSignatureStatuses: [status(5, "confirmed", failed)] });
  assert.deepEqual(states, ["sent", "refused"]);
  assert.match((last as { words: string }).words, /^the chain refuses it: /);
});

test("a trial's refusal ends it when it was never sent", async () => {
  const { states, skipped } = await told({
    getSignatureStatuses: [status(5)],
    getEpochInfo: [epoch(200, 50)],
    sendTransaction: [refused("InsufficientFundsForFee")],
  });
  assert.deepEqual([states, skipped], [["sent", "refused"], [false]]);
});

test("no trial refuses what was sent before, without an answer", async () => {
  const { states, skipped } = await told({
    getSignatureStatuses: [status(5), status(6), status(7), status(8, "finalized")],
    getEpochInfo: [epoch(200, 50)],
    sendTransaction: [{ code: -32005, message: "Node is behind" }, SIGNATURE],
  });
  assert.deepEqual([states, skipped], [["sent", "final"], [false, true]]);
});

for (const name of ["AlreadyProcessed", "BlockhashNotFound"])
  test(`${name} is no refusal: it may land, or has`, async () => {
    const { states } = await told({
      getSignatureStatuses: [status(5), status(5), status(7, "finalized")],
      getEpochInfo: [epoch(200, 50)],
      sendTransaction: [refused(name)],
    });
    assert.deepEqual(states, ["sent", "final"]);
  });

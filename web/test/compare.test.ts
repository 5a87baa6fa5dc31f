/** What a wallet may add to what was shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.js";
import { getAddressDecoder, type Address, type Blockhash, type Instruction } from "@solana/kit";
import { encoded } from "../src/tx/build.js";
import { compare } from "../src/tx/compare.js";

const address = (fill: number): Address => getAddressDecoder().decode(new Uint8Array(32).fill(fill));
const payer = address(1);
const LIGHTHOUSE = "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95" as Address;
const MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr" as Address;

function call(programAddress: Address, ...data: number[]): Instruction {
  return { programAddress, accounts: [{ address: payer, role: 3 }], data: Uint8Array.from(data) };
}

function bytes(calls: readonly Instruction[], signed: boolean): Uint8Array {
  const lifetime = { blockhash: address(9) as string as Blockhash, lastValidBlockHeight: 1n };
  const found = encoded(payer, calls, lifetime);
  if (signed) found.fill(7, 1, 65);
  return found;
}

const ours = call(address(5), 1, 2, 3);
const added = (...more: Instruction[]) => compare(bytes([ours], false), bytes([ours, ...more], true)).added;

test("checks may be added: memos, and what of Lighthouse asserts", () => {
  assert.deepEqual(added(), []);
  assert.deepEqual(added(call(MEMO, 104, 105)), [MEMO]);
  for (const kind of [2, 5, 16]) assert.deepEqual(added(call(LIGHTHOUSE, kind, 0)), [LIGHTHOUSE]);
});

test("nothing of Lighthouse that makes or closes an account is a check", () => {
  for (const data of [[0], [0, 1, 2], [1], []])
    assert.throws(() => added(call(LIGHTHOUSE, ...data)), /added an instruction of program L2TE.*which can do more than check: nothing was sent/);
});

test("any other program's instruction isn't", () => {
  assert.throws(() => added(call(address(6), 9)), /which can do more than check/);
  assert.throws(() => compare(bytes([ours], false), bytes([call(address(5), 1, 2, 4)], true)), /changed what was to be signed/);
});

// A transaction from instructions: what it computes at most, what it pays for haste, until when it may land.
import {
  appendTransactionMessageInstructions,
  compileTransaction,
  createTransactionMessage,
  getTransactionEncoder,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Address,
  type Blockhash,
  type Instruction,
} from "@solana/kit";
import { chain, node, type Chain } from "../chain/node";

export const COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111" as Address;
const MOST_UNITS = 1_400_000;
/** Micro-lamports for a unit, at most; and of what others pay, the share that pays no more than we. */
const HIGHEST_PRICE = 1_000_000n;
const PERCENTILE = 60;

export interface Lifetime {
  blockhash: Blockhash;
  lastValidBlockHeight: bigint;
}

export interface Built {
  payer: Address;
  chain: Chain;
  bytes: Uint8Array;
  lifetime: Lifetime;
  instructions: readonly Instruction[];
}

function number(tag: number, value: bigint, size: 4 | 8): Uint8Array {
  const data = new Uint8Array(1 + size);
  data[0] = tag;
  for (let at = 0; at < size; at += 1) data[1 + at] = Number((value >> BigInt(8 * at)) & 255n);
  return data;
}

function limit(units: number): Instruction {
  return { programAddress: COMPUTE_BUDGET, accounts: [], data: number(2, BigInt(units), 4) };
}

function price(microLamports: bigint): Instruction {
  return { programAddress: COMPUTE_BUDGET, accounts: [], data: number(3, microLamports, 8) };
}

/** What others paid lately to write the same accounts, micro-lamports for a unit, up to a cap. */
async function usualPrice(writable: readonly Address[]): Promise<bigint> {
  const paid = (await node.getRecentPrioritizationFees(writable.slice(0, 128)).send())
    .map((each) => BigInt(each.prioritizationFee))
    .sort((a, b) => (a < b ? -1 : 1));
  const found = paid[Math.floor((paid.length * PERCENTILE) / 100)] ?? 0n;
  return found < HIGHEST_PRICE ? found : HIGHEST_PRICE;
}

/** The bytes of a transaction without signatures. `units` of nothing: as many as there can be, for a trial. */
export async function build(payer: Address, wanted: readonly Instruction[], units?: number): Promise<Built> {
  const { value } = await node.getLatestBlockhash({ commitment: "confirmed" }).send();
  const writable = wanted.flatMap((each) => (each.accounts ?? []).filter((one) => one.role & 1).map((one) => one.address));
  const forHaste = await usualPrice([...new Set(writable)]);
  const instructions = [limit(units ?? MOST_UNITS), ...(forHaste ? [price(forHaste)] : []), ...wanted];
  return { payer, chain: await chain(), bytes: encoded(payer, instructions, value), lifetime: value, instructions };
}

/** A transaction's bytes, with an empty signature. */
export function encoded(payer: Address, instructions: readonly Instruction[], lifetime: Lifetime): Uint8Array {
  const empty = setTransactionMessageFeePayer(payer, createTransactionMessage({ version: 0 }));
  const timed = setTransactionMessageLifetimeUsingBlockhash(lifetime, empty);
  return new Uint8Array(getTransactionEncoder().encode(compileTransaction(appendTransactionMessageInstructions(instructions, timed))));
}

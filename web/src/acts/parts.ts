// What several acts need: who signs, an account for tokens, a share in words.
import { createNoopSigner, getAddressEncoder, getProgramDerivedAddress, type Address, type Instruction, type TransactionSigner } from "@solana/kit";
import { fetchConfig as fetchOrdersConfig, type Config as OrdersConfig } from "../clients/orders/accounts/config";
import { findConfigPda as findOrdersConfigPda } from "../clients/orders/pdas/config";
import { fetchConfig, type Config } from "../clients/staking/accounts/config";
import { findConfigPda } from "../clients/staking/pdas/config";
import { node, type Held } from "../chain/node";
import { duration, IO, moment, show } from "../ui/amounts";

/** Whoever signs does so in the wallet: here it is an address. */
export function signer(address: Address): TransactionSigner {
  return createNoopSigner(address);
}

const ASSOCIATED = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL" as Address;
const TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address;
const SYSTEM = "11111111111111111111111111111111" as Address;
const [READS, WRITES, SIGNS] = [0, 1, 3] as const;

/** Makes an owner's account for a token, `at` its derived address, where it isn't there yet. */
export function opening(payer: Address, at: Address, owner: Address, mint: Address): Instruction {
  return {
    programAddress: ASSOCIATED,
    accounts: [
      { address: payer, role: SIGNS },
      { address: at, role: WRITES },
      { address: owner, role: READS },
      { address: mint, role: READS },
      { address: SYSTEM, role: READS },
      { address: TOKEN, role: READS },
    ],
    data: new Uint8Array([1]),
  };
}

/** The account of an owner for a token that everybody looks for first. */
export async function associated(owner: Address, mint: Address): Promise<Address> {
  const seeds = [owner, TOKEN, mint].map((each) => getAddressEncoder().encode(each));
  return (await getProgramDerivedAddress({ programAddress: ASSOCIATED, seeds }))[0];
}

/** Whether a token account can be paid into: one whose issuer froze it, or that was closed, can't. */
export function isPayable(account: Held | null): boolean {
  return account?.owner === TOKEN && account.data.length === TOKEN_ACCOUNT_BYTES && account.data[STATE] === INITIALISED;
}

const TOKEN_ACCOUNT_BYTES = 165;
/** Where a token account has its state, and that of one that exists and isn't frozen. */
const [STATE, INITIALISED] = [108, 1] as const;

/** The orders program's root account. */
export async function ordersConfig(): Promise<OrdersConfig> {
  const [at] = await findOrdersConfigPda();
  return (await fetchOrdersConfig(node, at, { commitment: "confirmed" })).data;
}

/** The staking program's root account. */
export async function stakingConfig(): Promise<Config> {
  const [at] = await findConfigPda();
  return (await fetchConfig(node, at, { commitment: "confirmed" })).data;
}

export const io = (amount: bigint): string => `${show(amount, IO)} IO`;
export const percent = (bps: number): string => `${bps / 100} %`;
export { duration, moment };

/** The address of the account that an instruction has at a place. */
export function at(instruction: Instruction, place: number): Address {
  const found = instruction.accounts?.[place];
  if (!found) throw new Error("the instruction has no such account");
  return found.address;
}

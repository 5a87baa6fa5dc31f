// The network's two tokens, by the programs' own root accounts.
import { getProgramDerivedAddress, type Address } from "@solana/kit";
import { fetchConfig } from "../clients/orders/accounts/config";
import { findConfigPda } from "../clients/orders/pdas/config";
import { Currency } from "../clients/orders/types/currency";
import { TOKENOMICS_PROGRAM_ADDRESS } from "../clients/tokenomics/programs/tokenomics";
import { node } from "./node";

export interface Token {
  name: string;
  decimals: number;
}

/** Which token is which. */
export interface Mints {
  io: Address;
  usdc: Address;
}

let found: Promise<Mints> | undefined;

async function look(): Promise<Mints> {
  const [at] = await findConfigPda();
  const { data } = await fetchConfig(node, at, { commitment: "confirmed" });
  // IO's mint follows from a program's address: a node that calls USDC IO would have a price shown at a hundredth.
  const [io] = await getProgramDerivedAddress({ programAddress: TOKENOMICS_PROGRAM_ADDRESS, seeds: ["mint"] });
  if (data.ioMint !== io || data.usdcMint === io)
    throw new Error("The node says that IO is another token than the programs' own: don't sign anything by it.");
  return { io, usdc: data.usdcMint };
}

/** Asked for once. Throws where a node names another token IO. */
export function mints(): Promise<Mints> {
  found ??= look().catch((error: unknown) => {
    found = undefined;
    throw error;
  });
  return found;
}

/** The mint of a currency that orders are paid in. */
export async function mintOf(currency: Currency): Promise<Address> {
  const { io, usdc } = await mints();
  return currency === Currency.Io ? io : usdc;
}

/** The two by their mints. */
export async function tokens(): Promise<ReadonlyMap<Address, Token>> {
  const { io, usdc } = await mints();
  return new Map([
    [io, { name: "IO", decimals: 8 }],
    [usdc, { name: "USDC", decimals: 6 }],
  ]);
}

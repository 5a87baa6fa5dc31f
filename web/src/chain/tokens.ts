// The network's two tokens, by the programs' own root accounts.
import type { Address } from "@solana/kit";
import { fetchConfig } from "../clients/orders/accounts/config";
import { findConfigPda } from "../clients/orders/pdas/config";
import { node } from "./node";

export interface Token {
  name: string;
  decimals: number;
}

let found: Promise<ReadonlyMap<Address, Token>> | undefined;

async function look(): Promise<ReadonlyMap<Address, Token>> {
  const [at] = await findConfigPda();
  const { data } = await fetchConfig(node, at, { commitment: "confirmed" });
  return new Map([
    [data.ioMint, { name: "IO", decimals: 8 }],
    [data.usdcMint, { name: "USDC", decimals: 6 }],
  ]);
}

/** Asked for once. */
export function tokens(): Promise<ReadonlyMap<Address, Token>> {
  found ??= look().catch((error: unknown) => {
    found = undefined;
    throw error;
  });
  return found;
}

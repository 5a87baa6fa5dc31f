// Claim: a wallet's rewards by the newest hour whose files are here. Anybody may; they go to the wallet.
import { type Address } from "@solana/kit";
import { getClaimInstructionAsync } from "../clients/staking/instructions/claim";
import { fetchMaybeWallet } from "../clients/staking/accounts/wallet";
import { findBlockPda } from "../clients/staking/pdas/block";
import { findWalletPda } from "../clients/staking/pdas/wallet";
import { ask } from "../chain/api";
import { node } from "../chain/node";
import type { Plan } from "../tx/act";
import { fromHex } from "../verify/bytes";
import { at, io, opening, stakingConfig } from "./parts";

interface Proof {
  hour: number;
  lifetime: string;
  proof: string[];
}

/** What of a wallet's rewards isn't paid; null where no hour's files are here. */
export async function due(owner: Address): Promise<{ hour: number; lifetime: bigint; claimed: bigint } | null> {
  const { earned, earned_hour } = await ask<{ earned: string | null; earned_hour: number | null }>(`/wallets/${owner}`);
  if (earned === null || earned_hour === null) return null;
  const account = await fetchMaybeWallet(node, (await findWalletPda({ owner }))[0], { commitment: "confirmed" });
  return { hour: earned_hour, lifetime: BigInt(earned), claimed: account.exists ? account.data.claimed : 0n };
}

export async function claim(owner: Address, payer: Address): Promise<Plan> {
  const found = await due(owner);
  if (!found) throw new Error("No hour's files are served here: there is nothing to claim by.");
  if (found.lifetime <= found.claimed)
    throw new Error(`All ${io(found.claimed)} that the wallet has earned by hour ${found.hour} are paid.`);
  const { hour, lifetime, proof } = await ask<Proof>(`/blocks/${found.hour}/proof/${owner}`);
  const joined = fromHex(proof.join(""));
  if (joined === null) throw new Error("What is served as the proof is none: nothing can be claimed by it.");
  const [block] = await findBlockPda({ hour });
  const call = await getClaimInstructionAsync({ block, owner, lifetime: BigInt(lifetime), proof: joined });
  const tokens = at(call, 4);
  // When the wallet itself signs, what is small is paid whatever all others claimed in this hour.
  const signed = owner === payer ? signing(call, owner) : call;
  const { mint } = await stakingConfig();
  const new_ = BigInt(lifetime) - found.claimed;
  return {
    title: `Claim rewards up to hour ${hour}`,
    instructions: [opening(payer, tokens, owner, mint), signed],
    steps: [
      "Make the wallet's account for IO, if there is none yet.",
      `Pay the wallet what it has earned by hour ${hour} and not been paid: ${io(new_)}, as far as the limits allow.`,
    ],
    notes: [],
    after: ({ changes }) => {
      const paid = changes.find((each) => each.account === tokens && each.unit.name === "IO");
      const rest = new_ - (paid ? paid.after - paid.before : 0n);
      if (rest <= 0n) return [];
      return [
        `${io(rest)} are still to come: a limit holds claims back, that of all claims in an hour or the wallet's ` +
          "share of all rewards. Claim again in the next hour.",
      ];
    },
    names: new Map([[at(call, 5), "the reward vault"]]),
  };
}

function signing<T extends { accounts: readonly { address: Address; role: number }[] }>(call: T, owner: Address): T {
  const accounts = call.accounts.map((each) => (each.address === owner ? { ...each, role: each.role | 2 } : each));
  return { ...call, accounts };
}

// An airdrop season's claim: what a wallet gets by the published points, once. Anybody may; it goes to the wallet.
import { getProgramDerivedAddress, getU32Encoder, type Address, type Instruction } from "@solana/kit";
import { fetchMaybeClaimPage } from "../clients/tokenomics/accounts/claimPage";
import { fetchSeason, type Season } from "../clients/tokenomics/accounts/season";
import { getClaimSeasonInstructionAsync } from "../clients/tokenomics/instructions/claimSeason";
import { getOpenClaimPageInstructionAsync } from "../clients/tokenomics/instructions/openClaimPage";
import { TOKENOMICS_PROGRAM_ADDRESS } from "../clients/tokenomics/programs/tokenomics";
import { SeasonStatus } from "../clients/tokenomics/types/seasonStatus";
import { ask } from "../chain/api";
import { tokenomics } from "../chain/constants";
import { node, time } from "../chain/node";
import type { Plan } from "../tx/act";
import { fromHex } from "../verify/bytes";
import { associated, io, moment, opening, signer } from "./parts";

interface Share {
  index: number;
  amount: string;
  proof: string[];
}

/** A season, what a wallet gets in it, and whether it was paid. */
export interface Due {
  readonly season: Season;
  readonly now: bigint;
  readonly share: Share;
  readonly page: Address;
  readonly hasPage: boolean;
  readonly isClaimed: boolean;
}

/** Read it; throws, with a sentence, where the wallet gets nothing or nobody knows. */
export async function due(at: Address, owner: Address): Promise<Due> {
  const [{ data: season }, now] = await Promise.all([fetchSeason(node, at, { commitment: "confirmed" }), time()]);
  const share = await ask<Share>(`/seasons/${season.season}/proof/${owner}`);
  const pageClaims = Number(tokenomics.PAGE_CLAIMS);
  const number = Math.floor(share.index / pageClaims);
  const seeds = ["claim_page", ...[season.season, number].map((each) => getU32Encoder().encode(each))];
  const [page] = await getProgramDerivedAddress({ programAddress: TOKENOMICS_PROGRAM_ADDRESS, seeds });
  const found = await fetchMaybeClaimPage(node, page, { commitment: "confirmed" });
  const bit = share.index % pageClaims;
  const isClaimed = found.exists && (((found.data.bits[bit >> 3] as number) >> (bit & 7)) & 1) === 1;
  return { season, now, share, page, hasPage: found.exists, isClaimed };
}

/** Why nobody can claim now, in a sentence; null when one can. */
export function closed({ season, now, isClaimed, share }: Due): string | null {
  if (isClaimed) return `Its ${io(BigInt(share.amount))} are paid.`;
  if (season.status === SeasonStatus.Cancelled) return "The season was cancelled: nobody can claim of it.";
  if (season.status !== SeasonStatus.Open || now >= season.claimEnd)
    return `Claims were open until ${moment(season.claimEnd)}: what was left went back.`;
  return now < season.claimStart ? `Claims open at ${moment(season.claimStart)}.` : null;
}

export async function claim(at: Address, owner: Address, payer: Address): Promise<Plan> {
  const found = await due(at, owner);
  const { season, share, page } = found;
  const words = closed(found);
  if (words !== null) throw new Error(words);
  const proof = fromHex(share.proof.join(""));
  if (proof === null) throw new Error("What is served as the proof is none: nothing can be claimed by it.");
  const amount = BigInt(share.amount);
  const tokens = await associated(owner, season.mint);
  const call = await getClaimSeasonInstructionAsync({
    season: at,
    claimPage: page,
    seasonVault: season.vault,
    wallet: owner,
    walletTokens: tokens,
    index: share.index,
    amount,
    proof,
  });
  const steps: [Instruction, string][] = [
    [opening(payer, tokens, owner, season.mint), "Make the wallet's account for IO, if there is none yet."],
  ];
  if (!found.hasPage) {
    const making = await getOpenClaimPageInstructionAsync({
      payer: signer(payer),
      season: at,
      claimPage: page,
      page: Math.floor(share.index / Number(tokenomics.PAGE_CLAIMS)),
    });
    steps.push([making, "Make the page on which claims are marked: its deposit comes back when the season is over."]);
  }
  steps.push([call, `Pay the wallet what it gets in season ${season.season}: ${io(amount)}.`]);
  return {
    title: `Claim of airdrop season ${season.season}`,
    instructions: steps.map(([each]) => each),
    steps: steps.map(([, each]) => each),
    notes: [],
    names: new Map([[season.vault, "the season's vault"]]),
  };
}

// A bid: the whole lot of an auction, at the price of the moment at which it lands, which only falls.
import { type Address } from "@solana/kit";
import { fetchAuction, type Auction } from "../clients/buyback/accounts/auction";
import { fetchConfig } from "../clients/buyback/accounts/config";
import { getBidInstructionAsync } from "../clients/buyback/instructions/bid";
import { findConfigPda } from "../clients/buyback/pdas/config";
import { buyback } from "../chain/constants";
import { node, time } from "../chain/node";
import type { Plan } from "../tx/act";
import { show, USDC } from "../ui/amounts";
import { associated, io, opening, signer } from "./parts";

/** What the lot costs at a time, IO base units, rounded up twice as the program does; null when nobody can bid. */
export function costAt(auction: Auction, now: bigint): bigint | null {
  const { startedAt, endsAt, startPrice, floorPrice, lot } = auction;
  if (now < startedAt || now >= endsAt) return null;
  const price = startPrice - ((startPrice - floorPrice) * (now - startedAt)) / (endsAt - startedAt);
  return (lot * price + buyback.USDC - 1n) / buyback.USDC;
}

export async function auctionNow(at: Address): Promise<{ auction: Auction; cost: bigint | null }> {
  const { data } = await fetchAuction(node, at, { commitment: "confirmed" });
  return { auction: data, cost: costAt(data, await time()) };
}

export async function bid(at: Address, payer: Address): Promise<Plan> {
  const { auction, cost } = await auctionNow(at);
  if (cost === null) throw new Error("The auction is over: nobody can bid any more.");
  const { lot } = auction;
  const { data: config } = await fetchConfig(node, (await findConfigPda())[0], { commitment: "confirmed" });
  const bidderUsdc = await associated(payer, config.usdcMint);
  // Both ends are named: it costs no more and gives no less, whoever else acts first.
  const call = await getBidInstructionAsync({
    bidder: signer(payer),
    auction: at,
    usdcVault: config.usdcVault,
    bidderUsdc,
    maxIo: cost,
    minUsdc: lot,
  });
  return {
    title: `Buy ${show(lot, USDC)} USDC for ${io(cost)} at most`,
    instructions: [opening(payer, bidderUsdc, payer, config.usdcMint), call],
    steps: [
      "Make your account for USDC, if there is none yet.",
      `Burn up to ${io(cost)} of yours, and pay you the whole lot, ${show(lot, USDC)} USDC.`,
    ],
    notes: [
      "The price is that of the second in which it lands. It only falls, so that it costs what is shown or less. If somebody " +
        "else is first, nothing moves but the fee.",
    ],
    names: new Map([[config.usdcVault, "the vault of fees"]]),
  };
}

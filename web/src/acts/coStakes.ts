// Co-stakes: a supplier's offer, who takes it, how they leave.
import { type Address } from "@solana/kit";
import { fetchMaybeWallet } from "../clients/staking/accounts/wallet";
import { getCloseOfferInstructionAsync } from "../clients/staking/instructions/closeOffer";
import { getLeaveCoStakeInstructionAsync } from "../clients/staking/instructions/leaveCoStake";
import { getOpenOfferInstructionAsync } from "../clients/staking/instructions/openOffer";
import { getOpenWalletInstructionAsync } from "../clients/staking/instructions/openWallet";
import { getTakeOfferInstructionAsync } from "../clients/staking/instructions/takeOffer";
import { getWithdrawCoStakeInstructionAsync } from "../clients/staking/instructions/withdrawCoStake";
import { findWalletPda } from "../clients/staking/pdas/wallet";
import { node, time } from "../chain/node";
import type { Plan } from "../tx/act";
import { at, duration, io, moment, opening, percent, signer, stakingConfig } from "./parts";
import { staked } from "./stakes";

const NOTHING: Pick<Plan, "notes" | "names"> = { notes: [], names: new Map() };

export async function offer(address: Address, amount: bigint, rewardBps: number, payer: Address): Promise<Plan> {
  const { of } = await staked(address);
  const call = await getOpenOfferInstructionAsync({ supplier: signer(payer), class: of, device: address, amount, rewardBps });
  return {
    ...NOTHING,
    title: `Offer ${percent(rewardBps)} of rewards for a co-stake of ${io(amount)}`,
    instructions: [call],
    steps: [`Look for a co-staker, who stakes ${io(amount)} and gets ${percent(rewardBps)} of what the device earns from then on.`],
    notes: ["No token moves until somebody takes it, and you can withdraw the offer until then."],
  };
}

export async function withdrawOffer(address: Address, payer: Address): Promise<Plan> {
  const { of } = await staked(address);
  const call = await getCloseOfferInstructionAsync({ supplier: signer(payer), class: of, device: address });
  return {
    ...NOTHING,
    title: "Withdraw the offer",
    instructions: [call],
    steps: ["Take back the offer to co-stakers: nobody can take it any more."],
  };
}

export async function take(address: Address, payer: Address): Promise<Plan> {
  const { device, of } = await staked(address);
  const { params } = await stakingConfig();
  const { offer: amount, offerRewardBps: rewardBps } = device;
  if (!amount) throw new Error("The device has no offer any more.");
  const [wallet] = await findWalletPda({ owner: payer });
  const known = await fetchMaybeWallet(node, wallet, { commitment: "confirmed" });
  // The amounts are named: an offer that changed meanwhile is refused, and not taken on other terms.
  const call = await getTakeOfferInstructionAsync({
    staker: signer(payer),
    class: of,
    device: address,
    wallet,
    amount,
    rewardBps,
  });
  const making = await getOpenWalletInstructionAsync({ payer: signer(payer), wallet, owner: payer });
  const steps = [`Move ${io(amount)} from your account into the stake vault, as your co-stake on this device.`];
  return {
    title: `Co-stake ${io(amount)} for ${percent(rewardBps)} of rewards`,
    instructions: known.exists ? [call] : [making, call],
    steps: known.exists ? steps : ["Make your wallet's account for what it earns.", ...steps],
    notes: [
      `You get ${percent(rewardBps)} of what the device earns from now on, which its supplier can't change. It earns in ` +
        "hours in which it proves its work, and nothing in others.",
      `If you leave, it counts for ${duration(params.coStakeWait)} more, earns nothing, and is yours after ` +
        `${duration(params.cooldown)} of cooldown.`,
      `You trust whoever has the device: a slash for what it does burns up to ${percent(params.maxSlashBps)} of your IO as ` +
        "well, each time, and while one is pending nothing can be taken out.",
    ],
    names: new Map([[at(call, 6), "the stake vault"]]),
  };
}

export async function leave(address: Address, payer: Address): Promise<Plan> {
  const { device } = await staked(address);
  const { params } = await stakingConfig();
  const until = (await time()) + params.coStakeWait;
  const call = await getLeaveCoStakeInstructionAsync({ staker: signer(payer), device: address });
  return {
    ...NOTHING,
    title: `Leave a co-stake of ${io(device.co.amount)}`,
    instructions: [call],
    steps: ["Begin to leave your co-stake on this device. No token moves yet."],
    notes: [
      `From now on ${io(device.co.amount)} earn nothing; they count for the device until ${moment(until)}, and can be taken ` +
        `out from ${moment(until + params.cooldown)} on. If another co-staker takes your place before, the cooldown begins then.`,
    ],
  };
}

/** `owner`'s cooled co-stake; anybody may have it paid to its owner. */
export async function withdrawCoStake(address: Address, owner: Address, payer: Address): Promise<Plan> {
  const { of } = await staked(address);
  const { mint } = await stakingConfig();
  const [wallet] = await findWalletPda({ owner });
  const call = await getWithdrawCoStakeInstructionAsync({ class: of, device: address, owner, wallet });
  return {
    title: "Take out a co-stake",
    instructions: [opening(payer, at(call, 4), owner, mint), call],
    steps: ["Make the co-staker's account for IO, if there is none yet.", "Pay the cooled co-stake to its owner."],
    notes: [],
    names: new Map([[at(call, 6), "the stake vault"]]),
  };
}

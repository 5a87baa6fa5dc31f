// A supplier's stake on its device: put on, sent into the cooldown, taken out.
import { type Address } from "@solana/kit";
import { fetchDevice, type Device } from "../clients/staking/accounts/device";
import { getStakeInstructionAsync } from "../clients/staking/instructions/stake";
import { getUnstakeInstructionAsync } from "../clients/staking/instructions/unstake";
import { getWithdrawInstructionAsync } from "../clients/staking/instructions/withdraw";
import { findClassPda } from "../clients/staking/pdas/class";
import type { CoStake } from "../clients/staking/types/coStake";
import { CoStakeState } from "../clients/staking/types/coStakeState";
import { node, time } from "../chain/node";
import type { Plan } from "../tx/act";
import { at, duration, io, moment, opening, percent, signer, stakingConfig } from "./parts";

export interface Staked {
  at: Address;
  device: Device;
  of: Address;
}

/** A device as the chain has it now, with its class's address. */
export async function staked(address: Address): Promise<Staked> {
  const { data } = await fetchDevice(node, address, { commitment: "confirmed" });
  const [of] = await findClassPda({ id: data.class });
  return { at: address, device: data, of };
}

/** What of a device's stakes is over its cooldown: its supplier's, base units, and co-stakes. */
export function cooledOf(device: Device, now: bigint, cooldown: bigint): { own: bigint; co: CoStake[] } {
  // One that waits goes into its cooldown by itself: the chain writes that down when it is touched next.
  const isCooled = ({ state, until }: CoStake): boolean =>
    (state === CoStakeState.Cooling && until <= now) || (state === CoStakeState.Waiting && until + cooldown <= now);
  const own = device.ownUntil <= now ? device.ownCooling : 0n;
  return { own, co: [device.co, device.leaving].filter(isCooled) };
}

export async function stake(address: Address, amount: bigint, payer: Address): Promise<Plan> {
  if (!amount) throw new Error("Write an amount above 0.");
  const { device, of } = await staked(address);
  const { params } = await stakingConfig();
  const call = await getStakeInstructionAsync({
    supplier: signer(payer),
    class: of,
    device: address,
    amount,
    // Told wrongly that this failed, whoever signs it again for the stake of now doesn't stake twice.
    expected: device.own,
  });
  return {
    title: `Stake ${io(amount)} on the device`,
    instructions: [call],
    steps: [`Move ${io(amount)} from your account into the stake vault, for this device.`],
    notes: [
      `${io(device.own)} of yours count on it now, and ${io(device.own + amount)} then.`,
      `It is yours again ${duration(params.cooldown)} after you unstake.`,
      `Operators can have up to ${percent(params.maxSlashBps)} of it burned for what they prove, after an appeal of ` +
        `${duration(params.appeal)}.`,
    ],
    names: new Map([[at(call, 5), "the stake vault"]]),
  };
}

export async function unstake(address: Address, payer: Address): Promise<Plan> {
  const { device, of } = await staked(address);
  const { params } = await stakingConfig();
  const until = (await time()) + params.cooldown;
  const call = await getUnstakeInstructionAsync({ supplier: signer(payer), class: of, device: address });
  const notes = [
    `${io(device.own)} stop counting now and can be taken out from ${moment(until)} on. This can't be undone: until then ` +
      "nothing can be staked on the device.",
    "From now on the device earns and leases nothing; operators can still have it slashed until then.",
  ];
  if (device.co.state === CoStakeState.Active || device.co.state === CoStakeState.Waiting)
    notes.push(`Its co-staker's ${io(device.co.amount)} go into their cooldown, too.`);
  if (device.offer) notes.push("Its offer to co-stakers is withdrawn.");
  return {
    title: `Unstake ${io(device.own)}`,
    instructions: [call],
    steps: ["Send all of your stake on this device into its cooldown. No token moves yet."],
    notes,
    names: new Map(),
  };
}

export async function withdraw(address: Address, payer: Address): Promise<Plan> {
  const { device, of } = await staked(address);
  const { mint } = await stakingConfig();
  const owner = device.supplier;
  const call = await getWithdrawInstructionAsync({ class: of, device: address, owner });
  return {
    title: `Take out ${io(device.ownCooling)}`,
    instructions: [opening(payer, at(call, 4), owner, mint), call],
    steps: [
      "Make the supplier's account for IO, if there is none yet.",
      `Pay the cooled stake, ${io(device.ownCooling)}, to the supplier.`,
    ],
    notes: [],
    names: new Map([[at(call, 6), "the stake vault"]]),
  };
}

// A supplier's word against a slash: the hash of a statement goes on record before the stake can burn.
import { type Address } from "@solana/kit";
import { fetchDevice, type Device } from "../clients/staking/accounts/device";
import { fetchSlash, type Slash } from "../clients/staking/accounts/slash";
import { getAppealSlashInstructionAsync } from "../clients/staking/instructions/appealSlash";
import { SlashStatus } from "../clients/staking/types/slashStatus";
import { node, time } from "../chain/node";
import type { Plan } from "../tx/act";
import { hex, type Bytes } from "../verify/bytes";
import { moment, signer } from "./parts";

export interface Accused {
  slash: Slash;
  device: Device;
  now: bigint;
}

export async function accused(at: Address): Promise<Accused> {
  const { data: slash } = await fetchSlash(node, at, { commitment: "confirmed" });
  const [device, now] = await Promise.all([fetchDevice(node, slash.device, { commitment: "confirmed" }), time()]);
  return { slash, device: device.data, now };
}

export function canAppeal({ slash, now }: Accused): boolean {
  return slash.status === SlashStatus.Pending && now < slash.appealUntil;
}

/** `statement` is the SHA-256 of what the supplier has to say. */
export async function appeal(at: Address, statement: Bytes, payer: Address): Promise<Plan> {
  const found = await accused(at);
  const { slash } = found;
  if (!canAppeal(found)) throw new Error("The time for an appeal is over, or there is nothing to appeal.");
  const call = await getAppealSlashInstructionAsync({ supplier: signer(payer), device: slash.device, slash: at, statement });
  return {
    title: "Appeal against the slash",
    instructions: [call],
    steps: [`Put SHA-256 ${hex(statement)} on record as your word against it.`],
    notes: [
      "The hash alone goes on record: publish the statement itself, and send it to the guardian, who can veto the slash " +
        `until ${moment(slash.appealUntil)}. A later appeal takes the place of this one.`,
    ],
    names: new Map([[at, "the slash's account"]]),
  };
}

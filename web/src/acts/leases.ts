// A lease: more hours for its renter, and its end, by its renter or its supplier.
import { type Address } from "@solana/kit";
import { fetchLease, getLeaseDecoder, type Lease } from "../clients/orders/accounts/lease";
import { fetchOrder, getOrderDecoder, type Order } from "../clients/orders/accounts/order";
import { getEndLeaseInstructionAsync } from "../clients/orders/instructions/endLease";
import { getExtendLeaseInstructionAsync } from "../clients/orders/instructions/extendLease";
import { LeaseStatus } from "../clients/orders/types/leaseStatus";
import { node, time } from "../chain/node";
import { mintOf } from "../chain/tokens";
import type { Plan } from "../tx/act";
import { build } from "../tx/build";
import { preview, type Preview } from "../tx/preview";
import { duration, many, moment } from "../ui/amounts";
import { namesOf, refundable, taking } from "./orders";
import { associated, percent, signer } from "./parts";
import { cost, priced as pricedOf } from "./quotes";
import { HOUR } from "./prices";

/** What `hours` more cost: the fee on them is that on all less that on those before. */
export function extension(lease: Lease, hours: bigint): bigint {
  const had = BigInt(lease.hours);
  return cost(lease.rate, had + hours, lease.renterFeeBps) - cost(lease.rate, had, lease.renterFeeBps);
}

export async function leased(at: Address): Promise<{ lease: Lease; order: Order }> {
  const { data: lease } = await fetchLease(node, at, { commitment: "confirmed" });
  const { data: order } = await fetchOrder(node, lease.order, { commitment: "confirmed" });
  return { lease: begun(lease, order), order };
}

/** The lease as it is: one of a filled gang has begun, though nobody has written it down yet. */
function begun(lease: Lease, order: Order): Lease {
  if (lease.status !== LeaseStatus.Accepted || !order.filledAt) return lease;
  const start = lease.acceptedAt > order.filledAt ? lease.acceptedAt : order.filledAt;
  return { ...lease, status: LeaseStatus.Running, start, stop: start + BigInt(lease.hours) * HOUR };
}

/** An amount of an order's currency, with its name. */
export function priced(amount: bigint, order: Order): string {
  return pricedOf(amount, order.terms.currency);
}

export async function extend(at: Address, hours: bigint, payer: Address): Promise<Plan> {
  if (!hours) throw new Error("Write a number of hours above 0.");
  const { lease, order } = await leased(at);
  const mint = await mintOf(order.terms.currency);
  const amount = extension(lease, hours);
  const call = await getExtendLeaseInstructionAsync({
    renter: signer(payer),
    order: lease.order,
    vault: order.vault,
    lease: at,
    device: lease.device,
    renterTokens: await associated(payer, mint),
    hours: Number(hours),
    // By then another, dearer lease may be at the address: it costs no more than this.
    maxAmount: amount,
    // Told wrongly that this failed, whoever signs it again for the hours of now doesn't pay twice.
    expected: lease.hours,
  });
  return {
    title: `Extend the lease by ${many(hours, "hour")}`,
    instructions: [call],
    steps: [`Move ${priced(amount, order)} from your account into the order's vault: the hours, and the fee of ${percent(lease.renterFeeBps)}.`],
    notes: [
      `It has ${lease.hours} hours now, and ${BigInt(lease.hours) + hours} then: it runs until ` +
        `${moment(lease.stop + hours * HOUR)}.`,
      "The fee is charged as the lease is paid, and in full unless it ends early: then on what was served, and on a day more " +
        "at most if you end it.",
    ],
    names: new Map([[order.vault, "the order's vault"]]),
  };
}

/** Whether an account may end a lease now: its renter and its supplier, and anybody once its time is over. */
export function mayEnd(lease: Lease, order: Order, who: Address, now: bigint): boolean {
  if (lease.status === LeaseStatus.Ended) return false;
  // The worker's key lies on the machine: no wallet has it.
  return isOver(lease, now) || who === order.renter || who === lease.supplier;
}

function isOver(lease: Lease, now: bigint): boolean {
  return now >= (lease.start ? lease.stop : lease.acceptUntil);
}

export async function end(at: Address, payer: Address): Promise<Plan> {
  const { lease, order } = await leased(at);
  const now = await time();
  const call = await getEndLeaseInstructionAsync({ caller: signer(payer), order: lease.order, lease: at, device: lease.device });
  // What becomes free follows from the second in which it ends: the chain's own trial says how much.
  const tried = await preview(payer, await build(payer, [call]));
  const after = getOrderDecoder().decode(left(tried, lease.order));
  const back = payer === order.renter && refundable(after, now) > 0n;
  const more = back ? await taking({ order, at: lease.order }, payer, null) : [];
  return {
    title: "End the lease",
    instructions: [call, ...more],
    steps: [
      "End the lease: the device is free again.",
      ...(back ? ["Make your account for the tokens, if there is none any more.", "Give you back what no lease needs."] : []),
    ],
    notes: [isOver(lease, now) ? "Its time is over: anybody may end it." : rule(lease, payer === order.renter)],
    after: (trial) => comes(trial, at, lease, order),
    names: namesOf(order, lease.order),
  };
}

/** What it costs to end a lease before its time, by the rule. */
function rule(lease: Lease, isRenter: boolean): string {
  if (!lease.start)
    return isRenter
      ? "It doesn't run yet: to withdraw it costs the fee on one hour, at your highest price."
      : "It doesn't run yet: a device that declines is barred for an hour or more.";
  return isRenter
    ? "You pay its first hour at least, then by the second; and of the fee, that on what was served and on a day more at most."
    : "Its supplier is paid for whole hours alone, and for nothing of the one that it breaks off in; in the first hour its device is barred, too.";
}

/** What the trial leaves of it, in sentences. */
function comes(trial: Preview, at: Address, before: Lease, had: Order): readonly string[] {
  const lease = getLeaseDecoder().decode(left(trial, at));
  const order = getOrderDecoder().decode(left(trial, before.order));
  const charged = order.fees - had.fees;
  const fees = charged > 0n ? [`Charged as fees by this: ${priced(charged, had)}.`] : [];
  if (!before.start) return ["Nothing is paid for.", ...fees];
  const owed = (lease.rate * (lease.stop - lease.start)) / HOUR - lease.paid;
  return [
    `By the trial ${duration(lease.stop - lease.start)} are paid for; each second until it lands counts like those.`,
    `Still owed to its supplier, who gets it as time passes: ${priced(owed, had)}. Of the renter's fee still to charge: ${priced(lease.held - owed, had)}.`,
    ...fees,
  ];
}

/** An account's bytes as the trial leaves them. */
function left(trial: Preview, address: Address): Uint8Array {
  const found = trial.after.get(address);
  if (!found) throw new Error("The node's trial leaves out an account: try again.");
  return found.data;
}

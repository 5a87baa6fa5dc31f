// More hours on a lease that runs: their price and the renter's fee on it go into the order's vault.
import { type Address } from "@solana/kit";
import { fetchLease, type Lease } from "../clients/orders/accounts/lease";
import { fetchOrder, type Order } from "../clients/orders/accounts/order";
import { getExtendLeaseInstructionAsync } from "../clients/orders/instructions/extendLease";
import { Currency } from "../clients/orders/types/currency";
import { node } from "../chain/node";
import { mints } from "../chain/tokens";
import type { Plan } from "../tx/act";
import { IO, moment, show, USDC } from "../ui/amounts";
import { associated, percent, signer } from "./parts";

const BPS = 10_000n;
const HOUR = 3600n;

/** The most that a renter is charged for hours at a rate: the price, and the fee on it, rounded up. */
function cost(rate: bigint, hours: bigint, bps: number): bigint {
  const whole = rate * hours;
  return whole + (whole * BigInt(bps) + BPS - 1n) / BPS;
}

/** What `hours` more cost: the fee on them is that on all less that on those before. */
export function extension(lease: Lease, hours: bigint): bigint {
  const had = BigInt(lease.hours);
  return cost(lease.rate, had + hours, lease.renterFeeBps) - cost(lease.rate, had, lease.renterFeeBps);
}

export async function leased(at: Address): Promise<{ lease: Lease; order: Order }> {
  const { data: lease } = await fetchLease(node, at, { commitment: "confirmed" });
  return { lease, order: (await fetchOrder(node, lease.order, { commitment: "confirmed" })).data };
}

/** An amount of an order's currency, with its name. */
export function priced(amount: bigint, order: Order): string {
  const isIo = order.terms.currency === Currency.Io;
  return `${show(amount, isIo ? IO : USDC)} ${isIo ? "IO" : "USDC"}`;
}

export async function extend(at: Address, hours: bigint, payer: Address): Promise<Plan> {
  if (!hours) throw new Error("Write a number of hours above 0.");
  const { lease, order } = await leased(at);
  const { io, usdc } = await mints();
  const mint = order.terms.currency === Currency.Io ? io : usdc;
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
  });
  return {
    title: `Extend the lease by ${hours} hour${hours === 1n ? "" : "s"}`,
    instructions: [call],
    steps: [`Move ${priced(amount, order)} from your account into the order's vault: the hours, and the fee of ${percent(lease.renterFeeBps)}.`],
    notes: [
      `It then runs until ${moment(lease.stop + hours * HOUR)}.`,
      "The fee is charged as the lease is paid, and in full unless it ends early: then on what was served, and on a day more " +
        "at most if you end it.",
    ],
    names: new Map([[order.vault, "the order's vault"]]),
  };
}

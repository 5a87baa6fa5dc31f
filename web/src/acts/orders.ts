// Orders: opened with a quote, cancelled, and what is free taken back.
import { type Address } from "@solana/kit";
import type { Config } from "../clients/orders/accounts/config";
import { fetchOrder, type Order } from "../clients/orders/accounts/order";
import { getCancelOrderInstructionAsync } from "../clients/orders/instructions/cancelOrder";
import { getCloseOrderInstructionAsync } from "../clients/orders/instructions/closeOrder";
import { getCreateOrderInstructionAsync } from "../clients/orders/instructions/createOrder";
import { getRefundInstructionAsync } from "../clients/orders/instructions/refund";
import { findOrderPda } from "../clients/orders/pdas/order";
import { Currency } from "../clients/orders/types/currency";
import { OrderStatus } from "../clients/orders/types/orderStatus";
import { fetchClass, type Class } from "../clients/staking/accounts/class";
import { accounts, node, time } from "../chain/node";
import { mintOf } from "../chain/tokens";
import type { Plan } from "../tx/act";
import { many } from "../ui/amounts";
import { associated, at, duration, isPayable, moment, opening, ordersConfig, percent, signer } from "./parts";
import { cost, fee, priced, quote, type Quote, type Wanted } from "./quotes";

/** What a quote follows from, as of one time of the chain. */
export interface Offered {
  class: Class;
  config: Config;
  now: bigint;
}

export async function offered(of: Address): Promise<Offered> {
  const [found, config, now] = await Promise.all([
    fetchClass(node, of, { commitment: "confirmed" }),
    ordersConfig(),
    time(),
  ]);
  return { class: found.data, config, now };
}

/** An order's number among its renter's: any that isn't taken. Below 2^53, so that JSON of every language has it exact. */
function anyNumber(): bigint {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (BigInt(high & 0x1fffff) << 32n) | BigInt(low);
}

export async function create(of: Address, wanted: Wanted, payer: Address): Promise<Plan> {
  const { class: found, config, now } = await offered(of);
  const asked = quote(found, config, wanted, now);
  const { terms, deposit, bps } = asked;
  const id = anyNumber();
  const [order] = await findOrderPda({ renter: payer, id });
  // What is put down is named: if fees have changed until it lands, it is refused.
  const call = await getCreateOrderInstructionAsync({
    renter: signer(payer),
    class: of,
    mint: await mintOf(terms.currency),
    id,
    terms,
    maxDeposit: deposit,
  });
  const vault = at(call, 5);
  return {
    title: `Order ${words(wanted)} for ${priced(deposit, terms.currency)} at most`,
    instructions: [call],
    steps: [
      `Move ${priced(deposit, terms.currency)} from your account into the order's own vault: ${words(wanted)} at ` +
        `${priced(BigInt(terms.price), terms.currency)} at most for a processor and hour, and the fee of ${percent(bps)}.`,
    ],
    notes: [
      ...certain(asked),
      `What isn't matched within ${duration(config.params.matchWindow)} comes back, and so does what the network's price leaves over. ` +
        "To cancel it before costs the fee on an hour of each open place.",
      ...(terms.minDevices > 1 ? [`None of them runs before ${terms.minDevices} have accepted; until then nothing is paid.`] : []),
    ],
    names: new Map([
      [vault, "the order's vault"],
      [order, "the order's account"],
    ]),
    leads: { to: `/orders/${order}`, words: "To the order's page" },
  };
}

function words({ devices, hours, processors }: Wanted): string {
  return `${many(devices, "device")} of ${many(processors, "processor")} for ${many(hours, "hour")}`;
}

/** What of an order's cost is certain, and for how long, in sentences. */
export function certain({ wanted, terms, prices, most, deposit, until }: Quote): readonly string[] {
  const { currency } = wanted;
  if (!most) return ["No device can be matched while the price is above your highest: all that is put down would come back."];
  const back = deposit - most;
  const comes = back ? `at least ${priced(back, currency)} of what you put down come back` : "all that you put down";
  const stale = prices.some((each) => each.price.isStale);
  return [
    stale
      ? `The network's price is stale: a lease costs what its device asks, at most ${priced(BigInt(terms.price), currency)} for a processor and hour.`
      : `The price is certain until ${moment(until)}, the end of its time for matching if it is opened now: no other can be announced for that time.`,
    `All of it costs ${priced(most, currency)} at most: ${comes}.`,
  ];
}

// -- what is open --------------------------------------------------------------------------------

export interface Opened {
  at: Address;
  order: Order;
  now: bigint;
}

export async function opened(at: Address): Promise<Opened> {
  const [found, now] = await Promise.all([fetchOrder(node, at, { commitment: "confirmed" }), time()]);
  return { at, order: found.data, now };
}

/** Whether a device can still be matched. */
export function takesDevices({ status, open, matchUntil }: Order, now: bigint): boolean {
  return status === OrderStatus.Open && open > 0 && now < matchUntil;
}

/** What the renter gets back if it is refunded at a time. */
export function refundable(order: Order, now: bigint): bigint {
  const { terms, renterFeeBps, free } = order;
  const place = cost(terms.price * BigInt(terms.processors), BigInt(terms.hours), renterFeeBps);
  const kept = takesDevices(order, now) ? place * BigInt(order.open) : 0n;
  return free > kept ? free - kept : 0n;
}

/** What cancelling costs at a time: the fee on an hour of each open place, of what is free. */
export function cancelFee(order: Order, now: bigint): bigint {
  const { terms, open, free, matchUntil, renterFeeBps } = order;
  if (now >= matchUntil) return 0n;
  const charged = fee(terms.price * BigInt(terms.processors) * BigInt(open), renterFeeBps);
  return charged < free ? charged : free;
}

/** Whether there is something to cancel: after that no more devices are taken. */
export function canCancel({ order }: Opened): boolean {
  return order.status === OrderStatus.Open && order.open > 0;
}

/** Stop taking devices and take back what is free; without leases the order is closed. */
export async function cancel(address: Address, payer: Address): Promise<Plan> {
  const found = await opened(address);
  const { order, now } = found;
  const config = await ordersConfig();
  const isIo = order.terms.currency === Currency.Io;
  const fees = isIo ? config.ioFees : config.usdcFees;
  const cancels = canCancel(found);
  const charged = cancels ? cancelFee(order, now) : 0n;
  const due = order.feesDue + charged;
  const [feeVault] = await accounts([fees]);
  // While the fee vault can't be paid, keepers set the fees aside first, and close it then.
  const closes = order.leases === 0 && (isPayable(feeVault ?? null) || !due) && (cancels || !takesDevices(order, now));
  const amount = cancels ? order.free - charged : refundable(order, now);
  const back = await taking({ order, at: address }, payer, closes ? fees : null);
  const instructions = [
    ...(cancels ? [await getCancelOrderInstructionAsync({ renter: signer(payer), order: address })] : []),
    ...(closes || amount ? back : []),
  ];
  if (!instructions.length) throw new Error("Nothing is left to cancel or to take back: its leases have the rest.");
  return {
    title: cancels ? "Cancel the order" : "Take back what is free",
    instructions,
    steps: [
      ...(cancels ? ["Take no more devices. Leases that there are go on."] : []),
      ...(closes || amount ? ["Make your account for the tokens, if there is none any more."] : []),
      ...(closes
        ? ["Pay the fees that are due, give you back all that is left in the vault, and close the order and its vault."]
        : amount
          ? [`Give you back what no lease needs: ${priced(amount, order.terms.currency)}.`]
          : []),
    ],
    notes: charged ? [`Cancelling it before its time is over costs ${priced(charged, order.terms.currency)}: the fee on an hour of each open place.`] : [],
    names: namesOf(found.order, address, fees),
  };
}

/** The instructions that give an order's renter what is free; with a fee vault, those that close it. */
export async function taking({ order, at: address }: { order: Order; at: Address }, payer: Address, fees: Address | null): Promise<Plan["instructions"]> {
  const mint = await mintOf(order.terms.currency);
  const renterTokens = await associated(order.renter, mint);
  const given = { order: address, vault: order.vault, renterTokens };
  return [
    opening(payer, renterTokens, order.renter, mint),
    fees ? await getCloseOrderInstructionAsync({ ...given, renter: order.renter, fees }) : await getRefundInstructionAsync(given),
  ];
}

/** What people call an order's accounts. */
export function namesOf(order: Order, address: Address, fees?: Address): Plan["names"] {
  return new Map([
    [order.vault, "the order's vault"],
    [address, "the order's account"],
    ...(fees ? ([[fees, "the vault of fees"]] as const) : []),
  ]);
}

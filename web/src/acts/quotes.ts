// What an order will cost: exact from its opening to the end of its time for matching.
import type { Config } from "../clients/orders/accounts/config";
import type { Params } from "../clients/orders/types/params";
import type { TermsArgs } from "../clients/orders/types/terms";
import type { Class } from "../clients/staking/accounts/class";
import { Currency } from "../clients/orders/types/currency";
import { Urgency } from "../clients/orders/types/urgency";
import type { Token } from "../chain/tokens";
import { IO, show, USDC } from "../ui/amounts";
import { BPS, least, most, pricedIn, pricesUntil, type Price } from "./prices";

/** A fee on an amount, rounded up. */
export function fee(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps) + BPS - 1n) / BPS;
}

/** The most that a renter is charged for hours at a rate: the price, and the fee on it. */
export function cost(rate: bigint, hours: bigint, bps: number): bigint {
  const whole = rate * hours;
  return whole + fee(whole, bps);
}

/** What a renter pays on top of a lease's price, basis points. */
export function renterBps(params: Params, currency: Currency, urgency: Urgency): number {
  return params.renterFeeBps + (currency === Currency.Usdc ? params.usdcFeeBps : 0) + urgentBps(params, urgency);
}

/** What of it is for the haste. */
export function urgentBps(params: Params, urgency: Urgency): number {
  return { [Urgency.Ordinary]: 0, [Urgency.Soon]: params.soonFeeBps, [Urgency.Now]: params.nowFeeBps }[urgency];
}

/** What is asked for; `price` of nothing: what the network's price is at most. */
export interface Wanted {
  currency: Currency;
  urgency: Urgency;
  hours: number;
  devices: number;
  /** Above 1 it is a gang: so many run together, or none. */
  minDevices: number;
  processors: number;
  minTier: number;
  countries: readonly string[];
  colocated: boolean;
  price: bigint | null;
}

export interface Quote {
  wanted: Wanted;
  terms: TermsArgs;
  bps: number;
  /** Prices until the end of the matching, each with what a lease at it costs, fee included; null above the highest. */
  prices: readonly { at: bigint; price: Price; lease: bigint | null }[];
  /** Until then no other price can come. */
  until: bigint;
  /** The most that all devices cost; 0 if none can be matched. */
  most: bigint;
  /** What goes into the order's vault. */
  deposit: bigint;
}

/** The token of a currency. */
export function tokenOf(currency: Currency): Token {
  return currency === Currency.Io ? { name: "IO", decimals: IO } : { name: "USDC", decimals: USDC };
}

/** An amount of a currency, with its name. */
export function priced(amount: bigint, currency: Currency): string {
  const { name, decimals } = tokenOf(currency);
  return `${show(amount, decimals)} ${name}`;
}

/** Throws a sentence for what can't be ordered. */
export function quote(of: Class, config: Config, wanted: Wanted, now: bigint): Quote {
  const { params } = config;
  const until = now + params.matchWindow;
  const steps = pricesUntil(pricedIn(of, wanted.currency), now, until);
  const highest = most(...steps.map((each) => each.price.amount));
  if (!highest) throw new Error(`This class isn't leased for ${tokenOf(wanted.currency).name}: choose the other currency.`);
  if (wanted.price === null && steps.some((each) => each.price.isStale))
    throw new Error("No step of this price came for a day, so that devices' own asks bind: write the highest price that you pay.");
  const price = wanted.price ?? highest;
  if (!price) throw new Error("Write a highest price above 0.");
  const bps = renterBps(params, wanted.currency, wanted.urgency);
  const [processors, hours, devices] = [BigInt(wanted.processors), BigInt(wanted.hours), BigInt(wanted.devices)];
  const place = (each: bigint): bigint => cost(each * processors, hours, bps);
  const prices = steps.map((each) => {
    // A stale price doesn't bind: a lease may cost all that the renter pays.
    const amount = each.price.isStale ? least(price, each.price.high) : each.price.amount;
    return { ...each, lease: amount && amount <= price ? place(amount) : null };
  });
  const dearest = most(...prices.map((each) => each.lease ?? 0n));
  return { wanted, terms: termsOf(of, wanted, price), bps, prices, until, most: dearest * devices, deposit: place(price) * devices };
}

function termsOf(of: Class, wanted: Wanted, price: bigint): TermsArgs {
  const { countries, colocated, ...rest } = wanted;
  const letters = countries.map((each) => new TextEncoder().encode(each));
  const none = new Uint8Array(2);
  return {
    ...rest,
    price,
    colocated: Number(colocated),
    classCount: 1,
    countryCount: countries.length,
    pad: 0,
    classes: [of.id, 0, 0, 0, 0, 0, 0, 0],
    countries: Array.from({ length: 8 }, (_, place) => letters[place] ?? none),
  };
}

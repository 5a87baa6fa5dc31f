// What a class costs for a processor and hour, as the program computes it: now, and as far ahead as it is certain.
import { staking } from "../chain/constants";
import type { Class } from "../clients/staking/accounts/class";
import { Currency } from "../clients/orders/types/currency";

export const BPS = 10_000n;
export const HOUR = 3600n;

/** Of a class, what its price in one currency follows from; amounts in base units, times in unix seconds, 0 for none. */
export interface Priced {
  amount: bigint;
  low: bigint;
  high: bigint;
  /** Basis points. */
  step: bigint;
  stepAt: bigint;
  nextLow: bigint;
  nextHigh: bigint;
  boundsAt: bigint;
}

export interface Price {
  /** 0 where the class isn't leased for the currency. */
  amount: bigint;
  low: bigint;
  high: bigint;
  /** It binds no more: a lease costs what its device asks, from `low` to `high`. */
  isStale: boolean;
}

/** When a step measured in an hour (unix seconds over 3,600) holds; 0 for none. */
export function holdsFrom(hour: number): bigint {
  return hour ? (BigInt(hour) + 2n) * HOUR : 0n;
}

export function pricedIn(of: Class, currency: Currency): Priced {
  const { bounds, nextBounds, boundsAt } = of;
  const times = { stepAt: holdsFrom(of.priceHour), boundsAt };
  return currency === Currency.Io
    ? { ...times, amount: of.priceIo, low: bounds.lowIo, high: bounds.highIo, step: BigInt(of.nextIo), nextLow: nextBounds.lowIo, nextHigh: nextBounds.highIo }
    : { ...times, amount: of.priceUsdc, low: bounds.lowUsdc, high: bounds.highUsdc, step: BigInt(of.nextUsdc), nextLow: nextBounds.lowUsdc, nextHigh: nextBounds.highUsdc };
}

/** The price in force at a time: steps and other bounds hold by themselves, in the order of their time. */
export function priceAt(of: Priced, now: bigint): Price {
  let { amount, low, high } = of;
  const stepped = (): void => {
    if (!of.stepAt || of.stepAt > now || !amount) return;
    const moved = amount * (BPS + of.step);
    // Up is rounded up, down is rounded down.
    const to = of.step > 0n ? (moved + BPS - 1n) / BPS : moved / BPS;
    amount = most(low, 1n, least(high, to));
  };
  const bounded = (): void => {
    if (!of.boundsAt || of.boundsAt > now) return;
    [low, high] = [of.nextLow, of.nextHigh];
    amount = most(low, least(high, amount));
  };
  // The step comes first when both hold from the same second.
  for (const each of of.stepAt <= of.boundsAt ? [stepped, bounded] : [bounded, stepped]) each();
  return { amount, low, high, isStale: of.stepAt > 0n && now >= of.stepAt + staking.STALE };
}

/** The price now, and each one that takes its place before `until`, by when it holds. */
export function pricesUntil(of: Priced, now: bigint, until: bigint): readonly { at: bigint; price: Price }[] {
  const changes = [of.stepAt, of.stepAt && of.stepAt + staking.STALE, of.boundsAt];
  const times = [...new Set([now, ...changes.filter((at) => now < at && at < until)])].sort((a, b) => (a < b ? -1 : 1));
  return times.map((at) => ({ at, price: priceAt(of, at) }));
}

export function least(...of: readonly bigint[]): bigint {
  return of.reduce((a, b) => (b < a ? b : a));
}

export function most(...of: readonly bigint[]): bigint {
  return of.reduce((a, b) => (b > a ? b : a));
}

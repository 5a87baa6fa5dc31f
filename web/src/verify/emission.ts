/**
 * The 20-year emission: C(h), base units emitted once h hours have ended.
 *
 * Month m emits `E_m = 500e6 * 0.08/12 * q^m` IO (m = 0..239), with q such that the sum is 300e6 exactly; an hour
 * emits `E_m / hours in that calendar month`. Months count from January 1970, UTC.
 */

const BASE_UNITS = 10n ** 8n;
const GENESIS = 500_000_000n * BASE_UNITS;
const TOTAL = 300_000_000n * BASE_UNITS;
const MONTHS = 240;
/** Of a first year's 8 %, one month: 1/150 of the genesis supply. */
const FIRST_MONTH_PART = 150n;
/** Fractions have so many digits: 60 more than the result needs. */
const ONE = 10n ** 80n;
export const HOUR = 3_600;

/** Unix time at which a month starts. */
export function monthStart(month: number): number {
  return Date.UTC(1970, month, 1) / 1000;
}

/** The month that a unix time falls in. */
export function monthOf(time: number): number {
  const at = new Date(time * 1000);
  return (at.getUTCFullYear() - 1970) * 12 + at.getUTCMonth();
}

/** q in units of 10^-80: Newton's method on the sum of q^m, from q = 1 down to the one root. */
function decay(): bigint {
  const ratio = (TOTAL * FIRST_MONTH_PART * ONE) / GENESIS;
  let q = ONE;
  for (;;) {
    let value = 0n;
    let slope = 0n;
    for (let month = 0; month < MONTHS; month++) {
      slope = (slope * q) / ONE + value;
      value = (value * q) / ONE + ONE;
    }
    const step = ((value - ratio) * ONE) / slope;
    // What is left is rounding, of a few units.
    if (step < 1_000n && step > -1_000n) return q;
    q -= step;
  }
}

let figures: bigint[] | null = null;

/** Base units emitted after 0..240 whole months, each rounded down. */
function byMonth(): bigint[] {
  if (figures === null) {
    const q = decay();
    let part = (GENESIS * ONE) / FIRST_MONTH_PART;
    let exact = 0n;
    figures = [0n];
    for (let month = 1; month < MONTHS; month++) {
      exact += part;
      part = (part * q) / ONE;
      figures.push(exact / ONE);
    }
    figures.push(TOTAL);
  }
  return figures;
}

/** C(h): base units emitted once `hours` hours from the start of month `first` have ended. */
export function cumulative(first: number, hours: number): bigint {
  const start = monthStart(first);
  if (start + hours * HOUR >= monthStart(first + MONTHS)) return TOTAL;
  const month = monthOf(start + hours * HOUR);
  const index = month - first;
  const into = hours - (monthStart(month) - start) / HOUR;
  const all = (monthStart(month + 1) - monthStart(month)) / HOUR;
  const whole = byMonth()[index] as bigint;
  const next = byMonth()[index + 1] as bigint;
  return whole + ((next - whole) * BigInt(into)) / BigInt(all);
}

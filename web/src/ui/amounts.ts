// Amounts and times as people write and read them; inside, amounts are base units, and never floats.
export const IO = 8;
export const USDC = 6;
export const SOL = 9;

/** Base units with all their decimals, of which there may be none. */
export function show(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const whole = digits.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}${whole}${decimals ? "." : ""}${digits.slice(point)}`;
}

/** Base units of what somebody typed, where commas part thousands and nothing else; throws a sentence for what is no amount. */
export function read(text: string, decimals: number): bigint {
  const found = /^(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?$/.exec(text.trim());
  const fraction = found?.[2] ?? "";
  if (!found?.[1] || fraction.length > decimals)
    throw new Error(
      decimals ? `Write an amount such as 1,250.5, with ${decimals} decimals at most.` : "Write a whole number such as 12.",
    );
  return BigInt(found[1].replaceAll(",", "") + fraction.padEnd(decimals, "0"));
}

/** Unix seconds in UTC, as the pages write them. */
export function moment(at: bigint): string {
  return `${new Date(Number(at) * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** So many of something, by its name in the singular. */
export function many(count: number | bigint, name: string): string {
  return `${count} ${name}${Number(count) === 1 ? "" : "s"}`;
}

/** How long something takes, in the largest units that say it. */
export function duration(seconds: bigint): string {
  const total = Number(seconds);
  const parts = [
    [Math.floor(total / 86_400), "day"],
    [Math.floor((total % 86_400) / 3600), "hour"],
    [Math.floor((total % 3600) / 60), "minute"],
  ] as const;
  const some = parts.filter(([count]) => count).slice(0, 2);
  if (!some.length) return `${total} s`;
  return some.map(([count, name]) => many(count, name)).join(" ");
}

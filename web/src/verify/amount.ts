/** Amounts of IO as people read them; sentences about files keep to base units, which the files have. */

const DECIMALS = 8;

/** Base units with all decimals and thousands separators. */
export function io(amount: bigint): string {
  const digits = String(amount).padStart(DECIMALS + 1, "0");
  const whole = digits.slice(0, -DECIMALS).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${digits.slice(-DECIMALS)}`;
}

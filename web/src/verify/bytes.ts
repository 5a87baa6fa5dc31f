/** Bytes as people read them: hexadecimal, base58; and their SHA-256 by WebCrypto. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of an address or a hash. */
export const KEY_BYTES = 32;

/** A page that has no WebCrypto: browsers give it to https and to localhost alone. */
export class NoSecureContext extends Error {
  constructor() {
    super(
      "this page wasn't loaded securely, so the browser gives it no SHA-256: open it by https, or on this " +
        "machine by http://localhost; or check with ionet rewards verify",
    );
  }
}

/** SHA-256. Throws NoSecureContext where the browser has none. */
export async function sha256(data: Bytes): Promise<Bytes> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) throw new NoSecureContext();
  return new Uint8Array(await subtle.digest("SHA-256", data));
}

/** Bytes in hexadecimal. */
export function hex(data: Uint8Array): string {
  let text = "";
  for (const each of data) text += each.toString(16).padStart(2, "0");
  return text;
}

/** Hexadecimal as bytes; null for anything else. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  const data = new Uint8Array(text.length / 2);
  for (let at = 0; at < data.length; at++) data[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return data;
}

/** Base64 as bytes. */
export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

/** Whether two arrays hold the same bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0;
}

/** Below zero where `a` comes before `b`, byte by byte; the arrays are of one length. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Arrays one after the other. */
export function joined(...parts: readonly Uint8Array[]): Bytes {
  const data = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    data.set(each, at);
    at += each.length;
  }
  return data;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE = 58;
const DIGITS = new Int8Array(128).fill(-1);
for (let at = 0; at < BASE; at++) DIGITS[ALPHABET.charCodeAt(at)] = at;
/** 58^5 fits 32 bits: five digits are taken at a time. */
const FIVE = BASE ** 5;
const LIMBS = KEY_BYTES / 4;
const ROOM = 45;
const limbs = new Uint32Array(LIMBS);
const digits = new Uint8Array(ROOM);

/**
 * Read 32 bytes of base58 into `into` at `at`; false for what isn't 32 bytes, written in the one way there is.
 *
 * Of our own because an hour has 100,000 addresses: libraries take whatever length, by large numbers.
 */
export function readKey(text: string, into: Uint8Array, at: number): boolean {
  if (text.length < KEY_BYTES || text.length >= ROOM) return false;
  limbs.fill(0);
  for (let start = 0; start < text.length; ) {
    const end = Math.min(start + 5, text.length);
    let carry = 0;
    let by = 1;
    for (; start < end; start++) {
      const digit = DIGITS[text.charCodeAt(start)] ?? -1;
      if (digit < 0) return false;
      carry = carry * BASE + digit;
      by *= BASE;
    }
    for (let limb = LIMBS - 1; limb >= 0; limb--) {
      // Below 2^32 * 58^5 + 2^32, so it is exact as a double only up to 2^53: split in two.
      const whole = limbs[limb] as number;
      const low = (whole & 0xffff) * by + carry;
      const high = (whole >>> 16) * by + Math.floor(low / 0x10000);
      limbs[limb] = ((high & 0xffff) << 16) | (low & 0xffff);
      carry = Math.floor(high / 0x10000);
    }
    if (carry > 0) return false;
  }
  let ones = 0;
  while (text.charCodeAt(ones) === 49) ones++;
  let zeros = 0;
  for (let byte = 0; byte < KEY_BYTES; byte++) {
    const value = ((limbs[byte >> 2] as number) >>> (24 - 8 * (byte & 3))) & 0xff;
    into[at + byte] = value;
    if (value === 0 && zeros === byte) zeros++;
  }
  return ones === zeros;
}

/** The 32 bytes of an address or a blockhash in base58; null for anything else. */
export function keyOf(text: string): Bytes | null {
  const key = new Uint8Array(KEY_BYTES);
  return readKey(text, key, 0) ? key : null;
}

/** 32 bytes of `data` from `at` on, in base58. */
export function base58(data: Uint8Array, at = 0): string {
  for (let limb = 0; limb < LIMBS; limb++) {
    const from = at + 4 * limb;
    limbs[limb] =
      ((data[from] as number) << 24) |
      ((data[from + 1] as number) << 16) |
      ((data[from + 2] as number) << 8) |
      (data[from + 3] as number);
  }
  let left = ROOM;
  for (let first = 0; first < LIMBS; ) {
    if (limbs[first] === 0) {
      first++;
      continue;
    }
    let rest = 0;
    for (let limb = first; limb < LIMBS; limb++) {
      // rest < 58^5 < 2^30: 16 bits at a time stay exact.
      const high = rest * 0x10000 + ((limbs[limb] as number) >>> 16);
      const low = (high % FIVE) * 0x10000 + ((limbs[limb] as number) & 0xffff);
      limbs[limb] = Math.floor(high / FIVE) * 0x10000 + Math.floor(low / FIVE);
      rest = low % FIVE;
    }
    for (let digit = 0; digit < 5 && left > 0; digit++) {
      digits[--left] = rest % BASE;
      rest = Math.floor(rest / BASE);
    }
  }
  while (left < ROOM && digits[left] === 0) left++;
  let text = "";
  for (let byte = 0; byte < KEY_BYTES && data[at + byte] === 0; byte++) text += "1";
  for (; left < ROOM; left++) text += ALPHABET[digits[left] as number];
  return text;
}

/** A reward block's account, as the staking program keeps it. */

import type { Bytes } from "./bytes.js";

/** Where a block stands: operators attest, enough agreed, its root pays. */
export const STATUS = ["open", "agreed", "final"] as const;

/** What operators attested of an hour, and where that stands. */
export interface Block {
  readonly hour: number;
  readonly status: number;
  readonly devices: bigint;
  readonly total: bigint;
  readonly root: Bytes;
  readonly dataHash: Bytes;
}

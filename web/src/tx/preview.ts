// A trial of a transaction, before anybody signs: who has what before and after.
import { getBase64Decoder, type Address, type Base64EncodedWireTransaction, getAddressDecoder } from "@solana/kit";
import { why } from "../chain/failure";
import { accounts, node, type Held } from "../chain/node";
import { fromBase64 } from "../verify/bytes";
import { tokens, type Token } from "../chain/tokens";
import type { Built } from "./build";

const TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address;
const TOKEN_ACCOUNT_BYTES = 165;

/** A party's amount of something before and after, base units. */
export interface Change {
  /** The account whose amount it is. */
  account: Address;
  /** Whose it is: of a token account its owner, otherwise itself. */
  party: Address;
  unit: Token;
  before: bigint;
  after: bigint;
}

export interface Preview {
  changes: readonly Change[];
  /** Lamports that the transaction pays to the network; they are in the payer's change. */
  fee: bigint;
  /** Lamports that accounts hold which it makes, and that come back when these are closed. */
  rent: bigint;
  /** Compute units that it took. */
  units: number;
  /** Accounts that it writes, as it leaves them; null for one that is gone. */
  after: ReadonlyMap<Address, Held | null>;
}

/** What the program says to it: the trial failed. */
export class Refused extends Error {}

const SOL: Token = { name: "SOL", decimals: 9 };

export function wireOf(bytes: Uint8Array): Base64EncodedWireTransaction {
  return getBase64Decoder().decode(bytes) as Base64EncodedWireTransaction;
}

/** The token, the owner and the amount of a token account; null for any other account. */
async function held(account: Held | null): Promise<{ unit: Token; party: Address; amount: bigint } | null> {
  if (account?.owner !== TOKEN_PROGRAM || account.data.length !== TOKEN_ACCOUNT_BYTES) return null;
  const read = getAddressDecoder();
  const mint = read.decode(account.data.subarray(0, 32));
  const unit = (await tokens()).get(mint) ?? { name: mint, decimals: 0 };
  const amount = new DataView(account.data.buffer, account.data.byteOffset).getBigUint64(64, true);
  return { unit, party: read.decode(account.data.subarray(32, 64)), amount };
}

/** Throws Refused with the program's sentence. */
export async function preview(payer: Address, built: Built): Promise<Preview> {
  const roles = built.instructions.flatMap((each) => each.accounts ?? []);
  const writable = [...new Set([payer, ...roles.filter((each) => each.role & 1).map((each) => each.address)])];
  const before = await accounts(writable);
  const { value } = await node
    .simulateTransaction(wireOf(built.bytes), {
      accounts: { addresses: writable, encoding: "base64" },
      commitment: "confirmed",
      encoding: "base64",
    })
    .send();
  if (value.err) throw new Refused(why(value.err, value.logs));
  const after = (value.accounts ?? []).map((each): Held | null =>
    each && each.lamports ? { lamports: each.lamports, owner: each.owner, data: fromBase64(each.data[0] as string) } : null,
  );
  const fee = await feeOf(built);
  const changes: Change[] = [];
  let rent = 0n;
  for (const [at, account] of writable.entries()) {
    const [was, is] = [before[at] ?? null, after[at] ?? null];
    const [had, has] = [await held(was), await held(is)];
    const whose = has ?? had;
    if (whose && (had?.amount ?? 0n) !== (has?.amount ?? 0n))
      changes.push({ account, party: whose.party, unit: whose.unit, before: had?.amount ?? 0n, after: has?.amount ?? 0n });
    const [lamports, then] = [was?.lamports ?? 0n, is?.lamports ?? 0n];
    if (lamports !== then)
      changes.push({ account, party: account, unit: SOL, before: lamports, after: then });
    if (!was && is) rent += is.lamports;
  }
  const left = new Map(writable.map((each, at) => [each, after[at] ?? null]));
  return { changes, fee, rent, units: Number(value.unitsConsumed ?? 0n), after: left };
}

async function feeOf(built: Built): Promise<bigint> {
  const message = getBase64Decoder().decode(messageOf(built.bytes));
  const { value } = await node.getFeeForMessage(message as Parameters<typeof node.getFeeForMessage>[0]).send();
  if (value === null) throw new Error("The node doesn't say what the network's fee is: try again.");
  return BigInt(value);
}

/** A transaction's bytes behind its signatures, of which there are fewer than 128. */
function messageOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(1 + 64 * (bytes[0] ?? 0));
}

// What a wallet gave back, against what was shown: it may add checks of its own, and change nothing of ours.
import {
  getCompiledTransactionMessageDecoder,
  getTransactionDecoder,
  type Address,
  type Signature,
  getBase58Decoder,
} from "@solana/kit";

/** The message as instructions with addresses, from either of its two forms. */
interface Opened {
  payer: Address;
  blockhash: string;
  calls: readonly { program: Address; text: string; checks: boolean }[];
  signature: Signature;
  isSigned: boolean;
}

const base58 = getBase58Decoder();

function opened(bytes: Uint8Array): Opened {
  const { messageBytes, signatures } = getTransactionDecoder().decode(bytes);
  const message = getCompiledTransactionMessageDecoder().decode(messageBytes);
  if (message.version !== 0 && message.version !== "legacy") throw new Error("of a version that pages don't know");
  const tables = message.version === 0 ? (message.addressTableLookups ?? []) : [];
  // Behind a table anything can be: what can't be read isn't compared, it is refused.
  if (tables.length) throw new Error("with addresses that it looks up in a table");
  const keys = message.staticAccounts;
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = message.header;
  const role = (at: number): string => {
    const signs = at < numSignerAccounts;
    const writes = signs
      ? at < numSignerAccounts - numReadonlySignerAccounts
      : at < keys.length - numReadonlyNonSignerAccounts;
    return `${keys[at]}${signs ? "s" : ""}${writes ? "w" : ""}`;
  };
  const payer = keys[0];
  const given = payer && signatures[payer];
  if (!payer) throw new Error("without anybody who pays");
  return {
    payer,
    blockhash: message.lifetimeToken,
    calls: message.instructions.map((each) => ({
      program: keys[each.programAddressIndex] as Address,
      checks: isCheck(keys[each.programAddressIndex] as Address, each.data?.[0]),
      text: `${(each.accountIndices ?? []).map(role).join(" ")} ${base58.decode(each.data ?? new Uint8Array())}`,
    })),
    signature: base58.decode(given ?? new Uint8Array(64)) as Signature,
    isSigned: Object.values(signatures).every((each) => each?.some((byte) => byte !== 0)),
  };
}

export interface Accepted {
  signature: Signature;
  /** Programs whose instructions the wallet added. */
  added: readonly Address[];
}

/** Throws a sentence that says what the wallet changed. */
export function compare(shown: Uint8Array, signed: Uint8Array): Accepted {
  const wanted = opened(shown);
  let found: Opened;
  try {
    found = opened(signed);
  } catch (error) {
    throw new Error(`Your wallet gave back a transaction ${error instanceof Error ? error.message : "that can't be read"}: nothing was sent.`);
  }
  if (found.payer !== wanted.payer) throw new Error("Your wallet made somebody else pay for it: nothing was sent.");
  if (found.blockhash !== wanted.blockhash)
    throw new Error("Your wallet changed until when it may land: nothing was sent.");
  const added: Opened["calls"][number][] = [];
  let at = 0;
  for (const each of found.calls) {
    const next = wanted.calls[at];
    if (next && next.program === each.program && next.text === each.text) at += 1;
    else added.push(each);
  }
  if (at < wanted.calls.length)
    throw new Error("Your wallet changed what was to be signed, beyond adding checks: nothing was sent.");
  // What was added may move money as well as anything: what it calls must be known to do nothing but check.
  const unknown = added.find((each) => !each.checks);
  if (unknown)
    throw new Error(`Your wallet added an instruction of program ${unknown.program}, which can do more than check: nothing was sent.`);
  if (!found.isSigned) throw new Error("Your wallet gave it back without its signature: nothing was sent.");
  return { signature: found.signature, added: added.map((each) => each.program) };
}

const LIGHTHOUSE = "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95" as Address;
/** Of Lighthouse, the first instruction that asserts: those before it, MemoryWrite and MemoryClose, make and close accounts. */
const ASSERTIONS = 2;

/** Whether an instruction can refuse a transaction, and do nothing else. */
function isCheck(program: Address, first: number | undefined): boolean {
  return CHECKS.has(program) && (program !== LIGHTHOUSE || (first !== undefined && first >= ASSERTIONS));
}

/** Programs whose instructions are checks, but for some of Lighthouse's; with what people call them. */
export const CHECKS: ReadonlyMap<Address, string> = new Map([
  [LIGHTHOUSE, "Lighthouse"],
  ["MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr" as Address, "Memo"],
]);

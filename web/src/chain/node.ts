// The node that pages ask: the viewer's own choice, or the site's, which is in the page's head.
import { createSolanaRpc, type Address, type Signature } from "@solana/kit";
import { fromBase64 } from "../verify/bytes";
import { noticesOf, ownNode } from "./chosen";

function named(name: string): string {
  const found = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content;
  if (!found) throw new Error(`the page names no ${name}`);
  return found;
}

const own = ownNode();
/** Who is asked, for people. */
export const asked = { url: own ?? named("ionet-node"), isOwn: own !== null };
export const node = createSolanaRpc(asked.url);

/** What wallets call a network. */
export type Chain = `solana:${"mainnet" | "devnet" | "testnet" | "localnet"}`;

/** Networks that wallets know by themselves, by the hash of their first block. */
const KNOWN: ReadonlyMap<string, Chain> = new Map([
  ["5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "solana:mainnet"],
  ["EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkrZBG", "solana:devnet"],
  ["4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", "solana:testnet"],
]);

/** Which one the node is of; any other is somebody's own. */
export async function chain(): Promise<Chain> {
  return KNOWN.get(await node.getGenesisHash().send()) ?? "solana:localnet";
}

/** What an account holds, as bytes. */
export interface Held {
  lamports: bigint;
  owner: Address;
  data: Uint8Array;
}

/** Accounts as of one slot, in the order of `addresses`; null for those that there are none of. */
export async function accounts(addresses: readonly Address[]): Promise<(Held | null)[]> {
  const found: (Held | null)[] = [];
  // A node answers for a hundred at most.
  for (let at = 0; at < addresses.length; at += 100) {
    const some = addresses.slice(at, at + 100);
    const { value } = await node.getMultipleAccounts(some, { encoding: "base64", commitment: "confirmed" }).send();
    for (const each of value)
      found.push(each && { lamports: each.lamports, owner: each.owner, data: fromBase64(each.data[0]) });
  }
  return found;
}

const CLOCK = "SysvarC1ock11111111111111111111111111111111" as Address;

/** The chain's time, unix seconds: dates of the protocol follow it, and not this machine's clock. */
export async function time(): Promise<bigint> {
  const [clock] = await accounts([CLOCK]);
  if (!clock) throw new Error("the node has no clock");
  return new DataView(clock.data.buffer).getBigInt64(32, true);
}

/** Calls `heard` when a node says that a transaction landed; a node that says nothing is no error. */
export function whenLanded(signature: Signature, heard: () => void): () => void {
  let socket: WebSocket;
  try {
    socket = new WebSocket(own ? noticesOf(own) : named("ionet-notices"));
  } catch {
    return () => {};
  }
  const params = [signature, { commitment: "confirmed" }];
  socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "signatureSubscribe", params }));
  socket.onmessage = ({ data }) => {
    if (typeof data === "string" && data.includes("signatureNotification")) heard();
  };
  return () => socket.close();
}

/** What is shown is what the chosen account signs; a node can't give tokens each other's names. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { answering } from "./page.js";
import { getAddressDecoder, getBase64Decoder, type Address } from "@solana/kit";
import { chain } from "../src/chain/node.js";
import { mints } from "../src/chain/tokens.js";
import { getConfigDecoder, getConfigEncoder, getConfigSize } from "../src/clients/orders/accounts/config.js";
import { ORDERS_PROGRAM_ADDRESS } from "../src/clients/orders/programs/orders.js";
import { approve, state } from "../src/tx/act.js";
import { preview } from "../src/tx/preview.js";
import { network } from "../src/verify/node.js";
import { connected, sign } from "../src/wallet/wallets.js";

const address = (fill: number): Address => getAddressDecoder().decode(new Uint8Array(32).fill(fill));

test("another account that was chosen meanwhile isn't asked to sign", async () => {
  let asked = 0;
  const features = { "solana:signTransaction": { signTransaction: async () => (asked++, []) } };
  connected.value = { address: address(2), account: { chains: [] }, wallet: { name: "W", features } } as never;
  state.value = { at: "shown", plan: {}, trial: {}, built: { payer: address(1), bytes: new Uint8Array() } } as never;
  await approve();
  assert.equal(asked, 0);
  assert.equal(state.value.at, "shown");
  assert.match((state.value as { told: string }).told, /^Another account is chosen in your wallet now/);
});

test("a wallet is told the network that the node is of", async () => {
  const chains = ["solana:mainnet", "solana:devnet", "solana:testnet", "solana:localnet"];
  const told: unknown[] = [];
  const signTransaction = async ({ chain: named, transaction }: { chain?: string; transaction: Uint8Array }) => {
    told.push(named);
    return [{ signedTransaction: transaction }];
  };
  const wallet = { name: "W", features: { "solana:signTransaction": { signTransaction } } };
  const by = (named: string[]) => ({ address: address(1), account: { chains: named }, wallet }) as never;
  const hashes = ["5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkrZBG"];
  for (const hash of [...hashes, "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", address(9)]) {
    answering({ getGenesisHash: [hash] });
    await sign(by(chains), new Uint8Array(1), await chain());
  }
  assert.deepEqual(told, chains);
  // A network of one's own isn't mainnet to a wallet that knows no other.
  await sign(by(["solana:mainnet"]), new Uint8Array(1), await chain());
  assert.equal(told.at(-1), undefined);
});

test("a fee that the node doesn't know isn't shown as none", async () => {
  const context = { slot: 1 };
  const script = {
    getMultipleAccounts: [{ context, value: [null] }],
    simulateTransaction: [{ context, value: { err: null, accounts: [null], logs: [], unitsConsumed: 9 } }],
  };
  const built = { payer: address(1), bytes: new Uint8Array(100).fill(1), instructions: [] } as never;
  answering({ ...script, getFeeForMessage: [{ context, value: 5_000 }] });
  assert.equal((await preview(address(1), built)).fee, 5_000n);
  answering({ ...script, getFeeForMessage: [{ context, value: null }] });
  await assert.rejects(preview(address(1), built), /doesn't say what the network's fee is/);
});

test("IO is the token of the programs, whatever a node says", async () => {
  const io = getAddressDecoder().decode((await network()).mint);
  const usdc = address(7);
  const config = (ioMint: Address, usdcMint: Address): unknown => {
    const empty = getConfigDecoder().decode(new Uint8Array(getConfigSize()));
    const data = getBase64Decoder().decode(getConfigEncoder().encode({ ...empty, ioMint, usdcMint }));
    const value = { data: [data, "base64"], executable: false, lamports: 1, owner: ORDERS_PROGRAM_ADDRESS, rentEpoch: 0, space: 8 };
    return { context: { slot: 1 }, value };
  };
  for (const [named, other] of [[usdc, io], [usdc, address(8)], [io, io]] as const) {
    answering({ getAccountInfo: [config(named, other)] });
    await assert.rejects(mints(), /^Error: The node says that IO is another token/);
  }
  answering({ getAccountInfo: [config(io, usdc)] });
  assert.deepEqual(await mints(), { io, usdc });
});

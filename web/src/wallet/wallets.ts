// Wallets by the Wallet Standard: those that are here, the one that is connected, and what it signs.
import { signal } from "@preact/signals";
import { address, type Address } from "@solana/kit";
import { getWallets } from "@wallet-standard/app";
import { keep, kept } from "../chain/kept";
import type { Chain } from "../chain/node";
import type { Wallet, WalletAccount } from "@wallet-standard/base";
import type { StandardConnectFeature, StandardDisconnectFeature, StandardEventsFeature } from "@wallet-standard/features";

/** Of `@solana/wallet-standard-features`, which brings nothing else that we use. */
interface SignTransactionFeature {
  "solana:signTransaction": {
    signTransaction(
      ...inputs: { account: WalletAccount; transaction: Uint8Array; chain?: `${string}:${string}` }[]
    ): Promise<readonly { signedTransaction: Uint8Array }[]>;
  };
}

type Able = Wallet & {
  features: StandardConnectFeature & SignTransactionFeature & Partial<StandardDisconnectFeature & StandardEventsFeature>;
};

export interface Connected {
  wallet: Able;
  account: WalletAccount;
  address: Address;
}

const KEPT = "ionet.wallet";

/** Those that can connect and sign. */
export const wallets = signal<readonly Able[]>([]);
export const connected = signal<Connected | null>(null);

function isAble(wallet: Wallet): wallet is Able {
  return "standard:connect" in wallet.features && "solana:signTransaction" in wallet.features;
}

function choose(wallet: Able): void {
  const account = wallet.accounts.find((each) => each.chains.some((chain) => chain.startsWith("solana:")));
  connected.value = account ? { wallet, account, address: address(account.address) } : null;
}

/** Throws the wallet's own words when it refuses; `silent` asks nobody. */
export async function connect(wallet: Able, silent = false): Promise<void> {
  await wallet.features["standard:connect"].connect({ silent });
  choose(wallet);
  if (!connected.value) {
    if (silent) return;
    throw new Error(`${wallet.name} shows no account for Solana`);
  }
  keep(KEPT, wallet.name);
  wallet.features["standard:events"]?.on("change", ({ accounts }) => {
    // Another account may be chosen in the wallet at any time: pages follow it.
    if (accounts && connected.value?.wallet === wallet) choose(wallet);
  });
}

export async function disconnect(): Promise<void> {
  const was = connected.value;
  keep(KEPT, null);
  connected.value = null;
  await was?.wallet.features["standard:disconnect"]?.disconnect();
}

/**
 * Have a wallet sign a transaction's bytes for a network; throws its own words when it refuses.
 *
 * A wallet tries it on the network that it is told, by a node of its own, which is the one check of what our node
 * says: it is told the right one, or none where the account doesn't name it.
 */
export async function sign(by: Connected, transaction: Uint8Array, meant: Chain): Promise<Uint8Array> {
  const chain = by.account.chains.find((each) => each === meant);
  const signing = by.wallet.features["solana:signTransaction"];
  const [signed] = await signing.signTransaction({ account: by.account, transaction, ...(chain && { chain }) });
  if (!signed) throw new Error(`${by.wallet.name} gave nothing back`);
  return new Uint8Array(signed.signedTransaction);
}

let begun = false;

/** Look for wallets, now and as they come, and connect the one of last time if it lets us without asking. */
export function discover(): void {
  if (begun) return;
  begun = true;
  const { get, on } = getWallets();
  const look = (): void => {
    wallets.value = get().filter(isAble);
    const last = wallets.value.find((each) => each.name === kept(KEPT));
    if (last && !connected.value) connect(last, true).catch(() => keep(KEPT, null));
  };
  on("register", look);
  on("unregister", look);
  look();
}

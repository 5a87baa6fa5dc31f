// One act of a wallet, from its plan to its end: a machine of states that the page shows.
import { signal, type Signal } from "@preact/signals";
import type { Address, Instruction } from "@solana/kit";
import { said } from "../chain/failure";
import { connected, sign } from "../wallet/wallets";
import { build, type Built } from "./build";
import { CHECKS, compare } from "./compare";
import { preview, Refused, type Preview } from "./preview";
import { follow, forget, lastSent, pending, pendingOf, remember, type Leads, type Outcome, type Pending } from "./send";

/** What somebody is about to sign. */
export interface Plan {
  /** What it does, in a few words. */
  title: string;
  instructions: readonly Instruction[];
  /** What each instruction does, in words. */
  steps: readonly string[];
  /** What follows from it later: dates, what can't be undone. */
  notes: readonly string[];
  /** What follows from the trial's figures. */
  after?: (trial: Preview) => readonly string[];
  /** What people call the accounts whose amounts change. */
  names: ReadonlyMap<Address, string>;
  /** The page of what it makes. */
  leads?: Leads;
}

export type Make = (payer: Address) => Promise<Plan>;

/** What was made of a plan by a trial. */
interface Shown {
  make: Make;
  plan: Plan;
  trial: Preview;
  built: Built;
  /** When the trial was, milliseconds of this page; and what was sent last from this browser then. */
  tried: number;
  after: string | null;
}

export type State =
  | { at: "none" }
  | { at: "building" }
  | (Shown & { at: "shown"; told?: string })
  | { at: "cannot"; words: string }
  | (Shown & { at: "signing" })
  | { at: "way"; sent: Pending; outcome: Outcome; added: readonly string[] };

export const state: Signal<State> = signal({ at: "none" });
/** Grows with each act that ended, so that what is shown of the chain is read again. */
export const done = signal(0);

/** How old a trial may be when it is signed, milliseconds. */
const FRESH = 60_000;
const OVER = 1.1;
const SPARE = 300;
/** Each act has a number: one that was left says nothing more. */
let act = 0;

/** Build what `make` plans and try it; nothing is signed yet. What is on its way comes first, from whichever tab. */
export async function begin(make: Make, told?: string): Promise<void> {
  const by = connected.value;
  if (!by) throw new Error("no wallet is connected");
  const sent = pending();
  const mine = ++act;
  if (sent) return onWay(sent, [], false);
  const tell = (next: State): void => {
    if (mine === act) state.value = next;
  };
  tell({ at: "building" });
  try {
    const after = lastSent();
    const plan = await make(by.address);
    const first = await build(by.address, plan.instructions);
    const { units } = await preview(by.address, first);
    const built = await build(by.address, plan.instructions, Math.ceil(units * OVER) + SPARE);
    const trial = await preview(by.address, built);
    tell({ at: "shown", make, plan, trial, built, tried: performance.now(), after, ...(told && { told }) });
  } catch (error) {
    const words = error instanceof Refused ? `It can't be done: ${error.message}.` : said(error);
    tell({ at: "cannot", words });
  }
}

export function leave(): void {
  act += 1;
  state.value = { at: "none" };
}

/** Wait no longer for what is too old to land. */
export function stopWaiting(sent: Pending): void {
  forget(sent.signature);
  leave();
}

/** Have it signed as it is shown, compare what comes back, send it. */
export async function approve(): Promise<void> {
  const shown = state.value;
  if (shown.at !== "shown" || !connected.value) return;
  const alone = await alonely(() => signed(shown));
  if (!alone) state.value = { ...shown, told: "Your wallet is asked in another tab already: answer it there first." };
}

/** Do something while no other tab of this browser does it; false when one does. */
async function alonely(what: () => Promise<void>): Promise<boolean> {
  // A page without https has no locks, and hardly any wallet.
  if (!("locks" in navigator)) return what().then(() => true);
  return navigator.locks.request("ionet.signing", { ifAvailable: true }, async (lock) => {
    if (lock) await what();
    return lock !== null;
  });
}

async function signed(shown: Shown & { at: "shown" }): Promise<void> {
  const by = connected.value;
  if (!by) return;
  const mine = act;
  const { plan, built } = shown;
  if (by.address !== built.payer) {
    state.value = { ...shown, told: "Another account is chosen in your wallet now: cancel, and begin again with it. Nothing was sent." };
    return;
  }
  // What is signed is what is so: not what was so a minute ago, or before another tab sent something.
  if (lastSent() !== shown.after) return begin(shown.make, "Something else was sent from this browser meanwhile, so this was tried again: look at it once more.");
  if (performance.now() - shown.tried > FRESH) return begin(shown.make, "It was more than a minute old, so it was tried again: look at it once more.");
  state.value = { ...shown, at: "signing" };
  let bytes: Uint8Array;
  try {
    bytes = await sign(by, built.bytes, built.chain);
  } catch (error) {
    const words = error instanceof Error && error.message ? error.message : "no reason given";
    if (mine === act) state.value = { ...shown, told: `Your wallet didn't sign: ${words}. Nothing was sent.` };
    return;
  }
  if (mine !== act) return;
  try {
    const { signature, added } = compare(built.bytes, bytes);
    const sent = pendingOf(signature, bytes, built.lifetime.lastValidBlockHeight, plan);
    // Kept before it is sent: a page that is loaded again knows of it, and so do other tabs.
    remember(sent);
    void onWay(sent, added.map((each) => CHECKS.get(each) ?? each));
  } catch (error) {
    if (mine === act) state.value = { ...shown, told: said(error) };
  }
}

async function onWay(sent: Pending, added: readonly string[], first = true): Promise<void> {
  const mine = act;
  await follow(
    sent,
    (outcome) => {
      if (mine === act) state.value = { at: "way", sent, outcome, added };
      if (outcome.state !== "sent" && outcome.state !== "unknown") done.value += 1;
    },
    first,
  );
}

/** Go on with what an earlier load of the page has sent. */
export function resume(): void {
  const sent = pending();
  if (sent && state.value.at === "none") void onWay(sent, [], false);
}

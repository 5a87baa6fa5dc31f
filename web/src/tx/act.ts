// One act of a wallet, from its plan to its end: a machine of states that the page shows.
import { signal, type Signal } from "@preact/signals";
import type { Address, Instruction } from "@solana/kit";
import { said } from "../chain/failure";
import { connected, sign } from "../wallet/wallets";
import { build, type Built } from "./build";
import { CHECKS, compare } from "./compare";
import { preview, Refused, type Preview } from "./preview";
import { follow, keep, pending, pendingOf, type Outcome, type Pending } from "./send";

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
}

export type State =
  | { at: "none" }
  | { at: "building" }
  | { at: "shown"; plan: Plan; trial: Preview; built: Built; told?: string }
  | { at: "cannot"; words: string }
  | { at: "signing"; plan: Plan; trial: Preview; built: Built }
  | { at: "way"; sent: Pending; outcome: Outcome; added: readonly string[] };

export const state: Signal<State> = signal({ at: "none" });
/** Grows with each act that ended, so that what is shown of the chain is read again. */
export const done = signal(0);

const OVER = 1.1;
const SPARE = 300;
/** Each act has a number: one that was left says nothing more. */
let act = 0;

/** Build what `make` plans and try it; nothing is signed yet. */
export async function begin(make: (payer: Address) => Promise<Plan>): Promise<void> {
  const by = connected.value;
  if (!by) throw new Error("no wallet is connected");
  const mine = ++act;
  const tell = (next: State): void => {
    if (mine === act) state.value = next;
  };
  tell({ at: "building" });
  try {
    const plan = await make(by.address);
    const first = await build(by.address, plan.instructions);
    const { units } = await preview(by.address, first);
    const built = await build(by.address, plan.instructions, Math.ceil(units * OVER) + SPARE);
    tell({ at: "shown", plan, trial: await preview(by.address, built), built });
  } catch (error) {
    const words = error instanceof Refused ? `It can't be done: ${error.message}.` : said(error);
    tell({ at: "cannot", words });
  }
}

export function leave(): void {
  act += 1;
  state.value = { at: "none" };
}

/** Have it signed as it is shown, compare what comes back, send it. */
export async function approve(): Promise<void> {
  const shown = state.value;
  const by = connected.value;
  if (shown.at !== "shown" || !by) return;
  const mine = act;
  const { plan, trial, built } = shown;
  if (by.address !== built.payer) {
    state.value = { ...shown, told: "Another account is chosen in your wallet now: cancel, and begin again with it. Nothing was sent." };
    return;
  }
  state.value = { at: "signing", plan, trial, built };
  let signed: Uint8Array;
  try {
    signed = await sign(by, built.bytes, built.chain);
  } catch (error) {
    const words = error instanceof Error && error.message ? error.message : "no reason given";
    if (mine === act) state.value = { ...shown, told: `Your wallet didn't sign: ${words}. Nothing was sent.` };
    return;
  }
  if (mine !== act) return;
  try {
    const { signature, added } = compare(built.bytes, signed);
    const sent = pendingOf(signature, signed, built.lifetime.lastValidBlockHeight, plan.title);
    // Kept before it is sent: a page that is loaded again knows of it.
    keep(sent);
    await onWay(sent, added.map((each) => CHECKS.get(each) ?? each));
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

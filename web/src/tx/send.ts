// Sends what was signed, again and again until it has landed or can't any more; a reload goes on with it.
import {
  SOLANA_ERROR__TRANSACTION_ERROR__ALREADY_PROCESSED,
  SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND,
  type Signature,
} from "@solana/kit";
import { why } from "../chain/failure";
import { keep, kept } from "../chain/kept";
import { node, whenLanded } from "../chain/node";
import { wireOf } from "./preview";

/** What is on its way: all that it takes to go on with it after a reload. */
export interface Pending {
  signature: Signature;
  wire: string;
  lastValid: string;
  /** What it does, in words. */
  title: string;
  /** When it was signed, unix milliseconds. */
  at: number;
  leads?: Leads;
}

/** The page of what a transaction makes, once it is there. */
export interface Leads {
  to: string;
  words: string;
}

export type Outcome =
  | { state: "sent" | "confirmed" | "expired" | "unknown" }
  | { state: "final"; slot: bigint }
  | { state: "refused"; words: string };

const KEPT = "ionet.pending";
const LAST = "ionet.last";
/** So long after it was signed a transaction has landed or never does, milliseconds: blockhashes last for 150 blocks. */
const LIFETIME = 600_000;
const RESEND = 2000;
/** Answers that fail in turn before we say that the node is gone. */
const PATIENCE = 3;

/** What is on its way from this browser, whichever tab sent it: another one would pay a second time. */
export function pending(): Pending | null {
  const found = kept(KEPT);
  return found ? (JSON.parse(found) as Pending) : null;
}

/** The signature of what was sent last from this browser. */
export function lastSent(): string | null {
  return kept(LAST);
}

/** Before it is sent: a page that is loaded again goes on with it. */
export function remember(each: Pending): void {
  keep(KEPT, JSON.stringify(each));
  keep(LAST, each.signature);
}

/** Keep it no longer; another that was begun meanwhile stays. */
export function forget(signature: Signature): void {
  if (pending()?.signature === signature) keep(KEPT, null);
}

export function pendingOf(signature: Signature, signed: Uint8Array, lastValid: bigint, of: { title: string; leads?: Leads }): Pending {
  const { title, leads } = of;
  return { signature, wire: wireOf(signed), lastValid: lastValid.toString(), title, at: Date.now(), ...(leads && { leads }) };
}

/** Whether it is so old that nobody need wait for it, though no node has said what became of it. */
export function isPast(sent: Pending): boolean {
  return Date.now() - sent.at > LIFETIME;
}

/** What became of it, told to `tell` at each change; ends when it is final, refused or expired. */
export async function follow(sent: Pending, tell: (outcome: Outcome) => void, first = true): Promise<void> {
  let woken = (): void => {};
  const stop = whenLanded(sent.signature, () => woken());
  let failed = 0;
  const way = { isNew: first };
  tell({ state: "sent" });
  try {
    for (;;) {
      try {
        const found = await step(sent, way);
        failed = 0;
        tell(found);
        if (found.state !== "sent" && found.state !== "confirmed") {
          forget(sent.signature);
          return;
        }
      } catch {
        failed += 1;
        // It may have landed: nobody may sign it again before that is known.
        if (failed >= PATIENCE) tell({ state: "unknown" });
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, RESEND);
        woken = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    stop();
  }
}

/** Ask for it, and send it once more if nobody has it; throws when the node doesn't answer. */
async function step(sent: Pending, way: { isNew: boolean }): Promise<Outcome> {
  const known = await status(sent.signature);
  if (known.outcome) return known.outcome;
  const { absoluteSlot, blockHeight } = await node.getEpochInfo({ commitment: "confirmed" }).send();
  if (blockHeight > BigInt(sent.lastValid)) {
    // It may have landed in the last block in which it could.
    const last = await status(sent.signature);
    if (last.outcome) return last.outcome;
    // Several nodes may answer by turns: one that is behind doesn't know what landed by then.
    return { state: last.slot < absoluteSlot ? "sent" : "expired" };
  }
  // Sent once, it may be on its way though no answer came: from then on no trial says that it isn't.
  const trial = way.isNew;
  way.isNew = false;
  const wire = sent.wire as ReturnType<typeof wireOf>;
  try {
    await node.sendTransaction(wire, { encoding: "base64", skipPreflight: !trial, maxRetries: 0n }).send();
  } catch (error) {
    const refused = trial ? refusal(error) : null;
    if (!refused) throw error;
    // A node's trial may refuse what has landed meanwhile.
    return (await status(sent.signature)).outcome ?? refused;
  }
  return (await status(sent.signature)).outcome ?? { state: "sent" };
}

/** What became of it by a slot; nothing where nobody has it. */
async function status(signature: Signature): Promise<{ outcome: Outcome | null; slot: bigint }> {
  const { context, value } = await node.getSignatureStatuses([signature], { searchTransactionHistory: true }).send();
  return { outcome: value[0] ? await outcomeOf(signature, value[0]) : null, slot: context.slot };
}

async function outcomeOf(signature: Signature, found: { err: unknown; confirmationStatus: string | null; slot: bigint }): Promise<Outcome> {
  const { err, confirmationStatus, slot } = found;
  // Where it is on one fork alone, it may end otherwise on another.
  if (confirmationStatus !== "confirmed" && confirmationStatus !== "finalized") return { state: "sent" };
  if (!err) return confirmationStatus === "finalized" ? { state: "final", slot } : { state: "confirmed" };
  const whole = await node
    .getTransaction(signature, { commitment: "confirmed", encoding: "base64", maxSupportedTransactionVersion: 0 })
    .send()
    // That it failed is known: why is a matter of words.
    .catch(() => null);
  return { state: "refused", words: why(err, whole?.meta?.logMessages ?? null) };
}

/** What a node's trial says; null when it is no answer to the transaction itself. */
function refusal(error: unknown): Outcome | null {
  const context = (error as { context?: { __code?: number; logs?: string[]; err?: unknown } }).context;
  const code = context?.__code;
  if (code === PREFLIGHT) {
    const cause = (error as { cause?: { context?: Record<string, unknown>; message?: string } }).cause;
    // Not of what it does: it has landed, or the node that tries it is behind the one that was asked for the blockhash.
    if (NO_REFUSALS.includes(cause?.context?.["__code"])) return { state: "sent" };
    return { state: "refused", words: why(causeOf(cause) ?? cause?.message, context?.logs ?? null) };
  }
  return null;
}

/** -32002: the trial of a transaction failed. */
const PREFLIGHT = -32002;
const NO_REFUSALS: readonly unknown[] = [
  SOLANA_ERROR__TRANSACTION_ERROR__ALREADY_PROCESSED,
  SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND,
];

function causeOf(cause: { context?: Record<string, unknown> } | undefined): unknown {
  const number = cause?.context?.["code"];
  return typeof number === "number" ? { InstructionError: [cause?.context?.["index"], { Custom: number }] } : undefined;
}


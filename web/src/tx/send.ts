// Sends what was signed, again and again until it has landed or can't any more; a reload goes on with it.
import type { Signature } from "@solana/kit";
import { why } from "../chain/failure";
import { node, whenLanded } from "../chain/node";
import { wireOf } from "./preview";

/** What is on its way: all that it takes to go on with it after a reload. */
export interface Pending {
  signature: Signature;
  wire: string;
  lastValid: string;
  /** What it does, in words. */
  title: string;
}

export type Outcome =
  | { state: "sent" | "confirmed" | "final" | "expired" | "unknown" }
  | { state: "refused"; words: string };

const KEPT = "ionet.pending";
const RESEND = 2000;
/** Answers that fail in turn before we say that the node is gone. */
const PATIENCE = 3;

export function pending(): Pending | null {
  const kept = sessionStorage.getItem(KEPT);
  return kept ? (JSON.parse(kept) as Pending) : null;
}

export function keep(each: Pending): void {
  sessionStorage.setItem(KEPT, JSON.stringify(each));
}

export function forget(): void {
  sessionStorage.removeItem(KEPT);
}

export function pendingOf(signature: Signature, signed: Uint8Array, lastValid: bigint, title: string): Pending {
  return { signature, wire: wireOf(signed), lastValid: lastValid.toString(), title };
}

/** What became of it, told to `tell` at each change; ends when it is final, refused or expired. */
export async function follow(sent: Pending, tell: (outcome: Outcome) => void, first = true): Promise<void> {
  let woken = (): void => {};
  const stop = whenLanded(sent.signature, () => woken());
  let failed = 0;
  let trial = first;
  tell({ state: "sent" });
  try {
    for (;;) {
      try {
        const found = await step(sent, trial);
        trial = false;
        failed = 0;
        tell(found);
        if (found.state !== "sent" && found.state !== "confirmed") {
          forget();
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
async function step(sent: Pending, trial: boolean): Promise<Outcome> {
  const known = await status(sent.signature);
  if (known) return known;
  const height = await node.getBlockHeight({ commitment: "confirmed" }).send();
  if (height > BigInt(sent.lastValid)) {
    // It may have landed in the last block in which it could.
    return (await status(sent.signature)) ?? { state: "expired" };
  }
  const wire = sent.wire as ReturnType<typeof wireOf>;
  try {
    await node.sendTransaction(wire, { encoding: "base64", skipPreflight: !trial, maxRetries: 0n }).send();
  } catch (error) {
    const refused = trial ? refusal(error) : null;
    if (!refused) throw error;
    // A node's trial may refuse what has landed meanwhile.
    return (await status(sent.signature)) ?? { state: "refused", words: refused };
  }
  return (await status(sent.signature)) ?? { state: "sent" };
}

async function status(signature: Signature): Promise<Outcome | null> {
  const { value } = await node.getSignatureStatuses([signature], { searchTransactionHistory: true }).send();
  const found = value[0];
  if (!found) return null;
  if (found.err) {
    const whole = await node
      .getTransaction(signature, { commitment: "confirmed", encoding: "base64", maxSupportedTransactionVersion: 0 })
      .send();
    return { state: "refused", words: why(found.err, whole?.meta?.logMessages ?? null) };
  }
  if (found.confirmationStatus === "finalized") return { state: "final" };
  return { state: found.confirmationStatus === "confirmed" ? "confirmed" : "sent" };
}

/** What a node's trial says; null when it is no answer to the transaction itself. */
function refusal(error: unknown): string | null {
  const context = (error as { context?: { __code?: number; logs?: string[]; err?: unknown } }).context;
  const code = context?.__code;
  if (code === PREFLIGHT) {
    const cause = (error as { cause?: { context?: Record<string, unknown>; message?: string } }).cause;
    return why(causeOf(cause) ?? cause?.message, context?.logs ?? null);
  }
  return null;
}

/** -32002: the trial of a transaction failed. */
const PREFLIGHT = -32002;

function causeOf(cause: { context?: Record<string, unknown> } | undefined): unknown {
  const number = cause?.context?.["code"];
  return typeof number === "number" ? { InstructionError: [cause?.context?.["index"], { Custom: number }] } : undefined;
}


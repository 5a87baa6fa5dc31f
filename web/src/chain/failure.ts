// Why a transaction failed, in the words of the program that refused it.
import { ERRORS, FRAMEWORK } from "./errors";

const TOKENS: Record<number, string> = {
  1: "there are fewer tokens in the account than this takes",
  3: "a token account is of another token",
  4: "the token account belongs to somebody else",
  17: "the token account is frozen",
};
const TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
const SYSTEM_PROGRAM = "11111111111111111111111111111111";

const WORDS: Record<string, string> = {
  AccountNotFound: "your wallet has no SOL: the fee is paid in it",
  InsufficientFundsForFee: "your wallet has too little SOL for the fee",
  InsufficientFundsForRent: "your wallet has too little SOL for the deposits of the accounts that this makes",
  BlockhashNotFound: "it is too old: build it again",
  AlreadyProcessed: "it has landed already",
};

const FAILED = /^Program (\w+) failed: custom program error: 0x([0-9a-f]+)$/;

/** `error` is a node's, `logs` the transaction's: the program that failed is there, which needn't be the one called. */
export function why(error: unknown, logs: readonly string[] | null): string {
  for (const line of logs ?? []) {
    const found = FAILED.exec(line);
    if (!found) continue;
    const [, program = "", hex = ""] = found;
    const code = Number.parseInt(hex, 16);
    // The first one in the logs is the innermost.
    const said = ERRORS[program]?.[code] ?? (ERRORS[program] ? FRAMEWORK[code] : undefined);
    if (said) return said[1];
    if (program === TOKEN_PROGRAM && TOKENS[code]) return TOKENS[code];
    if (program === SYSTEM_PROGRAM && code === 1) return "your wallet has too little SOL for this";
    return `program ${program} refuses it with its error ${code}`;
  }
  const name = typeof error === "string" ? error : Object.keys(error ?? {})[0];
  if (name && WORDS[name]) return WORDS[name];
  return `the chain refuses it: ${written(error)}`;
}

/** What went wrong on the way, for people. */
export function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Chromium, Firefox and Safari each say it otherwise; any other TypeError is a defect.
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message))
    return "The node, or the server of this page, doesn't answer: try again.";
  if (error.name !== "SolanaError") return error.message;
  // The library's texts are left out where it isn't developed with: its numbers say nothing to anybody.
  const { __code, __serverMessage } = (error as { context?: { __code?: number; __serverMessage?: string } }).context ?? {};
  if (__serverMessage) return `The node refuses it: ${__serverMessage}.`;
  if (__code === NO_ACCOUNT) return "There is no such account on the chain.";
  return `The node doesn't answer as it should (error ${__code}): try again.`;
}

const NO_ACCOUNT = 3_230_000;

function written(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === "bigint" ? Number(each) : each));
}

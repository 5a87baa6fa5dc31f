/** What a page and its checking worker tell each other. */

import type { Level, Step } from "./finding.js";

/** What a page asks for; amounts as text, base units. */
export interface Question {
  readonly node: string;
  readonly hour: number;
  readonly level: Level;
  readonly root: string | null;
  readonly wallet: string | null;
  readonly earned: string | null;
}

/** A line, how many hashes are made, or that it is over: whether all of it holds, and what went wrong in us. */
export type Answer =
  | { readonly step: Step }
  | { readonly done: number; readonly all: number }
  | { readonly holds: boolean; readonly failed: string | null };

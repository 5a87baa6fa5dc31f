/** What a page and its checking worker tell each other. */

import type { Level, Step } from "./finding.js";

/** What a page asks for of an hour; amounts as text, base units. */
export interface HourQuestion {
  readonly node: string;
  readonly hour: number;
  readonly level: Level;
  readonly root: string | null;
  readonly wallet: string | null;
  readonly earned: string | null;
}

/** What a page asks for of an airdrop season. */
export interface SeasonQuestion {
  readonly node: string;
  readonly season: number;
  readonly level: Level;
  readonly root: string | null;
  readonly wallet: string | null;
}

export type Question = HourQuestion | SeasonQuestion;

/** A line, how many hashes are made, or that it is over: whether all of it holds, and what went wrong in us. */
export type Answer =
  | { readonly step: Step }
  | { readonly done: number; readonly all: number }
  | { readonly holds: boolean; readonly failed: string | null };

/** What a check found. `ionet rewards verify` says the same of the same files. */

import { NoSecureContext } from "./bytes.js";

/** Something that is not what it has to be: of published files, what operators attested. */
export class Finding extends Error {}

/** What somebody gave isn't what operators attested: whoever serves it is to blame, or what lies between. */
export class Altered extends Finding {}

/** Something that a check needs and that isn't to be had now: nothing is wrong by that, and nothing is shown. */
export class Unavailable extends Error {
  /** `todo` says what to do, in a sentence. */
  constructor(
    says: string,
    readonly todo: string,
  ) {
    super(says);
  }
}

/** How far a check goes: a wallet's leaf, the whole tree, the rule itself. */
export type Level = 1 | 2 | 3;

/** A line of a check: what was looked at, its hash, and what came of it. */
export interface Step {
  readonly level: Level;
  readonly title: string;
  readonly state: "right" | "wrong" | "unknown";
  /** In hexadecimal, or figures. */
  readonly value?: string;
  /** What is wrong, or isn't known. */
  readonly says?: string;
  readonly todo?: string;
}

/** A file by its hour and name, as it is called in sentences. */
export function pathOf(hour: number, name: string): string {
  return `${hour}/${name}`;
}

/** Whom to blame, and what to do: where what was given isn't what is on chain, and where that itself is wrong. */
export interface Advice {
  readonly altered: string;
  readonly attested: string;
}

/** What an error says of a step; throws what is none of these. */
export function outcome(error: unknown, advice: Advice): Pick<Step, "state" | "says" | "todo"> {
  if (error instanceof Finding) {
    return { state: "wrong", says: error.message, todo: error instanceof Altered ? advice.altered : advice.attested };
  }
  if (error instanceof Unavailable) return { state: "unknown", says: error.message, todo: error.todo };
  if (error instanceof NoSecureContext) return { state: "unknown", says: error.message };
  throw error;
}

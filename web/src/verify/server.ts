/** What whoever serves the pages gives: hours' files and wallets' proofs. */

import type { Bytes } from "./bytes.js";
import type { Fetch } from "./files.js";
import { Altered, Unavailable, pathOf } from "./finding.js";
import type { Proof } from "./levels.js";
import type { Share } from "./season.js";

/** More than a browser should be asked to hold. */
const MOST_BYTES = 1 << 30;
const AGAIN = "Try again in a moment.";
const ELSEWHERE =
  "Whoever serves this page doesn't have it, or keeps it back: get the hour from an operator (ionet rewards fetch " +
  "--from URL) and check it there (ionet rewards verify).";

/** What a server is asked for. */
export interface Server {
  readonly file: Fetch;
  readonly proof: (hour: number, wallet: string) => Promise<Proof>;
  /** A wallet's leaf in an airdrop season, and the season's file of points. */
  readonly share: (season: number, wallet: string) => Promise<Share>;
  readonly points: (season: number) => Promise<Bytes>;
}

/** Ask the server at `base`; `get` is the browser's fetch. */
export function serverAt(base: string, get: typeof fetch): Server {
  const ask = async (path: string): Promise<Response> => {
    let answer: Response;
    try {
      // What a browser had before is asked for again by its ETag: a file that was mended is another one.
      answer = await get(new URL(path, base), { cache: "no-cache", redirect: "error" });
    } catch (error) {
      throw new Unavailable(`whoever serves this page doesn't answer (${words(error)})`, AGAIN);
    }
    if (answer.status === 429) {
      const seconds = answer.headers.get("retry-after") ?? "a few";
      throw new Unavailable(`this page was asked for too much at a time`, `Try again in ${seconds} seconds.`);
    }
    if (answer.status >= 500) {
      throw new Unavailable(`whoever serves this page answers with status ${answer.status}`, AGAIN);
    }
    return answer;
  };
  const answered = async (path: string, todo: string): Promise<unknown> => {
    const answer = await ask(path);
    const told = await read(answer, "the answer", MOST_ANSWER);
    if (!answer.ok) {
      const detail = fieldsOf(told).detail;
      throw new Unavailable(typeof detail === "string" ? detail : `there is no proof (${answer.status})`, todo);
    }
    return fieldsOf(told).data;
  };
  return {
    file: async (hour, name, hash, most) => {
      const path = pathOf(hour, name);
      if (most > MOST_BYTES) {
        throw new Unavailable(`${path} is too large for a browser`, "Check it with ionet rewards verify.");
      }
      const answer = await ask(`/rewards/${path}?sha256=${hash}`);
      if (!answer.ok) throw new Unavailable(`${path} is missing`, ELSEWHERE);
      return await read(answer, path, most);
    },
    proof: async (hour, wallet) => proofOf(await answered(`/api/v1/blocks/${hour}/proof/${wallet}`, NO_PROOF)),
    share: async (season, wallet) => shareOf(await answered(`/api/v1/seasons/${season}/proof/${wallet}`, NO_SHARE)),
    points: async (season) => {
      const path = `seasons/${season}/points.csv`;
      const answer = await ask(`/rewards/${path}`);
      if (!answer.ok) throw new Unavailable(`${path} is missing`, NO_POINTS);
      return await read(answer, path, MOST_POINTS);
    },
  };
}

const MOST_ANSWER = 1 << 16;
/** Some millions of lines. */
const MOST_POINTS = 1 << 28;
const NO_POINTS =
  "Whoever serves this page doesn't have it, or keeps it back: get the season's points from whoever opened it, and " +
  "check them there (ionet season claim).";
const NO_SHARE = "The season's points show who gets what: level 2.";
const NO_PROOF = "The whole tree shows whether the wallet is in it: level 2.";

/** Read at most so many bytes. */
async function read(answer: Response, path: string, most: number): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    const reader = answer.body?.getReader();
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      size += piece.value.length;
      pieces.push(piece.value);
      if (size > most) {
        await reader?.cancel();
        throw new Altered(`${path} has more than ${most} bytes`);
      }
    }
  } catch (error) {
    if (error instanceof Altered) throw error;
    throw new Unavailable(`${path} broke off (${words(error)})`, AGAIN);
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}

function fieldsOf(data: Bytes): { readonly [name: string]: unknown } {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof found === "object" && found !== null ? (found as { [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}

/** The API's answer; throws Altered for one of another form. */
function proofOf(data: unknown): Proof {
  const { hour, wallet, lifetime, proof } = (data ?? {}) as { readonly [name in keyof Proof]?: unknown };
  if (typeof hour !== "number" || typeof wallet !== "string" || !isAmount(lifetime) || !isPath(proof)) {
    throw new Altered("the answer is no proof");
  }
  return { hour, wallet, lifetime: BigInt(lifetime), proof };
}

/** The same of a season. */
function shareOf(data: unknown): Share {
  const { season, wallet, index, amount, proof } = (data ?? {}) as { readonly [name in keyof Share]?: unknown };
  if (typeof season !== "number" || typeof wallet !== "string" || !isAmount(amount) || !isPath(proof)) {
    throw new Altered("the answer is no proof");
  }
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= 2 ** 32) {
    throw new Altered("the answer is no proof");
  }
  return { season, wallet, index, amount: BigInt(amount), proof };
}

function isPath(proof: unknown): proof is string[] {
  return Array.isArray(proof) && proof.length <= 64 && proof.every((each) => typeof each === "string");
}

function isAmount(text: unknown): text is string {
  return typeof text === "string" && /^[0-9]{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
}

/** An error's own words. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

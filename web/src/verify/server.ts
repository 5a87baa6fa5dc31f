/** What whoever serves the pages gives: hours' files and wallets' proofs. */

import type { Bytes } from "./bytes.js";
import type { Fetch } from "./files.js";
import { Altered, Unavailable, pathOf } from "./finding.js";
import type { Proof } from "./levels.js";

/** More than a browser should be asked to hold. */
const MOST_BYTES = 1 << 30;
const AGAIN = "Try again in a moment.";
const ELSEWHERE =
  "Whoever serves this page doesn't have it, or keeps it back: get the hour from an operator (ionet rewards fetch " +
  "--from URL) and check it there (ionet rewards verify).";

/** Ask the server at `base`; `get` is the browser's fetch. */
export function serverAt(base: string, get: typeof fetch): { file: Fetch; proof: (hour: number, wallet: string) => Promise<Proof> } {
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
    proof: async (hour, wallet) => {
      const answer = await ask(`/api/v1/blocks/${hour}/proof/${wallet}`);
      const told = await read(answer, "the answer", MOST_ANSWER);
      if (!answer.ok) {
        const detail = fieldsOf(told).detail;
        throw new Unavailable(typeof detail === "string" ? detail : `there is no proof (${answer.status})`, NO_PROOF);
      }
      return proofOf(fieldsOf(told).data);
    },
  };
}

const MOST_ANSWER = 1 << 16;
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
  const isProof = Array.isArray(proof) && proof.length <= 64 && proof.every((each) => typeof each === "string");
  if (typeof hour !== "number" || typeof wallet !== "string" || typeof lifetime !== "string" || !isProof) {
    throw new Altered("the answer is no proof");
  }
  if (!/^[0-9]{1,20}$/.test(lifetime) || BigInt(lifetime) >= 2n ** 64n) throw new Altered("the answer is no proof");
  return { hour, wallet, lifetime: BigInt(lifetime), proof };
}

/** An error's own words. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

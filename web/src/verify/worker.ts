/** Checks an hour beside the page, which stays usable meanwhile: a question in, lines out. */

import { NoSecureContext, keyOf, sha256 } from "./bytes.js";
import { type Sources, verify } from "./levels.js";
import type { Answer, Question } from "./messages.js";
import { blockAt, network, startMonthAt } from "./node.js";
import { serverAt, words } from "./server.js";

function tell(answer: Answer): void {
  postMessage(answer);
}

async function answer(asked: Question): Promise<boolean> {
  const key = asked.wallet === null ? null : keyOf(asked.wallet);
  if (asked.wallet !== null && key === null) throw new Error(`${asked.wallet} is no address`);
  // Asked for first: without it, nothing below can say what is missing.
  await sha256(new Uint8Array(0));
  const sources: Sources = {
    block: (hour) => blockAt(asked.node, hour),
    startMonth: () => startMonthAt(asked.node),
    ...serverAt(location.origin, (...given) => fetch(...given)),
  };
  const shown = asked.earned === null ? null : BigInt(asked.earned);
  const wallet = key === null ? null : { address: asked.wallet as string, key, shown };
  return await verify(
    await network(),
    sources,
    { hour: asked.hour, level: asked.level, wallet, shown: asked.root },
    (step) => tell({ step }),
    (done, all) => tell({ done, all }),
  );
}

onmessage = async ({ data }: MessageEvent<Question>): Promise<void> => {
  try {
    tell({ holds: await answer(data), failed: null });
  } catch (error) {
    if (error instanceof NoSecureContext) {
      tell({ step: { level: data.level, title: "the browser's SHA-256", state: "unknown", says: error.message } });
      tell({ holds: false, failed: null });
    } else {
      tell({ holds: false, failed: words(error) });
    }
  }
};

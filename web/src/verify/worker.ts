/** Checks an hour or a season beside the page, which stays usable meanwhile: a question in, lines out. */

import { NoSecureContext, keyOf, sha256 } from "./bytes.js";
import type { Step } from "./finding.js";
import { type Sources, verify } from "./levels.js";
import type { Answer, Question } from "./messages.js";
import { blockAt, network, seasonAt, seasonNetwork, startMonthAt } from "./node.js";
import { verifySeason } from "./season.js";
import { serverAt, words } from "./server.js";

function tell(answer: Answer): void {
  postMessage(answer);
}

async function answer(asked: Question): Promise<boolean> {
  const key = asked.wallet === null ? null : keyOf(asked.wallet);
  if (asked.wallet !== null && key === null) throw new Error(`${asked.wallet} is no address`);
  // Asked for first: without it, nothing below can say what is missing.
  await sha256(new Uint8Array(0));
  const server = serverAt(location.origin, (...given) => fetch(...given));
  const report = (step: Step): void => tell({ step });
  const progress = (done: number, all: number): void => tell({ done, all });
  if ("season" in asked) {
    const wallet = key === null ? null : { address: asked.wallet as string, key };
    const sources = { account: (number: number) => seasonAt(asked.node, number), ...server };
    return await verifySeason(await seasonNetwork(), sources, { ...asked, wallet, shown: asked.root }, report, progress);
  }
  const sources: Sources = {
    block: (hour) => blockAt(asked.node, hour),
    startMonth: () => startMonthAt(asked.node),
    ...server,
  };
  const shown = asked.earned === null ? null : BigInt(asked.earned);
  const wallet = key === null ? null : { address: asked.wallet as string, key, shown };
  return await verify(
    await network(),
    sources,
    { hour: asked.hour, level: asked.level, wallet, shown: asked.root },
    report,
    progress,
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

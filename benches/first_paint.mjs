// node first_paint.mjs: reads { web, pages, chromium, rounds } as JSON from stdin; measures each page's first visit by
// turns, as this machine is and as on a slow phone, and prints JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(path.join(import.meta.dirname, "../web/package.json"))("playwright-core");
const wanted = JSON.parse(readFileSync(0, "utf8"));
const KBIT = 1000 / 8;
/** Of a phone on slow 4G, as Lighthouse has it; a core four times as slow. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 1600 * KBIT, uploadThroughput: 750 * KBIT };
const CORE = 4;

const browser = await chromium.launch({ executablePath: wanted.chromium, args: ["--no-sandbox", "--disable-gpu"] });
const found = [];
try {
  for (let round = 0; round < wanted.rounds; round += 1) {
    for (const page of wanted.pages) {
      for (const isSlow of [false, true]) {
        const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
        const tab = await context.newPage();
        if (isSlow) {
          const session = await context.newCDPSession(tab);
          await session.send("Network.enable");
          await session.send("Network.emulateNetworkConditions", SLOW);
          await session.send("Emulation.setCPUThrottlingRate", { rate: CORE });
        }
        await tab.goto(new URL(page, wanted.web).href, { waitUntil: "load", timeout: 0 });
        await tab.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
        const seconds = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime / 1000);
        found.push({ page, isSlow, seconds });
        await context.close();
      }
    }
  }
  console.log(JSON.stringify({ found, browser: browser.version() }));
} finally {
  await browser.close();
}

// Acts in a real browser: `node browse.mjs` reads what to do as JSON from stdin, and answers what was seen.
// { web, wallet, memo, steps: [[name, ...arguments], ..] }: each step is one of those below.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const here = import.meta.dirname;
const load = createRequire(path.join(here, "../../web/package.json"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const wanted = JSON.parse(readFileSync(0, "utf8"));

const PATIENCE = 60_000;
const browser = await chromium.launch({ executablePath: wanted.chromium, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({
  viewport: { width: 1100, height: 900 },
  bypassCSP: false,
  ...(wanted.context ?? {}),
});
await context.addInitScript({ path: path.join(here, "wallet.js") });
if (wanted.wallet)
  await context.addInitScript(
    ({ wallet, memo }) => {
      globalThis.ionetMemo = memo;
      globalThis.ionetWallet(wallet);
    },
    { wallet: wanted.wallet, memo: wanted.memo },
  );
const wrong = [];
const windows = [];
/** Another tab of the same browser, which is then the one that is acted in. */
const open = async () => {
  const made = await context.newPage();
  made.setDefaultTimeout(PATIENCE);
  made.on("console", (each) => {
    if (each.type() === "error") wrong.push(each.text());
  });
  made.on("pageerror", (error) => wrong.push(String(error)));
  windows.push(made);
  return made;
};
let page = await open();

const text = async (selector) => (await page.locator(selector).allInnerTexts()).map((each) => each.trim());
const steps = {
  open: async (at) => void (await page.goto(new URL(at, wanted.web).href, { waitUntil: "load" })),
  reload: async () => void (await page.reload({ waitUntil: "load" })),
  click: (name) => page.getByRole("button", { name, exact: true }).click(),
  window: async (number) => {
    page = windows[number] ?? (await open());
  },
  /** Choose one of several by its words. */
  choose: async (label, words) => void (await page.getByLabel(label, { exact: true }).selectOption({ label: words })),
  file: (label, name, text) =>
    page.getByLabel(label, { exact: true }).setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) }),
  unfold: (words) => page.locator("summary", { hasText: words }).click(),
  /** As if so many seconds had passed in the page, by its own clock. */
  later: (seconds) =>
    page.evaluate((each) => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + each * 1000;
    }, seconds),
  follow: async (words) => void (await page.getByRole("link", { name: words, exact: true }).click()),
  tick: (label) => page.getByLabel(label, { exact: true }).check(),
  paper: () => page.evaluate(() => getComputedStyle(document.body).backgroundColor),
  fill: (label, value) => page.getByLabel(label, { exact: true }).fill(value),
  press: (keys) => page.keyboard.press(keys),
  type: (keys) => page.keyboard.type(keys),
  /** Tab until what has the focus is called so. */
  tab: async (name) => {
    for (let n = 0; n < 200; n += 1) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => {
        const { activeElement: each } = document;
        return each?.labels?.[0]?.innerText.trim() ?? each?.innerText?.trim() ?? "";
      });
      if (focused === name) return;
    }
    throw new Error(`no Tab leads to ${name}`);
  },
  see: (words) => page.getByText(words).first().waitFor(),
  gone: (words) => page.getByText(words).first().waitFor({ state: "detached" }),
  state: (name) => page.locator(`[data-state="${name}"]`).waitFor(),
  call: (name) => page.evaluate((each) => globalThis[each](), name),
  called: async (name) => void (await page.waitForFunction((each) => globalThis[each] !== undefined, name)),
  /** What a node that is away answers: nothing. */
  cut: (url) => context.route(`${url}**`, (route) => route.abort()),
  mend: (url) => context.unroute(`${url}**`),
  /** A node that answers again, and is a million blocks further. */
  older: async (url) => {
    await context.unroute(`${url}**`);
    await context.route(`${url}**`, async (route) => {
      const asked = JSON.parse(route.request().postData() ?? "{}");
      if (asked.method !== "getEpochInfo") return route.continue();
      const answer = await (await route.fetch()).json();
      const result = { ...answer.result, blockHeight: answer.result.blockHeight + 1_000_000 };
      return route.fulfill({ json: { ...answer, result } });
    });
  },
  /** Where the page's explorer is. */
  led: () => page.locator("[data-explored] a").getAttribute("href"),
  told: () => text(".island .told, .island [role=status]"),
  asked: () => page.evaluate(() => globalThis.ionetAsked ?? 0),
  island: async () => (await text(".island")).join("\n"),
  buttons: async () => (await text(".island button")).filter(Boolean),
  signature: async () => (await page.locator(".act a.address").innerText()).trim(),
  table: () =>
    page.locator(".act tbody tr").evaluateAll((rows) =>
      rows.map((row) => ({
        account: row.dataset.account,
        unit: row.dataset.unit,
        cells: [...row.cells].map((cell) => cell.innerText.trim()),
      })),
    ),
  axe: async () => {
    await page.evaluate(axe);
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), tags);
    return violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" | ")}`);
  },
  media: (given) => page.emulateMedia(given),
  size: (width, height) => page.setViewportSize({ width, height }),
  overflow: () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  screenshot_of: async (selector, file) => void (await page.locator(selector).last().screenshot({ path: file })),
  /** What is seen without scrolling. */
  view: async (file) => void (await page.screenshot({ path: file })),
  screenshot: async (file) => void (await page.screenshot({ path: file, fullPage: true })),
};

const seen = [];
let failed = null;
try {
  for (const [name, ...given] of wanted.steps) seen.push((await steps[name](...given)) ?? null);
} catch (error) {
  failed = `${wanted.steps[seen.length]}: ${error}\n${await page.locator("main").innerText().catch(() => "")}`;
}
await browser.close();
process.stdout.write(JSON.stringify({ seen, failed, wrong }));

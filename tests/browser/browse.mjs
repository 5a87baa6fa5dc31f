// Acts in a real browser: `node browse.mjs` reads what to do as JSON from stdin, and answers what was seen.
// { web, wallet, memo, keys, steps: [[name, ...arguments], ..] }: each step is one of those below; with `keys` by
// keyboard alone, and who uses it sees after each where they are.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const here = import.meta.dirname;
const load = createRequire(path.join(here, "../../web/package.json"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const wanted = JSON.parse(readFileSync(0, "utf8"));

// Only what hangs takes so long, on however busy a machine.
const PATIENCE = 240_000;
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

/** Tab until what has the focus is of a kind, such as "button", and called so, or with `isPart` has that in its name. */
async function tab(name, kind = "*", isPart = false) {
  for (let n = 0; n < 300; n += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate((each) => {
      const { activeElement } = document;
      return activeElement?.matches(each) ? (activeElement.labels?.[0] ?? activeElement).innerText.trim() : "";
    }, kind);
    if (isPart ? focused.includes(name) : focused === name) return;
  }
  throw new Error(`no Tab leads to ${name}`);
}

/** What has the focus is there, in view, and seen to have it. */
const held = () =>
  page.waitForFunction(() => {
    const { activeElement: each } = document;
    if (!each || each === document.body || !each.matches(":focus-visible") || !each.checkVisibility()) return false;
    const { top, bottom } = each.getBoundingClientRect();
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return bottom > 0 && top < innerHeight && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });

const type = async (words) => {
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.type(words);
};

/** The same acts by keyboard alone. */
const keyed = {
  click: async (name) => {
    await tab(name, "button");
    await page.keyboard.press("Enter");
  },
  fill: async (label, value) => {
    await tab(label, "input");
    await type(value);
  },
  /** A list goes to what begins with what is typed. */
  choose: async (label, words) => {
    await tab(label, "select");
    await page.keyboard.type(words.split(/[ ,]/)[0]);
    const chosen = await page.evaluate(() => document.activeElement.selectedOptions[0].label);
    if (chosen !== words) throw new Error(`${label} is ${chosen}`);
  },
  tick: async (label) => {
    await tab(label, "input");
    await page.keyboard.press("Space");
  },
  unfold: async (words) => {
    await tab(words, "summary", true);
    await page.keyboard.press("Enter");
  },
  follow: async (words) => {
    await page.getByRole("link", { name: words, exact: true }).waitFor();
    await tab(words, "a");
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  },
  file: async (label, name, text) => {
    // Chromium opens it only so soon after a key that a machine with much to do may be late: then one presses again.
    let chooser;
    const opened = page.waitForEvent("filechooser").then((each) => (chooser = each));
    while (!chooser) {
      await tab(label, "input");
      await page.keyboard.press("Enter");
      await Promise.race([opened, page.waitForTimeout(5_000)]);
    }
    await chooser.setFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
  },
};
/** Steps from which on a page is new, and nobody is anywhere on it yet. */
const LOADS = ["open", "reload", "follow", "window"];

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
  /** The words of what has the focus. */
  focused: () => page.evaluate(() => document.activeElement.innerText.trim()),
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
  let isAt = false;
  for (const [name, ...given] of wanted.steps) {
    const act = (wanted.keys && keyed[name]) || steps[name];
    seen.push((await act(...given)) ?? null);
    if (LOADS.includes(name)) isAt = false;
    else if (name in keyed) isAt = true;
    if (wanted.keys && isAt) await held();
  }
} catch (error) {
  failed = `${wanted.steps[seen.length]}: ${error}\n${await page.locator("main").innerText().catch(() => "")}`;
}
await browser.close();
process.stdout.write(JSON.stringify({ seen, failed, wrong }));

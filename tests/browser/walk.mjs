// node walk.mjs: reads what to walk through as JSON from stdin, and prints what was found on each page.
// { web, chromium, media, size, pages: [path, ..] }: one browser and one tab for all of them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(import.meta.dirname, "../../web/package.json"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const wanted = JSON.parse(readFileSync(0, "utf8"));
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What of the page is wider than it, but for what scrolls by itself. */
function beyond() {
  const width = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > width ? [`the page: ${document.documentElement.scrollWidth} of ${width}`] : [];
  for (const each of document.querySelectorAll("main *, header *, footer *")) {
    const { right, width: own } = each.getBoundingClientRect();
    if (own && right > width + 0.5 && !each.closest(".wide") && !each.closest(".hidden, .skip"))
      found.push(`${each.tagName} ${each.className}: ${Math.round(right)} of ${width}`);
  }
  return found;
}

/** Texts of the page that nobody sees. */
function unseen() {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("main") ?? document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement: parent } = node;
    // What only a script can show has words for who runs none; a narrow figure's words are in its table.
    if (!node.data.trim() || parent.closest(".hidden, option, .check [hidden], #settings[hidden], .island, noscript, .odd")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) found.push(node.data.trim());
  }
  return found;
}

const browser = await chromium.launch({ executablePath: wanted.chromium, args: ["--no-sandbox", "--disable-gpu"] });
const found = {};
try {
  const context = await browser.newContext({ viewport: wanted.size });
  const tab = await context.newPage();
  // However slow the machine is.
  tab.setDefaultTimeout(0);
  const wrong = [];
  tab.on("console", (each) => each.type() === "error" && wrong.push(each.text()));
  tab.on("pageerror", (error) => wrong.push(String(error)));
  if (wanted.media) await tab.emulateMedia(wanted.media);
  for (const at of wanted.pages) {
    wrong.length = 0;
    const answer = await tab.goto(new URL(at, wanted.web).href, { waitUntil: "load" });
    await tab.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    const told = { status: answer.status(), title: await tab.title(), heading: await tab.locator("h1").allInnerTexts() };
    told.beyond = await tab.evaluate(beyond);
    told.unseen = await tab.evaluate(unseen);
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate((runOnly) => globalThis.axe.run({ runOnly }), RULES);
    told.axe = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
    // A refusal is itself told of by the console.
    told.wrong = wrong.filter((each) => !each.includes(`status of ${told.status}`));
    found[at] = told;
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(found));

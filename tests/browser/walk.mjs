// node walk.mjs: reads what to walk through as JSON from stdin, and prints what was found on each page.
// { web, chromium, size, pages: [path, ..] }: one browser and one tab for all of them. What a rendering may have, too:
// media (what is emulated), script (false: none runs), theme (chosen in the settings), rules (axe's; none: []).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(import.meta.dirname, "../../web/package.json"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const wanted = JSON.parse(readFileSync(0, "utf8"));
const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const rules = wanted.rules ?? ALL;
const paper = wanted.media?.media === "print";

/** What of the page is wider than it, but for what scrolls by itself: on paper nothing does. */
function beyond(scrolling) {
  const width = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > width ? [`the page: ${document.documentElement.scrollWidth} of ${width}`] : [];
  for (const each of document.querySelectorAll("main *, header *, footer *")) {
    const { right, width: own } = each.getBoundingClientRect();
    if (own && right > width + 0.5 && !(scrolling && each.closest(".wide")) && !each.closest(".hidden, .skip"))
      found.push(`${each.tagName} ${each.className}: ${Math.round(right)} of ${width}`);
  }
  return found;
}

/** Texts of the page that nobody sees; `meant`: where there are some by intent. */
function unseen(meant) {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("main") ?? document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement: parent } = node;
    if (!node.data.trim() || parent.closest(meant)) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) found.push(node.data.trim());
  }
  return found;
}

/** What would not be seen on what the page is painted on, where text is not what tells it: swatches, dots, lines. */
function unpainted() {
  const canvas = getComputedStyle(document.body).backgroundColor;
  const none = [canvas, "rgba(0, 0, 0, 0)", "none"];
  const found = [];
  const look = (each, pseudo, names) => {
    const style = getComputedStyle(each, pseudo);
    if (names.every((name) => none.includes(style[name]))) found.push(`${each.tagName} ${each.getAttribute("class")}${pseudo ?? ""}`);
  };
  for (const each of document.querySelectorAll("main .legend span")) look(each, null, ["backgroundColor"]);
  for (const each of document.querySelectorAll("main .state")) look(each, "::before", ["backgroundColor", "borderTopColor"]);
  for (const each of document.querySelectorAll("main svg .area, main svg .bar, main svg .mark, main svg .line")) look(each, null, ["fill", "stroke"]);
  return [...new Set(found)];
}

/** Links to a transaction that name it neither in their words nor, as on paper, behind them. */
function lost() {
  const nameless = (link) => {
    const id = link.getAttribute("href").slice("/tx/".length);
    return !`${link.textContent} ${getComputedStyle(link, "::after").content}`.includes(id);
  };
  return [...document.querySelectorAll('main a[href^="/tx/"]')].filter(nameless).map((link) => link.outerHTML);
}

/** Ink and paper. */
function tones() {
  const { backgroundColor, color } = getComputedStyle(document.body);
  return [backgroundColor, color];
}

/** What only a script can show has words for who runs none; a narrow figure's words are in its table. */
const MEANT = [".hidden", "option", ".odd", ...(wanted.script === false ? [".check [hidden]", "#settings[hidden]"] : [".check [hidden]", "#settings[hidden]", ".island", "noscript"])];
/** On paper nothing can be pressed, chosen or signed. */
const ON_SCREENS = [".how", ".further", ".island", ".check", "form", "summary", "noscript"];

const browser = await chromium.launch({ executablePath: wanted.chromium, args: ["--no-sandbox", "--disable-gpu"] });
const found = {};
try {
  const context = await browser.newContext({ viewport: wanted.size, javaScriptEnabled: wanted.script !== false });
  if (wanted.theme) await context.addInitScript((theme) => localStorage.setItem("ionet.theme", theme), wanted.theme);
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
    // On paper they are open by themselves.
    if (!paper) await tab.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    const told = { status: answer.status(), title: await tab.title(), heading: await tab.locator("h1").allInnerTexts() };
    told.tones = await tab.evaluate(tones);
    told.beyond = await tab.evaluate(beyond, !paper);
    told.unseen = await tab.evaluate(unseen, [...MEANT, ...(paper ? ON_SCREENS : [])].join());
    told.lost = paper ? await tab.evaluate(lost) : [];
    told.unpainted = await tab.evaluate(unpainted);
    told.axe = [];
    if (rules.length) {
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate((runOnly) => globalThis.axe.run({ runOnly }), rules);
      told.axe = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
    }
    // A refusal is itself told of by the console.
    told.wrong = wrong.filter((each) => !each.includes(`status of ${told.status}`));
    found[at] = told;
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(found));

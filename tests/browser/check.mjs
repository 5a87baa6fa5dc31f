// node check.mjs: reads scenarios as JSON, plays each in a page of its own in Chromium, prints what the pages say.
// A scenario: {name, url, node, level, fields?, shot?}. Told of each: its lines, its status, what the
// console complained of, and what axe found.
import { readFileSync } from "node:fs";
import path from "node:path";

const web = path.join(import.meta.dirname, "../../web");
const { chromium } = await import(path.join(web, "node_modules/playwright-core/index.mjs"));

const axe = readFileSync(path.join(web, "node_modules/axe-core/axe.min.js"), "utf-8");

let text = "";
for await (const piece of process.stdin) text += piece;
const { executablePath, hosts, scenarios } = JSON.parse(text);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", `--host-resolver-rules=${hosts}`],
});
const told = {};
try {
  for (const { name, url, node, level, shot, fields = {} } of scenarios) {
    const tab = await browser.newPage();
    const complaints = [];
    tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    tab.on("pageerror", (error) => complaints.push(String(error)));
    await tab.goto(url);
    const form = tab.locator("[data-check] form");
    await form.waitFor({ state: "visible" }).catch((error) => {
      throw new Error(`${name}: ${error.message}\n${complaints.join("\n")}`);
    });
    await form.locator("[name=node]").fill(node);
    for (const [field, value] of Object.entries(fields)) await form.locator(`[name=${field}]`).fill(value);
    await form.locator(`button[value="${level}"]`).click();
    const status = tab.locator("[data-check] [role=status]");
    await tab.waitForFunction(() => {
      const words = document.querySelector("[data-check] [role=status]").textContent;
      return words !== "" && !words.startsWith("Checking");
    });
    const lines = await tab.locator("[data-check] ol li").evaluateAll((items) =>
      items.map((item) => ({
        state: item.className,
        ...Object.fromEntries(
          ["title", "value", "says", "todo"].map((part) => [part, item.querySelector(`.${part}`)?.textContent ?? null]),
        ),
      })),
    );
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate(() => globalThis.axe.run("[data-check]"));
    const barriers = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`);
    told[name] = { lines, status: await status.textContent(), complaints, barriers };
    if (shot) await tab.locator("[data-check]").screenshot({ path: shot });
    await tab.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));

// node run.mjs FOLDER: builds page.ts, serves it with the hours in FOLDER, measures in Chromium by turns, prints JSON.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const folder = process.argv[2];
const here = import.meta.dirname;
const web = path.join(here, "../../web");
const { build } = await import(path.join(web, "node_modules/vite/dist/node/index.js"));
const { chromium } = await import(path.join(web, "node_modules/playwright-core/index.mjs"));
const ROUNDS = 5;
const NAMES = ["tree", "tree by noble", "way", "level 2", "level 3", "addresses", "addresses by kit"];

await build({
  root: here,
  configFile: false,
  logLevel: "warn",
  resolve: { alias: { "@solana/kit": path.join(web, "node_modules/@solana/kit") } },
  build: { target: "es2023", outDir: path.join(folder, "built"), lib: { entry: path.join(here, "page.ts"), formats: ["es"], fileName: "page" } },
});
const page = '<!doctype html><meta charset="utf-8"><script type="module" src="/built/page.js"></script>';
const server = createServer((request, response) => {
  const name = new URL(request.url, "http://here").pathname;
  const file = path.join(folder, name);
  if (name !== "/" && !existsSync(file)) return response.writeHead(404).end();
  const type = name.endsWith(".js") ? "text/javascript" : name === "/" ? "text/html" : "text/plain";
  response.writeHead(200, { "content-type": type }).end(name === "/" ? page : readFileSync(file));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const found = Object.fromEntries(NAMES.map((name) => [name, []]));
try {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error(error));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction("globalThis.ready");
  const results = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of NAMES) {
      const { seconds, result } = await tab.evaluate((each) => measure(each), name);
      found[name].push(seconds);
      results[name] = result;
    }
  }
  if (results.tree !== results["tree by noble"]) throw new Error("the two trees differ");
  console.log(JSON.stringify({ seconds: found, browser: browser.version() }));
} finally {
  await browser.close();
  server.close();
}

// node test/run.mjs: bundles each *.test.ts of this folder for node, and runs them by node's own runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { build } from "vite";

const here = import.meta.dirname;
const out = mkdtempSync(path.join(tmpdir(), "ionet-web-test-"));
try {
  const names = readdirSync(here).filter((each) => each.endsWith(".test.ts"));
  for (const name of names) {
    await build({
      root: here,
      configFile: false,
      logLevel: "warn",
      build: { ssr: path.join(here, name), outDir: out, emptyOutDir: false, target: "node20" },
      // The folder is elsewhere: what is needed lies in the file itself.
      ssr: { noExternal: true },
    });
  }
  const files = readdirSync(out).map((each) => path.join(out, each));
  const vectors = path.join(here, "../../tests/vectors");
  const told = spawnSync(process.execPath, ["--test", ...files], {
    stdio: "inherit",
    env: { ...process.env, IONET_VECTORS: vectors },
  });
  process.exitCode = names.length > 0 ? (told.status ?? 1) : 1;
} finally {
  rmSync(out, { recursive: true });
}

// Builds each file of src/islands into keeper/web/static, or into the folder that IONET_WEB_OUT names.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const islands = path.join(here, "src/islands");
const names = readdirSync(islands)
  .filter((each) => /\.tsx?$/.test(each))
  .map((each) => each.replace(/\.tsx?$/, ""));

/** Every file that the build depends on, in order, with the hash of its content. */
function sources(): string {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const each of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, each.name);
      if (each.isDirectory()) walk(file);
      else found.push(path.relative(here, file).split(path.sep).join("/"));
    }
  };
  walk(path.join(here, "src"));
  found.push("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts");
  const hash = createHash("sha256");
  for (const each of found.sort()) {
    const own = createHash("sha256").update(readFileSync(path.join(here, each))).digest("hex");
    hash.update(`${each} ${own}\n`);
  }
  return hash.digest("hex");
}

/** `manifest.json`: what was built, by which tools, and the hash that a page names for each file. */
function manifest(): Plugin {
  return {
    name: "ionet-manifest",
    generateBundle(_, bundle) {
      const lock = JSON.parse(readFileSync(path.join(here, "package-lock.json"), "utf8")).packages;
      const files: Record<string, { bytes: number; integrity: string }> = {};
      const entries: Record<string, string[]> = {};
      for (const each of Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        const content = Buffer.from(each.type === "chunk" ? each.code : each.source);
        const integrity = `sha384-${createHash("sha384").update(content).digest("base64")}`;
        files[each.fileName] = { bytes: content.length, integrity };
        if (each.type !== "chunk") continue;
        if (each.dynamicImports.length) throw new Error(`${each.fileName}: what it loads later has no hash in the page`);
        if (!each.isEntry) continue;
        const needed = new Set<string>();
        const add = (file: string): void => {
          const chunk = bundle[file];
          if (needed.has(file) || chunk?.type !== "chunk") return;
          needed.add(file);
          chunk.imports.forEach(add);
        };
        each.imports.forEach(add);
        // The entry comes first, then what it imports.
        entries[each.name] = [each.fileName, ...[...needed].sort()];
      }
      const tools = Object.fromEntries(
        ["vite", "rolldown", "typescript"].map((each) => [each, lock[`node_modules/${each}`].version]),
      );
      const written = { sources: sources(), tools, entries, files };
      this.emitFile({ type: "asset", fileName: "manifest.json", source: `${JSON.stringify(written, null, 1)}\n` });
    },
  };
}

export default defineConfig({
  root: here,
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env["IONET_WEB_OUT"] ?? path.join(here, "../keeper/web/static"),
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: Object.fromEntries(names.map((each) => [each, path.join(islands, each)])),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name]-[hash].js" } } },
  plugins: [manifest()],
});

// Codama's Rust clients of every interface: `node codama_rust.mjs FOLDER IDLS OUT`, a folder for each program.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, idls, out] = process.argv.slice(2).map((each) => path.resolve(each));
const load = createRequire(path.join(folder, "package.json"));
const { createFromRoot } = load("codama");
const { rootNodeFromAnchor } = load("@codama/nodes-from-anchor");
const { renderVisitor } = load("@codama/renderers-rust");

for (const file of readdirSync(idls).filter((each) => each.endsWith(".json"))) {
  const root = rootNodeFromAnchor(JSON.parse(readFileSync(path.join(idls, file), "utf8")));
  await createFromRoot(root).accept(renderVisitor(path.join(out, root.program.name), { formatCode: false }));
}

// Codama's TypeScript clients of every interface, bundled: `node codama_clients.mjs FOLDER IDLS OUT`.
// FOLDER has the packages installed. OUT gets a folder of sources for each program, and `clients.mjs`, which
// exports each of them, and `kit`, from the same bundle.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, idls, out] = process.argv.slice(2).map((each) => path.resolve(each));
const load = createRequire(path.join(folder, "package.json"));
const { createFromRoot, definedTypeNode, camelCase } = { ...load("codama"), ...load("@codama/nodes") };
const { rootNodeFromAnchor } = load("@codama/nodes-from-anchor");
const { renderVisitor } = load("@codama/renderers-js");

mkdirSync(out, { recursive: true });
const lines = [`export * as kit from "@solana/kit";`];
const names = {};
for (const file of readdirSync(idls).filter((each) => each.endsWith(".json"))) {
  const root = rootNodeFromAnchor(JSON.parse(readFileSync(path.join(idls, file), "utf8")));
  const { program } = root;
  // renderers-js 2.2.0 makes nothing of events: each becomes a type, whose decoder checks the discriminator.
  for (const event of program.events)
    program.definedTypes.push(definedTypeNode({ name: `${event.name}Event`, type: event.data }));
  const target = path.join(out, program.name);
  await createFromRoot(root).accept(
    renderVisitor(target, { formatCode: false, deleteFolderBeforeRendering: true }),
  );
  lines.push(`export * as ${program.name} from "./${program.name}/src/generated/index.ts";`);
  names[program.name] = {
    instructions: program.instructions.map((each) => ({
      name: each.name,
      accounts: each.accounts.map((account) => account.name),
      arguments: each.arguments.map((one) => one.name).filter((name) => name !== "discriminator"),
    })),
    accounts: program.accounts.map((each) => each.name),
    events: program.events.map((each) => each.name),
  };
}
lines.push(`export const names = ${JSON.stringify(names)};`);
writeFileSync(path.join(out, "entry.ts"), lines.join("\n"));
await load("esbuild").build({
  entryPoints: [path.join(out, "entry.ts")],
  outfile: path.join(out, "clients.mjs"),
  nodePaths: [path.join(folder, "node_modules")],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // The websocket library is CommonJS.
  banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
  logLevel: "error",
});

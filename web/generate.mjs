// Codama's TypeScript clients of what pages send and read: `node web/generate.mjs FOLDER IDLS OUT`.
// FOLDER has the generator installed (tests/interop/clients/codama, by its lock). OUT gets a folder for each program.
// `python -m toolchain.web clients` calls it; `make interop` compares what is committed with what it makes.
import { readFileSync, readdirSync, rmSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, idls, out] = process.argv.slice(2).map((each) => path.resolve(each));
const load = createRequire(path.join(folder, "package.json"));
const { createFromRoot } = load("codama");
const { rootNodeFromAnchor } = load("@codama/nodes-from-anchor");
const { renderVisitor } = load("@codama/renderers-js");

/** What pages send, by program, and what only an address is derived by: of devices, hours, classes. */
const SENT = {
  staking: [
    ...["register_device", "attest", "add_class"],
    ...["claim", "open_wallet", "stake", "unstake", "withdraw", "open_offer", "close_offer", "take_offer"],
    ...["leave_co_stake", "withdraw_co_stake", "appeal_slash"],
  ],
  orders: ["create_order", "extend_lease", "end_lease", "cancel_order", "refund", "close_order"],
  buyback: ["bid"],
  tokenomics: ["claim_season", "open_claim_page"],
};

rmSync(out, { recursive: true, force: true });
for (const [name, sent] of Object.entries(SENT)) {
  const idl = JSON.parse(readFileSync(path.join(idls, `${name}.json`), "utf8"));
  idl.instructions = idl.instructions.filter((each) => sent.includes(each.name));
  if (idl.instructions.length !== sent.length) throw new Error(`${name}: an instruction is not in its interface`);
  // Events stay unread: nothing subscribes to them in a page.
  const events = new Set(idl.events.map((each) => each.name));
  idl.types = idl.types.filter((each) => !events.has(each.name));
  idl.events = [];
  const target = path.join(out, `${name}.new`);
  await createFromRoot(rootNodeFromAnchor(idl)).accept(renderVisitor(target, { formatCode: false }));
  const made = path.join(target, "src/generated");
  // Texts of errors are ours (chain/errors.ts): these are left out in production. The plugin doesn't compile.
  rmSync(path.join(made, "errors"), { recursive: true, force: true });
  const program_ = path.join(made, "programs", `${name}.ts`);
  const [address] = readFileSync(program_, "utf8").match(/^export const \w+_PROGRAM_ADDRESS = .*$/m);
  writeFileSync(program_, `import type { Address } from "@solana/kit";\n\n${address}\n`);
  const index = path.join(made, "index.ts");
  writeFileSync(index, readFileSync(index, "utf8").replace("export * from './errors';\n", ""));
  const pick = (part) => readdirSync(path.join(made, part)).filter((each) => each !== "index.ts");
  if (!pick("accounts").length) throw new Error(`${name}: no accounts were made`);
  renameSync(made, path.join(out, name));
  rmSync(target, { recursive: true });
}

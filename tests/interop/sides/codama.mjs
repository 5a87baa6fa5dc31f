// Codama's TypeScript clients on the cases: `node codama.mjs CLIENTS IDLS CASES ANSWERS`.
// CLIENTS is the bundle that codama_clients.mjs made.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { scene } = createRequire(import.meta.url)("./scene.cjs");
const [clientsFile, idls, casesFile, answersFile] = process.argv.slice(2).map((each) => path.resolve(each));
const clients = await import(clientsFile);
const idl = {};
for (const name of Object.keys(clients.names))
  idl[name] = JSON.parse(readFileSync(path.join(idls, `${name}.json`), "utf8"));

const upper = (name) => name[0].toUpperCase() + name.slice(1);
const camel = (name) => name.split("_").filter(Boolean).map((each, i) => (i ? upper(each) : each)).join("");

/** The client's own name of what the IDL lists under `name`. */
function named(program, list, name) {
  return clients.names[program][list][idl[program][list].findIndex((each) => each.name === name)];
}

/** A value out of JSON, as this client wants it. */
function typed(kind, value, types) {
  if (kind === "bool" || kind === "pubkey") return value;
  if (kind === "bytes") return Uint8Array.from(Buffer.from(value, "hex"));
  if (typeof kind === "string") return /64/.test(kind) ? BigInt(value) : Number(value);
  if (kind.array) {
    const [inner] = kind.array;
    const bytes = () => Uint8Array.from(Buffer.from(value, "hex"));
    return inner === "u8" ? bytes() : value.map((each) => typed(inner, each, types));
  }
  const { fields } = types.find((each) => each.name === kind.defined.name).type;
  return Object.fromEntries(fields.map((each) => [camel(each.name), typed(each.type, value[each.name], types)]));
}

/** A value as this client reads it, in JSON. */
function plain(value) {
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return [...value].map(plain);
  const fields = Object.entries(value).filter(([key]) => key !== "discriminator");
  return Object.fromEntries(fields.map(([key, each]) => [key, plain(each)]));
}

function input(question, accounts) {
  const { program, instruction } = question;
  const written = idl[program].instructions.find((each) => each.name === instruction);
  const own = named(program, "instructions", instruction);
  const found = {};
  written.args.forEach((each, i) => {
    found[own.arguments[i]] = typed(each.type, question.arguments[each.name], idl[program].types);
  });
  written.accounts.forEach((each, i) => {
    const address = accounts[each.name];
    if (!address) return;
    // A signer is an object with an address; it signs nothing here.
    found[own.accounts[i]] = each.signer ? clients.kit.createNoopSigner(address) : address;
  });
  return [own.name, found, own.accounts];
}

/** With `Async` it looks for accounts that aren't given, where there is such a function. */
async function call(question, accounts) {
  const [name, given] = input(question, accounts);
  const its = clients[question.program];
  const make = its[`get${upper(name)}InstructionAsync`] ?? its[`get${upper(name)}Instruction`];
  return make(given);
}

const tasks = {
  async instructions(question) {
    const made = await call(question, question.accounts);
    const { isSignerRole, isWritableRole } = clients.kit;
    const metas = made.accounts.map((each) => [each.address, isSignerRole(each.role), isWritableRole(each.role)]);
    return { data: Buffer.from(made.data).toString("hex"), accounts: metas };
  },
  async parsed(question) {
    const { name } = named(question.program, "instructions", question.instruction);
    const decoder = clients[question.program][`get${upper(name)}InstructionDataDecoder`]();
    return plain(decoder.decode(Buffer.from(question.data, "hex")));
  },
  async accounts(question) {
    const its = clients[question.program];
    const data = Uint8Array.from(Buffer.from(question.data, "base64"));
    const own = upper(question.program);
    const kind = its[`${own}Account`][its[`identify${own}Account`](data)];
    return { kind, fields: plain(its[`get${kind}Decoder`]().decode(data)) };
  },
  async events(question) {
    const name = upper(named(question.program, "events", question.kind));
    const decoder = clients[question.program][`get${name}EventDecoder`]();
    const read = decoder.decode(Uint8Array.from(Buffer.from(question.data, "base64")));
    // A hidden prefix that doesn't match is an error.
    return { kind: name, fields: plain(read) };
  },
  async scenes(question) {
    const names = named(question.program, "instructions", question.instruction).accounts;
    return scene(question, async (accounts) => {
      const made = await call(question, accounts).catch((error) => {
        // It can't derive one account without another: that one is what it says.
        const lacking = names.indexOf(error.context?.inputName);
        if (lacking < 0) throw error;
        return { lacking: { [question.slots[lacking]]: null } };
      });
      if (made.lacking) return made.lacking;
      const found = made.accounts.map((each) => each.address);
      // For one that it doesn't know it puts the program's own address, the framework's word for none.
      const none = (each, i) => each === made.programAddress && each !== question.addresses[i];
      return Object.fromEntries(found.map((each, i) => [question.slots[i], none(each, i) ? null : each]));
    });
  },
};

const answers = {};
for (const [kind, questions] of Object.entries(JSON.parse(readFileSync(casesFile, "utf8")))) {
  answers[kind] = {};
  for (const question of questions)
    answers[kind][question.id] = await tasks[kind](question).catch((error) => ({ error: String(error) }));
}
writeFileSync(answersFile, JSON.stringify(answers));

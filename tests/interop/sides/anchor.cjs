// @coral-xyz/anchor and @anchor-lang/core, which have the same interface: `node anchor.cjs FOLDER PACKAGE IDLS CASES ANSWERS`.
// FOLDER has the package installed, IDLS is the folder of interfaces, CASES the questions, ANSWERS what is written.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { scene } = require("./scene.cjs");

const [folder, name, idls, casesFile, answersFile] = process.argv.slice(2);
const load = createRequire(path.join(path.resolve(folder), "package.json"));
const anchor = load(name);
const { BN, Program } = anchor;
const { PublicKey } = anchor.web3;

/** A provider that reads accounts out of a case's `state`. */
class Saved {
  constructor(state) {
    this.state = state;
    this.connection = this;
    this.publicKey = PublicKey.default;
  }
  async getAccountInfo(address) {
    const found = this.state[address.toBase58()];
    if (!found) return null;
    const data = Buffer.from(found.data, "base64");
    return { owner: new PublicKey(found.owner), data, executable: false, lamports: 1 };
  }
  async getAccountInfoAndContext(address) {
    return { context: { slot: 1 }, value: await this.getAccountInfo(address) };
  }
}

const written = {};
const programs = {};
function program(name, state) {
  written[name] ??= JSON.parse(readFileSync(path.join(idls, `${name}.json`), "utf8"));
  if (state) return new Program(written[name], new Saved(state));
  return (programs[name] ??= new Program(written[name], new Saved({})));
}

/** The client's own form of an instruction, an account or an event, by the name that the IDL has. */
function form(program, list, name) {
  return program.idl[list][program.rawIdl[list].findIndex((each) => each.name === name)];
}

/** A value out of JSON, as this client wants it. */
function typed(kind, value, idl) {
  if (kind === "bool") return value;
  if (kind === "pubkey") return new PublicKey(value);
  if (kind === "bytes") return Buffer.from(value, "hex");
  if (typeof kind === "string") return /64/.test(kind) ? new BN(value) : Number(value);
  if (kind.array) {
    const [inner] = kind.array;
    return inner === "u8" ? [...Buffer.from(value, "hex")] : value.map((each) => typed(inner, each, idl));
  }
  const fields = idl.types.find((each) => each.name === kind.defined.name).type.fields;
  return struct(fields, value, idl);
}

/** Named fields; `said` are JSON's, in the same order. */
function struct(fields, said, idl) {
  return Object.fromEntries(
    Object.values(said).map((value, i) => [fields[i].name, typed(fields[i].type, value, idl)]),
  );
}

/** A value as this client reads it, in JSON. */
function plain(value) {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return String(value);
  if (BN.isBN(value)) return value.toString();
  if (value instanceof PublicKey) return value.toBase58();
  if (Array.isArray(value) || value instanceof Uint8Array) return [...value].map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function metas(call) {
  return call.keys.map((each) => [each.pubkey.toBase58(), each.isSigner, each.isWritable]);
}

function builder(its, question, accounts) {
  const call = form(its, "instructions", question.instruction);
  const values = Object.values(struct(call.args, question.arguments, its.idl));
  const names = Object.fromEntries(
    written[question.program].instructions
      .find((each) => each.name === question.instruction)
      .accounts.map((each, i) => [each.name, call.accounts[i].name]),
  );
  const given = Object.fromEntries(
    Object.entries(accounts).map(([key, value]) => [names[key], value && new PublicKey(value)]),
  );
  return [its.methods[call.name](...values).accountsPartial(given), names];
}

async function resolved(its, question, accounts) {
  const [made, names] = builder(its, question, accounts);
  await made.pubkeys().catch(() => {}); // it throws when one isn't found, and has found the others by then
  const found = question.slots.map((slot) => [slot, made._accounts[names[slot]]?.toBase58() ?? null]);
  return Object.fromEntries(found);
}

const tasks = {
  async instructions(question) {
    const [made] = builder(program(question.program), question, question.accounts);
    const call = await made.instruction();
    return { data: call.data.toString("hex"), accounts: metas(call) };
  },
  async parsed(question) {
    const its = program(question.program);
    const { data } = its.coder.instruction.decode(Buffer.from(question.data, "hex"));
    return plain(data);
  },
  async accounts(question) {
    const its = program(question.program);
    const data = Buffer.from(question.data, "base64");
    const starts = (each) => Buffer.from(each.discriminator).equals(data.subarray(0, 8));
    const kind = its.idl.accounts.find(starts).name;
    return { kind, fields: plain(its.coder.accounts.decode(kind, data)) };
  },
  async events(question) {
    const { name, data } = program(question.program).coder.events.decode(question.data);
    return { kind: name, fields: plain(data) };
  },
  async scenes(question) {
    const its = program(question.program, question.state);
    return scene(question, (accounts) => resolved(its, question, accounts));
  },
};

async function main() {
  const cases = JSON.parse(readFileSync(casesFile, "utf8"));
  const answers = {};
  for (const [kind, questions] of Object.entries(cases)) {
    answers[kind] = {};
    for (const question of questions)
      answers[kind][question.id] = await tasks[kind](question).catch((error) => ({ error: String(error) }));
  }
  writeFileSync(answersFile, JSON.stringify(answers));
}

main();

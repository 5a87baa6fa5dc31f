/** Canonical JSON (RFC 8785) with integers alone, as large as they come: JSON.parse would round them. */

/** What such a text holds. */
export type Value = string | bigint | boolean | null | Value[] | { [name: string]: Value };

/** A text that isn't canonical JSON of integers. */
export class NotCanonical extends Error {}

const TOKEN = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?[0-9]+|true|false|null|[{}[\],:]/y;
const WORDS = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const DEEPEST = 16;

/** Read a text; throws NotCanonical for anything that {@link write} wouldn't write so. */
export function parse(text: string): Value {
  const tokens = new Tokens(text);
  const value = read(tokens, 0);
  if (!tokens.atEnd || write(value) !== text) throw new NotCanonical("it is not canonical JSON");
  return value;
}

/** Write sorted keys, no spaces. */
export function write(value: Value): string {
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${write(value[name] as Value)}`).join(",")}}`;
}

class Tokens {
  private at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at === this.text.length;
  }

  next(): string {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (found === null) throw new NotCanonical(`at character ${this.at + 1}: it is not canonical JSON`);
    this.at = TOKEN.lastIndex;
    return found[0];
  }

  expect(...wanted: string[]): string {
    const found = this.next();
    if (!wanted.includes(found)) throw new NotCanonical(`at character ${this.at}: expected ${wanted.join(" or ")}`);
    return found;
  }

  peek(): string {
    return this.text[this.at] ?? "";
  }
}

function read(tokens: Tokens, depth: number): Value {
  if (depth > DEEPEST) throw new NotCanonical("it is nested too deeply");
  const token = tokens.next();
  if (token === "{") return readFields(tokens, depth);
  if (token === "[") return readList(tokens, depth);
  if (token.startsWith('"')) return JSON.parse(token) as string;
  if (WORDS.has(token)) return WORDS.get(token) as boolean | null;
  if (/^-?[0-9]/.test(token)) return BigInt(token);
  throw new NotCanonical(`${token} is no value`);
}

function readFields(tokens: Tokens, depth: number): Value {
  const fields: { [name: string]: Value } = Object.create(null) as { [name: string]: Value };
  if (tokens.peek() === "}") {
    tokens.next();
    return fields;
  }
  do {
    const name = read(tokens, DEEPEST);
    if (typeof name !== "string") throw new NotCanonical("a field's name is no text");
    tokens.expect(":");
    fields[name] = read(tokens, depth + 1);
  } while (tokens.expect(",", "}") === ",");
  return fields;
}

function readList(tokens: Tokens, depth: number): Value {
  const values: Value[] = [];
  if (tokens.peek() === "]") {
    tokens.next();
    return values;
  }
  do values.push(read(tokens, depth + 1));
  while (tokens.expect(",", "]") === ",");
  return values;
}

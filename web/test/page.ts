/** What scripts of pages find in a browser, for tests in node: imported before them. Time passes at once. */

const kept = new Map<string, string>();
const memory = {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, text: string) => void kept.set(name, text),
  removeItem: (name: string) => void kept.delete(name),
};
const names: { readonly [name: string]: string } = { "ionet-node": "http://node.example/", "ionet-notices": "none" };

class Silent {
  close(): void {}
}

Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
Object.assign(globalThis, {
  document: {
    querySelector: (asked: string) => ({ content: names[/"(.+)"/.exec(asked)?.[1] ?? ""] }),
  },
  WebSocket: Silent,
  setTimeout: (then: () => void) => setImmediate(then),
  clearTimeout: () => {},
});
Object.defineProperty(globalThis, "localStorage", { value: memory, configurable: true });

/** A node's answers by method: a result, or an error as it is; each method's last one is given again and again. */
export type Script = { readonly [method: string]: readonly unknown[] };

/** Answer as `script` says; returns what was asked, in turn: methods with their parameters. */
export function answering(script: Script): [string, readonly unknown[]][] {
  const asked: [string, readonly unknown[]][] = [];
  globalThis.fetch = async (_, given) => {
    const { id, method, params } = JSON.parse(String(given?.body)) as { id: unknown; method: string; params: unknown[] };
    const before = asked.filter(([name]) => name === method).length;
    asked.push([method, params]);
    const answers = script[method] ?? [];
    const answer = answers[Math.min(before, answers.length - 1)];
    if (answer === undefined) throw new TypeError("fetch failed");
    const isError = typeof answer === "object" && answer !== null && "code" in answer;
    return new Response(JSON.stringify({ jsonrpc: "2.0", id, ...(isError ? { error: answer } : { result: answer }) }));
  };
  return asked;
}

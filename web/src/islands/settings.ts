// What a viewer chooses for their own browser.
import { canBeAsked, chooseNode, ownNode, sitesNode } from "../chain/chosen";
import { chooseExplorer, isExplorer, ownExplorer } from "../chain/explorer";
import { keep, kept } from "../chain/kept";

const THEME = "ionet.theme";
const ANSWER_MS = 10_000;

/** The hash of a network's first block, as a node says. */
async function genesis(url: string): Promise<string> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getGenesisHash" });
  const asked = { method: "POST", body, headers: { "content-type": "application/json" }, signal: AbortSignal.timeout(ANSWER_MS) };
  const { result } = (await (await fetch(url, asked)).json()) as { result?: unknown };
  if (typeof result !== "string") throw new Error("it answers no question of a Solana node");
  return result;
}

/** What there is to say of a node that was chosen, once it was asked. */
async function judged(url: string): Promise<string> {
  let found: string;
  try {
    found = await genesis(url);
  } catch (error) {
    return `Kept, but it doesn't answer (${error instanceof Error ? error.message : String(error)}): nothing can be checked or signed by it.`;
  }
  const site = sitesNode();
  if (!site) return `Kept: it answers, of the network with genesis ${found}.`;
  const other = await genesis(site).catch(() => null);
  if (other === null) return `Kept: it answers. This site's own node doesn't.`;
  if (other !== found) return `Kept, but it is of another network than this site's node (genesis ${found}, not ${other}).`;
  return "Kept: it answers, and is of the same network as this site's node.";
}

const form = document.querySelector<HTMLFormElement>("#settings");
if (form) {
  const node = form.elements.namedItem("node") as HTMLInputElement;
  const whose = form.elements.namedItem("whose") as RadioNodeList;
  const theme = form.elements.namedItem("theme") as RadioNodeList;
  const explorer = form.elements.namedItem("explorer") as HTMLInputElement;
  const status = form.querySelector<HTMLElement>("[role=status]");
  node.value = ownNode() ?? "";
  whose.value = ownNode() ? "own" : "site";
  theme.value = kept(THEME) ?? "";
  explorer.value = ownExplorer() ?? "";
  node.addEventListener("input", () => {
    whose.value = "own";
  });
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const say = (words: string): void => {
      if (status) status.textContent = words;
    };
    const url = whose.value === "own" ? node.value.trim() : null;
    if (url !== null && !canBeAsked(url)) return say("Write its address with https, or one of this machine with http.");
    const shows = explorer.value.trim() || null;
    if (shows !== null && !isExplorer(shows)) return say("Write the explorer's address like https://explorer.example/{tx,address}/{id}.");
    chooseNode(url);
    chooseExplorer(shows);
    if (!keep(THEME, theme.value)) return say("This browser keeps nothing for this site: nothing was changed.");
    if (theme.value) document.documentElement.dataset["theme"] = theme.value;
    else delete document.documentElement.dataset["theme"];
    if (url === null) return say("Kept.");
    say("Asking it ...");
    void judged(url).then(say);
  });
}

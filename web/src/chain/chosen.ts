// The node that a viewer has chosen over the site's: kept in this browser alone.
import { keep, kept } from "./kept";

const KEPT = "ionet.node";

/** Whether pages may ask there (ANY_NODE in keeper/web/app.py): by https, or this machine. */
export function canBeAsked(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost"].includes(hostname));
}

export function ownNode(): string | null {
  const found = kept(KEPT);
  return found && canBeAsked(found) ? found : null;
}

/** Null: the site's again. */
export function chooseNode(url: string | null): void {
  keep(KEPT, url);
}

/** Where a node sends notices: the next port, as Solana's own does, or the same host's. */
export function noticesOf(url: string): string {
  const found = new URL(url);
  found.protocol = found.protocol === "https:" ? "wss:" : "ws:";
  if (found.port) found.port = String(Number(found.port) + 1);
  return found.href;
}

/** The node that the site names, if it names one. */
export function sitesNode(): string | null {
  return document.querySelector<HTMLMetaElement>("meta[name=ionet-node]")?.content || null;
}

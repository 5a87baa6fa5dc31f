// Somebody else's explorer, as keeper/settings/explorer.py reads it: `{tx,address}` are its own words for a
// transaction and an address, `{id}` is which. One that a viewer has chosen is kept in their browser alone.
import { keep, kept } from "./kept";

const KEPT = "ionet.explorer";
const WORDS = /\{([a-z]+),([a-z]+)\}/g;
const NAME = "{id}";
const MOST = 300;

/** Whether it has both places, behind a host's name, and is a page of the web. */
export function isExplorer(template: string): boolean {
  if (template.length > MOST || /\s/.test(template)) return false;
  if (template.match(WORDS)?.length !== 1 || template.split(NAME).length !== 2) return false;
  return /^https?:\/\/[^/{?#]+\/[^{]*\{/.test(template) && URL.canParse(template);
}

export function ownExplorer(): string | null {
  const found = kept(KEPT);
  return found && isExplorer(found) ? found : null;
}

/** Null: the site's again, if it has one. */
export function chooseExplorer(template: string | null): boolean {
  return keep(KEPT, template);
}

/** Where it shows a transaction, or else an address. */
export function shownAt(template: string, isTransaction: boolean, id: string): string {
  return template.replace(WORDS, (_, transaction: string, address: string) => (isTransaction ? transaction : address)).replace(NAME, () => id);
}

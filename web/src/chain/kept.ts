// What this browser keeps for the site. Where it may keep nothing, as some private windows, a page alone remembers
// it, until it is left or loaded again.
const memory = new Map<string, string>();

export function kept(name: string): string | null {
  const own = memory.get(name);
  if (own !== undefined) return own;
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Keep it, or with null no longer; false where it is gone with the page. */
export function keep(name: string, value: string | null): boolean {
  memory.delete(name);
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
    return true;
  } catch {
    if (value !== null) memory.set(name, value);
    return false;
  }
}

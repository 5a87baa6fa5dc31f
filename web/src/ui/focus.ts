// Where somebody with a keyboard is when what they were at is gone: never nowhere, which is the page's beginning.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";

let home: HTMLElement | null = null;
let opener: HTMLButtonElement | null = null;

/** The heading of all that a wallet can do. */
export function isHome(heading: HTMLElement | null): void {
  home = heading;
}

/** The button that began the act that is on. */
export function began(button: HTMLButtonElement): void {
  opener = button;
}

function isLost(): boolean {
  return !document.activeElement || document.activeElement === document.body;
}

/** Whether somebody is at something else than this part of the page. */
export function isElsewhere(part: HTMLElement | null): boolean {
  return !isLost() && !part?.contains(document.activeElement);
}

/** Back to the button that began an act, where it is still there. */
export function giveBack(): void {
  if (isLost()) (opener?.isConnected && !opener.disabled ? opener : home)?.focus();
  opener = null;
}

/** Of a button that may go away while somebody is at it. */
export function useHeld(): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  // Its end comes before it is gone from the page, as that of no other effect does.
  useLayoutEffect(() => {
    const own = button.current;
    return () => {
      if (own === document.activeElement) setTimeout(giveBack);
    };
  }, []);
  return button;
}

// Where an island is put, and what all have: the wallet, the act that is on, the acts that they offer.
import { render, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { address, type Address } from "@solana/kit";
import { said } from "../chain/failure";
import { begin, done, resume, state, type Make } from "../tx/act";
import { discover } from "../wallet/wallets";
import { Act } from "./act";
import { Connect } from "./connect";
import { began, isHome, useHeld } from "./focus";

/**
 * Put `Island` into the page's element with this id, with the address that it is about; pages without it have none.
 *
 * A page that is about nobody yet has an empty one.
 */
export function island(id: string, Island: (props: { of: Address }) => ComponentChildren): void {
  const place = document.getElementById(id);
  const of = place?.dataset["of"];
  if (!place || of === undefined) return;
  discover();
  resume();
  render(
    <>
      <h2 ref={isHome} tabIndex={-1}>With your wallet</h2>
      <Connect />
      <Island of={of ? address(of) : ("" as Address)} />
      <Act />
    </>,
    place,
  );
}

/** A button that begins an act, unless one is on. */
export function Do({ make, children }: { make: Make; children: ComponentChildren }) {
  const busy = state.value.at === "building" || state.value.at === "signing" || isOnWay();
  const button = useHeld();
  return (
    <button
      type="button"
      ref={button}
      disabled={busy}
      onClick={({ currentTarget }) => {
        began(currentTarget);
        void begin(make);
      }}
    >
      {children}
    </button>
  );
}

function isOnWay(): boolean {
  const now = state.value;
  return now.at === "way" && (now.outcome.state === "sent" || now.outcome.state === "unknown");
}

/** What the chain says, read at once and after each act; its error in words when it can't be read. */
export function useChain<T>(read: () => Promise<T>): Signal<T | string | null> {
  const found = useSignal<T | string | null>(null);
  const times = done.value;
  useEffect(() => {
    let left = false;
    read().then(
      (value) => {
        if (!left) found.value = value;
      },
      (error: unknown) => {
        if (!left) found.value = `The chain can't be read: ${said(error)}`;
      },
    );
    return () => {
      left = true;
    };
  }, [times]);
  return found;
}

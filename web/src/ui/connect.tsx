// Which wallet acts.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { said } from "../chain/failure";
import { connect, connected, disconnect, wallets } from "../wallet/wallets";
import { useHeld } from "./focus";

export function Connect() {
  const told = useSignal("");
  const by = connected.value;
  if (by)
    return (
      <p class="connected">
        {by.wallet.name}: <a class="address" href={`/wallets/${by.address}`}>{by.address}</a>{" "}
        <Press act={() => void disconnect()}>Disconnect</Press>
      </p>
    );
  return (
    <div class="connect">
      {wallets.value.length === 0 && (
        <p>
          No wallet is in this browser that can sign here. Install one that follows the Wallet Standard, such as Solflare,
          Backpack or Phantom, and load this page again.
        </p>
      )}
      <p class="buttons">
        {wallets.value.map((each) => (
          <Press
            key={each.name}
            isMain
            act={() => {
              told.value = "";
              connect(each).catch((error: unknown) => {
                told.value = `${each.name} didn't connect: ${said(error)}`;
              });
            }}
          >
            Connect {each.name}
          </Press>
        ))}
      </p>
      <p class="told" role="status">{told.value}</p>
    </div>
  );
}

/** A button that goes away with what it does. */
function Press({ act, isMain = false, children }: { act: () => void; isMain?: boolean; children: ComponentChildren }) {
  const button = useHeld();
  return (
    <button type="button" ref={button} class={isMain ? "main" : undefined} onClick={act}>
      {children}
    </button>
  );
}

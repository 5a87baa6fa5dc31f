// Which wallet acts.
import { useSignal } from "@preact/signals";
import { said } from "../chain/failure";
import { connect, connected, disconnect, wallets } from "../wallet/wallets";

export function Connect() {
  const told = useSignal("");
  const by = connected.value;
  if (by)
    return (
      <p class="connected">
        {by.wallet.name}: <a class="address" href={`/wallets/${by.address}`}>{by.address}</a>{" "}
        <button type="button" onClick={() => void disconnect()}>Disconnect</button>
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
          <button
            key={each.name}
            type="button"
            class="main"
            onClick={() => {
              told.value = "";
              connect(each).catch((error: unknown) => {
                told.value = `${each.name} didn't connect: ${said(error)}`;
              });
            }}
          >
            Connect {each.name}
          </button>
        ))}
      </p>
      <p class="told" role="status">{told.value}</p>
    </div>
  );
}

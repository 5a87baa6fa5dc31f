// On a wallet's page: what is due, and its claim.
import { claim, due } from "../acts/claim";
import { io } from "../acts/parts";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

island("claim", ({ of }) => {
  const found = useChain(() => due(of)).value;
  if (found === null) return <p class="empty">Nothing is known of its rewards here: no hour's files are served.</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const rest = found.lifetime - found.claimed;
  return (
    <>
      <p>
        {rest > 0n ? <><b>{io(rest)}</b> earned by hour {found.hour} are not claimed.</> : `All that it earned by hour ${found.hour} is paid.`}
        {" "}Anybody may claim for a wallet: the rewards go to it, and whoever signs pays the fee.
      </p>
      {connected.value && rest > 0n && <p class="buttons"><Do make={(payer) => claim(of, payer)}>Claim</Do></p>}
    </>
  );
});

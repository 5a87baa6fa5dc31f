// On the page of an airdrop season: the claim of the wallet that the page is asked about, or else of the connected one.
import { address, type Address } from "@solana/kit";
import { claim, closed, due } from "../acts/seasons";
import { io } from "../acts/parts";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

const asked = new URLSearchParams(location.search).get("wallet");

island("season", ({ of }) => {
  const wallet = asked ? address(asked) : connected.value?.address;
  return wallet ? <Claim key={wallet} season={of} wallet={wallet} /> : null;
});

function Claim({ season, wallet }: { season: Address; wallet: Address }) {
  const found = useChain(() => due(season, wallet)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const words = closed(found);
  if (words !== null) return <p>{words}</p>;
  return (
    <>
      <p>
        <b>{io(BigInt(found.share.amount))}</b> for <span class="address">{wallet}</span>. Anybody may claim for a wallet:
        it goes to the wallet, and whoever signs pays the fee.
      </p>
      {connected.value && <p class="buttons"><Do make={(payer) => claim(season, wallet, payer)}>Claim</Do></p>}
    </>
  );
}

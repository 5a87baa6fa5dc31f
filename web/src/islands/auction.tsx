// On the page of an auction that runs: its price now, and a bid.
import { auctionNow, bid } from "../acts/bid";
import { io } from "../acts/parts";
import { show, USDC } from "../ui/amounts";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

island("auction", ({ of }) => {
  const found = useChain(() => auctionNow(of)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  if (found.auction.closedAt > 0n || found.cost === null) return <p>It is over: nobody can bid any more.</p>;
  return (
    <>
      <p>
        {show(found.auction.lot, USDC)} USDC cost {io(found.cost)} now, and less with each second. What is paid is burned.
      </p>
      {connected.value && <p class="buttons"><Do make={(payer) => bid(of, payer)}>Bid</Do></p>}
    </>
  );
});

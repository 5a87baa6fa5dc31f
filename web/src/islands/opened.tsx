// On the page of an order that isn't closed: its end, for its renter.
import { canCancel, cancel, cancelFee, opened, refundable, takesDevices } from "../acts/orders";
import { moment } from "../acts/parts";
import { priced } from "../acts/quotes";
import { many } from "../ui/amounts";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

island("opened", ({ of }) => {
  const found = useChain(() => opened(of)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const { order, now } = found;
  const { currency } = order.terms;
  const free = refundable(order, now);
  const isMine = connected.value?.address === order.renter;
  const cancels = canCancel(found);
  const closes = !cancels && order.leases === 0;
  return (
    <>
      {takesDevices(order, now) ? (
        <p>
          It looks for {many(order.open, "more device")} until {moment(order.matchUntil)}. To cancel it before costs{" "}
          {priced(cancelFee(order, now), currency)}.
        </p>
      ) : (
        <p>It takes no more devices. {order.leases ? `${many(order.leases, "lease")} of it aren't closed.` : "It has no leases."}</p>
      )}
      {isMine && (cancels || closes || free > 0n) && (
        <p class="buttons"><Do make={(payer) => cancel(of, payer)}>{cancels ? "Cancel the order" : "Take back what is free"}</Do></p>
      )}
      {connected.value && !isMine && <p>Its renter alone can cancel it.</p>}
    </>
  );
});

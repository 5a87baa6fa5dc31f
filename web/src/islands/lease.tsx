// On the page of a lease that isn't over: more hours for its renter, and its end.
import { useSignal } from "@preact/signals";
import { end, extend, leased, mayEnd, priced } from "../acts/leases";
import { moment } from "../acts/parts";
import { time } from "../chain/node";
import { LeaseStatus } from "../clients/orders/types/leaseStatus";
import { read } from "../ui/amounts";
import { Field } from "../ui/field";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

island("lease", ({ of }) => {
  const hours = useSignal("");
  const found = useChain(async () => ({ ...(await leased(of)), now: await time() })).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const { lease, order, now } = found;
  if (lease.status === LeaseStatus.Ended) return <p>It has ended: what isn't paid yet follows by itself, as time passes.</p>;
  const runs = lease.status === LeaseStatus.Running && now < lease.stop;
  const me = connected.value?.address;
  return (
    <>
      {runs ? (
        <p>It runs until {moment(lease.stop)} and costs {priced(lease.rate, order)} for an hour, and the fee.</p>
      ) : lease.start ? (
        <p>Its time is over: there is nothing to extend, and anybody may end it.</p>
      ) : (
        <p>It waits for its device until {moment(lease.acceptUntil)}.</p>
      )}
      {runs && me === order.renter && (
        <p class="fields">
          <Field id="lease-hours" label="Hours more" value={hours} />
          <Do make={async (payer) => extend(of, read(hours.value, 0), payer)}>Extend</Do>
        </p>
      )}
      {me && mayEnd(lease, order, me, now) && <p class="buttons"><Do make={(payer) => end(of, payer)}>End the lease</Do></p>}
      {me && !mayEnd(lease, order, me, now) && <p>Its renter and its supplier alone can end it.</p>}
    </>
  );
});

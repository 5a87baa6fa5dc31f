// On the page of a lease that runs: more hours, for its renter.
import { useSignal } from "@preact/signals";
import { extend, leased, priced } from "../acts/leases";
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
  const { lease, order } = found;
  if (lease.status !== LeaseStatus.Running || lease.stop <= found.now)
    return <p>Its time is over: there is nothing to extend.</p>;
  const isMine = connected.value?.address === order.renter;
  return (
    <>
      <p>It runs until {moment(lease.stop)} and costs {priced(lease.rate, order)} for an hour, and the fee.</p>
      {isMine && (
        <p class="fields">
          <Field id="lease-hours" label="Hours more" value={hours} />
          <Do make={async (payer) => extend(of, read(hours.value, 0), payer)}>Extend</Do>
        </p>
      )}
      {connected.value && !isMine && <p>Its renter alone can extend it.</p>}
    </>
  );
});

// On the page of a slash that can be appealed: the supplier's statement, of which the hash goes on record.
import { useSignal } from "@preact/signals";
import { accused, appeal, canAppeal } from "../acts/appeals";
import { moment } from "../acts/parts";
import { Do, island, useChain } from "../ui/island";
import { hex, sha256, type Bytes } from "../verify/bytes";
import { connected } from "../wallet/wallets";

island("slash", ({ of }) => {
  const statement = useSignal<Bytes | null>(null);
  const found = useChain(() => accused(of)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  if (!canAppeal(found)) return <p>It can't be appealed now.</p>;
  const isMine = connected.value?.address === found.device.supplier;
  const take = async (file: File | undefined): Promise<void> => {
    statement.value = file ? await sha256(new Uint8Array(await file.arrayBuffer())) : null;
  };
  return (
    <>
      <p>It can be appealed until {moment(found.slash.appealUntil)}, by the device's supplier.</p>
      {isMine && (
        <>
          <p class="fields">
            <label for="statement">
              File with your statement
              <input id="statement" type="file" onChange={({ currentTarget }) => void take(currentTarget.files?.[0])} />
            </label>
            {statement.value && <Do make={(payer) => appeal(of, statement.value as Bytes, payer)}>Appeal</Do>}
          </p>
          <p>The file stays on this machine: its hash alone is signed. Keep it as it is, and publish it.</p>
          {statement.value && <p>SHA-256 <span class="address">{hex(statement.value)}</span></p>}
        </>
      )}
      {connected.value && !isMine && <p>Its device's supplier alone can appeal.</p>}
    </>
  );
});

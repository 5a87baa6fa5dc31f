// On the page of a wallet's stakes: its rewards to claim, what of its stakes is free, and the way to one's own.
import type { Address } from "@solana/kit";
import { claim, due } from "../acts/claim";
import { withdrawCoStake } from "../acts/coStakes";
import { io, stakingConfig } from "../acts/parts";
import { cooledOf, staked, withdraw, type Staked } from "../acts/stakes";
import { ask } from "../chain/api";
import { time } from "../chain/node";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

interface Listed {
  address: Address;
}

/** Devices on which a wallet has something that may be free: whose they are, is the API's word; what is free, the chain's. */
async function devicesOf(wallet: Address): Promise<Address[]> {
  const lists = ["supplier", "co_staker", "leaving_staker"].map((name) => ask<Listed[]>(`/devices?${name}=${wallet}&limit=200`));
  return [...new Set((await Promise.all(lists)).flat().map((each) => each.address))];
}

async function read(wallet: Address): Promise<{ rest: bigint; hour: number; free: { at: Staked; own: bigint; co: bigint }[] }> {
  const [earned, now, config, devices] = await Promise.all([due(wallet), time(), stakingConfig(), devicesOf(wallet)]);
  const { cooldown } = config.params;
  const free = (await Promise.all(devices.map(staked))).map((at) => {
    const { own, co } = cooledOf(at.device, now, cooldown);
    const mine = co.filter((each) => each.staker === wallet).reduce((sum, each) => sum + each.amount, 0n);
    return { at, own: at.device.supplier === wallet ? own : 0n, co: mine };
  });
  return { rest: earned ? earned.lifetime - earned.claimed : 0n, hour: earned?.hour ?? 0, free: free.filter((each) => each.own || each.co) };
}

island("stake", ({ of }) => {
  const me = connected.value?.address;
  if (!of) return <>{me && <p><a href={`/stake?wallet=${me}`}>What you have staked</a></p>}</>;
  return (
    <>
      {me && me !== of && <p>This is another wallet's. <a href={`/stake?wallet=${me}`}>What you have staked</a></p>}
      <Free of={of} />
    </>
  );
});

function Free({ of }: { of: Address }) {
  const found = useChain(() => read(of)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const { rest, hour, free } = found;
  return (
    <>
      {rest > 0n ? <p><b>{io(rest)}</b> earned by hour {hour} are not claimed.</p> : <p>There are no rewards to claim.</p>}
      {connected.value && rest > 0n && <p class="buttons"><Do make={(payer) => claim(of, payer)}>Claim</Do></p>}
      {free.map(({ at, own, co }) => (
        <div key={at.at}>
          {own > 0n && <p>{io(own)} of <a class="address" href={`/devices/${at.at}`}>{at.at}</a> can be taken out. {connected.value && <Do make={(payer) => withdraw(at.at, payer)}>Take out</Do>}</p>}
          {co > 0n && <p>{io(co)} of a co-stake on <a class="address" href={`/devices/${at.at}`}>{at.at}</a> can be taken out. {connected.value && <Do make={(payer) => withdrawCoStake(at.at, of, payer)}>Take out</Do>}</p>}
        </div>
      ))}
    </>
  );
}

// On a device's page: what its supplier, its co-stakers and others can do with its stakes.
import { useSignal } from "@preact/signals";
import type { Address } from "@solana/kit";
import { leave, offer, take, withdrawCoStake, withdrawOffer } from "../acts/coStakes";
import { io, moment, percent, stakingConfig } from "../acts/parts";
import { cooledOf, stake, staked, unstake, withdraw, type Staked } from "../acts/stakes";
import { time } from "../chain/node";
import { CoStakeState } from "../clients/staking/types/coStakeState";
import { IO, read } from "../ui/amounts";
import { Field } from "../ui/field";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

/** Decimals of a percentage in basis points. */
const PERCENT = 2;

island("device", ({ of }) => {
  const found = useChain(async () => ({ ...(await staked(of)), now: await time(), params: (await stakingConfig()).params })).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;
  const me = connected.value?.address;
  if (!me) return null;
  return (
    <>
      {me === found.device.supplier && <Supplier at={found} />}
      <CoStaker at={found} me={me} />
      <Cooled at={found} now={found.now} cooldown={found.params.cooldown} />
    </>
  );
});

function Supplier({ at }: { at: Staked }) {
  const { device } = at;
  const [amount, asked, share] = [useSignal(""), useSignal(""), useSignal("20")];
  if (device.terminated) return null;
  return (
    <>
      <h3>Your stake</h3>
      <p>{io(device.own)} of yours count{device.ownCooling > 0n && <>; {io(device.ownCooling)} cool until {moment(device.ownUntil)}</>}.</p>
      {device.ownCooling === 0n && (
        <p class="fields">
          <Field id="stake-amount" label="IO to stake" value={amount} />
          <Do make={async (payer) => stake(at.at, read(amount.value, IO), payer)}>Stake</Do>
          {device.own > 0n && <Do make={(payer) => unstake(at.at, payer)}>Unstake all</Do>}
        </p>
      )}
      {device.offer > 0n ? (
        <p class="buttons"><Do make={(payer) => withdrawOffer(at.at, payer)}>Withdraw the offer</Do></p>
      ) : (
        device.co.state !== CoStakeState.Active &&
        device.own > 0n && (
          <p class="fields">
            <Field id="offer-amount" label="IO that a co-staker stakes" value={asked} />
            <Field id="offer-share" label="% of rewards for it" value={share} />
            <Do make={async (payer) => offer(at.at, read(asked.value, IO), bps(share.value), payer)}>Offer</Do>
          </p>
        )
      )}
    </>
  );
}

/** Basis points of a percentage as it is typed; throws a sentence. */
function bps(text: string): number {
  return Number(read(text, PERCENT));
}

function CoStaker({ at, me }: { at: Staked; me: Address }) {
  const { device } = at;
  const mine = device.co.state === CoStakeState.Active && device.co.staker === me;
  if (mine)
    return (
      <>
        <h3>Your co-stake</h3>
        <p>{io(device.co.amount)}, for {percent(device.co.rewardBps)} of its rewards.</p>
        <p class="buttons"><Do make={(payer) => leave(at.at, payer)}>Leave</Do></p>
      </>
    );
  if (!device.offer || me === device.supplier) return null;
  return (
    <>
      <h3>Its offer</h3>
      <p>{percent(device.offerRewardBps)} of its rewards, for a co-stake of {io(device.offer)}.</p>
      <p class="buttons"><Do make={(payer) => take(at.at, payer)}>Take the offer</Do></p>
    </>
  );
}

/** What is over its cooldown: anybody may have it paid to whom it belongs. */
function Cooled({ at, now, cooldown }: { at: Staked; now: bigint; cooldown: bigint }) {
  const { device } = at;
  const { own, co } = cooledOf(device, now, cooldown);
  if (!own && !co.length) return null;
  return (
    <>
      <h3>Cooled</h3>
      {own > 0n && (
        <p>
          {io(own)} of its supplier <Do make={(payer) => withdraw(at.at, payer)}>Take out</Do>
        </p>
      )}
      {co.map((each) => (
        <p key={each.staker}>
          {io(each.amount)} of co-staker <span class="address">{each.staker}</span>{" "}
          <Do make={(payer) => withdrawCoStake(at.at, each.staker, payer)}>Take out</Do>
        </p>
      ))}
    </>
  );
}

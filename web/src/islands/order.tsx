// On the page of a class in the market: an order for its devices, with what it costs before anything is signed.
import { useSignal } from "@preact/signals";
import { certain, create, offered, type Offered } from "../acts/orders";
import { moment, percent } from "../acts/parts";
import { priced, quote, tokenOf, urgentBps, type Quote, type Wanted } from "../acts/quotes";
import { orders, staking } from "../chain/constants";
import { said } from "../chain/failure";
import type { Currency } from "../clients/orders/types/currency";
import { Urgency } from "../clients/orders/types/urgency";
import { duration, read, show } from "../ui/amounts";
import { Choice, Field, Tick } from "../ui/field";
import { Do, island, useChain } from "../ui/island";
import { connected } from "../wallet/wallets";

/** The device has at least so many of what is asked for, and at most as many as the program takes. */
function whole(text: string, what: string, most: number): number {
  let found: bigint;
  try {
    found = read(text, 0);
  } catch {
    throw new Error(`Write a whole number of ${what}, such as 1.`);
  }
  if (found < 1n || found > BigInt(most)) throw new Error(`An order has 1 to ${most.toLocaleString("en")} ${what}.`);
  return Number(found);
}

function lands(text: string): string[] {
  const found = text.toUpperCase().split(/[\s,;]+/).filter(Boolean);
  const wrong = found.find((each) => !/^[A-Z]{2}$/.test(each));
  if (wrong) throw new Error(`${wrong} is no country: write their two letters, such as CH DE.`);
  if (new Set(found).size < found.length) throw new Error("A country is there twice.");
  if (found.length > orders.MAX_COUNTRIES) throw new Error(`An order names at most ${orders.MAX_COUNTRIES} countries.`);
  return found;
}

island("order", ({ of }) => {
  const text = {
    hours: useSignal("1"),
    devices: useSignal("1"),
    together: useSignal("1"),
    processors: useSignal("1"),
    countries: useSignal(""),
    price: useSignal(""),
  };
  const [currency, tier, urgency] = [useSignal(0), useSignal(0), useSignal(0)];
  const colocated = useSignal(false);
  const found = useChain(() => offered(of)).value;
  if (found === null) return <p role="status">Reading the chain ...</p>;
  if (typeof found === "string") return <p class="told">{found}</p>;

  const wanted = (): Wanted => {
    const unit: Currency = currency.value;
    const devices = whole(text.devices.value, "devices", orders.MAX_DEVICES);
    const minDevices = whole(text.together.value, "devices at once", orders.MAX_DEVICES);
    if (minDevices > devices) throw new Error(`An order for ${devices} never has ${minDevices} at once: order more devices, or fewer at once.`);
    return {
      currency: unit,
      urgency: urgency.value,
      devices,
      minDevices,
      hours: whole(text.hours.value, "hours", orders.MAX_HOURS),
      processors: whole(text.processors.value, "processors of each device", staking.MAX_PROCESSORS),
      minTier: tier.value + 1,
      countries: lands(text.countries.value),
      colocated: colocated.value,
      price: text.price.value.trim() ? read(text.price.value, tokenOf(unit).decimals) : null,
    };
  };
  return (
    <>
      <h3>Order its devices</h3>
      <div class="fields">
        <Field id="order-hours" label="Hours" value={text.hours} />
        <Field id="order-devices" label="Devices" value={text.devices} />
        <Field id="order-processors" label="Processors of each" value={text.processors} />
        <Choice id="order-currency" label="Paid in" value={currency} names={["IO", "USDC"]} />
        <Field id="order-price" label="Highest price, empty: the network's" value={text.price} />
      </div>
      <details>
        <summary>Where, how fast, all at once</summary>
        <div class="fields">
          <Field id="order-countries" label="Only in these countries" value={text.countries} mode="text" />
          <Tick id="order-colocated" label="All in one country" value={colocated} />
          <Choice id="order-tier" label="Lowest tier, 4 is best" value={tier} names={["1", "2", "3", "4"]} />
          <Field id="order-together" label="None runs before so many can" value={text.together} />
          <Choice id="order-urgency" label="How soon" value={urgency} names={urgencies(found)} />
        </div>
      </details>
      <Costs at={found} wanted={wanted} />
      {connected.value && <p class="buttons"><Do make={async (payer) => create(of, wanted(), payer)}>Order</Do></p>}
    </>
  );
});

function urgencies({ config: { params } }: Offered): string[] {
  return [Urgency.Ordinary, Urgency.Soon, Urgency.Now].map((each) => {
    const bps = urgentBps(params, each);
    return `${Urgency[each].toLowerCase()}${bps ? `, ${percent(bps)} more` : ""}`;
  });
}

/** What it costs as it is typed, as of when the chain was read. */
function Costs({ at, wanted }: { at: Offered; wanted: () => Wanted }) {
  let found: Quote;
  try {
    found = quote(at.class, at.config, wanted(), at.now);
  } catch (error) {
    return <p class="told" role="status">{said(error)}</p>;
  }
  const { currency } = found.wanted;
  const { name, decimals } = tokenOf(currency);
  const amount = (each: bigint): string => show(each, decimals);
  return (
    <>
      <div class="wide" tabIndex={0} role="group" aria-label="what it costs">
        <table>
          <caption>What it costs, {name}</caption>
          <thead>
            <tr><th scope="col" class="word">Matched from</th><th scope="col">A processor and hour</th><th scope="col">A device for all hours, with {percent(found.bps)} fee</th></tr>
          </thead>
          <tbody>
            {found.prices.map(({ at: from, price, lease }, place) => (
              <tr key={String(from)}>
                <th scope="row" class="word">{place ? moment(from) : "now"}</th>
                <td>{price.isStale ? `its ask, ${amount(price.low)} to ${amount(price.high)}` : amount(price.amount)}</td>
                <td>{lease === null ? "above your highest" : amount(lease)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <dl class="facts">
        <div><dt>put into the order's vault</dt><dd data-deposit={String(found.deposit)}>{priced(found.deposit, currency)}</dd></div>
        <div><dt>of it costs, at most</dt><dd>{priced(found.most, currency)}</dd></div>
        <div><dt>matched within</dt><dd>{duration(at.config.params.matchWindow)}, or it comes back</dd></div>
      </dl>
      {certain(found).map((each) => <p key={each}>{each}</p>)}
    </>
  );
}

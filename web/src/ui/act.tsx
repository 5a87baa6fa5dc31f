// What somebody is about to sign, and what becomes of it.
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Address } from "@solana/kit";
import { shownSlot } from "../chain/api";
import { asked } from "../chain/node";
import { approve, leave, state, stopWaiting, type Plan } from "../tx/act";
import type { Change, Preview } from "../tx/preview";
import { wireOf } from "../tx/preview";
import { isPast, type Leads, type Outcome, type Pending } from "../tx/send";
import { connected } from "../wallet/wallets";
import { show, SOL } from "./amounts";
import { giveBack, isElsewhere } from "./focus";

/** The act that is on, below the button that began it. */
export function Act() {
  const now = state.value;
  const place = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(now.at);
  useEffect(() => {
    const was = before.current;
    before.current = now.at;
    if (now.at === "none") return was === "none" ? undefined : giveBack();
    place.current?.scrollIntoView({ block: "nearest" });
    // What another tab has sent, or this one before it was loaded again, leads nobody away from what they are at.
    if (now.at === "way" && (was === "none" || isElsewhere(place.current))) return;
    // Who uses a keyboard or a screen reader is where something new is to be read.
    (heading.current ?? place.current)?.focus();
  }, [now.at]);
  if (now.at === "none") return null;
  return (
    <section class="act" ref={place} tabIndex={-1} aria-label="What you sign">
      {now.at === "building" && <p role="status">Reading the chain, and trying it there ...</p>}
      {now.at === "cannot" && (
        <>
          <h3 ref={heading} tabIndex={-1}>Not possible now</h3>
          <p class="told">{now.words}</p>
          <p class="buttons"><button type="button" onClick={leave}>Close</button></p>
        </>
      )}
      {(now.at === "shown" || now.at === "signing") && (
        <>
          <h3 ref={heading} tabIndex={-1}>{now.plan.title}</h3>
          <Shown plan={now.plan} trial={now.trial} payer={now.built.payer} />
          <p class="told" role="status">
            {now.at === "signing" ? "Waiting for your wallet ..." : (now.told ?? "")}
          </p>
          <p class="buttons">
            {now.at === "shown" && (
              <button type="button" class="main" onClick={() => void approve()}>
                Sign with {connected.value?.wallet.name ?? "your wallet"}
              </button>
            )}
            <button type="button" onClick={leave}>Cancel</button>
          </p>
          <details>
            <summary>The transaction itself, for another tool</summary>
            <p><code class="raw">{wireOf(now.built.bytes)}</code></p>
          </details>
        </>
      )}
      {now.at === "way" && <Way heading={heading} sent={now.sent} outcome={now.outcome} added={now.added} />}
    </section>
  );
}

function Shown({ plan, trial, payer }: { plan: Plan; trial: Preview; payer: Address }) {
  return (
    <>
      <ol>{plan.steps.map((each) => <li key={each}>{each}</li>)}</ol>
      <div class="wide" tabIndex={0} role="group" aria-label="who has what before and after">
        <table>
          <caption>Who has what, by a trial on the chain as it is now</caption>
          <thead>
            <tr>
              <th scope="col" class="word">Whose</th>
              <th scope="col" class="word">What</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>{trial.changes.map((each) => <Row key={each.account + each.unit.name} change={each} plan={plan} payer={payer} />)}</tbody>
        </table>
      </div>
      <dl class="facts">
        <div><dt>fee of the network</dt><dd>{show(trial.fee, SOL)} SOL</dd></div>
        {trial.rent > 0n && (
          <div><dt>deposits for new accounts</dt><dd>{show(trial.rent, SOL)} SOL, which their owners get when they close them</dd></div>
        )}
      </dl>
      <p class="by">
        As {asked.isOwn ? "the node of your choice" : "this site's node"} says, <span class="address">{asked.url}</span>.{" "}
        {!asked.isOwn && <a href="/settings">Choose one of your own</a>}
      </p>
      {[...plan.notes, ...(plan.after?.(trial) ?? [])].map((each) => <p key={each}>{each}</p>)}
    </>
  );
}

function Row({ change, plan, payer }: { change: Change; plan: Plan; payer: Address }) {
  const { unit, before, after, account } = change;
  const moved = after - before;
  return (
    <tr data-account={account} data-unit={unit.name}>
      <th scope="row" class="word">{nameOf(change, plan, payer)}</th>
      <td class="word">{unit.name}</td>
      <td>{show(before, unit.decimals)}</td>
      <td>{show(after, unit.decimals)}</td>
      <td>{moved > 0n ? "+" : ""}{show(moved, unit.decimals)}</td>
    </tr>
  );
}

function nameOf({ account, party }: Change, plan: Plan, payer: Address) {
  if (party === payer) return "you";
  const known = plan.names.get(account) ?? plan.names.get(party);
  return known ?? <Whole of={party} />;
}

/** An address is never shortened where somebody decides. */
function Whole({ of }: { of: Address }) {
  return <span class="address" title={of}>{of}</span>;
}

/** A way to the page of what was made, as soon as pages show it. */
function Leading({ to, words, slot }: Leads & { slot: bigint }) {
  const isThere = useSignal(false);
  useEffect(() => {
    let left = false;
    const look = async (): Promise<void> => {
      // A server that doesn't answer is asked again: the way is shown all the same once it does.
      const shown = await shownSlot().catch(() => -1n);
      if (left) return;
      if (shown >= slot) isThere.value = true;
      else setTimeout(() => void look(), AGAIN);
    };
    void look();
    return () => {
      left = true;
    };
  }, []);
  return <p role="status">{isThere.value ? <a href={to}>{words}</a> : "These pages will show it in a moment."}</p>;
}

const AGAIN = 1000;

const WORDS: Record<Outcome["state"], string> = {
  sent: "Sent: waiting for the chain ...",
  confirmed: "Confirmed: it is on the chain, and final in a moment.",
  final: "Final: it has happened.",
  expired: "It expired: nothing happened, and nothing can any more. Try again.",
  unknown: "The node doesn't answer: it may have happened. Don't sign it again before this page says what became of it.",
  refused: "The chain refused it: nothing moved but the fee.",
};

interface OnWay {
  heading: RefObject<HTMLHeadingElement | null>;
  sent: Pending;
  outcome: Outcome;
  added: readonly string[];
}

function Way({ heading, sent, outcome, added }: OnWay) {
  const over = outcome.state === "final" || outcome.state === "refused" || outcome.state === "expired";
  return (
    <>
      <h3 ref={heading} tabIndex={-1}>{sent.title}</h3>
      <p role="status" data-state={outcome.state}>
        {WORDS[outcome.state]}
        {outcome.state === "refused" && ` It says: ${outcome.words}.`}
      </p>
      {added.length > 0 && (
        <p>Your wallet added {added.length === 1 ? "a check" : `${added.length} checks`} by {[...new Set(added)].join(", ")}.</p>
      )}
      <p>Transaction <a class="address" href={`/tx/${sent.signature}`}>{sent.signature}</a></p>
      {outcome.state === "final" && sent.leads && <Leading to={sent.leads.to} words={sent.leads.words} slot={outcome.slot} />}
      {over && <p class="buttons"><button type="button" onClick={leave}>Close</button></p>}
      {!over && isPast(sent) && (
        <>
          <p>
            It was signed more than ten minutes ago: by now it has landed, or it never will. If this node keeps being silent, look
            for its signature in an explorer.
          </p>
          <p class="buttons"><button type="button" onClick={() => stopWaiting(sent)}>Wait no longer</button></p>
        </>
      )}
    </>
  );
}

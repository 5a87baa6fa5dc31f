/** What the viewer's own node says of the chain. */

import { type Address, createSolanaRpc, getBase58Encoder, getProgramDerivedAddress, getU32Encoder } from "@solana/kit";

import { BLOCK_DISCRIMINATOR, getBlockDecoder } from "../clients/staking/accounts/block";
import { canBeAsked } from "../chain/chosen";
import { findBlockPda } from "../clients/staking/pdas/block";
import { SEASON_DISCRIMINATOR, getSeasonDecoder } from "../clients/tokenomics/accounts/season";
import { CONFIG_DISCRIMINATOR, getConfigDecoder } from "../clients/tokenomics/accounts/config";
import { STAKING_PROGRAM_ADDRESS } from "../clients/staking/programs/staking";
import { TOKENOMICS_PROGRAM_ADDRESS } from "../clients/tokenomics/programs/tokenomics";
import type { Block } from "./block.js";
import { type Bytes, equal, fromBase64 } from "./bytes.js";
import { Unavailable } from "./finding.js";
import type { Network } from "./merkle.js";
import type { Season } from "./season.js";
import { words } from "./server.js";

const ANSWER_MS = 15_000;
const ANOTHER = "Name another node, such as one of your own, and check again.";

/** The network that these pages are built for, by its programs' interfaces. */
export async function network(): Promise<Network> {
  const [mint] = await getProgramDerivedAddress({ programAddress: TOKENOMICS_PROGRAM_ADDRESS, seeds: ["mint"] });
  return { program: bytes(STAKING_PROGRAM_ADDRESS), mint: bytes(mint) };
}

/** An hour's block, as the node at `url` has it as final; null where there is no account. Throws Unavailable. */
export async function blockAt(url: string, hour: number): Promise<Block | null> {
  const [place] = await findBlockPda({ hour });
  const found = await accountAt(url, place);
  if (found === null) return null;
  const data = fromBase64(found.data[0]);
  const kind = Uint8Array.from(BLOCK_DISCRIMINATOR);
  if (found.owner !== STAKING_PROGRAM_ADDRESS || !equal(data.slice(0, kind.length), kind)) {
    throw new Unavailable(`what your node has at ${place} is no reward block`, ANOTHER);
  }
  const block = getBlockDecoder().decode(data);
  return {
    hour: block.hour,
    status: block.status,
    devices: BigInt(block.devices),
    total: block.total,
    root: Uint8Array.from(block.root),
    dataHash: Uint8Array.from(block.dataHash),
  };
}

/** The month in which emission began, 0 for January 1970, as the node at `url` has it as final. Throws Unavailable. */
export async function startMonthAt(url: string): Promise<number> {
  const [place] = await getProgramDerivedAddress({ programAddress: TOKENOMICS_PROGRAM_ADDRESS, seeds: ["config"] });
  const found = await accountAt(url, place);
  const data = found && fromBase64(found.data[0]);
  const kind = Uint8Array.from(CONFIG_DISCRIMINATOR);
  if (!data || found.owner !== TOKENOMICS_PROGRAM_ADDRESS || !equal(data.slice(0, kind.length), kind)) {
    throw new Unavailable(`what your node has at ${place} isn't the emission's account`, ANOTHER);
  }
  return getConfigDecoder().decode(data).startMonth;
}

/** What a season's leaves are bound to: the program that pays them, and its mint. */
export async function seasonNetwork(): Promise<Network> {
  return { ...(await network()), program: bytes(TOKENOMICS_PROGRAM_ADDRESS) };
}

/** An airdrop season, as the node at `url` has it as final; null where there is none. Throws Unavailable. */
export async function seasonAt(url: string, number: number): Promise<Season | null> {
  const seeds = ["season", getU32Encoder().encode(number)];
  const [place] = await getProgramDerivedAddress({ programAddress: TOKENOMICS_PROGRAM_ADDRESS, seeds });
  const found = await accountAt(url, place);
  if (found === null) return null;
  const data = fromBase64(found.data[0]);
  const kind = Uint8Array.from(SEASON_DISCRIMINATOR);
  if (found.owner !== TOKENOMICS_PROGRAM_ADDRESS || !equal(data.slice(0, kind.length), kind)) {
    throw new Unavailable(`what your node has at ${place} is no season`, ANOTHER);
  }
  const { season, leaves, pools, root, dataHash } = getSeasonDecoder().decode(data);
  return { season, leaves, pools, root: Uint8Array.from(root), dataHash: Uint8Array.from(dataHash) };
}

async function accountAt(url: string, place: Address): Promise<{ owner: Address; data: readonly [string, string] } | null> {
  if (!canBeAsked(url)) {
    throw new Unavailable(`${url} is no node that a page can ask`, "Name one by https, or one on this machine by http.");
  }
  try {
    const asked = createSolanaRpc(url).getAccountInfo(place, { encoding: "base64", commitment: "finalized" });
    return (await asked.send({ abortSignal: AbortSignal.timeout(ANSWER_MS) })).value;
  } catch (error) {
    throw new Unavailable(`your node at ${url} doesn't answer (${words(error)})`, ANOTHER);
  }
}

function bytes(address: Address): Bytes {
  return Uint8Array.from(getBase58Encoder().encode(address));
}

"""Where each figure of the pages comes from: in words, from the API, and by a command of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures of one kind come from; ``api`` is a path of the API, ``command`` computes them again."""

    title: str
    words: str
    api: str
    command: str


SOURCES: Mapping[str, Source] = {
    "supply": Source(
        "Supply",
        "By the programs' own books: what was minted at launch and each hour since, less what was burned. "
        "The token's mint has the same sum. What is in no vault of the protocol circulates.",
        "/api/v1/supply",
        "ionet supply",
    ),
    "emission": Source(
        "Emission",
        "A formula that the program holds as constants: 240 months, each a little less than the one before, "
        "in equal parts for the month's hours. It depends on the clock alone.",
        "/api/v1/emission",
        "ionet emission",
    ),
    "seasons": Source(
        "Airdrop seasons",
        "Accounts of the tokenomics program. A season names the hash of its file of points, and the root "
        "over what each wallet gets by it; until its claims open, the guardian can cancel it. What nobody "
        "claims in time goes back to who funded it.",
        "/api/v1/seasons",
        "ionet season show",
    ),
    "governance": Source(
        "Governance",
        "The root account of each program: its admin, its guardian, parameters in force and those that wait "
        "for their notice.",
        "/api/v1/network",
        "ionet network",
    ),
    "devices": Source(
        "Devices",
        "Accounts of the staking program, rebuilt from its events and compared with the chain's. A device "
        "is ready, leased, short of stake, or terminated.",
        "/api/v1/devices",
        "ionet device list",
    ),
    "nomination": Source(
        "Nomination for rewards",
        "Nine conditions of the rule of rewards, by the device's account and what operators published of it "
        "in the newest hour that is final.",
        "/api/v1/devices",
        "ionet device show ADDRESS",
    ),
    "hours": Source(
        "Rewards of an hour",
        "Operators compute an hour by the published rule and attest its root and the hash of its files. "
        "Once enough say the same and nobody vetoed it in time, it is final. Anybody computes it again from "
        "the files.",
        "/api/v1/blocks",
        "ionet rewards verify --hour HOUR",
    ),
    "classes": Source(
        "Classes and prices",
        "Accounts of the staking program: operators vote for an hour's steps of prices, by a rule that is "
        "computed again from events.",
        "/api/v1/classes",
        "ionet market replay",
    ),
    "prices": Source(
        "Steps of prices",
        "Events of the staking program: enough operators voted for the root of an hour's steps, and each "
        "step was shown to be under it. The rule that they follow is computed again from events.",
        "/api/v1/market/CLASS/history",
        "ionet market replay",
    ),
    "offers": Source(
        "Offers to co-stake",
        "Devices' accounts name what they look for. What a device earned is in the files of the 168 hours "
        "that end with the newest final one; a year like that is earned x share x 8,760 / 168 / stake.",
        "/api/v1/offers",
        "ionet co-stake offers",
    ),
    "slashes": Source(
        "Slashes",
        "Accounts and events of the staking program: operators' votes for a part and for the hash of a piece "
        "of evidence, which anybody reads and checks again.",
        "/api/v1/slashes",
        "ionet slash show DEVICE",
    ),
    "audit": Source(
        "Programs and comparisons",
        "The hashes of this version's builds, which the same sources give again, and what the keeper found "
        "when it compared every account with the chain's.",
        "/api/v1/audit",
        "ionet keeper doctor",
    ),
    "orders": Source(
        "Orders and leases",
        "Accounts and events of the orders program: a renter's money is in the order's own vault and leaves "
        "it by the second, to suppliers, as fees, or back.",
        "/api/v1/orders",
        "ionet order show ADDRESS",
    ),
    "buyback": Source(
        "Fees and auctions",
        "Accounts of the buyback program: fees in IO are burned; fees in USDC are sold for IO at a price "
        "that falls until somebody takes them, and that IO is burned.",
        "/api/v1/buyback",
        "ionet buyback show",
    ),
    "wallets": Source(
        "Wallets",
        "Sums over the accounts that name a wallet. What it earned is in the files of the newest final "
        "hour, what it claimed is on chain; the difference can be claimed.",
        "/api/v1/wallets/ADDRESS",
        "ionet rewards proof --hour HOUR --wallet ADDRESS",
    ),
    "history": Source(
        "What happened",
        "Events that the programs sent, in transactions that are final. Nothing is shown that a fork can "
        "take back.",
        "/api/v1/transactions?address=ADDRESS",
        "ionet history ADDRESS",
    ),
}
"""By the name that pages link to."""

"""What staking's events do to its accounts, except for devices and classes: they have their own modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import PROGRAM, Attestation, BlockStatus, SlashStatus
from keeper.economy.calendar import HOUR
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds import classes, devices
from keeper.indexer.folds.roles import param_folds, role_folds

NO_VOTE = bytes(32)


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


# -- config ------------------------------------------------------------------------------------


def initialized(book: Book, event: Fields, at: int) -> None:
    """The config exists."""
    address, bump = PROGRAM.pda_and_bump("stake", "config")
    _, reward_bump = PROGRAM.pda_and_bump("claim", "reward_authority")
    book.create(
        "Config",
        address,
        bump,
        reward_bump=reward_bump,
        tokenomics=tokenomics.CONFIG,
        tokenomics_program=tokenomics.PROGRAM.address,
        **event,
    )


def params_applied(book: Book, event: Fields, at: int) -> None:
    """The proposal is in force; a slot whose key it changes counts for votes from now on."""
    config = _config(book)
    keys = zip(config["params"]["operators"], config["pending"]["operators"], strict=True)
    for slot, (old, new) in enumerate(keys):
        if old != new:
            config["slot_since"][slot] = event["revision"]
    config.update(params=config["pending"], pending_at=0, revision=event["revision"])


# -- wallets -------------------------------------------------------------------------------------


def wallet_opened(book: Book, event: Fields, at: int) -> None:
    """A wallet can earn."""
    address, bump = PROGRAM.pda_and_bump("open_wallet", "wallet", owner=event["wallet"])
    book.create("Wallet", address, bump, **event)


def reward_claimed(book: Book, event: Fields, at: int) -> None:
    """A wallet was paid, some of it perhaps out of the reserve for small claims."""
    wallet = book.change("Wallet", client.wallet_address(event["wallet"]))
    wallet["claimed"] = event["claimed"]
    if event["reserve"] and event["claim_hour"] > wallet["claim_hour"]:
        wallet.update(claim_hour=event["claim_hour"], claimed_in_hour=0)
    wallet["claimed_in_hour"] += event["reserve"]
    config = _config(book)
    config["claimed"] += event["amount"]
    config.update({name: event[name] for name in ("claim_hour", "claimed_in_hour", "reserve_in_hour")})


# -- reward blocks -------------------------------------------------------------------------------


def attested(book: Book, event: Fields, at: int) -> None:
    """An operator attested an hour's block."""
    pda = PROGRAM.pda_and_bump("attest", "block", hour=event["hour"])
    block = _ballot(book, "Block", pda, hour=event["hour"], payer=event["operator"])
    content = {name: event[name] for name in ("root", "total", "devices", "data_hash")}
    _vote(book, block, event, Attestation(**content).hash)
    if event["agreed"]:
        block.update(status=int(BlockStatus.AGREED), agreed_at=event["at"], **content)


def block_reopened(book: Book, event: Fields, at: int) -> None:
    """Of the operators who agreed too few are left; what these attested stands."""
    block = book.change("Block", client.block_address(event["hour"]))
    _carry(book, block, NO_VOTE)
    block.update(status=int(BlockStatus.OPEN), agreed_at=0)


def block_vetoed(book: Book, event: Fields, at: int) -> None:
    """The operators attest anew; what was agreed on before stays in the account."""
    block = book.change("Block", client.block_address(event["hour"]))
    votes = [NO_VOTE] * client.MAX_OPERATORS
    block.update(status=int(BlockStatus.OPEN), agreed_at=0, votes=votes, vetoes=event["vetoes"])


def block_finalised(book: Book, event: Fields, at: int) -> None:
    """A block's root pays."""
    block = book.change("Block", client.block_address(event["hour"]))
    _carry(book, block, NO_VOTE)
    block["status"] = int(BlockStatus.FINAL)
    _config(book).update(final_total=event["total"], next_hour=event["hour"] + 1)


def block_closed(book: Book, event: Fields, at: int) -> None:
    """A block's account is gone."""
    book.close("Block", client.block_address(event["hour"]))


# -- prices and postings -------------------------------------------------------------------------


def prices_voted(book: Book, event: Fields, at: int) -> None:
    """An operator voted for the root over an hour's price steps."""
    pda = PROGRAM.pda_and_bump("vote_prices", "prices", hour=event["hour"])
    prices = _ballot(book, "Prices", pda, hour=event["hour"], payer=event["operator"])
    _vote(book, prices, event, event["root"])
    if event["agreed"]:
        prices.update(agreed=True, root=event["root"])


def prices_closed(book: Book, event: Fields, at: int) -> None:
    """The account of an hour's steps is gone."""
    book.close("Prices", client.prices_address(event["hour"]))


def posted(book: Book, event: Fields, at: int) -> None:
    """An operator put a hash on record; so many do in an hour of the clock."""
    operator, hour = event["operator"], event["at"] // HOUR
    address, bump = PROGRAM.pda_and_bump("post", "counter", operator=operator)
    if address not in book.of_kind("PostCounter"):
        book.create("PostCounter", address, bump, operator=operator)
    counter = book.change("PostCounter", address)
    if hour > counter["hour"]:
        counter.update(hour=hour, count=0)
    counter["count"] += 1


# -- slashes -------------------------------------------------------------------------------------


def slash_voted(book: Book, event: Fields, at: int) -> None:
    """An operator voted for a slash."""
    seeds = {name: event[name] for name in ("device", "evidence")}
    registered_at = book.get("Device", event["device"])["registered_at"]
    pda = PROGRAM.pda_and_bump("vote_slash", "slash", **seeds)
    slash = _ballot(book, "Slash", pda, registered_at=registered_at, **seeds)
    _vote(book, slash, event, event["bps"])
    if event["pending"]:
        until = event["appeal_until"]
        slash.update(status=int(SlashStatus.PENDING), bps=event["bps"], appeal_until=until)
        book.change("Device", event["device"])["slash_pending"] = True


def slash_appealed(book: Book, event: Fields, at: int) -> None:
    """The supplier appealed."""
    _slash(book, event)["appeal"] = event["statement"]


def slash_vetoed(book: Book, event: Fields, at: int) -> None:
    """The guardian vetoed a slash: a pending one, or one that was voided and still froze the stakes."""
    slash, device = _slash(book, event), book.change("Device", event["device"])
    if slash["status"] == SlashStatus.PENDING:
        device["slash_pending"] = False
    slash["status"] = int(SlashStatus.VETOED)
    device["frozen_until"] = event["frozen_until"]


def slash_voided(book: Book, event: Fields, at: int) -> None:
    """Of the operators who voted too few are left: they may vote anew, and the stakes stay frozen."""
    slash = _slash(book, event)
    _carry(book, slash, 0)
    nothing = {"bps": 0, "appeal_until": 0, "appeal": bytes(32)}
    slash.update(status=int(SlashStatus.VOTING), frozen_until=event["frozen_until"], **nothing)
    device = book.change("Device", event["device"])
    until = max(device["frozen_until"], event["frozen_until"])
    device.update(slash_pending=False, frozen_until=until)


def slashed(book: Book, event: Fields, at: int) -> None:
    """Stake was burned."""
    slash = _slash(book, event)
    _carry(book, slash, 0)
    slash.update(status=int(SlashStatus.EXECUTED), burned=event["burned"])
    config = _config(book)
    config["slashed"] += event["burned"]
    config["staked"] -= event["burned"]
    devices.slashed(book, event, at)


def _slash(book: Book, event: Fields) -> Fields:
    return book.change("Slash", client.slash_address(event["device"], event["evidence"]))


# -- votes ---------------------------------------------------------------------------------------


def _ballot(book: Book, kind: str, pda: tuple[Pubkey, int], **fields: Any) -> Fields:
    """What is voted on; the first vote makes its account, with ``fields``."""
    address, bump = pda
    if address not in book.of_kind(kind):
        revision = book.get("Config", client.CONFIG)["revision"]
        book.create(kind, address, bump, revision=revision, **fields)
    return book.change(kind, address)


def _vote(book: Book, row: Fields, event: Fields, vote: Any) -> None:
    """Count an operator's vote, in place of an earlier one."""
    _carry(book, row, NO_VOTE if isinstance(vote, bytes) else 0)
    operators = book.get("Config", client.CONFIG)["params"]["operators"]
    row["votes"][operators.index(event["operator"])] = vote


def _carry(book: Book, row: Fields, nothing: Any) -> None:
    """Drop the votes of slots whose key has changed since the last look; ``nothing`` is no vote."""
    config = book.get("Config", client.CONFIG)
    for slot, since in enumerate(config["slot_since"]):
        if since > row["revision"]:
            row["votes"][slot] = nothing
    row["revision"] = config["revision"]


FOLDS: Mapping[str, Fold] = {
    **role_folds(client.CONFIG),
    **param_folds(client.CONFIG),
    "Initialized": initialized,
    "ParamsApplied": params_applied,
    "WalletOpened": wallet_opened,
    "RewardClaimed": reward_claimed,
    "Attested": attested,
    "BlockReopened": block_reopened,
    "BlockVetoed": block_vetoed,
    "BlockFinalised": block_finalised,
    "BlockClosed": block_closed,
    "PricesVoted": prices_voted,
    "PricesClosed": prices_closed,
    "Posted": posted,
    "SlashVoted": slash_voted,
    "SlashAppealed": slash_appealed,
    "SlashVetoed": slash_vetoed,
    "SlashVoided": slash_voided,
    "Slashed": slashed,
    **classes.FOLDS,
    **devices.FOLDS,
}

"""What staking's events do to its accounts, except for devices, which have a module of their own."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import PROGRAM, Attestation, BlockStatus, SlashStatus
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds import devices
from keeper.indexer.folds.roles import param_folds, role_folds

NO_VOTE = bytes(32)


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


# -- config and classes ------------------------------------------------------------------------


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


def class_added(book: Book, event: Fields, at: int) -> None:
    """A class exists."""
    address, bump = PROGRAM.pda_and_bump("add_class", "class", id=event["id"])
    book.create("Class", address, bump, **event)


def class_changed(book: Book, event: Fields, at: int) -> None:
    """A class's multiplier will change."""
    row = book.change("Class", client.class_address(event["id"]))
    row.update(multiplier=event["from"], pending_multiplier=event["to"], pending_at=event["at"])


# -- wallets -------------------------------------------------------------------------------------


def wallet_opened(book: Book, event: Fields, at: int) -> None:
    """A wallet can earn."""
    address, bump = PROGRAM.pda_and_bump("open_wallet", "wallet", owner=event["wallet"])
    book.create("Wallet", address, bump, **event)


def reward_claimed(book: Book, event: Fields, at: int) -> None:
    """A wallet was paid."""
    book.change("Wallet", client.wallet_address(event["wallet"]))["claimed"] = event["claimed"]
    config = _config(book)
    config["claimed"] += event["amount"]
    config.update({name: event[name] for name in ("claim_hour", "claimed_in_hour")})


# -- reward blocks -------------------------------------------------------------------------------


def attested(book: Book, event: Fields, at: int) -> None:
    """An operator attested an hour's block."""
    config = book.get("Config", client.CONFIG)
    address, bump = PROGRAM.pda_and_bump("attest", "block", hour=event["hour"])
    if address not in book.of_kind("Block"):
        payer, revision = event["operator"], config["revision"]
        book.create("Block", address, bump, hour=event["hour"], revision=revision, payer=payer)
    block = book.change("Block", address)
    if block["revision"] != config["revision"]:
        _void(block)
        block["revision"] = config["revision"]
    content = {name: event[name] for name in ("root", "total", "devices", "data_hash")}
    block["votes"][config["params"]["operators"].index(event["operator"])] = Attestation(**content).hash
    if event["agreed"]:
        block.update(status=int(BlockStatus.AGREED), agreed_at=event["at"], **content)


def block_vetoed(book: Book, event: Fields, at: int) -> None:
    """The operators attest anew."""
    block = book.change("Block", client.block_address(event["hour"]))
    _void(block)
    block["vetoes"] = event["vetoes"]


def block_finalised(book: Book, event: Fields, at: int) -> None:
    """A block's root pays."""
    book.change("Block", client.block_address(event["hour"]))["status"] = int(BlockStatus.FINAL)
    _config(book).update(final_total=event["total"], next_hour=event["hour"] + 1)


def block_closed(book: Book, event: Fields, at: int) -> None:
    """A block's account is gone."""
    book.close("Block", client.block_address(event["hour"]))


def _void(block: Fields) -> None:
    """What was attested no longer counts; what was agreed on before stays in the account."""
    votes = [NO_VOTE] * client.MAX_OPERATORS
    block.update(status=int(BlockStatus.OPEN), agreed_at=0, votes=votes)


# -- slashes -------------------------------------------------------------------------------------


def slash_voted(book: Book, event: Fields, at: int) -> None:
    """An operator voted for a slash."""
    config = book.get("Config", client.CONFIG)
    seeds = {name: event[name] for name in ("device", "evidence")}
    address, bump = PROGRAM.pda_and_bump("vote_slash", "slash", **seeds)
    if address not in book.of_kind("Slash"):
        book.create("Slash", address, bump, revision=config["revision"], **seeds)
    slash = book.change("Slash", address)
    if slash["revision"] != config["revision"]:
        _void_votes(slash, config["revision"])
    slash["votes"][config["params"]["operators"].index(event["operator"])] = event["bps"]
    if event["pending"]:
        until = event["appeal_until"]
        slash.update(status=int(SlashStatus.PENDING), bps=event["bps"], appeal_until=until)
        book.change("Device", event["device"])["slash_pending"] = True


def slash_appealed(book: Book, event: Fields, at: int) -> None:
    """The supplier appealed."""
    _slash(book, event)["appeal"] = event["statement"]


def slash_vetoed(book: Book, event: Fields, at: int) -> None:
    """The guardian vetoed a slash."""
    _slash(book, event)["status"] = int(SlashStatus.VETOED)
    book.change("Device", event["device"])["slash_pending"] = False


def slash_voided(book: Book, event: Fields, at: int) -> None:
    """Operators vote anew: the config has changed."""
    _void_votes(_slash(book, event), event["revision"])
    book.change("Device", event["device"])["slash_pending"] = False


def slashed(book: Book, event: Fields, at: int) -> None:
    """Stake was burned."""
    _slash(book, event).update(status=int(SlashStatus.EXECUTED), burned=event["burned"])
    config = _config(book)
    config["slashed"] += event["burned"]
    config["staked"] -= event["burned"]
    devices.slashed(book, event, at)


def _slash(book: Book, event: Fields) -> Fields:
    return book.change("Slash", client.slash_address(event["device"], event["evidence"]))


def _void_votes(slash: Fields, revision: int) -> None:
    """The votes, and what came of them, no longer count."""
    slash.update(status=int(SlashStatus.VOTING), bps=0, appeal_until=0, appeal=bytes(32))
    slash.update(votes=[0] * client.MAX_OPERATORS, revision=revision)


FOLDS: Mapping[str, Fold] = {
    **role_folds(client.CONFIG),
    **param_folds(client.CONFIG),
    "Initialized": initialized,
    "ClassAdded": class_added,
    "ClassChanged": class_changed,
    "WalletOpened": wallet_opened,
    "RewardClaimed": reward_claimed,
    "Attested": attested,
    "BlockVetoed": block_vetoed,
    "BlockFinalised": block_finalised,
    "BlockClosed": block_closed,
    "SlashVoted": slash_voted,
    "SlashAppealed": slash_appealed,
    "SlashVetoed": slash_vetoed,
    "SlashVoided": slash_voided,
    "Slashed": slashed,
    **devices.FOLDS,
}

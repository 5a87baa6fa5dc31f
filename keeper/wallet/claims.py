"""What somebody is about to claim of a wallet's rewards: how much of it now, and what stays for later."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.token import create_associated
from keeper.clients import staking, tokenomics
from keeper.clients.staking import Block, BlockStatus, Config, Wallet
from keeper.economy.calendar import HOUR, moment
from keeper.economy.orders import Currency
from keeper.economy.supply import BPS, io
from keeper.errors import UserError
from keeper.rewards.wallet_index import Claimable
from keeper.wallet.openings import tokens
from keeper.wallet.plan import Movement, NamedAccount, NothingToDo, Plan


class ClaimRefused(UserError):
    """The program would refuse it now; the message says why, and what to do."""


def allowed(config: Config, wallet: Wallet, total: int, lifetime: int) -> int:
    """What of a wallet's rewards isn't paid and within its share of ``total``, what all have earned by then.

    How much of it is paid in an hour is the config's ``payable``.
    """
    most = max(0, total - wallet.opened_total) * config.params.wallet_share_bps // BPS
    return min(lifetime, most) - wallet.claimed


def claim(
    config: Config, wallet: Wallet | None, block: Block | None, found: Claimable, caller: Pubkey, now: int
) -> Plan:
    """Pay a wallet what it has earned by a published root and not been paid, as far as the limits allow.

    ``block`` is the root's on chain, ``caller`` signs and pays. Raises ClaimRefused, NothingToDo.
    """
    owner, signed = found.wallet, caller == found.wallet
    if wallet is None:
        raise ClaimRefused(f"{owner} has no account for earnings: ionet device register opens one")
    if block is None or block.status != BlockStatus.FINAL:
        raise ClaimRefused(f"emission hour {found.hour} isn't final yet: --hour names an earlier one")
    if found.hour + staking.KEPT_ROOTS < config.next_hour:
        raise ClaimRefused(
            f"emission hour {found.hour} is too old: claims go by the last {staking.KEPT_ROOTS} final hours; "
            "a later hour's files have all that was earned before, too"
        )
    new = found.lifetime - wallet.claimed
    if new <= 0:
        raise NothingToDo(
            f"all {io(wallet.claimed)} IO that {owner} has earned by emission hour {found.hour} are paid"
        )
    due = allowed(config, wallet, block.total, found.lifetime)
    if due <= 0:
        raise ClaimRefused(
            f"a wallet gets at most {_share(config)} of what all have earned since it was opened, and this "
            "one has had that: claim again when more hours are final"
        )
    amount = config.payable(wallet, due, now, signed=signed)
    next_hour = moment((now // HOUR + 1) * HOUR)
    if amount <= 0:
        more = "" if signed else f"; signed by {owner} itself, a small claim doesn't depend on that"
        raise ClaimRefused(
            f"this hour's claims have reached their limit: claim again from {next_hour} on{more}"
        )
    vault = NamedAccount("the reward vault", tokenomics.REWARD_VAULT)
    account = NamedAccount("the wallet's account", tokenomics.tokens_address(owner))
    movement = Movement(vault, account, amount, Currency.IO, f"earned up to emission hour {found.hour}")
    notes = []
    if held := due - amount:
        notes.append(
            f"{io(held)} IO are still to come, as all claims of an hour pay "
            f"{io(config.params.claim_limit)} IO at most, and no more is left of this one: "
            f"claim again from {next_hour} on."
        )
    if later := new - due:
        notes.append(
            f"{io(later)} IO come with later hours, as a wallet gets at most {_share(config)} of what all "
            "have earned since it was opened: claim again when more hours are final."
        )
    call = staking.claim(found.hour, owner, found.lifetime, found.proof, signed=signed)
    making = create_associated(caller, owner, tokenomics.MINT)
    return Plan((making, call), (movement,), tuple(notes), openings=(tokens(owner, caller),))


def _share(config: Config) -> str:
    """A wallet's part of all rewards at most, in words."""
    return f"{config.params.wallet_share_bps / 100:g} %"

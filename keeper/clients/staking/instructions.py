"""The staking program's instructions."""

from __future__ import annotations

from dataclasses import asdict

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import tokenomics
from keeper.clients.roles import ParamsRoles
from keeper.clients.signing import signed_by
from keeper.clients.staking.accounts import Attestation, Device, Params
from keeper.clients.staking.program import (
    ORDERS,
    PROGRAM,
    PROGRAM_DATA,
    block_address,
    class_address,
    device_address,
    prices_address,
    slash_address,
    wallet_address,
)
from keeper.economy.classes import Bounds, ClassPrices

# -- the admin's and the guardian's ------------------------------------------------------------


def initialize(
    admin: Pubkey, guardian: Pubkey, params: Params, orders_program: Pubkey = ORDERS
) -> Instruction:
    """Create config and stake vault; ``admin`` is the program's upgrade authority."""
    return PROGRAM.instruction(
        "initialize",
        {"orders_program": orders_program, "guardian": guardian, "params": params.fields()},
        admin=admin,
        program_data=PROGRAM_DATA,
        mint=tokenomics.MINT,
        tokenomics=tokenomics.CONFIG,
        reward_vault=tokenomics.REWARD_VAULT,
    )


_ROLES = ParamsRoles(PROGRAM)
propose_params = _ROLES.propose_params
cancel_params = _ROLES.cancel_params
apply_params = _ROLES.apply_params
set_pause = _ROLES.set_pause
propose_admin = _ROLES.propose_admin
accept_admin = _ROLES.accept_admin
propose_guardian = _ROLES.propose_guardian
accept_guardian = _ROLES.accept_guardian


def add_class(
    admin: Pubkey, number: int, name: str, multiplier: int, pool: int, kind: int, prices: ClassPrices
) -> Instruction:
    """Add a class of processors, open after the notice; the multiplier in hundredths."""
    arguments = {
        "id": number,
        "name": name.encode().ljust(24, b"\0"),
        "multiplier": multiplier,
        "pool": pool,
        "kind": kind,
        "prices": asdict(prices),
    }
    return PROGRAM.instruction("add_class", arguments, admin=admin)


def change_class(admin: Pubkey, number: int, multiplier: int) -> Instruction:
    """Change a class's multiplier after the notice."""
    arguments = {"multiplier": multiplier}
    return PROGRAM.instruction("change_class", arguments, admin=admin, **{"class": class_address(number)})


def change_bounds(admin: Pubkey, number: int, bounds: Bounds) -> Instruction:
    """Change what a class's prices stay between, after the notice."""
    arguments = {"bounds": asdict(bounds)}
    return PROGRAM.instruction("change_bounds", arguments, admin=admin, **{"class": class_address(number)})


def cancel_class(guardian: Pubkey, number: int) -> Instruction:
    """Drop a class's changes that don't hold yet; one that isn't open yet never opens."""
    return PROGRAM.instruction("cancel_class", None, guardian=guardian, **{"class": class_address(number)})


# -- prices and postings -----------------------------------------------------------------------


def vote_prices(operator: Pubkey, hour: int, root: bytes) -> Instruction:
    """Vote for the root of an hour's price steps, in place of an earlier vote; unix time over 3,600."""
    return PROGRAM.instruction("vote_prices", {"hour": hour, "root": root}, operator=operator)


def apply_price(number: int, hour: int, step_io: int, step_usdc: int, proof: bytes) -> Instruction:
    """Announce a class's steps of an hour, by their leaf under the root that enough operators voted for."""
    arguments = {"step_io": step_io, "step_usdc": step_usdc, "proof": proof}
    accounts = {"class": class_address(number), "prices": prices_address(hour)}
    return PROGRAM.instruction("apply_price", arguments, **accounts)


def cancel_price(guardian: Pubkey, number: int) -> Instruction:
    """Drop a class's announced steps before they hold."""
    return PROGRAM.instruction("cancel_price", None, guardian=guardian, **{"class": class_address(number)})


def close_prices(hour: int, payer: Pubkey) -> Instruction:
    """Close an hour's table once no step of it can be announced any more."""
    return PROGRAM.instruction("close_prices", payer=payer, prices=prices_address(hour))


def post(operator: Pubkey, number: int, kind: int, slot: int, digest: bytes) -> Instruction:
    """Put the hash of a file on record: who had it, and when."""
    arguments = {"number": number, "kind": kind, "slot": slot, "hash": digest}
    return PROGRAM.instruction("post", arguments, operator=operator)


# -- devices and stakes ------------------------------------------------------------------------


def open_wallet(payer: Pubkey, owner: Pubkey) -> Instruction:
    """Open the account of a wallet that is going to earn."""
    return PROGRAM.instruction("open_wallet", {"owner": owner}, payer=payer)


def register_device(  # noqa: PLR0913 - a keyword for each of a device's properties
    supplier: Pubkey,
    worker: Pubkey,
    payout: Pubkey,
    device_class: int,
    *,
    processors: int,
    tier: int,
    country: str,
    ask_io: int = 0,
    ask_usdc: int = 0,
    worker_may_end: bool = False,
) -> Instruction:
    """Register a device; ``payout`` has its wallet account already."""
    arguments = {
        "processors": processors,
        "tier": tier,
        "country": country.encode(),
        "ask_io": ask_io,
        "ask_usdc": ask_usdc,
        "worker_may_end": int(worker_may_end),
    }
    accounts = {
        "supplier": supplier,
        "worker": worker,
        "class": class_address(device_class),
        "payout": wallet_address(payout),
    }
    return PROGRAM.instruction("register_device", arguments, **accounts)


def change_device(
    device: Device,
    *,
    tier: int,
    country: str,
    ask_io: int,
    ask_usdc: int,
    worker_may_end: bool | None = None,
) -> Instruction:
    """Change a device's tier, country and asks, and whether its worker may end a lease unless that stays."""
    may_end = device.worker_may_end if worker_may_end is None else worker_may_end
    arguments = {
        "tier": tier,
        "country": country.encode(),
        "ask_io": ask_io,
        "ask_usdc": ask_usdc,
        "worker_may_end": int(may_end),
    }
    return PROGRAM.instruction("change_device", arguments, **_owner(device))


def pause_device(device: Device) -> Instruction:
    """Set both asks to 0, as the worker: it takes no further leases."""
    accounts = {"worker": device.worker, "device": device_address(device.worker)}
    return PROGRAM.instruction("pause_device", None, **accounts)


def set_payout(device: Device, payout: Pubkey) -> Instruction:
    """Send the supplier's rewards to another wallet, which has its account already."""
    accounts = {
        "supplier": device.supplier,
        "device": device_address(device.worker),
        "payout": wallet_address(payout),
    }
    return PROGRAM.instruction("set_payout", None, **accounts)


def terminate_device(device: Device) -> Instruction:
    """Terminate a device: it no longer earns and can't be leased."""
    return PROGRAM.instruction("terminate_device", None, **_owner(device))


def close_device(device: Device) -> Instruction:
    """Close the account of a terminated device without stake."""
    accounts = {"supplier": device.supplier, "device": device_address(device.worker)}
    return PROGRAM.instruction("close_device", None, **accounts)


def settle_device(device: Device) -> Instruction:
    """Write down what time, or a change of class, has done to a device."""
    return PROGRAM.instruction("settle_device", None, **_device(device))


def stake(device: Device, amount: int) -> Instruction:
    """Add to a device's own stake, from the supplier's associated token account.

    It is refused once the own stake is another than ``device`` has, so that the same is never staked twice.
    """
    accounts = {**_owner(device), "supplier_tokens": tokenomics.tokens_address(device.supplier)}
    return PROGRAM.instruction("stake", {"amount": amount, "expected": device.own}, **accounts)


def withdraw_overflow(device: Device, amount: int) -> Instruction:
    """Take back own stake that the minimum doesn't need; refused as :func:`stake` is once that is another."""
    accounts = {"supplier": device.supplier, **_out(device, device.supplier)}
    return PROGRAM.instruction("withdraw_overflow", {"amount": amount, "expected": device.own}, **accounts)


def unstake(device: Device) -> Instruction:
    """Send the own stake, and a co-stake with it, into the cooldown."""
    return PROGRAM.instruction("unstake", None, **_owner(device))


def withdraw(device: Device, to: Pubkey | None = None) -> Instruction:
    """Pay a cooled own stake back to the supplier.

    Where its associated token account couldn't be paid for a week, ``to`` is another one of it.
    """
    return PROGRAM.instruction("withdraw", None, **_out(device, device.supplier, to))


def open_offer(device: Device, amount: int, reward_bps: int) -> Instruction:
    """Look for a co-staker."""
    arguments = {"amount": amount, "reward_bps": reward_bps}
    return PROGRAM.instruction("open_offer", arguments, **_owner(device))


def close_offer(device: Device) -> Instruction:
    """Withdraw an offer that nobody took."""
    return PROGRAM.instruction("close_offer", None, **_owner(device))


def take_offer(device: Device, staker: Pubkey, amount: int, reward_bps: int) -> Instruction:
    """Take a device's offer, as it was seen, from the staker's associated token account."""
    accounts = {
        **_device(device),
        "staker": staker,
        "wallet": wallet_address(staker),
        "staker_tokens": tokenomics.tokens_address(staker),
    }
    return PROGRAM.instruction("take_offer", {"amount": amount, "reward_bps": reward_bps}, **accounts)


def leave_co_stake(device: Device, staker: Pubkey) -> Instruction:
    """Start leaving a co-stake."""
    accounts = {"staker": staker, "device": device_address(device.worker)}
    return PROGRAM.instruction("leave_co_stake", None, **accounts)


def withdraw_co_stake(device: Device, staker: Pubkey, to: Pubkey | None = None) -> Instruction:
    """Pay a cooled co-stake back to its owner; ``to`` as in :func:`withdraw`."""
    accounts = {**_out(device, staker, to), "wallet": wallet_address(staker)}
    return PROGRAM.instruction("withdraw_co_stake", None, **accounts)


# -- reward blocks -----------------------------------------------------------------------------


def attest(operator: Pubkey, hour: int, attestation: Attestation) -> Instruction:
    """Attest an hour's reward block."""
    arguments = {
        "hour": hour,
        "root": attestation.root,
        "total": attestation.total,
        "devices": attestation.devices,
        "data_hash": attestation.data_hash,
    }
    return PROGRAM.instruction("attest", arguments, operator=operator, tokenomics=tokenomics.CONFIG)


def veto_block(guardian: Pubkey, hour: int) -> Instruction:
    """Veto a block that is not final."""
    return PROGRAM.instruction("veto_block", guardian=guardian, block=block_address(hour))


def finalise(hour: int) -> Instruction:
    """Make a block's root pay."""
    return PROGRAM.instruction(
        "finalise",
        block=block_address(hour),
        tokenomics_program=tokenomics.PROGRAM.address,
        tokenomics=tokenomics.CONFIG,
        mint=tokenomics.MINT,
        reward_vault=tokenomics.REWARD_VAULT,
        tokenomics_events=tokenomics.PROGRAM.event_authority,
    )


def close_block(hour: int, payer: Pubkey) -> Instruction:
    """Close a block that later ones have replaced."""
    return PROGRAM.instruction("close_block", payer=payer, block=block_address(hour))


def claim(hour: int, wallet: Pubkey, lifetime: int, proof: bytes, *, signed: bool = False) -> Instruction:
    """Pay a wallet what it has earned and not been paid, by a leaf of an hour's root, within the limits.

    ``signed`` by the wallet itself, a small claim is paid out of the hour's reserve, which others can't use.
    """
    call = PROGRAM.instruction(
        "claim",
        {"lifetime": lifetime, "proof": proof},
        block=block_address(hour),
        wallet=wallet_address(wallet),
        owner=wallet,
        wallet_tokens=tokenomics.tokens_address(wallet),
        reward_vault=tokenomics.REWARD_VAULT,
    )
    return signed_by(call, wallet) if signed else call


# -- slashing ----------------------------------------------------------------------------------


def vote_slash(operator: Pubkey, device: Device, evidence: bytes, bps: int) -> Instruction:
    """Vote to slash a device by ``bps``, in place of an earlier vote for this evidence."""
    arguments = {"evidence": evidence, "bps": bps}
    accounts = {"operator": operator, "device": device_address(device.worker)}
    return PROGRAM.instruction("vote_slash", arguments, **accounts)


def appeal_slash(device: Device, evidence: bytes, statement: bytes) -> Instruction:
    """Appeal against a slash."""
    accounts = {"supplier": device.supplier, **_slash(device, evidence)}
    return PROGRAM.instruction("appeal_slash", {"statement": statement}, **accounts)


def veto_slash(guardian: Pubkey, device: Device, evidence: bytes) -> Instruction:
    """Veto a slash in its appeal period."""
    return PROGRAM.instruction("veto_slash", None, guardian=guardian, **_slash(device, evidence))


def execute_slash(device: Device, evidence: bytes) -> Instruction:
    """Burn a slashed device's stake after the appeal, or void the slash where too few still vote for it."""
    accounts = {
        "class": class_address(device.device_class),
        "mint": tokenomics.MINT,
        **_slash(device, evidence),
    }
    return PROGRAM.instruction("execute_slash", None, **accounts)


def _device(device: Device) -> dict[str, Pubkey]:
    return {"class": class_address(device.device_class), "device": device_address(device.worker)}


def _owner(device: Device) -> dict[str, Pubkey]:
    return {"supplier": device.supplier, **_device(device)}


def _out(device: Device, owner: Pubkey, to: Pubkey | None = None) -> dict[str, Pubkey]:
    associated = tokenomics.tokens_address(owner)
    accounts = {**_device(device), "owner": owner, "owner_tokens": to or associated}
    return {**accounts, "associated": associated} if to else accounts


def _slash(device: Device, evidence: bytes) -> dict[str, Pubkey]:
    address = device_address(device.worker)
    return {"device": address, "slash": slash_address(address, evidence)}

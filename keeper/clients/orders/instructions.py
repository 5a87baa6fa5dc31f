"""The orders program's instructions."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated
from keeper.clients import buyback, staking, tokenomics
from keeper.clients.orders.accounts import Config, Fault, Lease, Order, Params, Parked, Terms
from keeper.clients.orders.program import CONFIG, PROGRAM, PROGRAM_DATA
from keeper.clients.roles import ParamsRoles
from keeper.clients.signing import signed_by
from keeper.economy.orders import Currency

# -- the admin's and the guardian's ------------------------------------------------------------


def initialize(admin: Pubkey, guardian: Pubkey, usdc_mint: Pubkey, params: Params) -> Instruction:
    """Create the config, after staking's and buyback's; ``admin`` is the program's upgrade authority."""
    return PROGRAM.instruction(
        "initialize",
        {"buyback_program": buyback.PROGRAM.address, "guardian": guardian, "params": params.fields()},
        admin=admin,
        program_data=PROGRAM_DATA,
        staking_config=staking.CONFIG,
        io_mint=tokenomics.MINT,
        usdc_mint=usdc_mint,
        io_fees=buyback.IO_VAULT,
        usdc_fees=buyback.fee_vault(usdc_mint),
    )


def create_parked_vaults(payer: Pubkey, usdc_mint: Pubkey) -> list[Instruction]:
    """Create where money waits whose payee can't be paid; does nothing for what exists."""
    return [create_associated(payer, CONFIG, mint) for mint in (tokenomics.MINT, usdc_mint)]


_ROLES = ParamsRoles(PROGRAM)
propose_params = _ROLES.propose_params
cancel_params = _ROLES.cancel_params
apply_params = _ROLES.apply_params
set_pause = _ROLES.set_pause
propose_admin = _ROLES.propose_admin
accept_admin = _ROLES.accept_admin
propose_guardian = _ROLES.propose_guardian
accept_guardian = _ROLES.accept_guardian


# -- the renter's ------------------------------------------------------------------------------


def create_order(renter: Pubkey, number: int, terms: Terms, mint: Pubkey, *, max_deposit: int) -> Instruction:
    """Open an order under the renter's own ``number``, paid from its associated account for ``mint``.

    It puts down ``max_deposit`` base units at most: fees may change until it is there.
    """
    return PROGRAM.instruction(
        "create_order",
        {"id": number, "terms": terms.fields(), "max_deposit": max_deposit},
        renter=renter,
        mint=mint,
        renter_tokens=associated_token_address(renter, mint),
        **{"class": staking.class_address(terms.classes[0])},
    )


def cancel_order(order: Order) -> Instruction:
    """Cancel an order: it takes no more devices."""
    return PROGRAM.instruction("cancel_order", renter=order.renter, order=order.address)


def extend_lease(config: Config, order: Order, lease: Lease, hours: int, *, max_amount: int) -> Instruction:
    """Add hours to a running lease, paid from the renter's associated token account.

    They cost ``max_amount`` base units at most: another lease of the device may have its address by then.
    It is refused once the lease has other hours than ``lease``: the same is never paid twice.
    """
    return PROGRAM.instruction(
        "extend_lease",
        {"hours": hours, "max_amount": max_amount, "expected": lease.hours},
        renter=order.renter,
        order=lease.order,
        lease=lease.address,
        device=lease.device,
        vault=order.vault,
        renter_tokens=_renters(config, order),
    )


# -- matching and serving ----------------------------------------------------------------------


def match_device(matcher: Pubkey, order: Order, device: staking.Device, tick: int = 0) -> Instruction:
    """Set a device apart for an order, at the network's price.

    The matcher is an operator in its turn of ``tick``. Without a tick it is the device's supplier, the worker
    signs, too, and accepts in the same transaction.
    """
    call = PROGRAM.instruction(
        "match_device",
        {"tick": tick},
        matcher=matcher,
        order=order.address,
        device=staking.device_address(device.worker),
        worker=device.worker,
        **{"class": staking.class_address(device.device_class)},
        **_STAKING,
    )
    return call if tick else signed_by(call, device.worker)


def accept_lease(config: Config, order: Order, lease: Lease) -> Instruction:
    """Accept a lease: its hours begin."""
    return PROGRAM.instruction(
        "accept_lease",
        worker=lease.worker,
        order=lease.order,
        lease=lease.address,
        payout_tokens=_payout(config, order, lease),
    )


def settle(config: Config, order: Order, lease: Lease) -> Instruction:
    """Pay a lease's supplier what is due."""
    payout_tokens = _payout(config, order, lease)
    return PROGRAM.instruction("settle", None, payout_tokens=payout_tokens, **_money(config, order, lease))


def end_lease(caller: Pubkey, lease: Lease) -> Instruction:
    """End a lease and free its device; what happens to the money depends on the caller."""
    return PROGRAM.instruction("end_lease", None, caller=caller, **_lease(lease))


def vote_fault(operator: Pubkey, lease: Lease, evidence: bytes, good_hours: int) -> Instruction:
    """Vote that a lease was served for ``good_hours`` and no longer."""
    named = {"number": lease.number, "registered_at": lease.registered_at}
    arguments = {"evidence": evidence, "good_hours": good_hours, **named}
    return PROGRAM.instruction("vote_fault", arguments, operator=operator, **_lease(lease))


def hold_lease(guardian: Pubkey, lease: Lease, until: int) -> Instruction:
    """Hold a lease's unpaid money back, or shorten the hold."""
    return PROGRAM.instruction("hold_lease", {"until": until}, guardian=guardian, **_lease(lease))


# -- ends --------------------------------------------------------------------------------------


def refund(config: Config, order: Order) -> Instruction:
    """Refund the renter what no lease holds and no open place needs."""
    return PROGRAM.instruction(
        "refund", order=order.address, vault=order.vault, renter_tokens=_renters(config, order)
    )


def close_lease(lease: Lease) -> Instruction:
    """Close a lease that is owed nothing."""
    return PROGRAM.instruction("close_lease", payer=lease.payer, order=lease.order, lease=lease.address)


def close_fault(fault: Fault) -> Instruction:
    """Close a fault whose lease is gone."""
    return PROGRAM.instruction("close_fault", payer=fault.payer, lease=fault.lease, fault=fault.address)


def close_order(config: Config, order: Order) -> Instruction:
    """Close an order to which nothing more can happen."""
    return PROGRAM.instruction(
        "close_order",
        renter=order.renter,
        order=order.address,
        vault=order.vault,
        renter_tokens=_renters(config, order),
        fees=config.fees(order.terms.currency),
    )


# -- money whose payee can't be paid -----------------------------------------------------------


def park_pay(payer: Pubkey, config: Config, order: Order, lease: Lease) -> Instruction:
    """Settle a lease whose supplier can't be paid: its part is set aside; ``payer`` pays the rent for it."""
    accounts = {
        "destination": _payout(config, order, lease),
        "parked_vault": config.parked(order.terms.currency),
    }
    return PROGRAM.instruction("park_pay", None, payer=payer, **accounts, **_money(config, order, lease))


def park_fees(payer: Pubkey, config: Config, order: Order) -> Instruction:
    """Set an order's fees aside while the fee vault can't be paid; ``payer`` pays the rent for it."""
    currency = order.terms.currency
    return PROGRAM.instruction(
        "park_fees",
        payer=payer,
        order=order.address,
        vault=order.vault,
        destination=config.fees(currency),
        parked_vault=config.parked(currency),
    )


def pay_parked(config: Config, parked: Parked) -> Instruction:
    """Pay what was set aside, once its payee can be paid."""
    currency = Currency.IO if parked.mint == config.io_mint else Currency.USDC
    return PROGRAM.instruction(
        "pay_parked",
        payer=parked.payer,
        record=parked.address,
        parked_vault=config.parked(currency),
        destination=parked.destination,
    )


_STAKING = {
    "staking_config": staking.CONFIG,
    "staking_program": staking.PROGRAM.address,
    "staking_events": staking.PROGRAM.event_authority,
}


def _lease(lease: Lease) -> dict[str, Pubkey]:
    return {"order": lease.order, "lease": lease.address, "device": lease.device, **_STAKING}


def _money(config: Config, order: Order, lease: Lease) -> dict[str, Pubkey]:
    return {
        "order": lease.order,
        "lease": lease.address,
        "vault": order.vault,
        "fees": config.fees(order.terms.currency),
    }


def _payout(config: Config, order: Order, lease: Lease) -> Pubkey:
    return associated_token_address(lease.payout, config.mint(order.terms.currency))


def _renters(config: Config, order: Order) -> Pubkey:
    return associated_token_address(order.renter, config.mint(order.terms.currency))

"""The accounts that stand in the slots of orders' matrix."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from keeper.clients.orders import PROGRAM
from tests.security.matrix import Kind, Matrix
from tests.security.orders.calls import CALLS
from tests.security.orders.stages import (
    EVIDENCE,
    FREE,
    MINTS,
    OTHER_RUNNING,
    OTHER_WAITING,
    RUNNING,
    USDC_FEES,
    USDC_MINT,
    WAITING,
    io,
    stage,
    where,
)
from tests.security.people import IMPOSTOR, OTHER_MINT, OTHER_TOKENS, address
from tests.security.staking.stages import APPLE, GPU
from tests.security.tokens import TOKEN_2022


def _derived(seed: bytes, program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([seed], program)[0]


_OURS = PROGRAM.address
_ORDERS = tuple(
    client.order_address(address(renter), number)
    for renter, number in (("mallory", 1), ("carol", 1), ("carol", 2))
)
_LEASES = tuple(
    where(worker, renter)
    for worker, renter in (
        (OTHER_RUNNING, "mallory"),
        (OTHER_WAITING, "mallory"),
        (WAITING, "carol"),
        (RUNNING, "carol"),
    )
)
_FAULTS = tuple(client.fault_address(each, EVIDENCE, 1) for each in (_LEASES[0], _LEASES[3]))
_DEVICES = tuple(
    staking.device_address(address(worker)) for worker in (OTHER_RUNNING, OTHER_WAITING, FREE, RUNNING)
)
_MINT = OTHER_MINT.pubkey()
_SPARE = OTHER_TOKENS.pubkey()

PERSON = Kind(SYSTEM_PROGRAM, (address("mallory"), address("bob")), (_MINT,))
VAULT = Kind(TOKEN_PROGRAM, (*map(client.vault_address, _ORDERS), _SPARE), (_MINT,))
TOKENS = Kind(TOKEN_PROGRAM, (io("mallory"), io("bob")), (_MINT,))
EXECUTABLE = Kind(UPGRADEABLE_LOADER, (TOKEN_2022, TOKEN_PROGRAM), (_MINT,))
EVENTS = Kind(SYSTEM_PROGRAM, (_derived(b"__event_authority", IMPOSTOR),), (_MINT,))

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "admin",
            "new_admin",
            "guardian",
            "new_guardian",
            "renter",
            "worker",
            "caller",
            "matcher",
            "operator",
            "payer",
        ),
        PERSON,
    ),
    # There is but one config: other accounts of the program stand for another.
    "config": Kind(_OURS, (*_ORDERS, _MINT), (_MINT, _SPARE)),
    "order": Kind(_OURS, _ORDERS, (*_LEASES, client.CONFIG)),
    "lease": Kind(_OURS, _LEASES, (*_ORDERS, client.CONFIG)),
    "fault": Kind(_OURS, _FAULTS, (*_LEASES, *_ORDERS)),
    "device": Kind(staking.PROGRAM.address, _DEVICES, (staking.class_address(APPLE), staking.CONFIG)),
    "class": Kind(
        staking.PROGRAM.address,
        tuple(map(staking.class_address, (APPLE, GPU))),
        (staking.device_address(address(WAITING)), staking.CONFIG),
    ),
    "staking_config": Kind(staking.PROGRAM.address, (staking.class_address(GPU), _MINT), (_MINT, _SPARE)),
    "staking_program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (_MINT,)),
    "staking_events": EVENTS,
    "lease_authority": Kind(SYSTEM_PROGRAM, (_derived(b"lease_authority", IMPOSTOR),), (_MINT,)),
    "mint": Kind(TOKEN_PROGRAM, (USDC_MINT, _MINT), (_SPARE,)),
    "io_mint": Kind(TOKEN_PROGRAM, (_MINT,), (_SPARE,)),
    "usdc_mint": Kind(TOKEN_PROGRAM, (_MINT,), (_SPARE,)),
    "vault": VAULT,
    "parked_vault": Kind(TOKEN_PROGRAM, (*map(client.parked_vault_address, MINTS), _SPARE), (_MINT,)),
    "record": Kind(_OURS, (client.parked_address(USDC_FEES), client.parked_address(io("alice"))), _ORDERS),
    "destination": TOKENS,
    "fees": Kind(TOKEN_PROGRAM, (USDC_FEES, io("mallory")), (_MINT,)),
    "io_fees": Kind(TOKEN_PROGRAM, (tokenomics.REWARD_VAULT, USDC_FEES), (_MINT,)),
    "usdc_fees": Kind(TOKEN_PROGRAM, (buyback.IO_VAULT, _SPARE), (_MINT,)),
    "renter_tokens": TOKENS,
    "payout_tokens": TOKENS,
    "program_data": Kind(
        UPGRADEABLE_LOADER, (program_data_address(IMPOSTOR), tokenomics.PROGRAM.address), (IMPOSTOR,)
    ),
    "event_authority": EVENTS,
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
    "program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (_MINT,)),
}
"""By the slot's name in the IDL."""

MATRIX = Matrix(PROGRAM, CALLS, stage, KINDS)

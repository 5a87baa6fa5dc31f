"""The faucet: SOL from nothing, IO and USDC from their owners, so that supply stays what genesis made it."""

from __future__ import annotations

from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams
from solders.system_program import transfer as send_lamports

from keeper.chain.framework import LAMPORTS, associated_token_address
from keeper.chain.token import balance, create_associated, transfer
from keeper.clients import buyback, tokenomics
from keeper.economy.buyback import USDC
from keeper.economy.supply import IO
from keeper.localnet.node import Node
from keeper.localnet.refusal import PREFLIGHT, Refusal

SOL_GIFT, IO_GIFT, USDC_GIFT = 10 * LAMPORTS, 10_000 * IO, 1_000 * USDC


async def give(node: Node, to: Pubkey) -> dict[str, Any]:
    """Give ``to`` SOL, and IO and USDC as far as their owners have any left, in one transaction.

    Raises Refusal with the reason when that fails.
    """
    paying = node.faucet.pubkey()
    instructions = [
        send_lamports(TransferParams(from_pubkey=paying, to_pubkey=to, lamports=SOL_GIFT)),
    ]
    signers = [node.faucet]
    given = {"sol": SOL_GIFT, "io": 0, "usdc": 0}
    if node.treasury is not None:
        sales = await buyback.read_config(node.chain)
        gifts = [("io", node.treasury.io, tokenomics.MINT, IO_GIFT)]
        if sales is not None:
            gifts.append(("usdc", node.treasury.usdc, sales.usdc_mint, USDC_GIFT))
        for name, owner, mint, most in gifts:
            given[name], moves = _from(node, owner, mint, most, to)
            instructions += moves
            if moves and owner not in signers:
                signers.append(owner)
    record = node.chain.execute(instructions, signers)
    if record.error is not None:
        raise Refusal(PREFLIGHT, f"the faucet can't give that: {record.error}", {"logs": list(record.logs)})
    return {"signature": str(record.signature), **given}


def _from(node: Node, owner: Keypair, mint: Pubkey, most: int, to: Pubkey) -> tuple[int, list[Instruction]]:
    source = associated_token_address(owner.pubkey(), mint)
    amount = min(most, balance(node.chain.get(source)))
    if not amount or to == owner.pubkey():
        return 0, []
    target = associated_token_address(to, mint)
    return amount, [
        create_associated(node.faucet.pubkey(), to, mint),
        transfer(source, target, owner.pubkey(), amount),
    ]

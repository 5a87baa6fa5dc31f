"""Instructions that some account may sign, though it need not."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey


def signed_by(call: Instruction, wallet: Pubkey) -> Instruction:
    """The same call with ``wallet``'s signature, wherever it is named."""
    metas = [
        AccountMeta(each.pubkey, True, each.is_writable) if each.pubkey == wallet else each
        for each in call.accounts
    ]
    return Instruction(call.program_id, bytes(call.data), metas)

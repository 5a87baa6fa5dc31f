"""What operators have posted, read from a chain on which anybody may name their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.signature import Signature
from solders.system_program import TransferParams, transfer

from keeper.chain import TransactionRecord
from keeper.clients import staking
from keeper.operator import posting
from keeper.operator.posting import Key, Postings
from keeper.pow.anchored import PostKind
from tests.keeper.operator.network import Net


class Node:
    """A chain whose node hasn't got some transactions yet; it counts what it was asked to read."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.hasnt: set[Signature] = set()
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        self.read += len(signatures)
        found = await self._chain.records(signatures)
        return [
            None if each in self.hasnt else record for each, record in zip(signatures, found, strict=True)
        ]


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def named(net: Net, operator: Keypair, times: int) -> None:
    """Have a stranger name an operator's account in so many transactions."""
    payer = net.world.payer
    for number in range(times):
        plain = transfer(
            TransferParams(from_pubkey=payer.pubkey(), to_pubkey=payer.pubkey(), lamports=number + 1)
        )
        account = AccountMeta(staking.post_address(operator.pubkey()), is_signer=False, is_writable=False)
        net.world.send(Instruction(plain.program_id, plain.data, [*plain.accounts, account]))


def post(net: Net, operator: Keypair, slot: int) -> tuple[Key, Signature]:
    call = staking.post(operator.pubkey(), 1, PostKind.WAVE, slot, bytes([slot]) * 32)
    record = net.world.send(call, signers=[operator])
    return Key(operator.pubkey(), 1, PostKind.WAVE, slot), record.signature


async def test_a_flood_of_transactions_hides_no_posting(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "PAGE", 4)
    monkeypatch.setattr(posting, "PAGES", 2)
    monkeypatch.setattr(posting, "AT_ONCE", 3)
    operator, node = net.world.operators[0], Node(net.world.chain)
    postings = Postings(node, 1)
    gift = transfer(
        TransferParams(
            from_pubkey=net.world.payer.pubkey(),
            to_pubkey=staking.post_address(operator.pubkey()),
            lamports=890_880,
        )
    )
    net.world.send(gift)
    await postings.refresh(operator.pubkey())
    first, _ = post(net, operator, 7)
    named(net, operator, 30)
    second, _ = post(net, operator, 8)
    named(net, operator, 10)
    for _ in range(6):
        assert len(postings.first) in (0, 2)
        await postings.refresh(operator.pubkey())
    assert list(postings.first) == [first, second]
    assert node.read == 43
    # All that the operator posted is known: what a stranger does isn't looked at.
    named(net, operator, 10)
    await postings.refresh(operator.pubkey())
    assert node.read == 43


async def test_what_a_node_hasnt_got_yet_is_read_later(net: Net) -> None:
    operator, node = net.world.operators[0], Node(net.world.chain)
    postings = Postings(node, 1)
    made = [post(net, operator, slot) for slot in (7, 8, 9)]
    node.hasnt = {made[1][1]}
    await postings.refresh(operator.pubkey())
    assert list(postings.first) == [made[0][0]]
    node.hasnt.clear()
    await postings.refresh(operator.pubkey())
    assert list(postings.first) == [key for key, _ in made]

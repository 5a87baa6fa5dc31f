"""What operators posted, read from lists that anybody can make long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import solders.system_program as system
from solders.keypair import Keypair
from solders.signature import Signature

from keeper.chain import TransactionRecord
from keeper.clients import staking
from keeper.operator import posting
from keeper.operator.posting import Key, Postings
from keeper.operator.running import network_of
from keeper.pow.anchored import PostKind
from tests.keeper.operator.network import Net
from tests.programs.world import HOUR, START

HASHES = [bytes([number]) * 32 for number in range(1, 4)]


def names(net: Net, number: int, lamports: int = 1) -> None:
    """Somebody names an operator's account in a transaction."""
    account = staking.post_address(net.world.operators[number].pubkey())
    payer = net.world.payer.pubkey()
    net.world.do(
        system.transfer(system.TransferParams(from_pubkey=payer, to_pubkey=account, lamports=lamports))
    )


async def test_a_list_that_somebody_makes_long_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three pages of five transactions each, two of them read at a time."""
    net = Net(tmp_path)
    operator = await net.operator(0)
    postings = operator.desk.postings
    postings.since = 1
    signer = net.world.operators[1]
    net.world.chain.warp_to(START + HOUR + 10)
    for digest in HASHES[:2]:  # The second says nothing.
        net.world.do(staking.post(signer.pubkey(), 1, 1, 32, digest), signers=[signer])
    for _ in range(12):
        names(net, 1)
    monkeypatch.setattr(posting, "PAGE", 5)
    monkeypatch.setattr(posting, "PAGES", 2)
    await postings.refresh(signer.pubkey())
    assert postings.of_hour(1) == {}
    # What comes while the list is read is read after it.
    net.world.do(staking.post(signer.pubkey(), 1, 1, 64, HASHES[2]), signers=[signer])
    await postings.refresh(signer.pubkey())
    assert {key.slot: posted.hash for key, posted in postings.of_hour(1).items()} == {32: HASHES[0]}
    await postings.refresh(signer.pubkey())
    found = {key.slot: posted.hash for key, posted in postings.of_hour(1).items()}
    assert found == {32: HASHES[0], 64: HASHES[2]}


async def test_what_a_node_lacks_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One node lists a transaction, and another one that is behind hasn't got it."""
    net = Net(tmp_path)
    operator = await net.operator(0)
    postings = operator.desk.postings
    postings.since = 1
    signer = net.world.operators[1]
    for slot, digest in zip((32, 64, 96), HASHES, strict=True):
        net.world.do(staking.post(signer.pubkey(), 1, 1, slot, digest), signers=[signer])
    true = net.world.chain.records

    async def behind(signatures):
        found = await true(signatures)
        return [found[0], None, *found[2:]]

    monkeypatch.setattr(net.world.chain, "records", behind)
    await postings.refresh(signer.pubkey())
    assert sorted(key.slot for key in postings.of_hour(1)) == [32]
    monkeypatch.setattr(net.world.chain, "records", true)
    await postings.refresh(signer.pubkey())
    assert sorted(key.slot for key in postings.of_hour(1)) == [32, 64, 96]


class Node:
    """A chain that counts what it was asked to read."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        self.read += len(signatures)
        found: list[TransactionRecord | None] = await self._chain.records(signatures)
        return found


def post(net: Net, operator: Keypair, slot: int) -> Key:
    """An operator posts a WAVE file's hash."""
    call = staking.post(operator.pubkey(), 1, PostKind.WAVE, slot, bytes([slot]) * 32)
    net.world.send(call, signers=[operator])
    return Key(operator.pubkey(), 1, PostKind.WAVE, slot)


async def test_a_flood_of_transactions_hides_no_posting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PAGE", 4)
    monkeypatch.setattr(posting, "PAGES", 2)
    monkeypatch.setattr(posting, "AT_ONCE", 3)
    net = Net(tmp_path)
    operator, node = net.world.operators[0], Node(net.world.chain)
    postings = Postings(node, 1, await network_of(net.world.chain))
    net.world.chain.warp_to(START + HOUR + 10)
    names(net, 0, 890_880)  # There is no account of it yet.
    await postings.refresh(operator.pubkey())
    first = post(net, operator, 7)
    for _ in range(30):
        names(net, 0)
    second = post(net, operator, 8)
    for _ in range(10):
        names(net, 0)
    for _ in range(6):
        assert len(postings.first) in (0, 2)
        await postings.refresh(operator.pubkey())
    assert list(postings.first) == [first, second]
    assert node.read == 43
    # All that the operator posted is known: what a stranger does isn't looked at.
    for _ in range(10):
        names(net, 0)
    await postings.refresh(operator.pubkey())
    assert node.read == 43

"""Clients at work on ``ionet localnet``: the pieces of docs/clients.md as they stand, and plain transfers.

What the pieces print and what they leave is compared with the same calls by the keeper's own codec, on a
copy of the chain.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Terms
from keeper.economy.supply import IO
from tests.e2e.validator import NAME, Validator, binary
from tests.interop import documented, installed, network
from tests.programs.world import key
from tests.security.orders import stages
from tests.security.people import address, do

WALLETS = dict(zip(documented.PROGRAMS, network.WALLETS, strict=True))
"""Whose key each client has."""
SIDES = Path(__file__).parent / "sides"
SOL = 10**9
FEE = 5_000
"""Lamports, of a signature."""
TERMS = Terms(price=3 * IO, hours=10, devices=1, processors=4, min_tier=1, classes=(1,))
"""Of the orders in all of the pieces."""
Node = network.Localnet | Validator


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The saved chain that the network begins as."""
    path = tmp_path_factory.mktemp("localnet") / "network.chain"
    network.world().chain.save(path)
    return path


@pytest.fixture(scope="module")
def localnet(machine: None, chain: Path) -> Iterator[network.Localnet]:
    running = network.Localnet(chain)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node for plain transfers: the localnet's, with ``--chain validator`` a validator's."""
    if request.config.getoption("--chain") == "embedded":
        yield request.getfixturevalue("localnet")
        return
    request.getfixturevalue("machine")
    program = binary()
    if program is None:
        pytest.skip(f"{NAME} is not installed: make test-validator does that")
    with Validator(program, Keypair().pubkey()) as validator:
        yield validator


class Keeper:
    """The same day's work by the keeper's codec, for one wallet."""

    def __init__(self, chain: Path, wallet: str) -> None:
        """Claim, create an order, cancel it, each as its owner."""
        self._chain = EmbeddedChain.load(chain)
        self._wallet = wallet
        who = address(wallet)
        proof = network.staking_stages.proof(network.ONLY_HOUR, wallet)
        before = self.tokens(tokenomics.tokens_address(who))
        self._do(staking.claim(network.ONLY_HOUR, who, network.due(wallet), proof))
        self.claimed = self.tokens(tokenomics.tokens_address(who)) - before
        self._do(orders.create_order(who, 1, TERMS, tokenomics.MINT, max_deposit=200 * IO))
        order = orders.order_address(who, 1)
        self.escrow = orders.parse_order(self._data(order)).free
        cancel = orders.cancel_order(orders.parse_order(self._data(order)))
        self._do(cancel)
        refused = self._chain.execute([cancel], [key(wallet)])
        assert refused.code is not None
        self.refusal = orders.PROGRAM.error(refused.code).message
        self.accounts = {
            "wallet": tokenomics.tokens_address(who),
            "vault": orders.vault_address(order),
        }

    def tokens(self, account: Pubkey) -> int:
        """What is in a token account, base units."""
        return token.balance(self._chain.get(account))

    def _do(self, call: Instruction) -> None:
        record = self._chain.execute([call], [key(self._wallet)])
        assert record.error is None, record

    def _data(self, account: Pubkey) -> bytes:
        found = self._chain.get(account)
        assert found is not None
        return found.data


async def _balances(url: str, accounts: dict[str, Pubkey]) -> dict[str, int]:
    chain = RpcChain(url)
    try:
        found = await chain.accounts(list(accounts.values()))
    finally:
        await chain.close()
    return {name: token.balance(each) for name, each in zip(accounts, found, strict=True)}


@pytest.mark.parametrize("client", documented.PROGRAMS)
def test_the_documented_pieces_read_claim_rent_and_say_errors(
    localnet: network.Localnet, chain: Path, tmp_path: Path, client: str
) -> None:
    wallet = WALLETS[client]
    folder = tmp_path / wallet
    folder.mkdir()
    (folder / "idl").symlink_to(documented.IDLS)
    network.write_person(folder, wallet)
    printed = documented.run(documented.PROGRAMS[client](folder, localnet.url, localnet.ws), folder)
    keeper = Keeper(chain, wallet)
    assert keeper.claimed == network.due(wallet)
    # An event's name begins with a capital letter in Python alone.
    assert [each.replace("RewardClaimed", "rewardClaimed") for each in printed] == [
        "5 devices; 2 operators have to agree",
        f"rewardClaimed: {keeper.claimed}",
        f"1 order, in escrow: {keeper.escrow}",
        f"refused: {keeper.refusal}",
    ]
    assert asyncio.run(_balances(localnet.url, keeper.accounts)) == {
        name: keeper.tokens(each) for name, each in keeper.accounts.items()
    }


def test_a_supplier_and_its_worker_take_a_renters_order_in_one_transaction_of_three_signers(
    localnet: network.Localnet, tmp_path: Path
) -> None:
    people = {"renter": "admin", "supplier": "bob", "worker": "bob's worker"}
    for name, who in people.items():
        network.write_key(tmp_path / f"{name}.json", who)
    folder = installed.packages("coral-anchor")
    script = ["node", str(SIDES / "lease.cjs"), str(folder), str(documented.IDLS), str(tmp_path)]
    (line,) = documented.run([*script, localnet.url, localnet.ws], folder)
    # The same by the keeper's codec, on a chain that began alike.
    world, worker = network.world(), people["worker"]
    stages.open_order(world, "admin", 1, TERMS)
    world.chain.advance(stages.EXCLUSIVE)
    do(world, *stages.take(world, worker, "admin", 1))
    lease, order = stages.lease(world, worker, "admin", 1), stages.order(world, "admin", 1)
    assert json.loads(line) == {
        "supplier": str(address("bob")),
        "rate": str(lease.rate),
        "hours": lease.hours,
        "status": int(lease.status),
        "taken": order.taken,
        "free": str(order.free),
        "held": str(order.held),
    }
    vault = {"vault": order.vault}
    assert asyncio.run(_balances(localnet.url, vault)) == {"vault": world.tokens(order.vault)}


def test_kit_transfers_in_both_formats_and_says_what_is_refused(node: Node) -> None:
    found = _transfers(node, "transfers_kit.cjs", "codama")
    landed = {"error": None, "fee": str(FEE)}
    assert found == {
        "airdropped": str(2 * SOL),
        "v0": {**landed, "version": 0},
        "legacy": {**landed, "version": "legacy"},
        "friend": str(SOL * 3 // 4),
        "left": str(2 * SOL - SOL * 3 // 4 - 2 * FEE),
        "afterwards": str(2 * SOL - SOL * 3 // 4 - 2 * FEE),
        "too_much": ["Transaction simulation failed", "Custom program error: #1 (instruction #1)"],
        "expired": ["Transaction simulation failed", "Blockhash not found"],
    }


def test_web3_transfers_listens_and_lists(node: Node) -> None:
    found = _transfers(node, "transfers_web3.cjs", "coral-anchor")
    refused: Any = found.pop("refused")
    # The last one has two signatures, and empties the account: a notice of no lamports, not of nothing.
    assert found == {
        "airdropped": 2 * SOL,
        "friend": SOL * 3 // 4,
        "emptied": None,
        "left": 2 * SOL - 4 * FEE,
        "changes": [SOL // 4, SOL * 3 // 4, 0],
        "logs": [0, 1, 2],
        "listed": [2, 1, 0],
        "whole": {"version": 0, "fee": FEE, "moved": SOL // 2},
    }
    said = "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
    assert refused["message"] == said
    assert refused["logs"][1] == f"Transfer: insufficient lamports {2 * SOL - 5 * FEE}, need {5 * SOL}"


def _transfers(node: Node, script: str, packages: str) -> dict[str, object]:
    folder = installed.packages(packages)
    (line,) = documented.run(["node", str(SIDES / script), str(folder), node.url, _notices(node)], folder)
    found: dict[str, object] = json.loads(line)
    return found


def _notices(node: Node) -> str:
    """On the port after the RPC's, as everywhere."""
    address, _, port = node.url.rpartition(":")
    return f"{address.replace('http', 'ws')}:{int(port) + 1}"

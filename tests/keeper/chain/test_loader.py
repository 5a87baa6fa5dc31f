"""Deploying through the chain's own upgradeable loader."""

import pytest

from keeper import deploy
from keeper.chain import ChainError, TransactionFailed, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from keeper.resources import DEV_KEYS, binary
from tests.programs.world import LISTING, key

PROGRAM = deploy.read_keypair(DEV_KEYS / "tokenomics.json")
BINARY = binary("tokenomics")
PROBE = binary("probe")


@pytest.fixture
def authority():
    return key("authority")


@pytest.fixture
def chain(authority):
    chain = EmbeddedChain(now=LISTING)
    for each in (authority, key("stranger")):
        chain.airdrop(each.pubkey(), 10**13)
    return chain


def next_slot(chain):
    """A program can be called from the slot after its deployment on."""
    chain.advance(1)


async def test_a_deployed_program_runs_and_knows_its_authority(chain, authority):
    seen = []
    assert await loader.deploy(chain, PROGRAM, BINARY, authority, each=lambda *done: seen.append(done))
    pieces = -(-len(BINARY) // loader.PIECE)
    assert seen == [(n, pieces) for n in range(1, pieces + 1)]
    next_slot(chain)
    staking, guardian = deploy.staking_program(), key("guardian").pubkey()
    stranger = key("stranger")
    with pytest.raises(TransactionFailed) as refusal:
        await chain.send([tokenomics.initialize(stranger.pubkey(), staking, guardian)], [stranger])
    assert refusal.value.code == tokenomics.ERROR["NotUpgradeAuthority"]
    await chain.send([tokenomics.initialize(authority.pubkey(), staking, guardian)], [authority])
    config = await tokenomics.read_config(chain)
    assert config is not None and config.admin == authority.pubkey()


async def test_deploying_again_does_nothing(chain, authority):
    await loader.deploy(chain, PROGRAM, BINARY, authority)
    before = len(chain.transactions())
    assert not await loader.deploy(chain, PROGRAM, BINARY, authority)
    assert len(chain.transactions()) == before


async def test_other_bytes_upgrade_it_in_place(chain, authority):
    await loader.deploy(chain, PROGRAM, PROBE, authority)
    next_slot(chain)
    room = len(await loader.deployed(chain, PROGRAM.pubkey()))
    assert room == loader.ROOM_TO_GROW * len(PROBE)
    smaller = PROBE  # the probe is what fits; the economy's program doesn't
    with pytest.raises(ChainError, match=f"solana program extend .* {len(BINARY) - room}$"):
        await loader.deploy(chain, PROGRAM, BINARY, authority)
    assert loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), smaller)


async def test_an_upgrade_to_a_smaller_binary(chain, authority):
    await loader.deploy(chain, PROGRAM, BINARY, authority)
    next_slot(chain)
    assert await loader.deploy(chain, PROGRAM, PROBE, authority)
    assert loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), PROBE)
    assert not loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), BINARY)


async def test_only_the_authority_upgrades(chain, authority):
    await loader.deploy(chain, PROGRAM, BINARY, authority)
    next_slot(chain)
    with pytest.raises(TransactionFailed):
        await loader.deploy(chain, PROGRAM, PROBE, key("stranger"))
    assert loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), BINARY)


class Interrupted(EmbeddedChain):
    """A chain that is cut off after some transactions."""

    left = 50

    async def broadcast(self, transaction):
        if self.left == 0:
            raise ChainError("cut off")
        self.left -= 1
        await super().broadcast(transaction)


async def test_an_interrupted_upload_goes_on_where_it_stopped(chain, authority):
    chain.__class__ = Interrupted
    with pytest.raises(ChainError, match="cut off"):
        await loader.deploy(chain, PROGRAM, BINARY, authority)
    chain.__class__ = EmbeddedChain
    before = len(chain.transactions())
    assert await loader.deploy(chain, PROGRAM, BINARY, authority)
    pieces = -(-len(BINARY) // loader.PIECE)
    # One of the first 50 created the buffer; the last one deploys.
    assert len(chain.transactions()) - before == pieces - 49 + 1
    assert loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), BINARY)


async def test_sol_that_a_stranger_sends_in_advance_stops_no_upgrade(chain, authority):
    """Whoever builds the next version knows where its bytes will be uploaded."""
    program_data = loader.program_data_address(key("another program").pubkey())
    chain.airdrop(program_data, 1_000_000)
    assert await loader.deployed(chain, key("another program").pubkey()) is None
    assert await deploy.programs.upgrade_authority(chain, key("another program").pubkey()) is None
    changed = PROBE + bytes(1) + b"\1"
    _, buffer = loader._buffer(authority.pubkey(), changed)
    chain.airdrop(buffer, 10**10)
    pieces = -(-len(changed) // loader.PIECE)
    assert await loader.missing_pieces(chain, authority.pubkey(), changed) == (pieces, 10**10)
    assert await loader._fill_buffer(chain, changed, authority, lambda *_: None, None) == buffer
    (account,) = await chain.accounts([buffer])
    assert account.data[loader.BUFFER_HEADER :] == changed
    assert account.lamports == 10**10, "more than its rent was there already"


async def test_rent_is_the_chains_own(chain):
    assert await loader.minimum_balance(chain, 0) == 890_880
    assert await loader.minimum_balance(chain, 165) == 2_039_280


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["less than its rent", "more"])
async def test_sol_at_a_programs_address_stops_no_first_deployment(chain, authority, lamports):
    """Anybody who knows the address can send some; it lowers the price of the account by so much."""
    chain.airdrop(PROGRAM.pubkey(), lamports)
    rent = await loader.minimum_balance(chain, loader.PROGRAM_SIZE)
    assert await loader.deploy(chain, PROGRAM, PROBE, authority)
    assert loader.is_same(await loader.deployed(chain, PROGRAM.pubkey()), PROBE)
    (account,) = await chain.accounts([PROGRAM.pubkey()])
    assert (account.lamports, account.executable) == (max(rent, lamports), True)


async def test_sol_where_a_programs_bytes_go_is_told_before_anything_is_uploaded(chain, authority):
    """The loader itself makes that account, as a new one: this address is lost."""
    place = loader.program_data_address(PROGRAM.pubkey())
    chain.airdrop(place, 1_000_000)
    had, before = chain.get(authority.pubkey()).lamports, len(chain.transactions())
    with pytest.raises(loader.AddressTaken, match=f"{place}.* has SOL that somebody sent") as refusal:
        await loader.deploy(chain, PROGRAM, PROBE, authority)
    assert "program_ids sync" in refusal.value.hint
    assert (chain.get(authority.pubkey()).lamports, len(chain.transactions())) == (had, before)


async def test_sol_that_comes_during_the_upload_is_told_as_well(chain, authority):
    """Whoever sees the upload can be faster than its last step."""
    place = loader.program_data_address(PROGRAM.pubkey())
    pieces = -(-len(PROBE) // loader.PIECE)

    def attack(done, of):
        if done == pieces:
            chain.airdrop(place, 1_000_000)

    with pytest.raises(loader.AddressTaken):
        await loader.deploy(chain, PROGRAM, PROBE, authority, each=attack)
    assert await loader.deployed(chain, PROGRAM.pubkey()) is None

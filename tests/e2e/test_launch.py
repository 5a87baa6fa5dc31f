"""A network at its launch: the committed programs, the genesis table, no emission before its month."""

import asyncio

from keeper import deploy
from keeper.chain import loader
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy.calendar import HOUR, month_of
from keeper.economy.genesis import read_table
from keeper.resources import DEV_KEYS, binary
from tests.e2e.network import Network
from tests.programs.world import finish, key


def test_the_programs_are_the_committed_ones_and_the_admin_s(network: Network) -> None:
    chain, admin = network.pair.world.chain, key("admin")
    for name, program in PROGRAMS.items():
        address = program.address
        assert loader.is_same(finish(loader.deployed(chain, address)), binary(name))
        data = network.pair.world.account(loader.program_data_address(address)).data
        assert data[: loader.PROGRAM_DATA_HEADER].endswith(b"\1" + bytes(admin.pubkey()))


def test_deploying_again_finds_nothing_to_do(network: Network) -> None:
    chain, admin = network.pair.world.chain, key("admin")
    for name in PROGRAMS:
        done = asyncio.run(deploy.deploy_program(chain, name, admin, DEV_KEYS, _unused))
        assert done is False


def _unused(done: int, pieces: int) -> None:
    raise AssertionError("a piece was written")


def test_genesis_is_the_table_and_emission_waits_for_its_month(network: Network) -> None:
    chain, config = network.pair.world.chain, network.pair.world.config()
    assert config.start_month == month_of(network.now + HOUR) + 1
    table = {row.label: row.schedule for row in read_table()}
    rows = finish(tokenomics.read_allocations(chain))
    assert {row.label: row.schedule for row in rows} == table
    assert sum(schedule.amount for schedule in table.values()) == config.allocated
    supply = network.supply()
    assert (supply.emitted, supply.rewards, supply.seasons) == (0, 0, 0)
    assert supply.supply == config.allocated - supply.burned - network.uncounted()
    emitted = network.act("emit", network.staking.economy.emit, tokenomics.emit())
    assert emitted == "NothingDue"

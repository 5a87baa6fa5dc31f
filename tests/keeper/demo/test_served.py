"""An order that is really served, as the chain has it: the same steps with nobody behind the devices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import orders, staking
from keeper.demo import beginning
from keeper.demo.served import HOURS, Part, Served, StageRefused
from keeper.economy.calendar import HOUR
from keeper.economy.orders import EndReason, LeaseStatus


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("early") / "early.chain"
    asyncio.run(beginning.begin(path))
    return path


async def accepted(stage: Served) -> None:
    config = await orders.read_config(stage.chain)
    assert config is not None and stage.order is not None
    by_device = {staking.device_address(each.key.pubkey()): each.key for each in stage.workers}
    for lease in await stage.leases():
        call = orders.accept_lease(config, stage.order, lease)
        await stage.chain.send([call], [by_device[lease.device]])


async def test_everybodys_money_is_what_an_hour_costs(early: Path) -> None:
    stage = Served(EmbeddedChain.load(early), beginning.people())
    of = await stage.register([Keypair(), Keypair()])
    order = await stage.open(of, 7)
    assert not await stage.all_run()
    (operator,) = set(await stage.match())
    assert operator in ("operator-1", "operator-2", "operator-3")
    await accepted(stage)
    assert await stage.all_run()
    stage.chain.advance(600)
    ended = await stage.end()
    assert [(e.status, EndReason(e.reason), e.stop - e.start) for e in ended] == [
        (LeaseStatus.ENDED, EndReason.RENTER, HOUR)
    ] * 2
    rate = 30_000_000  # the class's price of the table: 0.3 IO an hour
    assert [each.rate for each in ended] == [rate] * 2 and order.terms.price == rate * 6 // 5
    # Fees of a quarter of a percent: the supplier's on an hour, the renter's on all four that it left.
    kept, charged = 2 * -(-rate * 25 // 10_000), 2 * -(-HOURS * rate * 25 // 10_000)
    parts = await stage.settle(ended)
    assert [(each.whose, each.ruled) for each in parts] == [
        ("renter", -2 * rate - charged),
        ("supplier", 2 * rate - kept),
        ("fees", kept + charged),
    ]
    assert all(isinstance(each, Part) and each.after - each.before == each.ruled for each in parts)
    assert not [each for each in await orders.read_leases_of(stage.chain, order.address)]


async def test_who_is_hired_on_the_network_is_paid_first(early: Path) -> None:
    """The same two have leases that run for hours when it begins, as in the middle of a demo."""
    chain, people = EmbeddedChain.load(early), beginning.people()
    for number in (1, 2):
        stage = Served(chain, people)
        of = await stage.register([Keypair(), Keypair()])
        assert not await orders.read_leases(chain)
        await stage.open(of, number)
        await stage.match()
        await accepted(stage)
        assert await stage.all_run()
    parts = await stage.settle(await stage.end())
    assert [(each.whose, each.ruled) for each in parts] == [
        ("renter", -60_600_000),
        ("supplier", 59_850_000),
        ("fees", 750_000),
    ]


async def test_it_takes_the_keys_of_people(early: Path) -> None:
    people = beginning.people()
    for lacking, said in (("renter", "no key of the renter"), ("operator", "no operator's key")):
        some = {name: each for name, each in people.items() if not name.startswith(lacking)}
        with pytest.raises(StageRefused, match=said):
            Served(EmbeddedChain.load(early), some)

"""The demo's buyback on its own: fees are put into the vaults, days go by, everything adds up."""

import pytest
from rich.console import Console

from keeper.chain.framework import associated_token_address
from keeper.chain.token import transfer
from keeper.clients import buyback, tokenomics
from keeper.clients.buyback import AuctionStatus
from keeper.demo import buyback_report, report
from keeper.demo.beside import beside
from keeper.demo.buyback import AWAY, FIRST_PRICE, KEEPER_NAME, PARAMS, Buyback
from keeper.demo.checks import DemoFailed
from keeper.demo.network import Network
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import GENESIS_SUPPLY, IO
from tests.programs.world import finish

LOTS = 5
FEES = {Currency.IO: 1_234 * IO, Currency.USDC: LOTS * PARAMS.max_lot + PARAMS.min_lot - 1}
LEFT = 1_285_983
"""Base units of USDC that are less than the smallest lot: lots are shares of what the vault holds."""


async def pay(network: Network, io: int, usdc: int) -> None:
    """Fees into both vaults."""
    admin = network.admin.pubkey()
    fees = [
        transfer(associated_token_address(admin, mint), buyback.fee_vault(mint), admin, amount)
        for mint, amount in ((tokenomics.MINT, io), (network.usdc, usdc))
    ]
    await network.chain.send(fees, [network.admin])


async def opened(io: int, usdc: int) -> Buyback:
    network = Network.empty()
    await network.genesis()
    section = Buyback(network)
    await section.initialise()
    await pay(network, io, usdc)
    await section.open()
    return section


async def sold_out() -> Buyback:
    section = await opened(*FEES.values())
    while await section.goes_on():
        await section.day()
    await section.finish(FEES)
    return section


@pytest.fixture(scope="module")
def section() -> Buyback:
    return finish(sold_out())


async def test_every_unit_is_accounted_for(section):
    config = await buyback.read_config(section.network.chain)
    assert config is not None
    rounds = section.rounds
    assert [each.day for each in rounds] == list(range(len(rounds)))
    auctions = buyback_report.auctions(rounds)
    sold = [each for each in auctions if each.status == AuctionStatus.SOLD]
    assert sum(each.lot for each in sold) == config.usdc_sold == FEES[Currency.USDC] - LEFT
    assert section.left == {Currency.IO: 0, Currency.USDC: LEFT}
    assert config.burned_auctions == sum(each.cost for each in sold) > 0
    assert config.burned_fees == FEES[Currency.IO]
    before, after = section.supplies
    assert before.supply == GENESIS_SUPPLY
    assert before.supply - after.supply == after.burned == config.burned_auctions + config.burned_fees


async def test_the_days_are_of_every_kind(section):
    """Somebody wins, somebody comes too late, the keeper buys, and a day passes without a bid."""
    auctions = {each.day: each.auction for each in section.rounds}
    assert auctions[AWAY].status == AuctionStatus.UNSOLD
    assert auctions[AWAY + 1].start_price == auctions[AWAY].start_price
    assert auctions[AWAY + 1].floor_price == auctions[AWAY].floor_price // 2
    shares = [each.share_bps for each in auctions.values()]
    assert shares[0] == 625 and max(shares) > 9_000, "lots grow with the sales"
    winners = {each.winner for each in section.rounds}
    assert KEEPER_NAME in winners and len(winners - {"", KEEPER_NAME}) >= 2
    assert any(each.late for each in section.rounds)
    assert auctions[0].start_price == 2 * FIRST_PRICE
    for before, each in zip(section.rounds, section.rounds[1:], strict=False):
        if before.auction and each.auction and before.auction.status == AuctionStatus.SOLD:
            assert each.auction.start_price >= 2 * before.auction.price


async def test_tables_and_chart(section, tmp_path):
    console = Console(width=80)
    with console.capture() as printed:
        report.show([buyback_report.section(section)], console)
    text = " ".join(printed.get().split())
    assert "fees in 1,234.00000000 134.999999" in text
    assert f"- burned, sold 1,234.00000000 {show(FEES[Currency.USDC] - LEFT, Currency.USDC)}" in text
    assert f"left in the vaults 0.00000000 {show(LEFT, Currency.USDC)}" in text
    assert "not sold" in text and "Lots that the keeper took itself: 1." in text
    buyback_report.chart(section.rounds, tmp_path / "here.png")
    with beside() as other:
        other.start(buyback_report.chart, section.rounds, tmp_path / "there.png")
        await other.finish()
    here, there = ((tmp_path / f"{name}.png").read_bytes() for name in ("here", "there"))
    assert here.startswith(b"\x89PNG")
    assert there == here


async def test_a_wrong_figure_ends_it(monkeypatch):
    section = await opened(IO, PARAMS.max_lot)
    monkeypatch.setattr("keeper.demo.buyback.ceil", lambda number: int(number) + 2)
    with pytest.raises(DemoFailed, match="clearing price"):
        await section.day()


async def test_fees_that_nobody_paid_end_it():
    section = await opened(IO, PARAMS.max_lot)
    await section.day()
    with pytest.raises(DemoFailed, match=f"fees in USDC: on chain {PARAMS.max_lot}, expected 0"):
        await section.finish({Currency.IO: IO, Currency.USDC: 0})


async def test_fees_that_come_in_meanwhile():
    section = await opened(IO, 0)
    for usdc in (PARAMS.min_lot, 0, PARAMS.min_lot - 1):
        await section.day()
        await pay(section.network, 3 * IO, usdc)
    assert not await section.goes_on()
    await section.finish({Currency.IO: 10 * IO, Currency.USDC: 2 * PARAMS.min_lot - 1})
    assert [each.burned_fees for each in section.rounds] == [IO, 3 * IO, 3 * IO]
    assert [each.auction is not None for each in section.rounds] == [False, True, False]
    assert section.left == {Currency.IO: 3 * IO, Currency.USDC: PARAMS.min_lot - 1}


async def test_empty_vaults_make_quiet_days():
    section = await opened(0, 0)
    assert not await section.goes_on()
    await section.day()
    await section.finish(dict.fromkeys(Currency, 0))
    assert [(each.auction, each.winner, each.burned_fees) for each in section.rounds] == [(None, "", 0)]
    shown = buyback_report.section(section)
    assert shown.parts and not shown.figures

"""What takes hours and days: an hour's rewards, pay by the second, ends by time, an auction.

The emission comes first: it has to see its month begin, and the others may go past that. And all of this
comes before the other modules: its validator is gone when theirs starts.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import buyback, staking, tokenomics
from keeper.economy import emission
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR, month_start
from keeper.economy.supply import IO as ONE_IO
from tests.e2e.conftest import started
from tests.e2e.network import ORDERS, PURSE_IO, PURSE_USDC, Network
from tests.model.orders.state import BY_RENTER, COMPLETED, FEES, IO, USDC, Terms
from tests.model.staking.state import Class, Said
from tests.model.state import Address, wallet
from tests.programs.buyback.world import FIRST_PRICE
from tests.programs.orders.calls import OPERATORS
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.world import PRICES, reward_tree
from tests.programs.world import DAY, key

HOURS, LAG = 3, ORDERS.settlement_lag
DEAR = 50 * 10**6
"""USDC for a processor and hour."""


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A network of this module's own: its clock is moved by hours and days."""
    with started(request.config) as chain:
        yield Network(chain)


def test_an_hour_is_emitted_attested_and_claimed(network: Network) -> None:
    month = network.pair.world.config().start_month
    block, start = emission.block(month, 0), month_start(month)
    earners = [network.join(f"earner {number}") for number in range(2)]
    lifetime = dict(zip(earners, (block // 3, block - block // 3 - ONE_IO), strict=True))
    tree = reward_tree({Pubkey(each): amount for each, amount in lifetime.items()})
    said = Said(tree.root, sum(lifetime.values()), 2, b"d" * 32)
    assert attest(network, OPERATORS[0], said) == "HourNotEnded"
    network.wait_until(start + 2 * HOUR)
    assert network.act("emit", network.staking.economy.emit, tokenomics.emit()) == "emit"
    hours = emission.hours_ended(month, network.pair.last.time)
    assert network.supply().emitted == emission.cumulative(month, hours)

    assert attest(network, OPERATORS[0], said) == "attest"
    assert attest(network, OPERATORS[1], replace(said, total=said.total + 1)) == "attest"
    assert finalise(network) == "NotAgreed"
    assert attest(network, OPERATORS[2], said) == "attest"
    assert finalise(network) == "ChallengeOpen"
    assert network.staking.config is not None
    network.wait_until(network.staking.blocks[0].agreed_at + network.staking.config.params.challenge_window)
    assert finalise(network) == "finalise"
    for index, earner in enumerate(sorted(earners)):
        amount, proof = lifetime[earner], tree.proof(index)
        assert claimed(network, earner, amount + 1, proof) == "InvalidProof"
        assert claimed(network, earner, amount, proof) == "claim"
        assert claimed(network, earner, amount, proof) == "NothingToClaim"
        assert network.money(earner) == PURSE_IO + amount


def test_leases_are_paid_by_the_second_and_end_by_time(network: Network) -> None:
    renter, supplier = network.join("hourly renter"), network.join("hourly supplier")
    devices = [network.let(f"hourly device {number}", supplier, MINIMUM) for number in range(2)]
    rate = 4 * ASK_IO
    order = network.open(renter, Terms(ASK_IO, HOURS, 2, 4, (1,)))
    whole, broken_off = (network.run(order, device) for device in devices)
    network.wait_until(broken_off.start + HOUR + 1_000)
    assert network.do_settle(whole) == "settle"
    assert whole.paid == 0, "settlement stays behind the clock"
    assert network.do_end(renter, broken_off) == "end_lease"
    assert broken_off.reason == BY_RENTER
    assert HOUR + 1_000 <= broken_off.stop - broken_off.start < HOURS * HOUR

    network.wait_until(whole.start + HOUR + LAG + 100)
    assert network.do_settle(whole) == "settle"
    assert economy.earned(rate, HOUR) < whole.paid < economy.earned(rate, HOURS * HOUR)
    network.wait_until(whole.stop + LAG)
    assert network.do_end(MALLORY, whole) == "end_lease"
    assert whole.reason == COMPLETED
    for device, lease in zip(devices, (whole, broken_off), strict=True):
        assert network.do_settle(lease) == "settle"
        assert lease.paid == economy.earned(rate, lease.stop - lease.start)
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
        row = network.device(device)
        assert (row.leases_done, row.hired_seconds) == (1, lease.stop - lease.start)
    assert network.close(order) == "close_order"

    paid = whole.paid + broken_off.paid
    cuts = sum(economy.fee(lease.paid, ORDERS.supplier_fee_bps) for lease in (whole, broken_off))
    fee = economy.fee(economy.principal(rate, HOURS), ORDERS.renter_fee_bps)
    assert whole.paid == economy.principal(rate, HOURS)
    assert network.money(supplier) == PURSE_IO - 2 * MINIMUM + paid - cuts
    assert network.money(renter) == PURSE_IO - paid - 2 * fee

    # What the network got of it is burned, and counted.
    fees, supply, burned = network.fees(IO), network.pair.world.supply(), network.pair.world.config().burned
    assert fees == cuts + 2 * fee
    assert network.burn_fees() == "burn_fees"
    assert network.burn_fees() == "NothingToBurn"
    assert (network.fees(IO), network.pair.world.supply()) == (0, supply - fees)
    assert network.sync_burned() == "sync_burned"
    assert network.pair.world.config().burned == burned + fees


def test_fees_in_usdc_are_sold_for_io_that_is_burned(network: Network) -> None:
    renter, supplier, bidder = map(network.join, ("fee renter", "fee supplier", "bidder"))
    # A class that is dear enough for a day's fee to fill a lot.
    dear = Class(3, b"B200".ljust(24, b"\0"), 100, 0, 0)
    assert network.add_class(dear, replace(PRICES, price_usdc=DEAR)) == "add_class"
    network.wait_until(network.staking.classes[3].opens_at)
    device = network.let("fee device", supplier, MINIMUM, number=3)
    order = network.open(renter, Terms(DEAR, 48, 1, 4, (3,), USDC))
    lease = network.run(order, device)
    assert network.do_end(renter, lease) == "end_lease"
    network.wait_until(lease.stop + LAG)
    assert network.do_settle(lease) == "settle"
    world, fees = network.pair.world, network.fees(USDC)
    bps = ORDERS.renter_fee_bps + ORDERS.usdc_fee_bps
    # The hour that is paid at least, and a day of the 47 hours that were not served.
    tail = economy.fee(economy.principal(4 * DEAR, 25), bps)
    assert fees == tail + economy.fee(lease.paid, ORDERS.supplier_fee_bps)

    world.do(buyback.propose_first_price(world.admin.pubkey(), FIRST_PRICE), signers=[world.admin])
    network.wait_until(world.buyback_config().next_start)
    auction = world.start()
    lot = auction.lot
    assert lot == max(fees // 16, buyback.Params().min_lot), "nobody has paid the first price yet"
    network.wait_until(auction.started_at + DAY // 2)
    sold = world.bid(key("bidder"), auction.number)
    assert sold.error is None
    cost = auction.path.cost(sold.time)
    assert cost is not None
    # The orders' model has no auctions: tell it what this one moved.
    tokens, model = network.staking.economy.tokens, network.model
    tokens[wallet(bidder)] -= cost
    network.staking.economy.supply -= cost
    model.usdc[FEES] -= lot
    model.usdc[wallet(bidder)] += lot
    model.past_fees[USDC] -= lot
    network.pair.compare()
    assert world.auction(auction.number).cost == cost
    assert network.money(bidder, IO) == PURSE_IO - cost
    assert network.money(bidder, USDC) == PURSE_USDC + lot
    assert network.sync_burned() == "sync_burned"


def attest(network: Network, operator: Address, said: Said) -> str:
    return network.act(
        "attest",
        lambda: network.staking.attest(operator, 0, said),
        staking.attest(Pubkey(operator), 0, staking.Attestation(**vars(said))),
        operator,
    )


def finalise(network: Network) -> str:
    return network.act("finalise", lambda: network.staking.finalise(0), staking.finalise(0))


def claimed(network: Network, owner: Address, amount: int, proof: bytes) -> str:
    return network.act(
        "claim",
        lambda: network.staking.claim(0, owner, amount, proof),
        staking.claim(0, Pubkey(owner), amount, proof),
    )

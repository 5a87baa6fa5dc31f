"""What orders' instructions cost."""

from __future__ import annotations

from dataclasses import replace

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.chain.framework import ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM, associated_token_address
from keeper.clients import buyback, staking
from keeper.clients import orders as client
from keeper.clients.orders import PROGRAM, Order, Params, Terms
from keeper.clients.tokenomics import MINT, tokens_address
from keeper.economy.classes import Bounds
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from scripts.costs.meter import Meter, Row
from tests.model.staking.prices import price_leaf
from tests.programs.buyback.world import ISSUER
from tests.programs.orders.world import TERMS, USDC, USDC_MINT, OrdersWorld
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS, PRICES
from tests.programs.world import DAY, HOUR, START, key
from tests.security.tokens import freeze, thaw

TARGETS = {"create_order": 14_000, "match_device": 12_000, "settle": 8_000, "end_lease": 14_000}
"""Compute units that a row of the table may take at most, over all its cases."""
OPERATORS, QUORUM = 12, 7
"""The longest list that there can be, and more than half of it."""
ORDERS, DEVICES = 16, 24
"""So many are opened and matched: their addresses' bumps differ."""
NO_LIMIT = 2**64 - 1
WALLETS = 200
"""Keys searched for renters and suppliers whose token accounts' bumps are the highest and the lowest."""
ONE = replace(TERMS, devices=1)
MOST = replace(
    TERMS,
    classes=(APPLE_CLASS, 3, 4, 5, 6, 7, 8, GPU_CLASS),
    countries=("DE", "US", "FR", "IT", "AT", "ES", "PT", "CH"),
    colocated=True,
)
"""Every comparison of a match finds what it looks for in the last place."""
WHOLE = "create_order to close_order"
"""A row of a whole order: opened, matched, accepted, ended, settled once, both accounts closed."""


def measure() -> dict[str, Row]:
    """Run every case of orders; rows in the order of the program's life."""
    world = OrdersWorld.launched()
    assert isinstance(world, OrdersWorld)
    world.operators = [world.person(f"operator {number}") for number in range(OPERATORS)]
    world.chain.warp_to(START)
    meter = Meter(PROGRAM, world)
    _set_up(meter)
    # Classes are open, and bind the stakes that they need.
    world.chain.advance(7 * DAY)
    people = [_wallet("renter", highest=True), _wallet("renter", highest=False)]
    suppliers = [world.supplier(_wallet("supplier", highest=each)) for each in (True, False)]
    renters = [world.renter(each) for each in people]
    workers = [f"worker {number}" for number in range(DEVICES)]
    for number, worker in enumerate(workers):
        world.person(worker)
        world.let(worker, suppliers[number % 2])
    _orders(meter, renters)
    _dear(meter)
    _leases(meter, renters[0], workers)
    _usdc(meter, renters, workers)
    _gang(meter, renters[0], workers)
    _faults(meter, renters[0], suppliers[0], workers)
    _parked(meter, renters[0], workers)
    _whole(meter, renters, workers)
    _roles(meter)
    return meter.measured()


def _wallet(role: str, *, highest: bool) -> str:
    """The name of a key whose token account for IO is found soonest or latest."""
    names = [f"{role} {number}" for number in range(WALLETS)]
    bumps = {name: _associated_bump(key(name).pubkey()) for name in names}
    return (max if highest else min)(names, key=bumps.__getitem__)


def _associated_bump(wallet: Pubkey) -> int:
    seeds = [bytes(wallet), bytes(TOKEN_PROGRAM), bytes(MINT)]
    return Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)[1]


def _bump(*seeds: bytes) -> int:
    return Pubkey.find_program_address(list(seeds), PROGRAM.address)[1]


def _set_up(meter: Meter) -> None:
    """Staking with the longest list of operators, buyback, and orders itself."""
    world = _world(meter)
    admin, guardian = world.admin, world.guardian.pubkey()
    terms = staking.Params(tuple(each.pubkey() for each in world.operators), QUORUM)
    world.create_usdc()
    for each in (
        staking.initialize(admin.pubkey(), guardian, terms),
        staking.add_class(admin.pubkey(), GPU_CLASS, "RTX 4090", 125, 0, 0, PRICES),
        staking.add_class(admin.pubkey(), APPLE_CLASS, "M4", 100, 1, 2, PRICES),
        buyback.initialize(admin.pubkey(), guardian, USDC_MINT, buyback.Params()),
    ):
        world.do(each, signers=[admin])
    meter.run("", client.initialize(admin.pubkey(), guardian, USDC_MINT, Params()), admin)
    world.do(*client.create_parked_vaults(world.payer.pubkey(), USDC_MINT))


def _world(meter: Meter) -> OrdersWorld:
    assert isinstance(meter.world, OrdersWorld)
    return meter.world


def _open(meter: Meter, renter: Keypair, number: int, terms: Terms, case: str = "") -> Order:
    """Open an order; the case is its addresses' bumps unless told otherwise."""
    world = _world(meter)
    mint = MINT if terms.currency == Currency.IO else USDC_MINT
    address = client.order_address(renter.pubkey(), number)
    order_bump = _bump(b"order", bytes(renter.pubkey()), number.to_bytes(8, "little"))
    named = case or f"bumps {order_bump} and {_bump(b'vault', bytes(address))}"
    opening = client.create_order(renter.pubkey(), number, terms, mint, max_deposit=NO_LIMIT)
    meter.run(named, opening, renter)
    return world.read_order(renter, number)


def _orders(meter: Meter, renters: list[Keypair]) -> None:
    """Opened, cancelled, refunded and closed without a lease; with the longest terms as well."""
    world = _world(meter)
    classes = (GPU_CLASS, APPLE_CLASS, 3, 4, 5, 6, 7, 8)
    countries = ("CH", "DE", "US", "FR", "IT", "AT", "ES", "PT")
    wishes = replace(ONE, classes=classes, countries=countries, price=IO, hours=1)
    config = world.orders_config()
    for number in range(ORDERS):
        renter = renters[number % 2]
        whose = f"a renter of bump {_associated_bump(renter.pubkey())}"
        order = _open(meter, renter, number, replace(wishes, classes=classes[: 1 + number % 8]))
        meter.run("", client.cancel_order(order), renter)
        if number < ORDERS // 2:
            meter.run(whose, client.refund(config, order))
        given = "given back before" if number < ORDERS // 2 else "given back now"
        meter.run(f"{given}, {whose}", client.close_order(config, order))


def _match(meter: Meter, order: Order, worker: str, case: str) -> None:
    """Match by the last of the operators, in its next turn."""
    world = _world(meter)
    last, device = world.operators[-1], world.read_device(worker)
    tick = world.turn(order, OPERATORS - 1)
    meter.run(case, client.match_device(last.pubkey(), order, device, tick), last)


def _dear(meter: Meter) -> None:
    """A step of the price and other bounds hold by now, and nobody has written them down."""
    world = _world(meter)
    admin = world.admin
    bounds = Bounds(low_io=1, high_io=1_000 * IO, low_usdc=1, high_usdc=1_000 * USDC)
    world.do(staking.change_bounds(admin.pubkey(), GPU_CLASS, bounds), signers=[admin])
    world.chain.advance(7 * DAY - 2 * HOUR)
    hour = world.chain.now() // HOUR
    world.chain.warp_to((hour + 1) * HOUR)
    step = price_leaf(hour, GPU_CLASS, (100, 100))
    for operator in world.operators[:QUORUM]:
        world.do(staking.vote_prices(operator.pubkey(), hour, step), signers=[operator])
    world.do(staking.apply_price(GPU_CLASS, hour, 100, 100, b""))
    world.chain.advance(2 * HOUR)


def _leases(meter: Meter, renter: Keypair, workers: list[str]) -> None:
    """An order of each device: ended in each way, settled at each time, closed."""
    world = _world(meter)
    order = _open(meter, renter, 100, replace(MOST, devices=DEVICES))
    config = world.orders_config()
    for worker in workers:
        _match(meter, order, worker, f"bump {_lease_bump(order, worker)}")
    for worker in workers[:-3]:
        one = world.lease(order, worker)
        whose = f"a payout of bump {_associated_bump(one.payout)}"
        meter.run(whose, client.accept_lease(config, order, one), key(worker))
    declined, withdrawn, lapsed = (world.lease(order, worker) for worker in workers[-3:])
    owner = _key("supplier", declined.supplier)
    meter.run("declined", client.end_lease(declined.supplier, declined), owner)
    meter.run("withdrawn", client.end_lease(renter.pubkey(), withdrawn), renter)
    world.chain.advance(600)
    meter.run("lapsed", client.end_lease(meter.keeper.pubkey(), lapsed), meter.keeper)
    for each in (declined, withdrawn, lapsed):
        meter.run("never accepted", client.close_lease(each))
    first, second, third = (world.lease(order, worker) for worker in workers[:3])
    meter.run("in IO", client.extend_lease(config, order, first, 5, max_amount=NO_LIMIT), renter)
    meter.run("nothing due but a fee", client.settle(config, order, first))
    meter.run("nothing due", client.settle(config, order, first))
    world.chain.advance(5 * HOUR + 7)
    for worker in workers[:-3]:
        meter.run("some hours", client.settle(config, order, world.lease(order, worker)))
    guardian = world.guardian
    until = world.chain.now() + DAY
    meter.run("the first time", client.hold_lease(guardian.pubkey(), first, until), guardian)
    meter.run("shortened", client.hold_lease(guardian.pubkey(), first, until - HOUR), guardian)
    meter.run("by the renter", client.end_lease(renter.pubkey(), second), renter)
    owner = _key("supplier", third.supplier)
    meter.run("by the supplier", client.end_lease(third.supplier, third), owner)
    world.chain.advance(3 * DAY)
    for worker in workers[:-3]:
        lease = world.lease(order, worker)
        meter.run("the rest", client.settle(config, order, lease))
        if lease not in (second, third) and lease.ended_at == 0:
            meter.run("completed", client.end_lease(meter.keeper.pubkey(), lease), meter.keeper)
        meter.run("served", client.close_lease(lease))
    meter.run("served", client.close_order(config, order))


def _lease_bump(order: Order, worker: str) -> int:
    return _bump(b"lease", bytes(order.address), bytes(staking.device_address(key(worker).pubkey())))


def _key(role: str, address: Pubkey) -> Keypair:
    """Whose address it is."""
    return next(each for n in range(WALLETS) if (each := key(f"{role} {n}")).pubkey() == address)


def _usdc(meter: Meter, renters: list[Keypair], workers: list[str]) -> None:
    """The same in the other currency, with the supplier as the matcher."""
    world = _world(meter)
    config = world.orders_config()
    terms = replace(ONE, currency=Currency.USDC, price=3 * USDC)
    for number, renter in enumerate(renters):
        order = _open(meter, renter, 200, terms)
        worker = workers[number]
        device = world.read_device(worker)
        supplier = _key("supplier", device.supplier)
        world.chain.warp_to(order.exclusive_until)
        matching = client.match_device(device.supplier, order, device)
        meter.run("by the supplier", matching, supplier, key(worker))
        lease = world.lease(order, worker)
        meter.run("in USDC", client.accept_lease(config, order, lease), key(worker))
        lease = world.lease(order, worker)
        extension = client.extend_lease(config, order, lease, 1, max_amount=NO_LIMIT)
        meter.run("in USDC", extension, renter)
        world.chain.advance(4 * HOUR)
        meter.run("in USDC", client.settle(config, order, lease))
        meter.run("in USDC", client.refund(config, order))
        meter.run("in USDC", client.end_lease(renter.pubkey(), lease), renter)


def _gang(meter: Meter, renter: Keypair, workers: list[str]) -> None:
    """Devices that run together: what the first instruction after that costs more, and an end before it."""
    world = _world(meter)
    config = world.orders_config()
    number, gang = 400, workers[4:8]
    order = _open(meter, renter, number, replace(MOST, devices=4, min_devices=4), "a gang")
    for worker in gang:
        _match(meter, order, worker, "of a gang")
    for worker in gang:
        meter.run("of a gang", client.accept_lease(config, order, world.lease(order, worker)), key(worker))
    world.chain.advance(4 * HOUR)
    order = world.read_order(renter, number)
    settled, extended, held, ended = (world.lease(order, worker) for worker in gang)
    first = "settle, a lease that its filled gang begins"
    meter.run("some hours", client.settle(config, order, settled), row=first)
    extension = client.extend_lease(config, order, extended, 1, max_amount=NO_LIMIT)
    meter.run("the first of a filled gang", extension, renter)
    until, guardian = world.chain.now() + DAY, world.guardian
    hold = client.hold_lease(guardian.pubkey(), held, until)
    meter.run("the first of a filled gang", hold, guardian)
    end = client.end_lease(renter.pubkey(), ended)
    meter.run("by the renter, the first of a filled gang", end, renter)
    order = _open(meter, renter, number + 1, replace(MOST, devices=2, min_devices=2), "a gang")
    worker = workers[8]
    _match(meter, order, worker, "of a gang")
    meter.run("of a gang", client.accept_lease(config, order, world.lease(order, worker)), key(worker))
    world.chain.advance(600)
    unfilled = client.end_lease(meter.keeper.pubkey(), world.lease(order, worker))
    meter.run("a gang not filled", unfilled, meter.keeper)


def _faults(meter: Meter, renter: Keypair, supplier: Keypair, workers: list[str]) -> None:
    """Voted while the lease runs, and after it has ended."""
    world = _world(meter)
    config = world.orders_config()
    order = _open(meter, renter, 300, TERMS)
    chosen = [each for each in workers if world.read_device(each).supplier == supplier.pubkey()][5:7]
    for worker in chosen:
        world.run(order, worker)
    world.chain.advance(2 * HOUR)
    for worker, ended in zip(chosen, (False, True), strict=True):
        lease = world.lease(order, worker)
        if ended:
            meter.run("by the supplier", client.end_lease(supplier.pubkey(), lease), supplier)
        for number, operator in enumerate(world.operators[:QUORUM]):
            deciding = "deciding, ended before" if ended else "deciding"
            case = {0: "the first", QUORUM - 1: deciding}.get(number, "in between")
            meter.run(case, client.vote_fault(operator.pubkey(), lease, bytes(32), 0), operator)
        meter.run("failed", client.close_lease(lease))
        fault = client.fault_address(lease.address, bytes(32), 0)
        meter.run("", client.close_fault(client.parse_fault(world.account(fault).data)))
    world.chain.warp_to(world.read_order(renter, 300).match_until)
    gift = token.transfer(tokens_address(renter.pubkey()), order.vault, renter.pubkey(), 1)
    world.do(gift, signers=[renter])
    meter.run("with a gift", client.close_order(config, order))


def _parked(meter: Meter, renter: Keypair, workers: list[str]) -> None:
    """Neither payee nor fee vault can be paid for a while."""
    world = _world(meter)
    config, payer = world.orders_config(), meter.keeper
    terms = replace(TERMS, currency=Currency.USDC, price=3 * USDC)
    order = _open(meter, renter, 500, terms)
    for worker in workers[14:16]:
        world.run(order, worker)
    leases = [world.lease(order, worker) for worker in workers[14:16]]
    blocked = (config.usdc_fees, *(associated_token_address(each.payout, USDC_MINT) for each in leases))
    for account in blocked:
        world.do(freeze(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])
    for case in ("the first", "more"):
        world.chain.advance(4 * HOUR)
        for lease in leases:
            meter.run(case, client.park_pay(payer.pubkey(), config, order, lease), payer)
        meter.run(case, client.park_fees(payer.pubkey(), config, order), payer)
    for account in blocked:
        world.do(thaw(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])
        record = client.parse_parked(world.account(client.parked_address(account)).data)
        case = "fees" if account == config.usdc_fees else "pay"
        meter.run(case, client.pay_parked(config, record))


def _whole(meter: Meter, renters: list[Keypair], workers: list[str]) -> None:
    """An order of one device from its opening to its closing, settled once."""
    world = _world(meter)
    config = world.orders_config()
    for number, renter in enumerate(renters):
        worker = workers[16 + number]
        with meter.total(WHOLE, f"a renter of bump {_associated_bump(renter.pubkey())}"):
            order = _open(meter, renter, 600, ONE)
            _match(meter, order, worker, f"bump {_lease_bump(order, worker)}")
            lease = world.lease(order, worker)
            meter.run("alone", client.accept_lease(config, order, lease), key(worker))
            world.chain.advance(12 * HOUR)
            meter.run("completed", client.end_lease(meter.keeper.pubkey(), lease), meter.keeper)
            meter.run("all of it", client.settle(config, order, lease))
            meter.run("served", client.close_lease(lease))
            meter.run("served", client.close_order(config, order))


def _roles(meter: Meter) -> None:
    world, admin, guardian = meter.world, meter.world.admin, meter.world.guardian
    heir = world.person("heir")
    propose = client.propose_params(admin.pubkey(), Params(notice=DAY))
    meter.run("", propose, admin)
    meter.run("", client.cancel_params(guardian.pubkey()), guardian)
    meter.run("", propose, admin)
    world.chain.advance(7 * DAY)
    meter.run("", client.apply_params())
    meter.run("set", client.set_pause(guardian.pubkey(), 1, world.chain.now() + DAY), guardian)
    meter.run("lifted", client.set_pause(guardian.pubkey(), 0, 0), guardian)
    meter.run("", client.propose_guardian(admin.pubkey(), heir.pubkey()), admin)
    world.chain.advance(DAY)
    meter.run("", client.accept_guardian(heir.pubkey()), heir)
    meter.run("", client.propose_admin(admin.pubkey(), heir.pubkey()), admin)
    meter.run("", client.accept_admin(heir.pubkey()), heir)

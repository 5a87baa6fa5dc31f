"""``ionet order`` and ``ionet device``: from a device's registration to an order's end, on a saved chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.token import freeze, thaw
from keeper.clients import orders, staking, tokenomics
from keeper.economy.calendar import DAY, duration, moment, month_start, parse_month
from keeper.economy.classes import step_leaf
from keeper.economy.orders import Currency, EndReason, LeaseStatus, OrderStatus, Urgency, fee
from tests.programs.buyback.world import ISSUER
from tests.programs.orders.world import ASK_IO, HOUR, IO, USDC, USDC_MINT, OrdersWorld
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import finish, key

SUPPLIER, RENTER = key("supplier").pubkey(), key("renter").pubkey()
FUTURE = month_start(parse_month("2090-01"))
"""The chain's clock: a saved chain follows this machine's only where that is ahead."""
VAULTS = "the network's fee vault", "the parked vault", "the payee's account"
COMMON = ("--chain", "test.chain", "--yes")
PRINCIPAL = ASK_IO * 4 * 10


@pytest.fixture
def world(tmp_path: Path) -> OrdersWorld:
    """A chain with a renter, a supplier and a device to let, and everybody's key files."""
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    world.renter("renter")
    world.let("one", world.supplier("supplier"))
    # What a device is chosen by is older than the order.
    world.chain.advance(1)
    for name in ("renter", "supplier", "one", "two", "stranger"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    world.person("stranger")
    world.chain.save(tmp_path / "test.chain")
    return world


class Chained:
    """The world as the commands left it, and back to them."""

    def __init__(self, world: OrdersWorld) -> None:
        self.world = world
        self.path = Path("test.chain")
        self.load()

    def load(self) -> OrdersWorld:
        self.world.chain = EmbeddedChain.load(self.path)
        return self.world

    def later(self, seconds: int) -> None:
        self.load().chain.advance(seconds)
        self.world.chain.save(self.path)


@pytest.fixture
def chained(world: OrdersWorld) -> Chained:
    return Chained(world)


def words(text: str) -> str:
    return " ".join(text.split())


def create(ionet, *more: object) -> tuple[int, str, str]:
    asked = ("--class", "rtx 4090", "--price", "3", "--currency", "io", "--hours", 10, "--processors", 4)
    return ionet("order", "create", *asked, "--number", 1, "--keypair", "renter.json", *COMMON, *more)


def order_of(world: OrdersWorld) -> orders.Order:
    return world.read_order(key("renter"))


def transfers(world: OrdersWorld) -> list[tuple[str, str, int]]:
    """The token transfers of the last transaction: from, to, base units."""
    record = world.chain.transactions()[-1]
    assert record.error is None
    calls = [call for call in record.inner if call.program == TOKEN_PROGRAM and call.data[0] == 3]
    return [
        (str(call.accounts[0]), str(call.accounts[1]), int.from_bytes(call.data[1:9], "little"))
        for call in calls
    ]


def shown(out: str) -> list[tuple[str, str, int]]:
    """The movements that a command printed, by the accounts' addresses below the table."""
    places: dict[str, str] = {}
    for line in out.splitlines():
        name, _, address = line.strip().rpartition(": ")
        if name in ("your account", "the order's vault", "the stake vault", *VAULTS):
            places[name] = address
    rows = []
    for line in out.splitlines():
        names = [name for name in places if name in line]
        figures = [word for word in line.split() if word.replace(",", "").replace(".", "").isdigit()]
        if len(names) == 2 and figures and ("IO" in line.split() or "USDC" in line.split()):
            source, to = sorted(names, key=line.index)
            rows.append((places[source], places[to], int(figures[0].replace(",", "").replace(".", ""))))
    return rows


def test_create_moves_what_it_says(ionet, chained):
    rich = chained.world.balance(RENTER)
    code, out, err = create(ionet, "--dry-run")
    assert code == 0, err
    assert "Nothing was sent" in out
    assert chained.load().balance(RENTER) == rich
    code, again, err = create(ionet)
    assert code == 0, err
    world = chained.load()
    place = 3 * IO * 4 * 10 + fee(3 * IO * 4 * 10, 25)
    assert shown(out) == shown(again) == transfers(world)
    assert transfers(world) == [(str(tokenomics.tokens_address(RENTER)), str(order_of(world).vault), place)]
    assert f"The order is {order_of(world).address}." in again
    terms = order_of(world).terms
    assert (terms.classes, terms.urgency, terms.min_devices) == ((1,), Urgency.ORDINARY, 1)


def test_create_says_what_a_lease_costs(ionet, chained):
    code, out, err = create(ionet, "--devices", 2, "--dry-run")
    assert code == 0, err
    lease = ("80.00000000", "0.20000000", "80.20000000")
    assert f"RTX 4090 now 2.00000000 {' '.join(lease)}" in words(out)
    assert "All 2 devices cost 160.40000000 IO at most: at least 80.20000000 of what you put down" in words(
        out
    )
    code, out, err = create(ionet, "--price", "1.99", "--dry-run")
    assert code == 0, err
    assert "RTX 4090 now 2.00000000 above your highest" in words(out)
    assert "No device can be matched while the prices are above your highest." in words(out)


def test_a_price_that_is_announced_is_shown_and_is_the_most_unless_another_is_named(ionet, chained):
    world = chained.load()
    now = world.chain.now()
    world.chain.warp_to(now - now % HOUR + 30 * 60)
    step(world, 1_000, -1_000)
    world.chain.warp_to(now - now % HOUR + HOUR - 600)
    world.chain.save(chained.path)
    later = moment(now - now % HOUR + HOUR)
    asked = ("--class", "rtx 4090", "--hours", 10, "--processors", 4, "--keypair", "renter.json")
    code, out, err = ionet("order", "create", *asked, "--currency", "usdc", "--number", 1, *COMMON)
    assert code == 0, err
    assert "RTX 4090 now 1.000000 40.000000 0.900000 40.900000" in words(out)
    assert f"{later} 0.900000 36.000000 0.810000 36.810000" in words(out)
    assert order_of(chained.load()).terms.price == USDC
    code, out, err = ionet("order", "create", *asked, "--currency", "io", "--dry-run", *COMMON)
    assert code == 0, err
    assert "your account the order's vault 88.22000000 IO" in words(out), "2.2 IO, and the fee"


def step(world: OrdersWorld, in_io: int, in_usdc: int) -> None:
    """Let operators vote for a step of the first class, and announce it: it holds from the next hour on."""
    hour = world.chain.now() // HOUR - 1
    root = step_leaf(hour, GPU_CLASS, in_io, in_usdc)
    for operator in world.operators[:2]:
        world.do(staking.vote_prices(operator.pubkey(), hour, root), signers=[operator])
    world.do(staking.apply_price(GPU_CLASS, hour, in_io, in_usdc, b""))


@pytest.mark.parametrize(("urgency", "bps"), [("ordinary", 25), ("soon", 125), ("now", 325)])
def test_urgency_costs_a_fee_that_is_shown(ionet, chained, urgency, bps):
    code, out, err = create(ionet, "--urgency", urgency)
    assert code == 0, err
    assert f"fee of {bps / 100:g} %" in words(out)
    world = chained.load()
    assert shown(out) == transfers(world)
    assert transfers(world)[0][2] == 3 * IO * 4 * 10 + fee(3 * IO * 4 * 10, bps)
    assert order_of(world).renter_fee_bps == bps


def test_all_or_nothing(ionet, chained):
    world = chained.load()
    world.let("two", key("supplier"))
    world.chain.advance(1)
    world.chain.save(chained.path)
    code, out, err = create(ionet, "--devices", 2, "--min-devices", 2)
    assert code == 0, err
    assert "None of them runs before 2 have accepted; until then nothing is paid." in words(out)
    world = chained.load()
    order = order_of(world)
    for name in ("one", "two"):
        world.match(order, name)
    world.chain.save(chained.path)
    accepting = ("device", "accept", order.address, "--keypair", "supplier.json", *COMMON, "--worker")
    code, _, err = ionet(*accepting, "one.json")
    assert code == 0, err
    _, out, _ = ionet("order", "show", order.address, "--chain", "test.chain")
    assert "waits for the rest of its gang" in words(out)
    code, _, err = ionet(*accepting, "two.json")
    assert code == 0, err
    _, out, _ = ionet("order", "show", order.address, "--chain", "test.chain")
    assert words(out).count(" runs 10:00:00") == 2


def test_nothing_is_signed_without_a_yes(ionet, chained, monkeypatch):
    monkeypatch.setattr("typer.confirm", _no)
    count = len(chained.world.chain.transactions())
    asked = ("--class", "RTX 4090", "--price", "3", "--currency", "usdc", "--hours", 1)
    code, _, _ = ionet("order", "create", *asked, "--chain", "test.chain", "--keypair", "renter.json")
    assert code == 1
    assert len(chained.load().chain.transactions()) == count


def _no(question: str, abort: bool = False) -> bool:
    import typer  # noqa: PLC0415 - to raise what the real one raises

    assert (question, abort) == ("Sign and send?", True)
    raise typer.Abort


def test_an_order_from_its_taking_to_its_end(ionet, chained):
    create(ionet)
    order = order_of(chained.load())
    accepting = ("device", "take", order.address, "--worker", "one.json", "--keypair", "supplier.json")
    code, _, err = ionet(*accepting, *COMMON)
    said = (
        f"until {moment(order.exclusive_until)} only operators match this order: wait for them, or run this"
    )
    assert (code, said in words(err)) == (1, True)
    chained.later(order.exclusive_until - order.created_at)
    code, out, err = ionet(*accepting, *COMMON)
    assert code == 0, err
    assert "It is leased at 2.00000000 IO for a processor and hour." in words(out)
    world = chained.load()
    assert shown(out) == transfers(world) == []
    assert len(world.chain.transactions()[-1].programs) >= 2, "matched and accepted at once"
    lease = world.lease(order, "one")
    assert (lease.status, lease.held) == (LeaseStatus.RUNNING, PRINCIPAL + fee(PRINCIPAL, 25))
    assert f"pays 79.80000000 IO to {SUPPLIER}" in words(out)
    code, out, err = ionet(
        "order", "extend", order.address, "--hours", 2, "--keypair", "renter.json", *COMMON
    )
    assert code == 0, err
    world = chained.load()
    assert shown(out) == transfers(world)
    extension = 8 * 2 * IO + fee(8 * 2 * IO, 25)
    assert shown(out) == [(str(tokenomics.tokens_address(RENTER)), str(order.vault), extension)]
    assert (
        "The fee is charged as the lease is paid, and in full unless it ends early: then on what was served, "
        "and on a day more at most if you end it." in words(out)
    )
    chained.later(2 * HOUR + HOUR // 2)
    bad = ("order", "extend", order.address, "--hours", 1, "--device", RENTER, "--keypair", "renter.json")
    code, _, err = ionet(*bad, *COMMON)
    assert (code, f"no lease of {RENTER} runs; see ionet order show" in words(err)) == (1, True)
    code, out, err = ionet("order", "show", order.address, "--chain", "test.chain")
    assert code == 0, err
    assert "runs 09:30:00" in words(out)
    assert "due to suppliers now, of what is held 0.00000000" in words(out)
    code, out, err = ionet("order", "end", order.address, "--keypair", "renter.json", *COMMON)
    assert code == 0, err
    world = chained.load()
    lease = world.lease(order, "one")
    assert (lease.reason, lease.stop - lease.start) == (EndReason.RENTER, 2 * HOUR + HOUR // 2)
    assert shown(out) == transfers(world)
    assert "9,000 seconds are paid for" in out
    rest = "still charged of the renter's fee: 0.24000000 IO; free again: 76.00000000 IO."
    assert f"20.00000000 IO; {rest}" in words(out)
    code, out, _ = ionet("order", "show", order.address, "--chain", "test.chain")
    assert "ended by the renter" in words(out)
    code, _, err = ionet("order", "end", order.address, "--keypair", "renter.json", *COMMON)
    assert (code, "no lease of this order is yours to end; see ionet order show" in words(err)) == (1, True)


def test_operators_match_and_the_worker_accepts(ionet, chained):
    create(ionet)
    world = chained.load()
    order = order_of(world)
    world.match(order, "one")
    world.chain.save(chained.path)
    code, out, _ = ionet("order", "show", order.address, "--chain", "test.chain")
    assert (code, "waits for the worker 00:10:00" in words(out)) == (0, True)
    code, _, err = ionet(
        "device", "take", order.address, "--worker", "one.json", "--keypair", "supplier.json", *COMMON
    )
    assert (code, "an operator has matched" in words(err)) == (1, True)
    assert "to this order: ionet device accept accepts it" in words(err)
    code, out, err = ionet(
        "device", "accept", order.address, "--worker", "one.json", "--keypair", "stranger.json", *COMMON
    )
    assert code == 0, err
    world = chained.load()
    assert world.lease(order, "one").status == LeaseStatus.RUNNING
    assert shown(out) == transfers(world)
    arguments = ("--worker", "one.json", "--keypair", "supplier.json", *COMMON)
    code, _, err = ionet("device", "accept", order.address, *arguments)
    assert (code, "has a lease of this order already" in words(err)) == (1, True)
    code, _, err = ionet("device", "take", order.address, *arguments)
    assert (code, "has a lease of this order already" in words(err)) == (1, True)
    code, out, err = ionet("order", "end", order.address, "--keypair", "supplier.json", *COMMON)
    assert code == 0, err
    assert "none" in out
    assert "0 seconds are paid for" in out
    assert chained.load().lease(order, "one").reason == EndReason.SUPPLIER


def test_a_refusal_says_what_to_do(ionet, chained):
    device = staking.device_address(key("one").pubkey())
    asking = ("device", "ask", device, "--keypair", "supplier.json", *COMMON, "--ask-io")
    code, _, err = ionet(*asking, "2.5")
    assert code == 0, err
    chained.later(1)
    create(ionet)
    order = order_of(chained.load())
    chained.later(order.exclusive_until - order.created_at)
    taking = ("device", "take", order.address, "--worker", "one.json", "--keypair", "supplier.json")
    code, _, err = ionet(*taking, *COMMON)
    assert (code, "orders: AskTooHigh" in err) == (1, True)
    assert "Lower the ask (ionet device ask), or wait until the class's price rises." in words(err)
    ionet(*asking, "2")
    code, _, err = ionet(*taking, *COMMON)
    assert (code, "orders: TermsTooYoung" in err) == (1, True)
    assert "it can take later orders" in words(err)


def test_only_its_supplier_takes_an_order_with_a_device(ionet, chained):
    create(ionet)
    order = order_of(chained.load())
    chained.later(order.exclusive_until - order.created_at)
    arguments = ("device", "take", order.address, "--worker", "one.json", *COMMON)
    code, _, err = ionet(*arguments, "--keypair", "stranger.json")
    assert (code, f"only the device's supplier {SUPPLIER} takes an order for it" in words(err)) == (1, True)
    accepting = ("device", "accept", *arguments[2:], "--keypair", "supplier.json")
    code, _, err = ionet(*accepting)
    said = "to this order; its supplier may: ionet device take"
    assert (code, said in words(err)) == (1, True)
    code, _, err = ionet(*arguments, "--keypair", "supplier.json")
    assert code == 0, err
    assert chained.load().lease(order, "one").status == LeaseStatus.RUNNING


@pytest.mark.parametrize("asked", [("--devices", 2, "--min-devices", 2), ("--devices", 2, "--colocated")])
def test_suppliers_take_no_gang_and_choose_no_country(ionet, chained, asked):
    create(ionet, *asked)
    order = order_of(chained.load())
    chained.later(order.exclusive_until - order.created_at)
    code, _, err = ionet(
        "device", "take", order.address, "--worker", "one.json", "--keypair", "supplier.json", *COMMON
    )
    assert (code, "only operators match this order" in words(err)) == (1, True)


def test_a_worker_ends_a_lease_where_its_supplier_allows_that(ionet, chained):
    create(ionet)
    world = chained.load()
    order = order_of(world)
    world.run(order, "one")
    world.chain.save(chained.path)
    ending = ("order", "end", order.address, "--keypair", "one.json", *COMMON)
    code, _, err = ionet(*ending)
    assert (code, "doesn't let its worker end a lease that runs" in words(err)) == (1, True)
    device = staking.device_address(key("one").pubkey())
    code, _, err = ionet("device", "ask", device, "--worker-ends", "--keypair", "supplier.json", *COMMON)
    assert code == 0, err
    assert chained.load().read_device("one").ask_io == ASK_IO, "what isn't given stays"
    world.chain.airdrop(key("one").pubkey(), 10**9)
    world.chain.save(chained.path)
    code, _, err = ionet(*ending)
    assert code == 0, err
    assert chained.load().lease(order, "one").reason == EndReason.SUPPLIER


def test_a_machine_takes_itself_off_the_market(ionet, chained):
    device = staking.device_address(key("one").pubkey())
    code, _, err = ionet("device", "pause", device, "--keypair", "supplier.json", *COMMON)
    assert (code, f"{key('one').pubkey()} must sign this" in words(err)) == (1, True)
    chained.load().chain.airdrop(key("one").pubkey(), 10**9)
    chained.world.chain.save(chained.path)
    code, out, err = ionet("device", "pause", device, "--keypair", "one.json", *COMMON)
    assert code == 0, err
    assert "It isn't for lease any more; running leases go on." in words(out)
    found = chained.load().read_device("one")
    assert (found.ask_io, found.ask_usdc) == (0, 0)
    _, out, _ = ionet("device", "list", "--chain", "test.chain")
    assert "not for lease" in words(out)


def test_cancel_gives_everything_back_but_the_fee_on_an_hour(ionet, chained):
    rich = chained.world.balance(RENTER)
    create(ionet)
    order = order_of(chained.load())
    arguments = ("order", "cancel", order.address, "--keypair", "renter.json", *COMMON)
    code, _, err = ionet(*arguments[:-4], "stranger.json", *COMMON)
    assert (code, f"{RENTER} must sign this" in words(err)) == (1, True)
    code, out, err = ionet(*arguments)
    assert code == 0, err
    world = chained.load()
    assert sorted(shown(out)) == sorted(transfers(world))
    assert world.balance(RENTER) == rich - fee(3 * IO * 4, 25)
    assert world.chain.get(order.address) is None
    code, _, err = ionet(*arguments)
    assert (code, "there is no order" in words(err)) == (1, True)


def test_what_is_set_aside_is_paid_once_its_account_is_good(ionet, chained):
    world = chained.load()
    order = world.order(key("renter"), currency=Currency.USDC, devices=1)
    world.run(order, "one")
    world.chain.advance(10 * HOUR + 2 * HOUR)
    account = associated_token_address(SUPPLIER, USDC_MINT)
    world.do(freeze(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])
    lease, config = world.lease(order, "one"), world.orders_config()
    world.do(orders.park_pay(world.payer.pubkey(), config, order, lease))
    world.chain.save(chained.path)
    code, out, err = ionet("order", "parked", "--chain", "test.chain")
    assert code == 0, err
    assert f"{SUPPLIER} 39.900000 USDC {account}" in words(out)
    paying = ("order", "pay-parked", SUPPLIER, "--keypair", "stranger.json", *COMMON)
    code, _, err = ionet(*paying)
    assert (code, "orders: PayeeBlocked" in err) == (1, True)
    chained.load().do(thaw(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])
    world.chain.save(chained.path)
    had = world.money(SUPPLIER, Currency.USDC)
    code, out, err = ionet(*paying)
    assert code == 0, err
    world = chained.load()
    assert world.money(SUPPLIER, Currency.USDC) == had + 39_900_000
    assert shown(out) == transfers(world)
    code, _, err = ionet(*paying)
    assert (code, "nothing is set aside for" in err) == (1, True)


def test_when_the_time_for_matching_is_over_everything_comes_back(ionet, chained):
    rich = chained.world.balance(RENTER)
    create(ionet, "--urgency", "now")
    order = order_of(chained.load())
    chained.later(order.match_until - order.created_at)
    code, out, err = ionet("order", "cancel", order.address, "--keypair", "renter.json", *COMMON)
    assert code == 0, err
    world = chained.load()
    assert shown(out) == transfers(world)
    assert world.balance(RENTER) == rich


def test_cancel_beside_leases(ionet, chained):
    create(ionet, "--devices", 2)
    world = chained.load()
    order = order_of(world)
    world.run(order, "one")
    world.chain.save(chained.path)
    code, out, err = ionet("order", "cancel", order.address, "--keypair", "renter.json", *COMMON)
    assert code == 0, err
    world = chained.load()
    assert shown(out) == transfers(world)
    assert (order_of(world).status, order_of(world).free) == (OrderStatus.CANCELLED, 0)
    code, _, err = ionet("order", "cancel", order.address, "--keypair", "renter.json", *COMMON)
    assert (code, "nothing is left to cancel or to take back" in words(err)) == (1, True)
    code, out, _ = ionet("order", "list", "--chain", "test.chain", "--renter", RENTER)
    assert (code, "cancelled, has leases" in words(out)) == (0, True)
    code, out, _ = ionet("order", "list", "--chain", "test.chain", "--renter", SUPPLIER)
    assert (code, "has leases" in words(out)) == (0, False)


def test_many_leases_end_in_as_many_transactions_as_they_need(ionet, chained):
    world = chained.load()
    names = [f"worker {number}" for number in range(12)]
    for name in names:
        world.let(name, key("supplier"))
    world.chain.advance(1)
    order = world.order(key("renter"), devices=12)
    for name in names:
        world.run(order, name)
    world.chain.save(chained.path)
    left = []
    while not left or left[-1]:
        code, out, err = ionet("order", "end", order.address, "--keypair", "renter.json", *COMMON)
        assert code == 0, err
        world = chained.load()
        assert shown(out) == transfers(world)
        leases = finish(orders.read_leases(world.chain)).values()
        left.append(sum(lease.status == LeaseStatus.RUNNING for lease in leases))
        assert (f"{left[-1]} more don't fit" in out) == bool(left[-1])
    assert len(left) <= 4
    assert order_of(world).refundable(world.chain.now()) == 0


def test_register_ask_and_list(ionet, chained):
    terms = ("--class", "RTX 4090", "--country", "DE", "--processors", 2, "--tier", 3, "--ask-io", "1.25")
    code, out, err = ionet(
        "device", "register", "--worker", "two.json", *terms, "--keypair", "supplier.json", *COMMON
    )
    assert code == 0, err
    assert "A lease of it costs the price, now 2.00000000 IO for a processor and hour." in words(out)
    assert "It isn't for lease in USDC." in words(out)
    world = chained.load()
    assert shown(out) == transfers(world)
    assert transfers(world)[0][2] == 500 * IO, "the minimum of two processors with a multiplier of 1.25"
    device = world.read_device("two")
    assert (device.ask_io, device.ask_usdc, device.country, device.own) == (125_000_000, 0, "DE", 500 * IO)
    address = staking.device_address(device.worker)
    change = ("device", "ask", address, "--keypair", "supplier.json", *COMMON, "--ask-usdc")
    code, out, err = ionet(*change, "1.1")
    assert code == 0, err
    assert "Its ask of 1.100000 USDC is above the price of now, 1.000000 USDC" in words(out)
    assert "It counts for orders that are opened from now on; running leases keep their rate." in words(out)
    code, out, err = ionet(*change, "0.3")
    assert code == 0, err
    device = chained.load().read_device("two")
    assert (device.ask_io, device.ask_usdc, device.tier) == (125_000_000, USDC * 3 // 10, 3)
    assert not device.worker_may_end
    code, out, _ = ionet("device", "list", "--chain", "test.chain", "--supplier", SUPPLIER, "--free")
    assert code == 0
    assert out.count(" free ") == 2
    assert "2 x RTX 4090" in words(out)
    code, out, _ = ionet("device", "list", "--chain", "test.chain", "--class", "M4")
    assert (code, "RTX" in out) == (0, False)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("--class", "Abacus"), "no class is called 'Abacus'; there are RTX 4090, M4"),
        (("--price", "1,5"), "'1,5' is not an amount of IO: write digits with a point"),
        (("--price", "1000000"), "your account"),
        (("--price", "0"), "orders: PriceInvalid"),
        (("--keypair", "nowhere.json"), "nowhere.json: no keypair"),
    ],
)
def test_what_create_refuses(ionet, chained, changed, message):
    code, _, err = create(ionet, *changed)
    assert code == 1
    assert message in words(err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("order", "show", "abc"), "'abc' is no address"),
        (("order", "show", str(SUPPLIER)), "there is no order"),
        (("device", "ask", str(RENTER), "--keypair", "supplier.json"), "there is no device"),
        (
            ("device", "accept", str(RENTER), "--worker", "one.json", "--keypair", "supplier.json"),
            "there is no order",
        ),
    ],
)
def test_what_is_not_there(ionet, chained, arguments, message):
    code, _, err = ionet(*arguments, "--chain", "test.chain")
    assert code == 1
    assert message in words(err)


def test_a_chain_without_orders(ionet, tmp_path):
    EmbeddedChain(now=FUTURE).save(tmp_path / "test.chain")
    (tmp_path / "renter.json").write_text(json.dumps(list(bytes(key("renter")))))
    code, _, err = create(ionet)
    assert (code, "orders is not set up on this chain" in words(err)) == (1, True)


def test_durations():
    assert duration(HOUR + 61) == "01:01:01"
    assert duration(3 * DAY + 5) == "3 d 00:00:05"
    assert Currency.IO.name == "IO"

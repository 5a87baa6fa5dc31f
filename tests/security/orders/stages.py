"""The states of orders that calls start from, each built once in a process.

Carol rents in IO, mallory in USDC; alice and bob supply. Of each order one lease runs, one waits for its
worker, and carol's has a place left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.chain.framework import associated_token_address
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from keeper.clients.orders import Fault, Lease, Order, Params, Parked, Terms
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from tests.programs.world import DAY, HOUR, World, key
from tests.security import matrix, tokens
from tests.security.people import DEPUTY, HEIR, IMPOSTOR, OPERATORS, address, do
from tests.security.staking import stages as staking_stages
from tests.security.staking.stages import GPU, supplier_of

USDC = 10**6
USDC_MINT = key("usdc").pubkey()
ISSUER = "issuer"
"""Mints USDC and can freeze it, as on the real network."""
MINTS = tokenomics.MINT, USDC_MINT
USDC_FEES = buyback.fee_vault(USDC_MINT)
NO_LIMIT = 2**64 - 1
MINUTE = 60
EXCLUSIVE = 5 * MINUTE
"""After an order's opening operators alone match it, seconds."""
WINDOW, ACCEPT = 20 * MINUTE, 10 * MINUTE
"""How long an order is matched, and how long a worker has to accept, seconds."""
TICK, FIRST, TURN, REACH = 30, 16, 6, 120
"""Seconds: between two batches, to a tick's first turn, to each turn after it, to the end of them."""
ASK_IO, ASK_USDC = 2 * IO, 1 * USDC
"""What the devices here ask for a processor and hour."""
TERMS = Terms(price=3 * IO, hours=10, devices=3, processors=4, classes=(GPU,))
"""Carol's: every device here satisfies it."""
RATE = 4 * ASK_IO
"""What a device costs carol for an hour, base units."""
PLACE = 120 * IO + 30 * IO // 100
"""What carol puts down for a device: 10 hours of four processors at 3 IO, and 0.25 %."""
IN_USDC = replace(TERMS, price=3 * USDC, devices=2, currency=Currency.USDC)
"""Mallory's."""
RUNNING, WAITING, FREE = "worker", "bob's worker", "empty worker"
"""Workers of carol's lease that runs, of the one that waits, of the device that can be matched."""
OTHER_RUNNING, OTHER_WAITING = "leaving worker", "slashed worker"
"""The same of mallory's."""
EVIDENCE, OTHER_EVIDENCE = b"1" * 32, b"2" * 32
OPERATOR = OPERATORS[0]
LONG = 4 * HOUR
"""So long after the start that two hours are due; the lag is another two."""


# -- looking -------------------------------------------------------------------------------------


def config(world: World) -> client.Config:
    """Orders' config."""
    return client.parse_config(world.account(client.CONFIG).data)


def order(world: World, renter: str = "carol", number: int = 1) -> Order:
    """Somebody's order."""
    return client.parse_order(world.account(client.order_address(address(renter), number)).data)


def device(world: World, worker: str) -> staking.Device:
    """A device by its worker's name."""
    return staking_stages.device(world, worker)


def where(worker: str, renter: str = "carol", number: int = 1) -> Pubkey:
    """The address of a worker's lease to somebody's order."""
    return client.lease_address(
        client.order_address(address(renter), number), staking.device_address(address(worker))
    )


def lease(world: World, worker: str = RUNNING, renter: str = "carol", number: int = 1) -> Lease:
    """A worker's lease."""
    return client.parse_lease(world.account(where(worker, renter, number)).data)


def fault(world: World, lease_: Pubkey, evidence: bytes = EVIDENCE, good_hours: int = 1) -> Fault:
    """Votes on a lease."""
    return client.parse_fault(world.account(client.fault_address(lease_, evidence, good_hours)).data)


def usdc(name: str) -> Pubkey:
    """Somebody's token account for USDC."""
    return associated_token_address(address(name), USDC_MINT)


def io(name: str) -> Pubkey:
    """Somebody's token account for IO."""
    return tokenomics.tokens_address(address(name))


def fees(world: World, currency: Currency = Currency.IO) -> int:
    """What is in the fee vault of a currency, base units."""
    return world.tokens(buyback.IO_VAULT if currency == Currency.IO else USDC_FEES)


def fee(amount: int, bps: int = 25) -> int:
    """A fee as the protocol's page says it, rounded up."""
    return (amount * bps + 9_999) // 10_000


def purses(world: World) -> dict[str, int]:
    """Everybody's money by name, base units: IO, and USDC under the name with `` usdc`` behind it."""
    found = {}
    for name in ("alice", "bob", "carol", "mallory"):
        found[name], found[f"{name} usdc"] = world.tokens(io(name)), world.tokens(usdc(name))
    found["fees"], found["fees usdc"] = fees(world), fees(world, Currency.USDC)
    for name, currency in (("parked", Currency.IO), ("parked usdc", Currency.USDC)):
        found[name] = world.tokens(client.parked_vault_address(MINTS[currency]))
    for renter, vault in (("carol", "vault"), ("mallory", "vault usdc")):
        numbered = (client.order_address(address(renter), number) for number in range(1, 9))
        found[vault] = sum(world.tokens(client.vault_address(each)) for each in numbered)
    return found


def moved(world: World, *calls: Instruction) -> dict[str, int]:
    """Execute calls in one transaction; by how much whose money changed. Nothing appears or is lost."""
    before = purses(world)
    do(world, *calls)
    after = purses(world)
    changes = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    assert sum(change for name, change in changes.items() if "usdc" not in name) == 0
    assert sum(change for name, change in changes.items() if "usdc" in name) == 0
    return changes


FEE = fee(10 * RATE)
"""The renter's on a lease of carol's, in all."""
SURPLUS = PLACE - 10 * RATE - FEE
"""What a match leaves of its place: it costs 2 IO instead of 3."""
WHOLE = 10 * RATE + FEE
"""What a lease of carol's costs her, and what is set apart for it from the match on."""
HOUR_FEE = fee(4 * TERMS.price)
"""What giving up a place of hers early costs: the fee on an hour of it."""


# -- acting --------------------------------------------------------------------------------------


def give_usdc(world: World, name: str, amount: int) -> None:
    """USDC for somebody, whose account is made if need be."""
    world.do(token.create_associated(world.payer.pubkey(), address(name), USDC_MINT))
    mint_usdc(world, usdc(name), amount)


def mint_usdc(world: World, to: Pubkey, amount: int) -> None:
    """USDC for a token account."""
    world.do(tokens.mint_to(USDC_MINT, to, address(ISSUER), amount), signers=[key(ISSUER)])


def create(
    renter: str = "carol",
    number: int = 1,
    terms: Terms = TERMS,
    max_deposit: int = NO_LIMIT,
    **changed: object,
) -> Instruction:
    """Open an order."""
    terms = replace(terms, **changed)  # type: ignore[arg-type]  # the tests' own keywords
    mint = tokenomics.MINT if terms.currency == Currency.IO else USDC_MINT
    return client.create_order(address(renter), number, terms, mint, max_deposit=max_deposit)


def let(world: World, worker: str, **changed: int) -> None:
    """Register a device that asks for ASK_IO and ASK_USDC, and stake on it what it needs."""
    asks = {"ask_io": ASK_IO, "ask_usdc": ASK_USDC, "processors": 4, "tier": 4, "country": "CH", **changed}
    supplier = address(supplier_of(worker))
    do(world, staking.register_device(supplier, address(worker), supplier, GPU, **asks))
    one = device(world, worker)
    kind = staking.parse_class(world.account(staking.class_address(GPU)).data)
    do(world, staking.stake(one, one.minimum(kind, world.chain.now())))


def tick(world: World) -> int:
    """The newest tick in which every operator's turn has come."""
    return (world.chain.now() - FIRST - TURN * (len(OPERATORS) - 1)) // TICK


def match(
    world: World, worker: str, renter: str = "carol", number: int = 1, matcher: str = OPERATOR
) -> Instruction:
    """Match a worker's device to somebody's order; by its supplier without a tick, and with the worker."""
    turn = 0 if matcher == supplier_of(worker) else tick(world)
    return client.match_device(address(matcher), order(world, renter, number), device(world, worker), turn)


def accept(world: World, worker: str, renter: str = "carol", number: int = 1) -> Instruction:
    """The worker accepts."""
    return client.accept_lease(
        config(world), order(world, renter, number), lease(world, worker, renter, number)
    )


def run(world: World, worker: str, renter: str = "carol", number: int = 1) -> None:
    """Match and accept, once every operator has had a turn."""
    if order(world, renter, number).created_at >= TICK * tick(world):
        world.chain.advance(MINUTE)
    do(world, match(world, worker, renter, number))
    do(world, accept(world, worker, renter, number))


def open_order(
    world: World, renter: str = "carol", number: int = 1, terms: Terms = TERMS, **changed: object
) -> Order:
    """Open an order, and wait until every operator has had a turn to match it."""
    do(world, create(renter, number, terms, **changed))
    world.chain.advance(MINUTE)
    return order(world, renter, number)


def to_be(world: World, worker: str, renter: str = "carol", number: int = 1) -> Lease:
    """The lease that a match makes, as far as calls in the same transaction name it."""
    one, zeros = device(world, worker), {each.name: 0 for each in fields(Lease)}
    parties = {name: getattr(one, name) for name in ("supplier", "worker", "payout")}
    named = {"order": order(world, renter, number).address, "device": staking.device_address(one.worker)}
    return Lease(**{**zeros, **named, **parties, "payer": one.supplier})


def take(
    world: World, worker: str, renter: str = "carol", number: int = 1
) -> tuple[Instruction, Instruction]:
    """A supplier matches its own device, and the worker accepts in the same transaction."""
    matching = match(world, worker, renter, number, supplier_of(worker))
    return matching, accept_later(world, worker, renter, number)


def accept_later(world: World, worker: str, renter: str = "carol", number: int = 1) -> Instruction:
    """The worker accepts a lease that is matched in the same transaction."""
    rented, one = order(world, renter, number), to_be(world, worker, renter, number)
    return client.accept_lease(config(world), rented, one)


def settle(world: World, worker: str = RUNNING, renter: str = "carol", number: int = 1) -> Instruction:
    """Pay what is due."""
    return client.settle(config(world), order(world, renter, number), lease(world, worker, renter, number))


def extend(
    world: World,
    hours: int = 1,
    worker: str = RUNNING,
    renter: str = "carol",
    number: int = 1,
    max_amount: int = NO_LIMIT,
) -> Instruction:
    """Add hours to a lease."""
    rented, one = order(world, renter, number), lease(world, worker, renter, number)
    return client.extend_lease(config(world), rented, one, hours, max_amount=max_amount)


def end(
    world: World, caller: str, worker: str = RUNNING, renter: str = "carol", number: int = 1
) -> Instruction:
    """End a lease."""
    return client.end_lease(address(caller), lease(world, worker, renter, number))


def vote(
    world: World,
    operator: int = 0,
    good_hours: int = 1,
    worker: str = RUNNING,
    renter: str = "carol",
    evidence: bytes = EVIDENCE,
) -> Instruction:
    """An operator's vote on a lease."""
    return client.vote_fault(address(OPERATORS[operator]), lease(world, worker, renter), evidence, good_hours)


def hold(
    world: World, seconds: int = 7 * DAY, worker: str = RUNNING, guardian: str = "guardian"
) -> Instruction:
    """Hold a lease's money back for so long from now."""
    return client.hold_lease(address(guardian), lease(world, worker), world.chain.now() + seconds)


def refund(world: World, renter: str = "carol", number: int = 1) -> Instruction:
    """Give back what no lease holds."""
    return client.refund(config(world), order(world, renter, number))


def close(world: World, renter: str = "carol", number: int = 1) -> Instruction:
    """End an order."""
    return client.close_order(config(world), order(world, renter, number))


def cancel(world: World, renter: str = "carol", number: int = 1) -> Instruction:
    """Want no more devices."""
    return client.cancel_order(order(world, renter, number))


def park_pay(
    world: World, worker: str = RUNNING, renter: str = "carol", number: int = 1, payer: str = "bob"
) -> Instruction:
    """Set the supplier's part of what is due aside."""
    rented, one = order(world, renter, number), lease(world, worker, renter, number)
    return client.park_pay(address(payer), config(world), rented, one)


def park_fees(world: World, renter: str = "carol", number: int = 1, payer: str = "bob") -> Instruction:
    """Set an order's fees aside."""
    return client.park_fees(address(payer), config(world), order(world, renter, number))


def parked(world: World, destination: Pubkey) -> Parked:
    """What waits for a token account."""
    return client.parse_parked(world.account(client.parked_address(destination)).data)


def pay_parked(world: World, destination: Pubkey) -> Instruction:
    """Pay what waits for a token account."""
    return client.pay_parked(config(world), parked(world, destination))


def freeze_usdc(world: World, account: Pubkey) -> None:
    """The issuer of USDC stops an account."""
    world.do(tokens.freeze(account, USDC_MINT, address(ISSUER)), signers=[key(ISSUER)])


def thaw_usdc(world: World, account: Pubkey) -> None:
    """The issuer lets it go."""
    world.do(tokens.thaw(account, USDC_MINT, address(ISSUER)), signers=[key(ISSUER)])


def put(call: Instruction, **accounts: Pubkey) -> Instruction:
    """A call with other accounts in some slots; whoever it takes the place of, signs if that one did."""
    return matrix.put(call, slots(call), **accounts)


def unsigned(call: Instruction, slot: str) -> Instruction:
    """The same call without the signature in a slot."""
    metas, position = list(call.accounts), slots(call).index(slot)
    metas[position] = AccountMeta(metas[position].pubkey, False, metas[position].is_writable)
    return Instruction(call.program_id, bytes(call.data), metas)


def slots(call: Instruction) -> list[str]:
    """The names of a call's slots."""
    decoded = client.PROGRAM.decode_instruction(bytes(call.data))
    assert decoded is not None
    return [each["name"] for each in client.PROGRAM.instructions[decoded[0]]]


# -- stages --------------------------------------------------------------------------------------


def empty() -> World:
    """Staking and buyback are initialised, orders is deployed; everybody can be paid in both currencies."""
    world = staking_stages.initialized()
    world.person(ISSUER)
    tokens.create_mint(world, key("usdc"), address(ISSUER), decimals=6)
    for name in ("alice", "bob", "carol", "mallory", "admin", "elsewhere"):
        give_usdc(world, name, 10_000 * USDC)
    admin, guardian = address("admin"), address("guardian")
    do(world, buyback.initialize(admin, guardian, USDC_MINT, buyback.Params()))
    return world


def ready(params: Params = Params()) -> World:  # noqa: B008 - it is frozen
    """Five devices are for lease; nobody rents."""
    world = empty()
    admin, guardian = address("admin"), address("guardian")
    do(world, client.initialize(admin, guardian, USDC_MINT, params))
    do(world, *client.create_parked_vaults(address("payer"), USDC_MINT))
    do(world, client.propose_params(admin, Params(renter_fee_bps=50)))
    do(world, client.propose_admin(admin, address(HEIR)))
    do(world, client.propose_guardian(admin, address(DEPUTY)))
    for worker in (RUNNING, WAITING, FREE, OTHER_RUNNING, OTHER_WAITING):
        let(world, worker)
    # Their terms are older than any order.
    world.chain.advance(1)
    return world


def opened() -> World:
    """Both orders are opened, nothing is matched."""
    world = ready()
    do(world, create())
    open_order(world, "mallory", terms=IN_USDC)
    return world


def matching() -> World:
    """Each order has a lease that runs and one that waits; carol's has a place left."""
    world = opened()
    for renter, running, waiting in (
        ("carol", RUNNING, WAITING),
        ("mallory", OTHER_RUNNING, OTHER_WAITING),
    ):
        run(world, running, renter)
        do(world, match(world, waiting, renter))
    return world


def serving() -> World:
    """Four hours on: the waiting leases have lapsed, and one operator has voted for faults in the others."""
    world = matching()
    for worker, renter in ((WAITING, "carol"), (OTHER_WAITING, "mallory")):
        world.chain.advance(10 * MINUTE)
        do(world, end(world, "mallory", worker, renter))
    world.chain.warp_to(lease(world).start + LONG)
    do(world, vote(world))
    do(world, vote(world, worker=OTHER_RUNNING, renter="mallory"))
    return world


def done() -> World:
    """Eight days on everything is over and paid; carol has another order that nobody served."""
    world = serving()
    do(world, create(number=2))
    world.chain.advance(8 * DAY)
    for worker, renter in ((RUNNING, "carol"), (OTHER_RUNNING, "mallory")):
        do(world, settle(world, worker, renter))
        do(world, end(world, "mallory", worker, renter))
    do(world, client.close_lease(lease(world, OTHER_RUNNING, "mallory")))
    return world


def blocked() -> World:
    """Neither alice nor the network can be paid: her account is nobody's, the vault for USDC frozen."""
    world = serving()
    do(world, tokens.set_owner(io("alice"), address("alice"), IMPOSTOR))
    freeze_usdc(world, USDC_FEES)
    do(world, settle(world, OTHER_RUNNING, "mallory"))
    return world


def aside() -> World:
    """What was due to alice and to the network waits for them; she can be paid again."""
    world = serving()
    tokens.freeze_anyway(world, io("alice"))
    freeze_usdc(world, USDC_FEES)
    do(world, settle(world, OTHER_RUNNING, "mallory"))
    do(world, park_pay(world), park_fees(world, "mallory"))
    tokens.freeze_anyway(world, io("alice"), let_go=True)
    return world


STAGES: dict[str, Callable[[], World]] = {
    "empty": empty,
    "ready": ready,
    "opened": opened,
    "matching": matching,
    "serving": serving,
    "done": done,
    "blocked": blocked,
    "parked": aside,
}


@cache
def stage(name: str) -> World:
    """The one world of a stage, for calls that are refused."""
    return STAGES[name]()

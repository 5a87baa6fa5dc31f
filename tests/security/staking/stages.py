"""The states of staking that calls start from, each built once in a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients import staking as client
from keeper.clients.staking import Attestation, Device, Params
from keeper.economy import merkle
from keeper.economy.classes import Bounds
from keeper.economy.orders import LeaseOutcome
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from tests.model.staking.prices import price_leaf
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START, World, key
from tests.security.people import DEPUTY, HEIR, OPERATORS, address, do
from tests.security.tokenomics import stages

GPU, APPLE = 1, 2
"""Classes with multipliers of 1.25 and 1."""
MINIMUM = 1_000 * IO
"""Of every device here: four processors of the first class."""
OFFER = 400 * IO
REWARD_BPS = 2_000
EVIDENCE, LATE_EVIDENCE, NEW_EVIDENCE = b"1" * 32, b"2" * 32, b"3" * 32
SLASH_BPS = 1_000
FINAL_HOURS = 50
"""Blocks that are final: the first two pay no more."""
DUE, CHALLENGED = FINAL_HOURS, FINAL_HOURS + 1
"""Blocks that are agreed on: one whose challenge window is over, one whose window is open."""
END = START + 31 * DAY
LEASE = key("lease").pubkey()
"""What holds the device that is leased."""
ORDER = key("order").pubkey()
"""What that lease is for."""
BOUNDS = Bounds(IO, 3 * IO, 1, 10**9)
"""What the admin proposes for the second class's prices."""
STEPS = {GPU: (1_250, -333), APPLE: (-1_250, 1)}
"""An hour's steps in IO and in USDC, basis points."""
EARNING = ("alice", "bob", "carol", "mallory")


def supplier_of(worker: str) -> str:
    """Who owns a worker's device."""
    return "bob" if worker in {"bob's worker", "leaving worker"} else "alice"


def device(world: World, worker: str) -> Device:
    """A device by its worker's name."""
    return client.parse_device(world.account(client.device_address(address(worker))).data)


def lifetimes(hour: int) -> dict[Pubkey, int]:
    """What everybody has earned by the end of an hour, base units.

    So much that every other block needs emission that nobody minted yet; the last one due does.
    """
    return {address(name): (hour + 1) * (number + 1) * 447 * IO for number, name in enumerate(EARNING)}


def tree(amounts: dict[Pubkey, int]) -> merkle.Tree:
    """The tree over wallets in the order of their raw bytes."""
    return merkle.Tree([leaf(owner, amount) for owner, amount in sorted(amounts.items(), key=_raw)])


def said(hour: int) -> Attestation:
    """What honest operators say about an hour."""
    amounts = lifetimes(hour)
    return Attestation(tree(amounts).root, sum(amounts.values()), 4, bytes([hour]) * 32)


def proof(hour: int, name: str) -> bytes:
    """A wallet's proof."""
    amounts = lifetimes(hour)
    return tree(amounts).proof(sorted(amounts, key=bytes).index(address(name)))


def _raw(row: tuple[Pubkey, int]) -> bytes:
    return bytes(row[0])


def attest(world: World, hour: int) -> None:
    """Two operators agree on an hour."""
    for operator in OPERATORS[:2]:
        do(world, client.attest(address(operator), hour, said(hour)))


def register(world: World, worker: str) -> Device:
    """Register a device, paid out to its supplier."""
    supplier = address(supplier_of(worker))
    terms = {"processors": 4, "tier": 4, "country": "CH", "ask_io": IO}
    do(world, client.register_device(supplier, address(worker), supplier, GPU, **terms))
    return device(world, worker)


def lease_device(
    one: Device, lease: Pubkey = LEASE, order: Pubkey = ORDER, opened_at: int = START
) -> Instruction:
    """A device is leased: only the orders program can say so."""
    return client.PROGRAM.instruction(
        "lease_device",
        {"lease": lease, "order": order, "opened_at": opened_at},
        lease_authority=orders.LEASE_AUTHORITY,
        device=client.device_address(one.worker),
        **{"class": client.class_address(one.device_class)},
    )


def free_device(
    one: Device,
    lease: Pubkey = LEASE,
    *,
    seconds: int = HOUR,
    outcome: int = LeaseOutcome.DONE,
    strike: int = 0,
) -> Instruction:
    """A device is free again, and what its lease came to is counted."""
    arguments = {"seconds": seconds, "outcome": int(outcome), "strike": strike}
    return _leased("free_device", one, lease=lease, **arguments)


def record_lease(
    one: Device, number: int = 1, *, outcome: int = LeaseOutcome.FAILED, seconds_back: int = HOUR
) -> Instruction:
    """What is found later about a lease of this device, by its number."""
    arguments = {"number": number, "outcome": int(outcome), "seconds_back": seconds_back}
    return _leased("record_lease", one, registered_at=one.registered_at, **arguments)


def _leased(name: str, one: Device, **arguments: Pubkey | int) -> Instruction:
    device = client.device_address(one.worker)
    return client.PROGRAM.instruction(name, arguments, lease_authority=orders.LEASE_AUTHORITY, device=device)


def steps_tree(hour: int) -> merkle.Tree:
    """The tree over an hour's steps."""
    return merkle.Tree([price_leaf(hour, number, steps) for number, steps in STEPS.items()])


def vote_prices(world: World, operators: int = 2) -> int:
    """So many operators vote for the steps of the last hour; returns it."""
    hour = world.chain.now() // HOUR - 1
    for operator in OPERATORS[:operators]:
        do(world, client.vote_prices(address(operator), hour, steps_tree(hour).root))
    return hour


def apply_price(number: int, hour: int) -> Instruction:
    """A class's steps of an hour are announced."""
    proof = steps_tree(hour).proof(list(STEPS).index(number))
    return client.apply_price(number, hour, *STEPS[number], proof)


def empty() -> World:
    """Tokenomics is launched, staking deployed; people hold IO, operators lamports."""
    world = stages.launched()
    for name in ("carol", *OPERATORS):
        world.person(name)
    world.give(address("carol"), 10_000 * IO)
    world.chain.warp_to(START)
    return world


def initialized() -> World:
    """Three operators of whom two must agree, two classes, open, wallets of all but the heir."""
    world = empty()
    admin = address("admin")
    terms = Params(tuple(map(address, OPERATORS)), 2)
    world.chain.warp_to(START - 7 * DAY)
    do(world, client.initialize(admin, address("guardian"), terms))
    do(world, client.add_class(admin, GPU, "RTX 4090", 125, 0, 0, PRICES))
    do(world, client.add_class(admin, APPLE, "M4", 100, 1, 2, PRICES))
    world.chain.warp_to(START)
    for name in EARNING:
        do(world, client.open_wallet(address("payer"), address(name)))
    return world


def staked() -> World:
    """Alice's device has more than it needs, bob's looks for a co-staker."""
    world = initialized()
    do(world, client.stake(register(world, "worker"), MINIMUM + 100 * IO))
    offering = register(world, "bob's worker")
    do(world, client.stake(offering, MINIMUM - OFFER), client.open_offer(offering, OFFER, REWARD_BPS))
    return world


def leased() -> World:
    """Alice's device is leased."""
    world = staked()
    do(world, lease_device(device(world, "worker")))
    return world


def served() -> World:
    """Alice's device has served a lease."""
    world = leased()
    world.chain.advance(HOUR)
    do(world, free_device(device(world, "worker")))
    return world


def priced() -> World:
    """Operators have agreed on the steps of two hours; the last ones are announced for the second class."""
    world = initialized()
    world.chain.advance(DAY)
    vote_prices(world)
    world.chain.advance(3 * HOUR)
    do(world, apply_price(APPLE, vote_prices(world)))
    return world


def waited() -> World:
    """Bob's co-staker has left and its wait is over, which nobody has written down yet."""
    world = staked()
    carol = address("carol")
    do(world, client.take_offer(device(world, "bob's worker"), carol, OFFER, REWARD_BPS))
    do(world, client.leave_co_stake(device(world, "bob's worker"), carol))
    world.chain.advance(7 * DAY)
    return world


def running() -> World:
    """31 days on, with devices, blocks and slashes in each of their states."""
    world = staked()
    admin, carol = address("admin"), address("carol")
    do(world, client.propose_guardian(admin, address(DEPUTY)))
    worker = device(world, "worker")
    leaving, shared = register(world, "leaving worker"), register(world, "slashed worker")
    for each in (leaving, shared):
        do(world, client.stake(each, MINIMUM - OFFER), client.open_offer(each, OFFER, REWARD_BPS))
        do(world, client.take_offer(each, carol, OFFER, REWARD_BPS))
    gone = register(world, "empty worker")
    do(world, client.terminate_device(gone))
    for operator in OPERATORS[:2]:
        do(world, client.vote_slash(address(operator), shared, EVIDENCE, SLASH_BPS))
    for hour in range(FINAL_HOURS):
        world.chain.warp_to(START + (hour + 1) * HOUR)
        attest(world, hour)
        world.chain.advance(HOUR)
        do(world, client.finalise(hour))
    do(world, client.propose_params(admin, Params(tuple(map(address, OPERATORS)), 3)))
    do(world, client.propose_admin(admin, address(HEIR)))
    # Its cooldown is over at the end, and not for so long that it may go to any account.
    world.chain.warp_to(END - 15 * DAY)
    do(world, client.unstake(leaving))
    world.chain.warp_to(END - HOUR)
    attest(world, DUE)
    vote_prices(world)
    do(world, client.post(address(OPERATORS[1]), 1, 1, 1, b"p" * 32))
    world.chain.warp_to(END)
    do(world, client.change_bounds(admin, APPLE, BOUNDS))
    attest(world, CHALLENGED)
    for operator in OPERATORS[:2]:
        do(world, client.vote_slash(address(operator), worker, LATE_EVIDENCE, SLASH_BPS))
    return world


STAGES: dict[str, Callable[[], World]] = {
    "empty": empty,
    "initialized": initialized,
    "staked": staked,
    "leased": leased,
    "served": served,
    "priced": priced,
    "waited": waited,
    "running": running,
}


@cache
def stage(name: str) -> World:
    """The one world of a stage, for calls that are refused."""
    return STAGES[name]()

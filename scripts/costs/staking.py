"""What staking's instructions cost."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from solders.keypair import Keypair
from solders.null_signer import NullSigner

from keeper.chain import token
from keeper.clients import orders
from keeper.clients import staking as client
from keeper.clients.staking import PROGRAM, Attestation, Params
from keeper.clients.tokenomics import MINT
from keeper.economy import merkle
from keeper.economy.classes import Bounds
from keeper.economy.orders import LeaseOutcome
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from scripts.costs.meter import Meter, Row, claimants
from tests.model.staking.prices import price_leaf
from tests.programs.staking.world import PRICES, StakingWorld
from tests.programs.world import DAY, HOUR, START, key

TARGETS = {
    "stake": 6_500,
    "unstake": 6_500,
    "claim, 20 levels": 11_000,
    "attest": 7_000,
    "apply_price": 6_000,
    "post": 5_000,
}
"""Compute units that a row of the table may take at most, over all its cases."""
LEVELS = (1, 10, 20)
"""Of the trees that are claimed from: 2, 1,024 and 1,048,576 wallets."""
MINIMUM, OFFER, REWARD_BPS = 1_000 * IO, 400 * IO, 2_000
SLASH_BPS = 1_000
CLASSES = 64
"""Those of a table of prices: its leaves are proved by six hashes."""
ENDS = (
    ("done", HOUR, int(LeaseOutcome.DONE), 0),
    ("failed", HOUR, int(LeaseOutcome.FAILED), 0),
    ("never served", 0, 3, 1),
)
"""How leases end: what was served, what is counted, whether the device is barred."""
OPERATORS, QUORUM = 12, 7
"""The longest list that there can be, and more than half of it."""


def measure() -> dict[str, Row]:
    """Run every case of staking; rows in the order of the program's life."""
    world = StakingWorld.launched()
    assert isinstance(world, StakingWorld)
    meter = Meter(PROGRAM, world)
    operators = [world.person(f"operator {number}") for number in range(OPERATORS)]
    suppliers = [world.person(name) for name in ("alice", "bob")]
    carol = world.person("carol")
    for person in (*suppliers, carol):
        world.give(person.pubkey(), 10_000 * IO)
    world.chain.warp_to(START - 8 * DAY)
    _set_up(meter, operators, [*suppliers, carol])
    _stakes(meter, suppliers, carol)
    _co_stakes(meter, suppliers[1], carol)
    _leases(meter)
    _prices(meter, operators)
    _posts(meter, operators[0])
    _slashes(meter, operators, suppliers[0])
    _ends(meter, suppliers[0])
    _blocks(meter, operators)
    _roles(meter, operators)
    return meter.measured()


def _set_up(meter: Meter, operators: list[Keypair], people: list[Keypair]) -> None:
    admin, guardian = meter.world.admin, meter.world.guardian.pubkey()
    terms = Params(tuple(each.pubkey() for each in operators), QUORUM)
    meter.run("", client.initialize(admin.pubkey(), guardian, terms), admin)
    for number in range(1, 5):
        added = client.add_class(admin.pubkey(), number, "RTX 4090", 125, 0, 0, PRICES)
        meter.run(f"class {number}", added, admin)
    bounds = client.change_bounds(admin.pubkey(), 1, Bounds(IO, 1_000 * IO, 1, 10**9))
    meter.run("the first", bounds, admin)
    meter.world.chain.warp_to(START)
    meter.run("others in force", bounds, admin)
    meter.run("", client.change_class(admin.pubkey(), 4, 150), admin)
    meter.run("", client.cancel_class(guardian, 4), meter.world.guardian)
    for person in people:
        meter.run(person_name(person), client.open_wallet(person.pubkey(), person.pubkey()), person)
    for number in range(4):
        supplier, worker = people[number % 2], key(f"worker {number}")
        owner = supplier.pubkey()
        call = client.register_device(owner, worker.pubkey(), owner, 1, processors=4, tier=4, country="CH")
        meter.run(f"worker {number}", call, supplier, worker)


def person_name(person: Keypair) -> str:
    """A key's name."""
    return next(name for name in ("alice", "bob", "carol") if key(name) == person)


def _device(meter: Meter, number: int) -> client.Device:
    address = client.device_address(key(f"worker {number}").pubkey())
    return client.parse_device(meter.world.account(address).data)


def _stakes(meter: Meter, suppliers: list[Keypair], carol: Keypair) -> None:
    alice = suppliers[0]
    one = _device(meter, 0)
    meter.run("too little", client.stake(one, 1), alice)
    meter.run("enough", client.stake(_device(meter, 0), MINIMUM), alice)
    meter.run("more", client.stake(_device(meter, 0), IO), alice)
    meter.run("", client.withdraw_overflow(_device(meter, 0), IO), alice)
    meter.run("", client.settle_device(one))
    meter.run("", client.change_device(one, tier=2, country="DE", ask_io=IO, ask_usdc=1), alice)
    meter.run("", client.pause_device(one), alice, key("worker 0"))
    meter.run("", client.set_payout(one, carol.pubkey()), alice)


def _co_stakes(meter: Meter, bob: Keypair, carol: Keypair) -> None:
    one, holder = _device(meter, 1), carol.pubkey()
    meter.run("the own part", client.stake(one, MINIMUM - OFFER), bob)
    offer = client.open_offer(one, OFFER, REWARD_BPS)
    meter.run("", offer, bob)
    meter.run("", client.close_offer(one), bob)
    meter.run("again", offer, bob)
    take = client.take_offer(one, holder, OFFER, REWARD_BPS)
    meter.run("the first", take, carol)
    meter.run("", client.leave_co_stake(one, holder), carol)
    meter.run("again", offer, bob)
    meter.run("in place of one who waits", take, carol)
    meter.run("with a co-stake", client.unstake(one), bob)
    meter.world.chain.advance(14 * DAY)
    meter.run("", client.withdraw(one))
    meter.run("", client.withdraw_co_stake(one, holder))


def _leases(meter: Meter) -> None:
    """What orders calls: nobody else can sign for its authority, and signatures are not verified here."""
    authority = NullSigner(orders.LEASE_AUTHORITY)
    named = {"lease_authority": authority.pubkey(), "device": client.device_address(key("worker 0").pubkey())}
    lease = {"lease": key("lease").pubkey()}
    for number, (case, seconds, outcome, strike) in enumerate(ENDS):
        order = {"order": key(f"order {number}").pubkey(), "opened_at": number}
        leased = PROGRAM.instruction(
            "lease_device", {**lease, **order}, **named, **{"class": client.class_address(1)}
        )
        meter.run(case, leased, meter.keeper, authority)
        counted = {**lease, "seconds": seconds, "outcome": outcome, "strike": strike}
        meter.run(case, PROGRAM.instruction("free_device", counted, **named), meter.keeper, authority)
    registered_at = _device(meter, 0).registered_at
    for case, outcome, registered in (
        ("failed", LeaseOutcome.FAILED, registered_at),
        ("disputed", LeaseOutcome.DISPUTED, registered_at),
        ("another device's", LeaseOutcome.DISPUTED, registered_at + 1),
    ):
        found = {"registered_at": registered, "number": 1, "outcome": int(outcome), "seconds_back": HOUR}
        call = PROGRAM.instruction("record_lease", found, **named)
        meter.run(case, call, meter.keeper, authority)


def _prices(meter: Meter, operators: list[Keypair]) -> None:
    """Two hours' tables of as many classes as there are, of which two are announced."""
    world, guardian = meter.world, meter.world.guardian
    steps = {number: (1_250, -333) for number in range(1, CLASSES + 1)}
    for before in ("base prices", "an earlier step"):
        world.chain.warp_to(world.chain.now() // HOUR * HOUR + HOUR)
        hour = world.chain.now() // HOUR - 1
        table = merkle.Tree([price_leaf(hour, number, each) for number, each in steps.items()])
        for number, operator in enumerate(operators[:QUORUM]):
            case = {0: "the first", QUORUM - 1: "the deciding"}.get(number, "in between")
            meter.run(case, client.vote_prices(operator.pubkey(), hour, table.root), operator)
        for number in (1, 2):
            meter.run(before, client.apply_price(number, hour, *steps[number], table.proof(number - 1)))
        meter.run("", client.cancel_price(guardian.pubkey(), 2), guardian)
    meter.run("", client.close_prices(hour - 1, operators[0].pubkey()))


def _posts(meter: Meter, operator: Keypair) -> None:
    call = client.post(operator.pubkey(), 7, 3, 9, b"h" * 32)
    meter.run("", call, operator, row="post, the first")
    meter.run("in the same hour", call, operator)
    meter.world.chain.advance(HOUR)
    meter.run("in another hour", call, operator)


def _slashes(meter: Meter, operators: list[Keypair], alice: Keypair) -> None:
    one, guardian = _device(meter, 0), meter.world.guardian
    for number in range(2):
        evidence = bytes([number]) * 32
        for voter, operator in enumerate(operators[:QUORUM]):
            case = {0: "the first", QUORUM - 1: "the deciding"}.get(voter, "in between")
            meter.run(case, client.vote_slash(operator.pubkey(), one, evidence, SLASH_BPS), operator)
        meter.run("", client.appeal_slash(one, evidence, b"a" * 32), alice)
        if number:
            meter.world.chain.advance(30 * DAY)
            meter.run("", client.execute_slash(one, evidence))
        else:
            meter.run("", client.veto_slash(guardian.pubkey(), one, evidence), guardian)


def _ends(meter: Meter, alice: Keypair) -> None:
    meter.run("alone", client.unstake(_device(meter, 0)), alice)
    gone = _device(meter, 2)
    meter.run("", client.terminate_device(gone), alice)
    meter.run("", client.close_device(gone))


def _blocks(meter: Meter, operators: list[Keypair]) -> None:
    """Hours with claims from trees of each height, then so many that the first block can be closed."""
    world, guardian = meter.world, meter.world.guardian
    world.chain.warp_to(START + 60 * HOUR)
    wallets = claimants()
    for wallet, _ in wallets:
        world.do(token.create_associated(world.payer.pubkey(), wallet, MINT))
        world.do(client.open_wallet(world.payer.pubkey(), wallet))
    claims = [(levels, wallet, bump) for levels in LEVELS for wallet, bump in wallets]
    for hour in range(50):
        levels, wallet, bump = claims[min(hour, len(claims) - 1)]
        # What a wallet has earned grows with the hours, so that every claim pays.
        lifetime, total = (hour + 1) * IO, (hour + 1) * 4_480 * IO
        proof = b"".join(hashlib.sha256(bytes([hour, level])).digest() for level in range(levels))
        top = leaf(wallet, lifetime)
        for at in range(0, len(proof), 32):
            top = merkle.node(top, proof[at : at + 32])
        said = Attestation(top, total, 7, bytes(32))
        if hour == 0:
            _attest(meter, operators, hour, said)
            meter.run("", client.veto_block(guardian.pubkey(), hour), guardian)
        _attest(meter, operators, hour, said)
        world.chain.advance(HOUR)
        # Emission runs on while the window does, so that only some need to pull it.
        emitted = world.config().emitted
        meter.run("with emission" if emitted < total else "without emission", client.finalise(hour))
        if hour < len(claims):
            row = f"claim, {levels} level{'s' if levels > 1 else ''}"
            meter.run(f"bump {bump}", client.claim(hour, wallet, lifetime, proof), row=row)
    meter.run("", client.close_block(0, operators[0].pubkey()))


def _attest(meter: Meter, operators: list[Keypair], hour: int, said: Attestation) -> None:
    """Enough operators attest the same."""
    for number, operator in enumerate(operators[:QUORUM]):
        case = {0: "the first", QUORUM - 1: "the deciding"}.get(number, "in between")
        meter.run(case, client.attest(operator.pubkey(), hour, said), operator)


def _roles(meter: Meter, operators: list[Keypair]) -> None:
    world, admin, guardian = meter.world, meter.world.admin, meter.world.guardian
    heir = world.person("heir")
    terms = replace(Params(tuple(each.pubkey() for each in operators), QUORUM), notice=DAY)
    propose = client.propose_params(admin.pubkey(), terms)
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

"""What staking's random sequences stand on: people, first states, the clock, how arguments are chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from random import Random

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.model import schedule
from tests.model.schedule import DAY, HOUR, IO
from tests.model.staking.blocks import leaf
from tests.model.staking.program import Staking
from tests.model.staking.state import (
    AGREED,
    COOLING,
    CURRENCIES,
    NONE,
    PENDING,
    SMALL_CLAIM,
    WAITING,
    Class,
    CoStake,
    Device,
    Params,
    Prices,
    Said,
    StakingConfig,
)
from tests.model.state import U64, ZERO, Address, Event
from tests.programs.role_acts import ParamActs
from tests.programs.sequences import tell
from tests.programs.side_by_side import ADMIN, MALLORY
from tests.programs.staking.pair import StakingPair
from tests.programs.world import START, key

PEOPLE = (
    *("admin", "guardian", "operator 0", "operator 1", "operator 2", "mallory"),
    *("alice", "bob", "carol", "dave", "erin", "deputy operator"),
    *("worker 0", "worker 1", "worker 2"),
)
KEYS = {name: bytes(key(name).pubkey()) for name in PEOPLE}
OPERATORS = tuple(KEYS[f"operator {number}"] for number in range(3))
DEPUTY = KEYS["deputy operator"]
"""An operator of some of the lists that are proposed."""
WORKERS = tuple(KEYS[f"worker {number}"] for number in range(3))
SUPPLIERS = KEYS["alice"], KEYS["bob"]
STAKERS = KEYS["carol"], KEYS["dave"], KEYS["erin"]
EARNERS = (*SUPPLIERS, *STAKERS, MALLORY)
CLASSES = (Class(1, b"RTX 4090".ljust(24, b"\0"), 125, 0, 0), Class(2, b"M4".ljust(24, b"\0"), 50, 1, 2))
PRICES = Prices(2 * IO, IO, 3 * IO, 10**6, 1, 10**9)
"""What a class costs at first; some hours of rising prices in IO meet the bound."""
STAGES = ("empty", "devices", *("staked", "shared", "blocks") * 2)
EVIDENCE = b"e" * 32, b"f" * 32
COUNTERS = (
    *("hired_seconds", "leases_done", "leases_failed", "disputes"),
    *("changed_at", "barred_until", "leases", "served_at_strike", "strikes", "frozen_until"),
)
NO_DEVICE = Device(ZERO, MALLORY, MALLORY, 1, 1, 1, b"CH", 0, 0)
"""What choices go by when there is no device."""


class StakingMachine(ParamActs):
    """Staking by random acts."""

    client = client
    pauses = HOUR, DAY

    def __init__(self, seed: int, met: Counter[str]) -> None:
        """Start a history; count in ``met`` how often each action succeeded and each refusal came."""
        self.random = Random(seed)
        self.met = met
        share = self.mostly(10_000, 5_000, 100)
        limit = self.choose(10_000, 100_000) * IO
        params = Params(OPERATORS, 2, claim_limit=limit, wallet_share_bps=share)
        self.pair = StakingPair(PEOPLE, params)
        met["initialize"] += 1
        self.lifetimes: dict[int, dict[Address, int]] = {}
        """What each hour's honest leaves are."""
        self.tables: dict[int, dict[int, tuple[int, int]]] = {}
        """What each hour's honest price steps are, by class, in IO and in USDC."""
        self.paid: Counter[int] = Counter()
        """What claims got in each hour of the clock."""
        self.seen: dict[tuple[int, str], tuple[int, tuple[int, int]]] = {}
        """Each class's price and bounds in each currency when they were last looked at."""
        self.begin(self.choose(*STAGES))

    def begin(self, stage: str) -> None:
        """Come as far as ``stage``."""
        for row in CLASSES if stage != "empty" else ():
            self.do_add_class(ADMIN, replace(row), PRICES)
        self.pair.warp(START)
        if stage == "empty":
            return
        for owner in EARNERS[:-1]:
            self.do_open_wallet(owner)
        for worker, supplier in zip(WORKERS[:2], SUPPLIERS, strict=True):
            self.do_register_device(supplier, worker, supplier, 1, 4, 4, b"CH")
        if stage == "devices":
            return
        for device, supplier in zip(self.model.devices, SUPPLIERS, strict=False):
            self.do_stake(supplier, device, 600 * IO if stage == "shared" else 1_100 * IO)
            if stage == "shared":
                self.do_open_offer(supplier, device, 400 * IO, 2_000)
                self.do_take_offer(self.choose(*STAKERS), device, 400 * IO, 2_000)
        if stage == "blocks":
            for hour in range(self.choose(1, 3)):
                self.pair.warp(self.now + HOUR)
                said = self.honest(hour)
                for operator in OPERATORS[:2]:
                    self.do_attest(operator, hour, said)
                self.pair.warp(self.now + HOUR)
                self.do_finalise(hour)

    # -- what must never happen, whatever is done --------------------------------------------------

    def act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction,
        *signers: Address,
    ) -> str:
        """One action, and what it may cost: see each check."""
        model = self.model
        held = {
            address: each.owed()
            for address, each in model.devices.items()
            if each.slash_pending or self.now < each.frozen_until
        }
        claimed, limit = self.config.claimed, self.config.params.claim_limit
        outcome = super().act(name, call, instruction, *signers)
        if outcome != "execute_slash":
            # Stake never goes out under a slash that is pending, or was decided or voided a short time ago.
            assert all(model.devices[address].owed() >= owed for address, owed in held.items())
        paid, hour = self.config.claimed - claimed, self.now // HOUR
        self.paid[hour] += paid
        # An hour pays no more than its limit.
        assert not paid or self.paid[hour] <= limit
        self.check_prices()
        return outcome

    def check_prices(self) -> None:
        """A price moves by an eighth at most from one look to the next, but for another bound that it meets.

        A step is applied each hour at most, and holds in the next: no two come between two looks.
        """
        for number, row in self.model.classes.items():
            for currency in CURRENCIES:
                price, bounds = row.price_of(currency, self.now), row.bounds_of(currency, self.now)
                before, its = self.seen.get((number, currency), (price, bounds))
                moves = ceil(before / 8) if bounds == its else U64
                assert abs(price - before) <= moves, (number, currency, before, price)
                self.seen[number, currency] = price, bounds

    def require_small(self, owner: Address, outcome: str, signed: bool) -> None:
        """A wallet's own small claim isn't refused by the hour's limit while the reserve has room."""
        holder, config = self.model.wallets.get(owner), self.config
        if outcome != "ClaimLimit" or not signed or holder is None:
            return
        drawn = config.reserve_in_hour if config.claim_hour == self.now // HOUR else 0
        own = holder.claimed_in_hour if holder.claim_hour == self.now // HOUR else 0
        assert own == SMALL_CLAIM or drawn >= config.params.claim_limit // 2

    # -- looking ---------------------------------------------------------------------------------

    @property
    def model(self) -> Staking:
        return self.pair.staking

    @property
    def now(self) -> int:
        return self.pair.staking.now

    @property
    def config(self) -> StakingConfig:
        assert self.pair.staking.config is not None
        return self.pair.staking.config

    @property
    def start_month(self) -> int:
        assert self.model.economy.config is not None
        return self.model.economy.config.start_month

    # -- choosing, by each action's own seed ------------------------------------------------------

    def some_device(self) -> tuple[Address, Device]:
        """One of the devices with its address, sometimes one that isn't there."""
        addresses = list(self.model.devices)
        missing = bytes(client.device_address(Pubkey(MALLORY)))
        address = self.mostly(self.choose(*addresses), missing) if addresses else missing
        return address, self.model.devices.get(address, NO_DEVICE)

    def class_of(self, device: Device) -> int:
        """The device's class, sometimes another."""
        return self.mostly(device.class_id, 3 - device.class_id, 9)

    def minimum(self, device: Device) -> int:
        """What the device needs."""
        row = self.model.classes.get(device.class_id, CLASSES[0])
        return 2 * IO * max(100, row.multiplier_at(self.now)) * device.processors

    def honest(self, hour: int) -> Said:
        """A block that adds to what everybody has earned; the same whoever is asked."""
        if hour not in self.lifetimes:
            before = self.lifetimes.get(hour - 1, {})
            pot = schedule.emitted(self.start_month, hour + 1) - sum(before.values())
            earned = {owner: self.random.randint(0, max(0, pot) // len(EARNERS)) for owner in EARNERS}
            self.lifetimes[hour] = {owner: before.get(owner, 0) + earned[owner] for owner in EARNERS}
        lifetimes = self.lifetimes[hour]
        return Said(schedule.root(self.leaves(hour)), sum(lifetimes.values()), len(lifetimes), b"d" * 32)

    def leaves(self, hour: int) -> list[bytes]:
        """The hashed leaves of an hour."""
        model = self.model
        rows = sorted(self.lifetimes[hour].items())
        return [leaf(model.program, model.economy.mint, owner, amount) for owner, amount in rows]

    # -- time ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Move the clock on, with a taste for the seconds around deadlines."""
        kind = self.choose("second", "hour", "hour", "hour", "deadline", "deadline", "deadline", "days")
        now = self.now
        if kind == "second":
            to = now + 1
        elif kind == "hour":
            to = now - now % HOUR + HOUR * self.choose(1, 1, 2, 24) + self.choose(0, 0, -1, 1)
        elif kind == "days":
            to = now + DAY * self.choose(1, 7, 14, 31)
        else:
            to = self.choose(*self.deadlines()) + self.choose(0, 0, -1, 1)
        tell(f"at {max(now, to)}")
        self.pair.warp(max(now, to))

    def deadlines(self) -> list[int]:
        """Moments to come at which an answer changes; the next hour when there are none."""
        config, model = self.config, self.model
        moments = [config.pause_until, config.pending_at, config.guardian_at]
        for row in model.classes.values():
            moments += [row.pending_at, row.bounds_at, row.step_at]
            moments.append(row.opens_at if row.opens_at < U64 else 0)
        moments += [(hour + 2) * HOUR for hour in model.prices]
        for device in model.devices.values():
            moments.append(device.own_until)
            moments += [
                each.until for each in (device.co, device.leaving) if each.state in {WAITING, COOLING}
            ]
        window = config.params.challenge_window
        moments += [block.agreed_at + window for block in model.blocks.values() if block.status == AGREED]
        moments += [slash.appeal_until for slash in model.slashes.values() if slash.status == PENDING]
        moments += [device.frozen_until for device in model.devices.values()]
        return [at for at in moments if at > self.now] or [self.now + HOUR]

    # -- acting ----------------------------------------------------------------------------------

    def on_chain(self, address: Address, device: Device, supplier: Address, class_id: int) -> client.Device:
        """A device as the client's functions take it, under another supplier or class if so chosen."""
        return client.Device(
            **{name: getattr(device, name) for name in ("terminated", "slash_pending", "processors", "tier")},
            device_class=class_id,
            country=device.country.decode(errors="replace"),
            worker=Pubkey(device.worker if device.worker != ZERO else MALLORY),
            supplier=Pubkey(supplier),
            payout=Pubkey(device.payout),
            **{
                name: getattr(device, name)
                for name in ("ask_io", "ask_usdc", "own", "own_cooling", "own_until")
            },
            **{name: getattr(device, name) for name in ("offer", "offer_reward_bps", "sufficient_since")},
            co=_nobody(),
            leaving=_nobody(),
            registered_at=device.registered_at,
            lease=Pubkey(device.lease),
            last_order=Pubkey(device.last_order),
            last_order_at=device.last_order_at,
            worker_may_end=bool(device.worker_may_end),
            **{name: getattr(device, name) for name in COUNTERS},
        )

    def do_add_class(self, admin: Address, row: Class, prices: Prices) -> None:
        fields = {name: getattr(row, name) for name in ("id", "name", "multiplier", "pool", "kind")}
        self.act(
            "add_class",
            lambda: self.model.add_class(admin, row, prices),
            client.PROGRAM.instruction("add_class", {**fields, "prices": vars(prices)}, admin=Pubkey(admin)),
            admin,
        )

    def do_open_wallet(self, owner: Address) -> None:
        payer = self.pair.world.payer.pubkey()
        self.act(
            "open_wallet",
            lambda: self.model.open_wallet(owner),
            client.open_wallet(payer, Pubkey(owner)),
        )

    def do_register_device(
        self,
        supplier: Address,
        worker: Address,
        payout: Address,
        class_id: int,
        processors: int,
        tier: int,
        country: bytes,
    ) -> None:
        ask_io, ask_usdc = self.choose(0, IO), 0
        may_end = self.mostly(self.choose(0, 1), 2, 255)
        address = bytes(client.device_address(Pubkey(worker)))
        terms = (class_id, processors, tier, country, ask_io, ask_usdc)
        device = Device(worker, supplier, payout, *terms, worker_may_end=may_end)
        self.act(
            "register_device",
            lambda: self.model.register_device(address, device),
            client.PROGRAM.instruction(
                "register_device",
                {
                    "processors": processors,
                    "tier": tier,
                    "country": country,
                    "ask_io": ask_io,
                    "ask_usdc": ask_usdc,
                    "worker_may_end": may_end,
                },
                supplier=Pubkey(supplier),
                worker=Pubkey(worker),
                payout=client.wallet_address(Pubkey(payout)),
                **{"class": client.class_address(class_id)},
            ),
            *dict.fromkeys((supplier, worker)),
        )

    def expected(self, device: Device) -> int:
        """What somebody takes the own stake for who adds to it, or takes out of it."""
        return self.mostly(device.own, max(0, device.own - 1), min(U64, device.own + 1))

    def do_stake(self, supplier: Address, address: Address, amount: int, class_id: int | None = None) -> None:
        device = self.model.devices.get(address, NO_DEVICE)
        number = device.class_id if class_id is None else class_id
        expected = self.expected(device)
        self.act(
            "stake",
            lambda: self.model.stake(supplier, address, number, amount, expected),
            client.stake(replace(self.on_chain(address, device, supplier, number), own=expected), amount),
            supplier,
        )

    def do_open_offer(
        self, supplier: Address, address: Address, amount: int, bps: int, class_id: int | None = None
    ) -> None:
        device = self.model.devices.get(address, NO_DEVICE)
        number = device.class_id if class_id is None else class_id
        self.act(
            "open_offer",
            lambda: self.model.open_offer(supplier, address, number, amount, bps),
            client.open_offer(self.on_chain(address, device, supplier, number), amount, bps),
            supplier,
        )

    def do_take_offer(
        self, staker: Address, address: Address, amount: int, bps: int, class_id: int | None = None
    ) -> None:
        device = self.model.devices.get(address, NO_DEVICE)
        number = device.class_id if class_id is None else class_id
        on_chain = self.on_chain(address, device, device.supplier, number)
        self.act(
            "take_offer",
            lambda: self.model.take_offer(staker, address, number, amount, bps),
            client.take_offer(on_chain, Pubkey(staker), amount, bps),
            staker,
        )

    def do_attest(self, operator: Address, hour: int, said: Said) -> None:
        attestation = client.Attestation(said.root, said.total, said.devices, said.data_hash)
        self.act(
            "attest",
            lambda: self.model.attest(operator, hour, said),
            client.attest(Pubkey(operator), hour, attestation),
            operator,
        )

    def do_finalise(self, hour: int) -> None:
        self.act("finalise", lambda: self.model.finalise(hour), client.finalise(hour))


def _nobody() -> client.CoStake:
    nobody = CoStake()
    return client.CoStake(Pubkey(nobody.staker), 0, 0, 0, NONE)

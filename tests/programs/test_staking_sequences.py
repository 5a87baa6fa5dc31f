"""Random sequences of every instruction of staking, on the real program and on the reference model.

HYPOTHESIS_PROFILE=long runs ten times as many.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.chain.token import transfer
from keeper.clients import staking as client
from keeper.clients import tokenomics
from tests.model import schedule
from tests.model.schedule import DAY, HOUR
from tests.model.staking_state import (
    AGREED,
    FINAL,
    PENDING,
    STAKE_VAULT,
)
from tests.model.state import REWARD_VAULT, U64, ZERO, Address, wallet
from tests.programs.staking_machine import (
    ADMIN,
    CLASSES,
    EARNERS,
    EVIDENCE,
    GUARDIAN,
    MALLORY,
    OPERATORS,
    STAKERS,
    SUPPLIERS,
    WORKERS,
    StakingMachine,
)
from tests.programs.staking_pair import chain_params

U32 = 2**32 - 1


class Sequences(StakingMachine):
    """A method for each instruction, and for gifts on the token program."""

    # -- roles -----------------------------------------------------------------------------------

    def initialize(self) -> None:
        params = self.config.params
        self.act(
            "initialize",
            lambda: self.model.initialize(ADMIN, GUARDIAN, params),
            client.initialize(Pubkey(ADMIN), Pubkey(GUARDIAN), chain_params(params)),
            ADMIN,
        )

    def propose_params(self) -> None:
        admin, params = self.mostly(self.config.admin, MALLORY), self.config.params
        good = replace(
            params,
            operators=self.choose(OPERATORS, OPERATORS[::-1], OPERATORS[:2]),
            challenge_window=self.choose(HOUR, 2 * HOUR),
            notice=self.choose(DAY, 7 * DAY),
        )
        bad = [
            *(replace(good, **{name: value}) for name in BOUNDS for value in (0, BOUNDS[name] + 1)),
            *(replace(good, threshold=each) for each in (0, 1, 4)),
            *(replace(good, operators=each) for each in ((), (*OPERATORS, ADMIN), (OPERATORS[0],) * 3)),
            replace(good, operators=(ZERO, *OPERATORS[1:])),
            replace(good, wallet_share_bps=99),
        ]
        params = self.mostly(good, self.choose(*bad), self.choose(*bad))
        self.act(
            "propose_params",
            lambda: self.model.propose_params(admin, params),
            client.propose_params(Pubkey(admin), chain_params(params)),
            admin,
        )

    def cancel_params(self) -> None:
        guardian = self.mostly(self.config.guardian, MALLORY)
        self.act(
            "cancel_params",
            lambda: self.model.cancel_params(guardian),
            client.cancel_params(Pubkey(guardian)),
            guardian,
        )

    def apply_params(self) -> None:
        self.act("apply_params", self.model.apply_params, client.apply_params())

    def propose_admin(self) -> None:
        admin, to = self.mostly(self.config.admin, MALLORY), self.choose(ADMIN, GUARDIAN, ZERO)
        self.act(
            "propose_admin",
            lambda: self.model.propose_admin(admin, to),
            client.propose_admin(Pubkey(admin), Pubkey(to)),
            admin,
        )

    def accept_admin(self) -> None:
        pending = self.config.pending_admin
        signer = self.mostly(pending if pending != ZERO else MALLORY, MALLORY)
        self.act(
            "accept_admin",
            lambda: self.model.accept_admin(signer),
            client.accept_admin(Pubkey(signer)),
            signer,
        )

    def set_guardian(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        to = self.mostly(self.choose(GUARDIAN, ADMIN), ZERO)
        self.act(
            "set_guardian",
            lambda: self.model.set_guardian(admin, to),
            client.set_guardian(Pubkey(admin), Pubkey(to)),
            admin,
        )

    def set_pause(self) -> None:
        guardian = self.mostly(self.config.guardian, MALLORY)
        mask = self.mostly(self.choose(0, 0, 1, 2, 3), 4, U32)
        until = self.mostly(self.now + self.choose(HOUR, DAY), 0, self.now + 7 * DAY + 1, U64)
        self.act(
            "set_pause",
            lambda: self.model.set_pause(guardian, mask, until),
            client.set_pause(Pubkey(guardian), mask, until),
            guardian,
        )

    # -- classes and devices ---------------------------------------------------------------------

    def add_class(self) -> None:
        row = replace(self.choose(*CLASSES))
        bad = (replace(row, **{name: value}) for name, value in BAD_CLASS.items())
        self.do_add_class(self.mostly(self.config.admin, MALLORY), self.mostly(row, *bad))

    def change_class(self) -> None:
        admin, number = self.mostly(self.config.admin, MALLORY), self.mostly(self.choose(1, 2), 9)
        multiplier = self.mostly(self.choose(0, 100, 125, 150, 500), 50_001)
        self.act(
            "change_class",
            lambda: self.model.change_class(admin, number, multiplier),
            client.change_class(Pubkey(admin), number, multiplier),
            admin,
        )

    def open_wallet(self) -> None:
        self.do_open_wallet(self.mostly(self.choose(*EARNERS), ZERO))

    def register_device(self) -> None:
        supplier, worker = self.choose(*SUPPLIERS), self.choose(*WORKERS)
        self.do_register_device(
            self.mostly(supplier, worker),
            worker,
            self.mostly(self.choose(*EARNERS[:-1]), MALLORY),
            self.mostly(self.choose(1, 2), 9),
            self.mostly(self.choose(1, 4, 8), 0, 9, 255),
            self.mostly(self.choose(1, 4), 0, 5),
            self.mostly(b"CH", b"ch", b"C\0"),
        )

    def change_device(self) -> None:
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        tier, country = self.mostly(2, 0, 5), self.mostly(b"DE", b"d1")
        terms = {"tier": tier, "ask_io": self.choose(0, U64), "ask_usdc": 1}
        self.act(
            "change_device",
            lambda: self.model.change_device(supplier, address, number, country=country, **terms),
            client.change_device(
                self.on_chain(address, device, supplier, number), country=country.decode(), **terms
            ),
            supplier,
        )

    def set_payout(self) -> None:
        address, device = self.some_device()
        supplier, payout = self.mostly(device.supplier, MALLORY), self.choose(*EARNERS)
        self.act(
            "set_payout",
            lambda: self.model.set_payout(supplier, address, payout),
            client.set_payout(self.on_chain(address, device, supplier, 1), Pubkey(payout)),
            supplier,
        )

    def terminate_device(self) -> None:
        self.owner_action("terminate_device")

    def unstake(self) -> None:
        self.owner_action("unstake")

    def close_offer(self) -> None:
        self.owner_action("close_offer")

    def owner_action(self, name: str) -> None:
        """What takes a supplier, a device and its class."""
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        self.act(
            name,
            lambda: getattr(self.model, name)(supplier, address, number),
            getattr(client, name)(self.on_chain(address, device, supplier, number)),
            supplier,
        )

    def close_device(self) -> None:
        address, device = self.some_device()
        supplier = self.mostly(device.supplier, MALLORY)
        self.act(
            "close_device",
            lambda: self.model.close_device(supplier, address),
            client.close_device(self.on_chain(address, device, supplier, 1)),
        )

    def settle_device(self) -> None:
        address, device = self.some_device()
        number = self.class_of(device)
        self.act(
            "settle_device",
            lambda: self.model.settle_device(address, number),
            client.settle_device(self.on_chain(address, device, device.supplier, number)),
        )

    def whole_end(self) -> None:
        """A device's end, without waiting for luck: everything out, then closed."""
        address, device = self.some_device()
        if self.random.random() > 0.3:
            return
        for name in ("unstake", "terminate_device"):
            self.act(
                name,
                lambda name=name: getattr(self.model, name)(device.supplier, address, device.class_id),
                getattr(client, name)(self.on_chain(address, device, device.supplier, device.class_id)),
                device.supplier,
            )
        self.pair.warp(self.now + self.config.params.cooldown)
        self.withdraw()
        self.close_device()

    # -- stakes ----------------------------------------------------------------------------------

    def stake(self) -> None:
        address, device = self.some_device()
        supplier = self.mostly(device.supplier, MALLORY)
        lacks = max(1, self.minimum(device) - device.counted(self.now))
        has = self.model.economy.tokens[wallet(supplier)]
        amount = self.mostly(self.choose(lacks, lacks, lacks // 2 or 1, 1, lacks + 7), 0, has + 1, U64)
        self.do_stake(supplier, address, amount, self.class_of(device))

    def withdraw_overflow(self) -> None:
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        overflow = max(0, min(device.counted(self.now) - self.minimum(device), device.own))
        amount = self.mostly(self.choose(overflow, 1, overflow // 2), 0, overflow + 1, U64)
        self.act(
            "withdraw_overflow",
            lambda: self.model.withdraw_overflow(supplier, address, number, amount),
            client.withdraw_overflow(self.on_chain(address, device, supplier, number), amount),
            supplier,
        )

    def withdraw(self) -> None:
        address, device = self.some_device()
        owner, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        self.act(
            "withdraw",
            lambda: self.model.withdraw(owner, address, number),
            client.withdraw(self.on_chain(address, device, owner, number)),
        )

    def open_offer(self) -> None:
        address, device = self.some_device()
        minimum = self.minimum(device)
        good = self.choose(minimum // 2, minimum // 3, max(1, minimum - device.own))
        amount = self.mostly(good, minimum // 2 + 1, 0, U64, 1)
        bps = self.mostly(self.choose(500, 2_000, 10_000), 499, 10_001)
        supplier = self.mostly(device.supplier, MALLORY)
        self.do_open_offer(supplier, address, amount, bps, self.class_of(device))

    def take_offer(self) -> None:
        address, device = self.offering()
        staker = self.mostly(self.choose(STAKERS[0], *STAKERS), device.supplier, MALLORY)
        amount = self.mostly(device.offer, device.offer + 1)
        bps = self.mostly(device.offer_reward_bps, device.offer_reward_bps - 1 if device.offer else 7)
        self.do_take_offer(staker, address, amount, bps, self.class_of(device))

    def offering(self) -> tuple[Address, object]:
        """A device with an open offer, if there is one."""
        open_ = [pair for pair in self.model.devices.items() if pair[1].offer]
        return self.choose(*open_) if open_ and self.random.random() < 0.9 else self.some_device()

    def co_staked(self) -> tuple[Address, object, Address]:
        """A device with a co-staker, and who that is."""
        some = [
            (address, device, each.staker)
            for address, device in self.model.devices.items()
            for each in (device.co, device.leaving)
            if each.staker != ZERO
        ]
        if some and self.random.random() < 0.9:
            return self.choose(*some)
        return *self.some_device(), self.choose(*STAKERS)

    def leave_co_stake(self) -> None:
        address, device, holder = self.co_staked()
        staker = self.mostly(holder, MALLORY)
        self.act(
            "leave_co_stake",
            lambda: self.model.leave_co_stake(staker, address),
            client.leave_co_stake(self.on_chain(address, device, device.supplier, 1), Pubkey(staker)),
            staker,
        )

    def withdraw_co_stake(self) -> None:
        address, device, holder = self.co_staked()
        staker, number = self.mostly(holder, self.choose(*STAKERS), MALLORY), self.class_of(device)
        self.act(
            "withdraw_co_stake",
            lambda: self.model.withdraw_co_stake(staker, address, number),
            client.withdraw_co_stake(self.on_chain(address, device, device.supplier, number), Pubkey(staker)),
        )

    # -- blocks ----------------------------------------------------------------------------------

    def attest(self) -> None:
        operator = self.mostly(self.choose(*self.config.params.operators), MALLORY)
        hour = self.mostly(
            self.config.next_hour + self.choose(0, 0, 0, 1),
            max(0, self.config.next_hour - 1),
            U32,
            self.config.next_hour + 48,
        )
        ended = schedule.hours_ended(self.start_month, self.now)
        good = self.honest(min(hour, ended))
        # A quorum may lie about the sum of its leaves, and gets no more than it said.
        short = replace(good, total=self.config.final_total)
        above = replace(good, total=schedule.emitted(self.start_month, min(hour, ended) + 1) + 1)
        other = replace(good, data_hash=b"x" * 32)
        self.do_attest(operator, hour, self.mostly(good, short, short, above, other))

    def attest_all(self) -> None:
        """Two operators agree on the next hour."""
        hour = self.config.next_hour + self.choose(0, 0, 0, 1)
        said = self.honest(hour)
        said = self.choose(said, said, said, replace(said, total=self.config.final_total))
        for operator in self.config.params.operators[:2]:
            self.do_attest(operator, hour, said)

    def some_block(self, status: int) -> int:
        """An hour whose block is in a state, if there is one."""
        some = [hour for hour, block in self.model.blocks.items() if block.status == status]
        every = list(self.model.blocks)
        if some and self.random.random() < 0.9:
            return self.choose(*some)
        return self.mostly(self.choose(*every), 999) if every else 999

    def veto_block(self) -> None:
        guardian, hour = self.mostly(self.config.guardian, MALLORY), self.some_block(AGREED)
        self.act(
            "veto_block",
            lambda: self.model.veto_block(guardian, hour),
            client.veto_block(Pubkey(guardian), hour),
            guardian,
        )

    def finalise(self) -> None:
        self.do_finalise(self.some_block(AGREED))

    def close_block(self) -> None:
        hour = self.choose(self.some_block(FINAL), min(self.model.blocks, default=999))
        block = self.model.blocks.get(hour)
        payer = self.mostly(block.payer if block else MALLORY, MALLORY)
        self.act(
            "close_block",
            lambda: self.model.close_block(payer, hour),
            client.close_block(hour, Pubkey(payer)),
        )

    def claim(self) -> None:
        hour = self.choose(self.some_block(FINAL), max(0, self.config.next_hour - 1))
        owner = self.choose(*EARNERS)
        lifetimes = self.lifetimes.get(hour)
        if not lifetimes:
            return
        leaves, index = self.leaves(hour), sorted(lifetimes).index(owner)
        good = b"".join(schedule.proof(leaves, index))
        lifetime = self.mostly(lifetimes[owner], lifetimes[owner] + 1)
        proof = self.mostly(good, good[32:], good + bytes(32), good[:-1])
        self.act(
            "claim",
            lambda: self.model.claim(hour, owner, lifetime, proof),
            client.claim(hour, Pubkey(owner), lifetime, proof),
        )

    def do_claim(self, hour: int, owner: Address) -> None:
        """A claim with everything right."""
        leaves, lifetimes = self.leaves(hour), self.lifetimes[hour]
        proof = b"".join(schedule.proof(leaves, sorted(lifetimes).index(owner)))
        self.act(
            "claim",
            lambda: self.model.claim(hour, owner, lifetimes[owner], proof),
            client.claim(hour, Pubkey(owner), lifetimes[owner], proof),
        )

    def many_hours(self) -> None:
        """So many blocks become final that the first ones pay no more."""
        if self.config.pause_mask or self.config.next_hour > 60 or self.random.random() > 0.1:
            return
        for _ in range(50):
            hour = self.config.next_hour
            self.pair.warp(max(self.now, schedule.begin(self.start_month) + (hour + 1) * HOUR))
            if (block := self.model.blocks.get(hour)) is None:
                for operator in self.config.params.operators[:2]:
                    self.do_attest(operator, hour, self.honest(hour))
            elif block.status != AGREED or block.revision != self.config.revision:
                return
            self.pair.warp(self.now + self.config.params.challenge_window)
            self.do_finalise(hour)

    def new_terms(self) -> None:
        """Parameters change between the operators' agreement and its finality."""
        self.attest_all()
        self.propose_params()
        self.pair.warp(max(self.now, self.config.pending_at))
        self.apply_params()
        self.finalise()

    def lying_quorum(self) -> None:
        """Two operators agree on leaves that add up to more than the total they state; all claim."""
        hour = self.config.next_hour
        said = replace(self.honest(hour), total=self.config.final_total + 1_000)
        for operator in self.config.params.operators[:2]:
            self.do_attest(operator, hour, said)
        self.pair.warp(self.now + self.config.params.challenge_window)
        self.do_finalise(hour)
        for owner in EARNERS:
            self.do_claim(hour, owner)

    # -- slashes ---------------------------------------------------------------------------------

    def vote_slash(self) -> None:
        address, device = self.some_device()
        operator = self.mostly(self.choose(*self.config.params.operators), MALLORY)
        evidence, bps = self.choose(*EVIDENCE), self.mostly(1_333, 0, 2_001, 2_000)
        self.act(
            "vote_slash",
            lambda: self.model.vote_slash(operator, address, evidence, bps),
            client.vote_slash(
                Pubkey(operator), self.on_chain(address, device, device.supplier, 1), evidence, bps
            ),
            operator,
        )

    def some_slash(self) -> tuple[Address, object, bytes, int]:
        """A slash, mostly one whose appeal period runs."""
        some = [key for key, slash in self.model.slashes.items() if slash.status == PENDING]
        every = [key for key in self.model.slashes if key[0] in self.model.devices]
        some = [key for key in some if key in every]
        if not every:
            address, device = self.some_device()
            return address, device, EVIDENCE[0], 1_333
        address, evidence, bps = (
            self.choose(*(some or every)) if self.random.random() < 0.9 else self.choose(*every)
        )
        return address, self.model.devices[address], evidence, self.mostly(bps, 1_334)

    def appeal_slash(self) -> None:
        address, device, evidence, bps = self.some_slash()
        supplier, statement = self.mostly(device.supplier, MALLORY), self.mostly(b"s" * 32, bytes(32))
        self.act(
            "appeal_slash",
            lambda: self.model.appeal_slash(supplier, address, evidence, bps, statement),
            client.appeal_slash(self.on_chain(address, device, supplier, 1), evidence, bps, statement),
            supplier,
        )

    def veto_slash(self) -> None:
        address, device, evidence, bps = self.some_slash()
        guardian = self.mostly(self.config.guardian, MALLORY)
        self.act(
            "veto_slash",
            lambda: self.model.veto_slash(guardian, address, evidence, bps),
            client.veto_slash(
                Pubkey(guardian), self.on_chain(address, device, device.supplier, 1), evidence, bps
            ),
            guardian,
        )

    def execute_slash(self) -> None:
        address, device, evidence, bps = self.some_slash()
        number = self.class_of(device)
        on_chain = self.on_chain(address, device, device.supplier, number)
        self.act(
            "execute_slash",
            lambda: self.model.execute_slash(address, number, evidence, bps),
            client.execute_slash(on_chain, evidence, bps),
        )

    # -- the token program, used directly --------------------------------------------------------

    def donate(self) -> None:
        """A gift to a vault, which is nobody's and changes no record."""
        source, to = wallet(self.choose(*EARNERS)), self.choose(STAKE_VAULT, REWARD_VAULT)
        amount = min(7, self.model.economy.tokens[source])
        owner = source.owner
        assert owner is not None
        self.act(
            "donate",
            lambda: self.model.economy.transfer(owner, source, to, amount),
            transfer(self.pair.address(source), self.pair.address(to), Pubkey(owner), amount),
            owner,
        )

    def emit(self) -> None:
        """Somebody mints what the hours have emitted, before a block needs it."""

        def call() -> None:
            self.model.economy.emit()

        self.act("emit", call, tokenomics.emit())


BOUNDS = {
    "cooldown": 30 * DAY,
    "co_stake_wait": 30 * DAY,
    "challenge_window": 7 * DAY,
    "appeal": 90 * DAY,
    "notice": 90 * DAY,
    "max_slash_bps": 5_000,
}
BAD_CLASS = {"name": bytes(24), "multiplier": 50_001, "pool": 2, "kind": 3}

UNREACHABLE = {
    "UnknownVersion": "no instruction writes another version",
    "InvalidClock": "the chain's clock is neither negative nor past the calendar's end here",
    "NotUpgradeAuthority": "sequences begin initialised; the security tests try it",
    "NotLaunched": "sequences begin launched; the security tests try it",
    "DeviceLeased": "nothing leases devices yet",
    "NotAssociatedAccount": "clients name the associated account; the security tests try others",
}
"""Errors that sequences can't meet, and why."""
OTHERS = {"AccountMissing", "AccountInUse", "InsufficientFunds", "NothingDue"}

OFTEN = (
    *("wait",) * 8,
    *("attest_all", "finalise", "claim") * 2,
    *("register_device", "stake", "open_offer", "take_offer", "leave_co_stake") * 2,
    *("stake", "open_offer", "take_offer"),
    *("vote_slash",) * 4,
    *("withdraw", "withdraw_co_stake", "close_block", "execute_slash", "veto_slash", "appeal_slash"),
)
"""What leads far, or is refused in many ways."""
ACTIONS = (
    *client.PROGRAM.instructions,
    *OFTEN,
    "donate",
    "emit",
    "many_hours",
    "lying_quorum",
    "new_terms",
    "whole_end",
)


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    met: Counter[str] = Counter()
    times = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1

    @settings(
        max_examples=150 * times,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(start=st.integers(0, 2**32), steps=st.binary(min_size=40, max_size=80))
    def sequence(start: int, steps: bytes) -> None:
        sequences = Sequences(start, met)
        # A byte is an action, and with the start the seed of its arguments: see test_sequences.py.
        for position, step in enumerate(steps):
            if step:
                sequences.random.seed(f"{start} {step} {steps[:position].count(step)}")
                getattr(sequences, ACTIONS[step % len(ACTIONS)])()
        sequences.pair.compare_accounts()

    sequence()
    expected = client.PROGRAM.instructions.keys() | client.ERROR.keys() | OTHERS
    missing = expected - UNREACHABLE.keys() - met.keys()
    assert not missing, sorted(missing)

"""What staking's random sequences do to reward blocks: operators agree, lie, and everybody claims."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.model import schedule
from tests.model.schedule import HOUR
from tests.model.staking.state import AGREED, FINAL
from tests.model.state import U32, Address
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.machine import EARNERS, StakingMachine


class BlockActs(StakingMachine):
    """A method for each instruction, and for stories of several."""

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
        self.send_claim(hour, owner, lifetime, proof, signed=self.choose(False, True))

    def do_claim(self, hour: int, owner: Address, *, signed: bool = False) -> None:
        """A claim with everything right."""
        leaves, lifetimes = self.leaves(hour), self.lifetimes[hour]
        proof = b"".join(schedule.proof(leaves, sorted(lifetimes).index(owner)))
        self.send_claim(hour, owner, lifetimes[owner], proof, signed=signed)

    def send_claim(self, hour: int, owner: Address, lifetime: int, proof: bytes, *, signed: bool) -> None:
        """A claim that the wallet signs, or that somebody else sends."""
        outcome = self.act(
            "claim",
            lambda: self.model.claim(hour, owner, lifetime, proof, signed=signed),
            client.claim(hour, Pubkey(owner), lifetime, proof, signed=signed),
            *((owner,) if signed else ()),
        )
        self.require_small(owner, outcome, signed)

    def griefing_claimer(self) -> None:
        """Somebody pays out all that everybody has earned; each still gets a small claim that it signs."""
        hour = self.config.next_hour - 1
        if hour not in self.lifetimes:
            return
        for owner in EARNERS:
            self.do_claim(hour, owner)
        for owner in EARNERS:
            self.do_claim(hour, owner, signed=True)

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
            elif block.status != AGREED:
                return
            self.pair.warp(self.now + self.config.params.challenge_window)
            self.do_finalise(hour)
        for owner in EARNERS:
            self.do_claim(self.config.next_hour - 1, owner)

    def late_veto(self) -> None:
        """A block is vetoed after its challenge window, as nobody made it final."""
        self.attest_all()
        self.pair.warp(self.now + self.config.params.challenge_window)
        self.veto_block()

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

"""What staking's random sequences do to slashes."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.model.staking.state import PENDING
from tests.model.state import Address
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.machine import EVIDENCE, StakingMachine


class SlashActs(StakingMachine):
    """A method for each instruction."""

    def vote_slash(self) -> None:
        address, _ = self.some_device()
        operator = self.mostly(self.choose(*self.config.params.operators), MALLORY)
        bps = self.mostly(self.choose(1_333, 1_333, 2_000), 0, 2_001)
        self.do_vote_slash(operator, address, self.choose(*EVIDENCE), bps)

    def do_vote_slash(self, operator: Address, address: Address, evidence: bytes, bps: int) -> None:
        self.act(
            "vote_slash",
            lambda: self.model.vote_slash(operator, address, evidence, bps),
            client.PROGRAM.instruction(
                "vote_slash",
                {"evidence": evidence, "bps": bps},
                operator=Pubkey(operator),
                device=Pubkey(address),
            ),
            operator,
        )

    def agree_on_slash(self) -> tuple[Address, bytes]:
        """Two operators vote for the same; which device, and for what evidence."""
        address, _ = self.some_device()
        evidence = self.choose(*EVIDENCE)
        for operator in self.config.params.operators[:2]:
            self.do_vote_slash(operator, address, evidence, 1_333)
        return address, evidence

    def some_slash(self) -> tuple[Address, object, bytes]:
        """A slash, mostly one that is pending, or that was voided and may be vetoed."""
        slashes = self.model.slashes.items()
        some = [key for key, slash in slashes if slash.status == PENDING or slash.frozen_until > self.now]
        every = [key for key in self.model.slashes if key[0] in self.model.devices]
        some = [key for key in some if key in every]
        if not every:
            address, device = self.some_device()
            return address, device, EVIDENCE[0]
        address, evidence = (
            self.choose(*(some or every)) if self.random.random() < 0.9 else self.choose(*every)
        )
        return address, self.model.devices[address], self.mostly(evidence, b"g" * 32)

    def appeal_slash(self) -> None:
        address, device, evidence = self.some_slash()
        supplier, statement = self.mostly(device.supplier, MALLORY), self.mostly(b"s" * 32, bytes(32))
        self.act(
            "appeal_slash",
            lambda: self.model.appeal_slash(supplier, address, evidence, statement),
            client.appeal_slash(self.on_chain(address, device, supplier, 1), evidence, statement),
            supplier,
        )

    def veto_slash(self) -> None:
        address, _, evidence = self.some_slash()
        self.do_veto_slash(address, evidence, self.mostly(self.config.guardian, MALLORY))

    def do_veto_slash(self, address: Address, evidence: bytes, guardian: Address | None = None) -> None:
        guardian = guardian or self.config.guardian
        self.act(
            "veto_slash",
            lambda: self.model.veto_slash(guardian, address, evidence),
            client.PROGRAM.instruction(
                "veto_slash",
                guardian=Pubkey(guardian),
                device=Pubkey(address),
                slash=client.slash_address(Pubkey(address), evidence),
            ),
            guardian,
        )

    def execute_slash(self) -> None:
        address, device, evidence = self.some_slash()
        self.do_execute_slash(address, device, evidence)

    def do_execute_slash(self, address: Address, device: object, evidence: bytes) -> None:
        number = self.class_of(device)
        on_chain = self.on_chain(address, device, device.supplier, number)
        self.act(
            "execute_slash",
            lambda: self.model.execute_slash(address, number, evidence),
            client.execute_slash(on_chain, evidence),
        )

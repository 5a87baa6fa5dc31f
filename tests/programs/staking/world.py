"""A world with staking on it: operators, two classes, and shorthand for devices and reward blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.clients import staking, tokenomics
from keeper.clients.staking import Attestation, Device
from keeper.economy import merkle
from keeper.economy.buyback import USDC
from keeper.economy.classes import ClassPrices
from keeper.economy.supply import IO
from tests.programs.world import HOUR, START, World, key

GPU_CLASS, APPLE_CLASS = 1, 2
"""An Enterprise class with a multiplier of 1.25, a Community one with 1."""
PRICES = ClassPrices(
    *(2 * IO, 1, 1_000 * IO),
    *(1 * USDC, 1, 1_000 * USDC),
)
"""What both cost at first, with room to both sides."""


class StakingWorld(World):
    """Tokenomics launched, staking initialised with operators (three) of whom ``threshold`` must agree."""

    operators: list[Keypair]
    number = 3
    threshold = 2

    @classmethod
    def ready(cls, *, verify_signatures: bool = False, now: int = START, **params: int) -> StakingWorld:
        """A world whose clock stands at the first hour of emission, or at another time after the launch.

        Its classes were added 20 days before that first hour, and are open.
        """
        world = cls.launched(verify_signatures=verify_signatures)
        assert isinstance(world, StakingWorld)
        world.operators = [world.person(f"operator {number}") for number in range(cls.number)]
        keys = tuple(each.pubkey() for each in world.operators)
        admin = world.admin.pubkey()
        terms = staking.Params(keys, cls.threshold, **params)
        world.do(staking.initialize(admin, world.guardian.pubkey(), terms), signers=[world.admin])
        world.do(staking.add_class(admin, GPU_CLASS, "RTX 4090", 125, 0, 0, PRICES), signers=[world.admin])
        world.do(staking.add_class(admin, APPLE_CLASS, "M4", 100, 1, 2, PRICES), signers=[world.admin])
        world.chain.warp_to(now)
        return world

    # -- acting --------------------------------------------------------------------------------

    def earner(self, name: str, amount: int = 0) -> Keypair:
        """Somebody with a wallet account and ``amount`` base units of IO."""
        person = self.person(name)
        self.do(staking.open_wallet(self.payer.pubkey(), person.pubkey()))
        if amount:
            self.give(person.pubkey(), amount)
        return person

    def device(self, name: str, supplier: Keypair, **changed: int) -> Device:
        """Register a device: a class-1 machine with 4 processors unless told otherwise."""
        terms = {"device_class": GPU_CLASS, "processors": 4, "tier": 4, **changed}
        number = terms.pop("device_class")
        worker = key(name)
        registration = staking.register_device(
            supplier.pubkey(), worker.pubkey(), supplier.pubkey(), number, country="CH", **terms
        )
        self.do(registration, signers=[supplier, worker])
        return self.read_device(name)

    def attest(
        self, hour: int, said: Attestation, operators: Sequence[Keypair] | None = None
    ) -> list[TransactionRecord]:
        """Let operators (two, unless told otherwise) say what an hour's block is."""
        chosen = self.operators[:2] if operators is None else operators
        return [self.send(staking.attest(o.pubkey(), hour, said), signers=[o]) for o in chosen]

    def block(self, hour: int, lifetime: Mapping[Pubkey, int]) -> merkle.Tree:
        """Attest and finalise an hour whose root pays each wallet its lifetime amount.

        Moves the clock past the hour and the challenge window. Returns the tree; its leaves are in
        the order of the wallets' raw bytes.
        """
        self.chain.warp_to(max(self.chain.now(), START + (hour + 1) * HOUR))
        tree = reward_tree(lifetime)
        said = Attestation(tree.root, sum(lifetime.values()), len(lifetime), bytes([hour % 256]) * 32)
        for record in self.attest(hour, said):
            assert record.error is None, self.error(record)
        self.chain.advance(self.staking_config().params.challenge_window)
        self.do(staking.finalise(hour))
        return tree

    # -- looking -------------------------------------------------------------------------------

    def error(self, record: TransactionRecord) -> str | None:
        """The name of the refusing program's error, the framework's, or the chain's own words."""
        if record.error is None or record.code is None or record.failed_instruction is None:
            return record.error
        programs = {p.address: p for p in (tokenomics.PROGRAM, staking.PROGRAM)}
        program = programs.get(record.programs[record.failed_instruction], tokenomics.PROGRAM)
        return program.error(record.code).name

    def read_device(self, name: str) -> Device:
        """A device by its worker's name."""
        return staking.parse_device(self.account(staking.device_address(key(name).pubkey())).data)

    def staking_config(self) -> staking.Config:
        """Staking's config."""
        return staking.parse_config(self.account(staking.CONFIG).data)

    def stake_vault(self) -> int:
        """What the stake vault holds, base units."""
        return self.tokens(staking.STAKE_VAULT)


def reward_leaf(wallet: Pubkey, lifetime: int) -> bytes:
    """A leaf as staking hashes it: bound to program, mint and wallet."""
    parts = (staking.PROGRAM.address, tokenomics.MINT, wallet)
    return merkle.leaf(*map(bytes, parts), lifetime.to_bytes(8, "little"))


def reward_tree(lifetime: Mapping[Pubkey, int]) -> merkle.Tree:
    """The tree over wallets in the order of their raw bytes."""
    rows = sorted(lifetime.items(), key=lambda row: bytes(row[0]))
    return merkle.Tree([reward_leaf(wallet, amount) for wallet, amount in rows])


__all__ = ["APPLE_CLASS", "GPU_CLASS", "IO", "PRICES", "StakingWorld", "reward_leaf", "reward_tree"]

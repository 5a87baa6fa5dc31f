"""Random sequences of every instruction of staking, on the real program and on the reference model."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.chain.token import transfer
from keeper.clients import orders, tokenomics
from keeper.clients import staking as client
from tests.model import schedule
from tests.model.schedule import DAY, HOUR, IO
from tests.model.staking.state import STAKE_VAULT
from tests.model.state import REWARD_VAULT, ZERO, wallet
from tests.programs.sequences import explore
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY, plain
from tests.programs.staking.blocks import BlockActs
from tests.programs.staking.devices import DeviceActs
from tests.programs.staking.machine import DEPUTY, EARNERS, EVIDENCE, OPERATORS, SUPPLIERS, WORKERS
from tests.programs.staking.pair import chain_params
from tests.programs.staking.prices import PriceActs
from tests.programs.staking.slashes import SlashActs


class Sequences(DeviceActs, PriceActs, BlockActs, SlashActs):
    """A method for each instruction that is left, and for gifts on the token program."""

    # -- roles -----------------------------------------------------------------------------------

    def initialize(self) -> None:
        params = self.config.params
        self.act(
            "initialize",
            lambda: self.model.initialize(ADMIN, bytes(orders.LEASE_AUTHORITY), GUARDIAN, params),
            client.initialize(Pubkey(ADMIN), Pubkey(GUARDIAN), chain_params(params)),
            ADMIN,
        )

    def propose_params(self) -> None:
        admin, params = self.mostly(self.config.admin, MALLORY), self.config.params
        operators = self.choose(OPERATORS, OPERATORS, (OPERATORS[0], DEPUTY, OPERATORS[2]), OPERATORS[:2])
        good = replace(
            params,
            operators=self.choose(operators, operators[::-1]),
            threshold=self.choose(2, len(operators)),
            challenge_window=self.choose(HOUR, 2 * HOUR),
            notice=self.choose(DAY, 7 * DAY),
            claim_limit=self.choose(10_000, 20_000) * IO,
        )
        bad = [
            *(replace(good, **{name: value}) for name in BOUNDS for value in (0, BOUNDS[name] + 1)),
            *(replace(good, threshold=each) for each in (0, 1, 4)),
            *(replace(good, operators=each) for each in ((), (*OPERATORS, ADMIN), (OPERATORS[0],) * 3)),
            replace(good, operators=(ZERO, *OPERATORS[1:])),
            replace(good, wallet_share_bps=99),
            replace(good, notice=DAY - 1),
            replace(good, claim_limit=10_000 * IO - 1),
        ]
        params = self.mostly(good, self.choose(*bad), self.choose(*bad))
        self.act(
            "propose_params",
            lambda: self.model.propose_params(admin, params),
            client.propose_params(Pubkey(admin), chain_params(params)),
            admin,
        )

    def new_terms(self) -> None:
        """Parameters change between the operators' agreement, on a block and a slash, and what follows."""
        self.attest_all()
        address, evidence = self.agree_on_slash()
        self.propose_params()
        self.pair.warp(max(self.now, self.config.pending_at))
        self.apply_params()
        self.finalise()
        if address in self.model.devices:
            device = self.model.devices[address]
            self.do_execute_slash(address, device, evidence)
            self.withdraw_overflow()
            if device.frozen_until > self.now:
                self.pair.warp(device.frozen_until - self.choose(0, 0, 1))
                self.choose(self.vote_slash, self.withdraw_overflow, self.withdraw)()

    def two_slashes(self) -> None:
        """One is voided, another becomes pending, and the guardian vetoes one of them: the other holds."""
        address, evidence = self.agree_on_slash()
        self.propose_params()
        self.pair.warp(max(self.now, self.config.pending_at))
        self.apply_params()
        if address not in self.model.devices:
            return
        self.do_execute_slash(address, self.model.devices[address], evidence)
        other = EVIDENCE[0] if evidence == EVIDENCE[1] else EVIDENCE[1]
        for operator in self.config.params.operators:
            self.do_vote_slash(operator, address, other, 2_000)
        self.do_veto_slash(address, self.choose(evidence, other))
        self.pair.warp(self.now + DAY)
        self.withdraw_overflow()

    def another_machine(self) -> None:
        """A device is voted on, leaves, and comes back: nobody voted on the one that is there now."""
        supplier, worker = SUPPLIERS[0], WORKERS[2]
        address = bytes(client.device_address(Pubkey(worker)))
        for _ in range(2):
            self.do_register_device(supplier, worker, supplier, 1, 4, 4, b"CH")
            device = self.model.devices.get(address)
            if device is None or device.owed():
                return
            self.do_vote_slash(self.choose(*self.config.params.operators), address, EVIDENCE[0], 1_333)
            on_chain = self.on_chain(address, device, supplier, 1)
            self.act(
                "terminate_device",
                lambda: self.model.terminate_device(supplier, address, 1),
                client.terminate_device(on_chain),
                supplier,
            )
            self.act(
                "close_device",
                lambda: self.model.close_device(supplier, address),
                client.close_device(on_chain),
            )
            self.pair.warp(self.now + 1)

    def timed_apply(self) -> None:
        """Somebody applies parameters when one vote is missing, to a block, to a slash and to prices.

        Those who voted and stay have voted: the last vote decides all the same.
        """
        self.propose_params()
        self.pair.warp(max(self.now, self.config.pending_at) // HOUR * HOUR + HOUR)
        first, last = self.config.params.operators[0], self.config.params.operators[-1]
        address, _ = self.some_device()
        hour, priced = self.config.next_hour, self.now // HOUR - 1
        said, root = self.honest(hour), schedule.root(self.table(priced))
        for operator in (first, last):
            self.do_attest(operator, hour, said)
            self.do_vote_slash(operator, address, EVIDENCE[0], 1_333)
            self.do_vote_prices(operator, priced, root)
            if operator == first:
                self.apply_params()

    # -- leases, which are for the orders program alone ---------------------------------------------

    def lease_device(self) -> None:
        address, device = self.some_device()
        number = self.class_of(device)
        self.act(
            "lease_device",
            lambda: self.model.lease_device(MALLORY, address, number, MALLORY, MALLORY, 0),
            client.PROGRAM.instruction(
                "lease_device",
                {"lease": Pubkey(MALLORY), "order": Pubkey(MALLORY), "opened_at": 0},
                lease_authority=Pubkey(MALLORY),
                device=Pubkey(address),
                **{"class": client.class_address(number)},
            ),
            MALLORY,
        )

    def free_device(self) -> None:
        self.leased_device("free_device", lease=Pubkey(MALLORY), seconds=HOUR, outcome=1, strike=1)

    def record_lease(self) -> None:
        self.leased_device("record_lease", registered_at=0, number=0, outcome=1, seconds_back=HOUR)

    def leased_device(self, name: str, **arguments: object) -> None:
        address, _ = self.some_device()
        self.act(
            name,
            lambda: getattr(self.model, name)(MALLORY, address, *map(plain, arguments.values())),
            client.PROGRAM.instruction(
                name, arguments, lease_authority=Pubkey(MALLORY), device=Pubkey(address)
            ),
            MALLORY,
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

UNREACHABLE = {
    "UnknownVersion": "no instruction writes another version",
    "InvalidClock": "the chain's clock is neither negative nor past the calendar's end here",
    "event Initialized": "sequences begin initialised",
    "NotUpgradeAuthority": "sequences begin initialised; the security tests try it",
    "NotLaunched": "sequences begin launched; the security tests try it",
    **dict.fromkeys(
        (
            *("lease_device", "free_device", "record_lease"),
            *("DeviceLeased", "WrongLease", "StakeInsufficient", "OutcomeInvalid"),
            *("DeviceBarred", "OrderServed"),
            *("event DeviceLeased", "event DeviceFreed", "event LeaseRecorded"),
        ),
        "only the orders program leases devices: see its sequences",
    ),
    "PostLimit": "nobody posts so often here; the security tests do",
    "StaleConfig": "nothing refuses with it any more; its number stays",
}
"""Errors that sequences can't meet, and why."""
OTHERS = {"AccountMissing", "AccountInUse", "InsufficientFunds", "NothingDue", "InvalidAccountData"}

OFTEN = (
    *("wait",) * 8,
    *("attest_all", "finalise", "claim") * 2,
    *("register_device", "stake", "open_offer", "take_offer", "leave_co_stake") * 2,
    *("stake", "open_offer", "take_offer"),
    *("vote_slash",) * 4,
    *("vote_prices", "apply_price", "cancel_price", "cancel_class", "change_bounds", "priced_hour"),
    *("withdraw", "withdraw_co_stake", "close_block", "execute_slash", "veto_slash", "appeal_slash"),
)
"""What leads far, or is refused in many ways."""
ACTIONS = (
    *client.PROGRAM.instructions,
    *OFTEN,
    "donate",
    "emit",
    "many_hours",
    "late_veto",
    "same_staker",
    "lying_quorum",
    "griefing_claimer",
    "new_terms",
    "timed_apply",
    "another_machine",
    "two_slashes",
    "priced_hour",
    "whole_end",
    "gives_away",
    "gives_away",
)


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    events = {f"event {name}" for name in client.PROGRAM.event_fields}
    possible = client.PROGRAM.instructions.keys() | events | client.ERROR.keys() | OTHERS
    explore(Sequences, ACTIONS, possible - UNREACHABLE.keys(), examples=150)

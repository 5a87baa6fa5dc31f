"""Who acts in the soak: the four programs' random acts on one network, and the keeper's own jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import structlog
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Program, TransactionRecord
from keeper.chain.framework import ASSOCIATED_TOKEN_PROGRAM
from keeper.chain.token import transfer
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.programs import BY_ADDRESS
from keeper.jobs.registry import ALL
from keeper.sender import Action
from tests.model.orders.state import FEES, IO, USDC
from tests.model.schedule import DAY, HOUR
from tests.model.state import Event, wallet
from tests.programs.buyback import test_sequences as of_buyback
from tests.programs.orders import test_sequences as of_orders
from tests.programs.orders.calls import OrdersCalls
from tests.programs.side_by_side import ADMIN, MALLORY
from tests.programs.staking import test_sequences as of_staking
from tests.programs.tokenomics import test_sequences as of_tokenomics
from tests.programs.world import finish, key
from tests.soak.follow import FOLLOWED, opened
from tests.soak.whole import KEEPER, Side, Whole

PAYEES = {"wallet", "spare", "genesis", "rewards", "season"}
"""Accounts for IO that take gifts here: those of stakes and orders are given to by their own side."""


class OrdersSide(of_orders.Sequences):
    """Renters, suppliers, operators, and USDC's issuer."""

    def __init__(self, whole: Whole, met: Counter[str], random: Random) -> None:
        side: Any = Side(whole, whole.orders, orders, staking)
        OrdersCalls.__init__(self, side, met)
        self.random, self.flows = random, whole.flows
        self.start = {currency: dict(self.model.purse(currency)) for currency in (IO, USDC)}
        self.begin(self.choose("orders", "matched", "running"))

    def held_up(self) -> None:
        """USDC's issuer stops a payee, or the fee vault: what is due waits aside until it is let go."""
        orders = self.model.orders.values()
        in_usdc = [each for each in orders if each.terms.currency == USDC]
        payees = [wallet(lease.payout) for lease in self.model.leases.values() if lease.start]
        account = self.choose(FEES, *payees) if in_usdc else FEES
        if self.model.is_payable(account, USDC):
            self.do_freeze(account)
        self.pair.warp(self.now + self.choose(HOUR, 3 * HOUR, DAY))
        for lease in list(self.model.leases.values()):
            if self.do_settle(lease) == "PayeeBlocked":
                self.do_park_pay(MALLORY, lease)
        self.end_done()
        for address, order in list(self.model.orders.items()):
            if order.fees_due:
                self.do_park_fees(MALLORY, address, order.terms.currency)
        if (account, USDC) in self.model.frozen:
            self.do_freeze(account, let_go=True)
        self.pay_parked()


class StakingSide(of_staking.Sequences):
    """Suppliers, stakers and operators who agree on hours, prices and slashes."""

    def __init__(self, whole: Whole, met: Counter[str], random: Random) -> None:
        self.pair = Side(whole, whole.staking, staking)  # type: ignore[assignment]
        self.met, self.random = met, random
        self.lifetimes, self.tables, self.paid, self.seen = {}, {}, Counter(), {}


class BuybackSide(of_buyback.Sequences):
    """Bidders."""

    def __init__(self, whole: Whole, met: Counter[str], random: Random) -> None:
        self.pair = Side(whole, whole.buyback, buyback)  # type: ignore[assignment]
        self.met, self.random, self.prices = met, random, set()

    def frozen_vault(self) -> None:
        """The issuer stops what isn't stopped yet."""
        if not self.model.frozen:
            super().frozen_vault()


class TokenomicsSide(of_tokenomics.Sequences):
    """Beneficiaries, claimants, and whoever burns."""

    def __init__(self, whole: Whole, met: Counter[str], random: Random) -> None:
        self.pair = Side(whole, whole.staking.economy, tokenomics)  # type: ignore[assignment]
        self.met, self.random, self.plans = met, random, {}

    def give(self) -> None:
        """A transfer between people, or a gift to a vault of this program's."""
        source, amount = self.some_tokens()
        owner = self.mostly(source.owner if source.owner in of_tokenomics.EVERYBODY else ADMIN, MALLORY)
        to = self.choose(*(each for each in self.model.tokens if each.kind in PAYEES))
        self.act(
            "give" if to.owner else "donate",
            lambda: self.model.transfer(owner, source, to, amount),
            transfer(self.pair.address(source), self.pair.address(to), Pubkey(owner), amount),
            owner,
        )


class KeeperSide:
    """The jobs of ``ionet keeper run`` that need no set-up, as they are: all that they send is followed."""

    payer = key(KEEPER).pubkey()
    log = structlog.wrap_logger(
        structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger(50)
    )

    def __init__(self, whole: Whole, met: Counter[str], random: Random) -> None:
        self.whole, self.met, self.random = whole, met, random
        self.sides = {each.PROGRAM: Side(whole, None, each) for each in (tokenomics, staking, buyback)} | {
            orders.PROGRAM: Side(whole, None, orders, staking)
        }

    @property
    def chain(self) -> ChainReader:
        """See :class:`~keeper.jobs.port.Port`."""
        return self.whole.world.chain

    def step(self, action: str) -> None:
        """A pass of one job, or of all of them in their order."""
        for each in ALL if action == "pass" else (action,):
            finish(ALL[each](self))

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """See :class:`~keeper.jobs.port.Port`: what is due isn't refused."""
        records = []
        for action in actions:
            for instruction in action.instructions:
                outcome = self._send(instruction)
                records.append(self.whole.last)
                if self.whole.last.error is None:
                    continue
                assert action.patient or not await action.still_due(), (action.key, outcome)
                break
        return records

    def _send(self, instruction: Instruction) -> str:
        """One instruction on both sides."""
        metas = instruction.accounts
        if instruction.program_id == ASSOCIATED_TOKEN_PROGRAM:
            owner, mint = bytes(metas[2].pubkey), bytes(metas[3].pubkey)
            return self._act(
                "create_associated", lambda: opened(self.whole, owner, mint), instruction, tokenomics.PROGRAM
            )
        program = BY_ADDRESS[instruction.program_id]
        decoded = program.decode_instruction(bytes(instruction.data))
        assert decoded is not None
        name, arguments = decoded
        entries = zip(program.instructions[name], metas, strict=False)
        named = {entry["name"]: bytes(meta.pubkey) for entry, meta in entries}
        meaning = FOLLOWED[program.name, name]
        return self._act(name, lambda: meaning(self.whole, named, arguments), instruction, program)

    def _act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction,
        program: Program,
    ) -> str:
        signers = [bytes(meta.pubkey) for meta in instruction.accounts if meta.is_signer]
        outcome = self.sides[program].act(name, call, instruction, signers)
        self.met.update((outcome, f"kept {name}"))
        return outcome

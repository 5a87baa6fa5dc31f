"""The soak: random acts of everybody on one network, with the keeper's jobs in between, by a seed."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

from solders.pubkey import Pubkey

from keeper.audit.findings import Code
from keeper.clients.programs import PROGRAMS
from keeper.jobs.registry import ALL
from tests.keeper.audit.falsified import audited
from tests.model.orders.state import OrdersParams
from tests.model.schedule import DAY, HOUR, IO
from tests.model.staking.state import Params
from tests.model.state import wallet
from tests.programs.buyback import test_sequences as of_buyback
from tests.programs.orders import test_sequences as of_orders
from tests.programs.orders.calls import OPERATORS
from tests.programs.side_by_side import ADMIN
from tests.programs.staking import test_sequences as of_staking
from tests.programs.tokenomics import test_sequences as of_tokenomics
from tests.programs.world import START
from tests.soak.sides import BuybackSide, KeeperSide, OrdersSide, StakingSide, TokenomicsSide
from tests.soak.whole import Whole

FAR = {"wait"}
"""Tokenomics' clock jumps by years, after which nothing of the others' is left: they have their own."""
ROLES = ("propose_admin", "propose_guardian")
"""Refused one time in 16 alone: drawn more often, so that a whole run has each refusal."""
ACTIONS: dict[str, tuple[str, ...]] = {
    "orders": (
        *of_orders.ACTIONS,
        *("held_up", "price_moves", *ROLES, "propose_params", "pay_parked") * 4,
    ),
    "staking": (
        *of_staking.ACTIONS,
        *("whole_end", "many_hours", "propose_params", "agree_on_slash", *ROLES, "post") * 3,
    ),
    "buyback": (*of_buyback.ACTIONS, *(*ROLES, "propose_params") * 3),
    "tokenomics": (*(each for each in of_tokenomics.ACTIONS if each not in FAR), *ROLES * 3),
    "keeper": (*ALL, *("pass",) * 6),
}
AFTER = {
    "propose_admin": ("accept_admin",),
    "propose_guardian": ("accept_guardian",),
    "propose_beneficiary": ("accept_beneficiary",),
    "propose_params": ("cancel_params", "apply_params"),
    "propose_first_price": ("cancel_first_price",),
    "open_season": ("cancel_season",),
    "add_class": ("cancel_class",),
    "change_bounds": ("cancel_class",),
    "priced_hour": ("cancel_price",),
    "apply_price": ("cancel_price",),
    "open_offer": ("close_offer",),
    "vote_slash": ("appeal_slash",),
    "agree_on_slash": ("appeal_slash",),
    "unstake": ("withdraw", "withdraw_overflow"),
    "leave_co_stake": ("withdraw_co_stake",),
    "terminate_device": ("close_device",),
    "freeze_account": ("held_up", "blocked_pay", "park_fees"),
}
"""What is hardly ever possible by chance: sometimes it comes right after what makes it possible."""
WEIGHTS = {"orders": 10, "staking": 9, "buyback": 4, "tokenomics": 4, "keeper": 1}
"""How often each side acts; an act of the keeper's is many transactions."""
SHOWN = 40
"""How many of the last acts a failure shows."""


class Failed(AssertionError):
    """A history that went wrong: its seed, and what was done last."""


class Network:
    """One network by its seed: who acts at a step, and how, follows from it and the step's number alone."""

    def __init__(self, seed: int, met: dict[str, Counter[str]]) -> None:
        """Count in ``met``, by side, each action that succeeded, each refusal and event."""
        self.seed, self.random = seed, Random(seed)
        lag = self.random.choice((2 * HOUR, 2 * HOUR, 0, 1, DAY))
        params = OrdersParams(
            settlement_lag=lag, notice=DAY, supplier_fee_bps=self.random.choice((25, 25, 0, 100))
        )
        self.whole = Whole(Params(OPERATORS[:3], 2, notice=DAY, appeal=DAY), params)
        self.last: deque[str] = deque(maxlen=SHOWN)
        self._listen()
        kinds = {
            "orders": OrdersSide,
            "staking": StakingSide,
            "buyback": BuybackSide,
            "tokenomics": TokenomicsSide,
            "keeper": KeeperSide,
        }
        self.sides: dict[str, Any] = {
            name: kind(self.whole, met.setdefault(name, Counter()), Random(seed))
            for name, kind in kinds.items()
        }
        self.checks: list[Callable[[], None]] = [self.sides["staking"].check_prices]
        self._prepare()

    def _prepare(self) -> None:
        """Most networks have begun: a first price, a season, stakes, and an hour that is over."""
        buyback, tokenomics = self.sides["buyback"], self.sides["tokenomics"]
        if self.random.random() < 0.8:
            buyback.do_first_price(ADMIN, self.random.choice((4 * IO, IO // 3, 977)))
        if self.random.random() < 0.6:
            pools = [100 * IO, 3, 0]
            now = self.whole.staking.now
            tokenomics.do_open_season(ADMIN, 0, 9_000, pools, now + DAY, 30 * DAY, wallet(ADMIN))
        if self.random.random() < 0.8:
            self.whole.warp(START + HOUR)

    def _listen(self) -> None:
        whole, act = self.whole, self.whole.act

        def told(name: str, *arguments: Any) -> str:
            try:
                outcome = act(name, *arguments)
            except BaseException:
                self.last.append(f"{whole.staking.now} {name}: went wrong")
                raise
            self.last.append(f"{whole.staking.now} {name}: {outcome}")
            for check in self.checks:
                check()
            return outcome

        self.checks = []
        whole.act = told  # type: ignore[method-assign]

    def step(self, number: int) -> None:
        """One step: some acts of one side."""
        random = Random(f"{self.seed} {number}")
        (name,) = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        action = random.choice(ACTIONS[name])
        self.last.append(f"-- step {number}: {name}.{action}")
        side = self.sides[name]
        side.random.seed(f"{self.seed} {number} {name}")
        side.step(action)
        if action in AFTER and random.random() < 0.5:
            following = random.choice(AFTER[action])
            due = {"accept_guardian": "guardian_at", "apply_params": "pending_at"}.get(following)
            if due:
                self.whole.warp(max(self.whole.staking.now, getattr(side.config, due)))
            if following.startswith("withdraw"):
                self.whole.warp(self.whole.staking.now + random.choice((7, 14, 31)) * DAY)
            if hasattr(side, following):
                side.step(following)

    def end(self) -> None:
        """Everything of orders' comes to its end, and each program's accounts are those of its events."""
        self.last.append("-- the end")
        self.sides["orders"].finish()

    def run(self, steps: int, without: frozenset[int] = frozenset()) -> int:
        """Play that many steps but for some, and the end; how many transactions were tried."""
        try:
            for number in range(steps):
                if number not in without:
                    self.step(number)
            self.end()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            told = "\n".join(self.last)
            raise Failed(f"seed {self.seed}, {steps} steps; the last acts:\n{told}\n{error!r}") from error
        return self.whole.tally.total()

    def audited(self) -> int:
        """``ionet audit chain`` finds nothing on it; how many transactions it read.

        Signatures aren't verified here, so that a call in the name of nobody's address can be tried: of those
        the audit says that nobody signed them.
        """
        part = asyncio.run(audited(self.whole.world.chain))
        nobody = str(Pubkey.default())
        found = [
            each
            for each in part.findings
            if each.code is not Code.TRANSACTION_UNSIGNED or nobody not in str(each.expected)
        ]
        assert not found and not part.unchecked, (self.seed, list(map(str, found)), part.unchecked)
        return part.checked["transactions"]


def shrunk(seed: int, steps: int) -> list[int]:
    """Which steps a failure needs, by leaving out others, half of them at first and then one by one."""

    def fails(kept: list[int]) -> bool:
        try:
            Network(seed, {}).run(steps, frozenset(range(steps)) - set(kept))
        except Failed:
            return True
        return False

    kept, size = list(range(steps)), steps // 2
    while size:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if fails(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return kept


INSTRUCTIONS = {name: tuple(program.instructions) for name, program in PROGRAMS.items()}
"""Of each program."""

"""What random sequences stand on: people, first states, the clock, how arguments are chosen."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from random import Random

from solders.pubkey import Pubkey

from keeper.chain.token import create_associated
from keeper.clients import tokenomics as client
from keeper.economy.genesis import Row
from keeper.economy.vesting import Schedule
from tests.model import schedule
from tests.model.schedule import DAY, HOUR, IO
from tests.model.state import OPEN, Address, Tokens, wallet
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Allocation, Config, PageKey, Season
from tests.programs.role_acts import RoleActs
from tests.programs.sequences import tell
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY
from tests.programs.tokenomics.pair import Pair
from tests.programs.tokenomics.plans import TABLE, Plan, Shape, plan_leaves
from tests.programs.world import LISTING, key

PEOPLE = ("admin", "guardian", "alice", "bob", "carol", "mallory")
ALICE, BOB, CAROL = (bytes(key(name).pubkey()) for name in ("alice", "bob", "carol"))
OWNERS = (ADMIN, ALICE, BOB, CAROL)
"""Of the genesis table's rows."""
EVERYBODY = (ADMIN, GUARDIAN, ALICE, BOB, CAROL, MALLORY)
STAKING = bytes(key("staking program").pubkey())
LATE = schedule.begin((9985 - 1970) * 12)
"""So near the calendar's end that an emission can't run its 20 years."""
STAGES = (*("claiming", "running") * 4, *("launched", "empty") * 2, "table", "initialized")
KINDS_OF_WAIT = (*("hour", "deadline") * 4, *("month", "second") * 2, "years", "end")
NOBODY = Config(ADMIN, GUARDIAN, STAKING)
"""What choices go by before there is a config."""


class Machine(RoleActs):
    """Tokenomics by random acts."""

    client = client
    successors = EVERYBODY
    pauses = DAY, 7 * DAY

    def __init__(self, seed: int, met: Counter[str]) -> None:
        """Start a history; count in ``met`` how often each action succeeded and each refusal came."""
        self.random = Random(seed)
        self.met = met
        self.pair = Pair(PEOPLE, self.mostly(LISTING, LATE))
        self.plans: dict[int, Plan] = {}
        self.begin(self.choose(*STAGES))

    # -- where a sequence begins -----------------------------------------------------------------

    def begin(self, stage: str) -> None:
        """Come as far as ``stage``."""
        if stage == "empty":
            return
        self.do_initialize(ADMIN, STAKING, GUARDIAN)
        if stage == "initialized":
            return
        for number, ((amount, shape), owner) in enumerate(
            zip(TABLE, (ADMIN, ALICE, BOB, CAROL), strict=True)
        ):
            self.do_create_tokens(owner)
            self.do_add_allocation(ADMIN, number, amount, shape, owner)
        if stage == "table":
            return
        self.do_launch(ADMIN, self.months_on(1))
        self.do_release(0, wallet(ADMIN))
        if stage == "launched":
            return
        self.do_create_tokens(MALLORY)
        self.do_open_season(ADMIN, 0, 9_000, [100 * IO, 3, 0], self.now + DAY, 30 * DAY, wallet(ADMIN))
        if stage == "claiming":
            self.do_open_claim_page(BOB, PageKey(0, 0))
            self.pair.warp(self.now + DAY)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def model(self) -> Tokenomics:
        return self.pair.model

    @property
    def now(self) -> int:
        return self.model.now

    @property
    def config(self) -> Config:
        return self.model.config or NOBODY

    def months_on(self, months: int) -> int:
        """The month that many after the clock's."""
        return bisect_right(range((10_000 - 1970) * 12), self.now, key=schedule.begin) - 1 + months

    # -- choosing, by each action's own seed ------------------------------------------------------

    def person(self) -> Address:
        """Anybody."""
        return self.choose(*EVERYBODY)

    # -- time ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Move the clock on, with a taste for the seconds around deadlines."""
        kind = self.choose(*KINDS_OF_WAIT)
        now = self.now
        if kind == "second":
            to = now + 1
        elif now > schedule.LAST_SECOND - 500 * DAY:
            to = now + HOUR
        elif kind == "hour":
            to = now - now % HOUR + HOUR * self.choose(1, 2, 24) + self.choose(0, -1, 1)
        elif kind == "month":
            to = schedule.begin(self.months_on(self.choose(1, 2, 13))) + self.choose(0, -1, 1)
        elif kind == "deadline":
            to = self.choose(*self.deadlines()) + self.choose(0, -1, 1)
        elif kind == "years":
            to = now + 365 * DAY * self.choose(1, 5, 25)
        else:
            # Nothing happens after the calendar's end, so that few sequences should get there.
            to = now + self.mostly(7 * DAY, schedule.LAST_SECOND - now + 1)
        tell(f"at {max(now, to)}")
        self.pair.warp(max(now, to))

    def deadlines(self) -> list[int]:
        """Moments to come at which an answer changes; the next day when there are none."""
        seasons = [each for each in self.model.seasons.values() if each.status == OPEN]
        moments = [
            self.config.pause_until,
            self.config.guardian_at,
            *(at for each in seasons for at in (each.claim_start, each.claim_end)),
        ]
        if self.config.launched:
            moments.append(schedule.begin(self.config.start_month))
        return [at for at in moments if at > self.now] or [self.now + DAY]

    # -- acting ----------------------------------------------------------------------------------

    def do_initialize(self, admin: Address, staking: Address, guardian: Address) -> None:
        outcome = self.act(
            "initialize",
            lambda: self.model.initialize(admin, staking, guardian),
            client.initialize(Pubkey(admin), Pubkey(staking), Pubkey(guardian)),
            admin,
        )
        if outcome == "initialize":
            for each in EVERYBODY:
                self.pair.create_spare(each)

    def do_add_allocation(
        self, admin: Address, number: int, amount: int, shape: Shape, owner: Address
    ) -> None:
        label = f"row {number}"
        row = Allocation(number, label.encode().ljust(16, b"\0"), owner, amount, *shape)
        self.act(
            "add_allocation",
            lambda: self.model.add_allocation(admin, row),
            client.add_allocation(Pubkey(admin), Row(number, label, Schedule(amount, *shape)), Pubkey(owner)),
            admin,
        )

    def do_launch(self, admin: Address, start_month: int) -> None:
        self.act(
            "launch",
            lambda: self.model.launch(admin, start_month),
            client.launch(Pubkey(admin), start_month),
            admin,
        )

    def do_release(self, number: int, to: Tokens) -> None:
        self.act(
            "release",
            lambda: self.model.release(number, to),
            client.PROGRAM.instruction(
                "release",
                allocation=client.allocation_address(number),
                beneficiary_tokens=self.pair.address(to),
            ),
        )

    def do_open_season(
        self,
        admin: Address,
        number: int,
        leaves: int,
        pools: list[int],
        claim_start: int,
        period: int,
        source: Tokens,
        *,
        root: bytes | None = None,
    ) -> None:
        model = self.model
        total = sum(pools)
        plan = Plan.of(
            plan_leaves(total, leaves, (ALICE, BOB, MALLORY)),
            program=model.program,
            mint=model.mint,
            season=number,
        )
        arguments = {
            "season": number,
            "root": plan.root if root is None else root,
            "data_hash": bytes([number]) * 32,
            "leaves": leaves,
            "pools": pools,
            "claim_start": claim_start,
            "claim_end": max(0, claim_start + period),
        }
        terms = Season(**arguments, funder=admin, total=total)  # type: ignore[arg-type]
        outcome = self.act(
            "open_season",
            lambda: model.open_season(admin, terms, source),
            client.PROGRAM.instruction(
                "open_season", arguments, admin=Pubkey(admin), funder_tokens=self.pair.address(source)
            ),
            admin,
        )
        if outcome == "open_season":
            self.plans[number] = plan

    def do_open_claim_page(self, payer: Address, page: PageKey) -> None:
        self.act(
            "open_claim_page",
            lambda: self.model.open_claim_page(payer, page),
            client.open_claim_page(Pubkey(payer), *page),
            payer,
        )

    def do_create_tokens(self, owner: Address) -> None:
        payer = self.pair.world.payer.pubkey()
        self.act(
            "create_tokens",
            lambda: self.model.create_tokens(wallet(owner)),
            create_associated(payer, Pubkey(owner), client.MINT),
        )

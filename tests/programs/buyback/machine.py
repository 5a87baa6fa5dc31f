"""What buyback's random sequences stand on: people, first states, the clock, how arguments are chosen."""

from __future__ import annotations

from collections import Counter
from random import Random

from solders.pubkey import Pubkey

from keeper.chain.token import mint_to
from keeper.clients import buyback as client
from tests.model.buyback.program import Buyback
from tests.model.buyback.rule import MAX_PRICE
from tests.model.buyback.state import USDC, USDC_VAULT, BuybackConfig, Params
from tests.model.schedule import DAY, HOUR, IO
from tests.model.state import Address, Tokens, wallet
from tests.programs.buyback.pair import BuybackPair
from tests.programs.buyback.world import ISSUER, USDC_MINT
from tests.programs.buyback.world import USDC_VAULT as USDC_ADDRESS
from tests.programs.role_acts import ParamActs
from tests.programs.sequences import tell
from tests.programs.side_by_side import ADMIN
from tests.programs.world import key

BIDDERS = ("alice", "bob", "carol", "dave")
PEOPLE = ("admin", "guardian", "mallory", *BIDDERS)
KEYS = {name: bytes(key(name).pubkey()) for name in PEOPLE}
COMPETITORS = tuple(KEYS[name] for name in BIDDERS)
PENNILESS = bytes(key("penniless").pubkey())
"""Has no token account."""
STAGES = ("empty", "priced", "dear", *("funded", "open") * 4)
HUGE = Params(max_lot=10_000_000 * USDC, min_lot=USDC, min_price=1, floor_bps=1_000, start_bps=50_000)


class BuybackMachine(ParamActs):
    """Buyback by random acts."""

    client = client
    pauses = HOUR, DAY

    def __init__(self, seed: int, met: Counter[str]) -> None:
        """Start a history; count in ``met`` how often each action succeeded and each refusal came."""
        self.random = Random(seed)
        self.met = met
        stage = self.choose(*STAGES)
        short = Params(duration=self.choose(HOUR, 6 * HOUR, DAY))
        self.pair = BuybackPair((*PEOPLE,), HUGE if stage == "dear" else short)
        self.pair.keys[PENNILESS] = self.pair.world.person("penniless")
        met["initialize"] += 1
        self.begin(stage)

    def begin(self, stage: str) -> None:
        """Come as far as ``stage``."""
        if stage == "empty":
            return
        self.do_first_price(ADMIN, MAX_PRICE if stage == "dear" else self.choose(4 * IO, IO // 3, 977))
        self.pair.warp(self.now + self.config.params.notice)
        if stage == "priced":
            return
        self.do_pay_usdc(HUGE.max_lot if stage == "dear" else self.some_usdc())
        if stage != "funded":
            self.do_start(self.config.started)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def model(self) -> Buyback:
        return self.pair.model

    @property
    def now(self) -> int:
        return self.model.now

    @property
    def config(self) -> BuybackConfig:
        assert self.model.config is not None
        return self.model.config

    # -- choosing, by each action's own seed ------------------------------------------------------

    def some_usdc(self) -> int:
        """Fees, in odd amounts: dust, lots of every size, more than a lot."""
        whole = self.choose(0, 99, 100, 100, 1_234, 9_999, 30_000)
        return whole * USDC + self.random.randrange(USDC)

    def some_auction(self) -> int:
        """The last auction's number, or another's; 0 before the first."""
        last = max(0, self.config.started - 1)
        return self.mostly(last, max(0, last - 1), last + 1)

    # -- time ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Move the clock on, with a taste for the seconds around deadlines."""
        kind = self.choose("second", *("hours", "deadline") * 4, "days")
        now = self.now
        if kind == "second":
            to = now + 1
        elif kind == "hours":
            to = now + self.random.randint(1, 6 * HOUR)
        elif kind == "days":
            to = now + DAY * self.choose(1, 2, 7)
        else:
            to = self.choose(*self.deadlines()) + self.choose(0, 0, -1, 1)
        tell(f"at {max(now, to)}")
        self.pair.warp(max(now, to))

    def deadlines(self) -> list[int]:
        """Moments to come at which an answer changes; the next hour when there are none."""
        config = self.config
        moments = [config.pause_until, config.pending_at, config.guardian_at, config.waiting_since + DAY]
        moments.append(config.first_price_at)
        if config.open:
            moments += [self.model.auctions[config.started - 1].ends_at] * 3
        return [at for at in moments if at > self.now] or [self.now + HOUR]

    # -- acting ----------------------------------------------------------------------------------

    def do_first_price(self, admin: Address, price: int) -> None:
        self.act(
            "propose_first_price",
            lambda: self.model.propose_first_price(admin, price),
            client.propose_first_price(Pubkey(admin), price),
            admin,
        )

    def do_pay_usdc(self, amount: int) -> None:
        issuer = bytes(ISSUER.pubkey())
        self.pair.keys[issuer] = ISSUER
        self.act(
            "pay_usdc",
            lambda: self.model.mint_usdc(USDC_VAULT, amount),
            mint_to(USDC_MINT, USDC_ADDRESS, ISSUER.pubkey(), amount),
            issuer,
        )

    def do_start(self, number: int) -> None:
        payer = self.pair.world.payer.pubkey()
        self.act(
            "start_auction",
            lambda: self.model.start_auction(number),
            client.start_auction(payer, number, USDC_ADDRESS),
        )

    def do_bid(
        self, bidder: Address, number: int, *, max_io: int, min_usdc: int, to: Tokens | None = None
    ) -> str:
        account = to or wallet(bidder)
        return self.act(
            "bid",
            lambda: self.model.bid(bidder, number, account, max_io, min_usdc),
            client.bid(
                Pubkey(bidder),
                number,
                USDC_MINT,
                max_io=max_io,
                min_usdc=min_usdc,
                to=self.pair.usdc_address(account),
            ),
            bidder,
        )

"""Random sequences of every instruction, on the real program and on the reference model."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.token import burn, transfer
from keeper.clients import tokenomics as client
from keeper.clients.signing import signed_by
from tests.model.schedule import DAY, GENESIS, IO
from tests.model.state import GENESIS_VAULT, REWARD_VAULT, U32, U64, ZERO, Address, Tokens, wallet
from tests.model.tokenomics.state import PageKey, Season, season_vault
from tests.programs.sequences import explore
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY
from tests.programs.tokenomics.machine import EVERYBODY, STAKING, Machine
from tests.programs.tokenomics.plans import BAD_SHAPES, SHAPES, Leaf


class Sequences(Machine):
    """A method for each instruction, and for what people do on the token program directly."""

    def step(self, action: str) -> None:
        """See RandomActs; without a season or the mint some actions aren't even tried."""
        if action in NEEDS_SEASON and not self.plans:
            return
        if action in NEEDS_MINT and not self.model.config:
            return
        super().step(action)

    # -- setting up ------------------------------------------------------------------------------

    def initialize(self) -> None:
        self.do_initialize(
            self.mostly(ADMIN, MALLORY, GUARDIAN),
            self.mostly(STAKING, ZERO),
            self.mostly(GUARDIAN, ZERO),
        )

    def add_allocation(self) -> None:
        left = GENESIS - self.config.allocated
        self.do_add_allocation(
            self.mostly(self.config.admin, MALLORY),
            self.mostly(self.config.allocations, 0, self.config.allocations + 1, 255),
            self.choose(left, left // 2, left // 3, left + 1, 0, U64),
            self.mostly(self.choose(*SHAPES), *BAD_SHAPES),
            self.mostly(self.person(), ZERO),
        )

    def launch(self) -> None:
        good = self.months_on(self.choose(1, 3, 12))
        bad = (self.months_on(0), self.months_on(14), 0, (10_000 - 1970) * 12, U32)
        self.do_launch(self.mostly(self.config.admin, MALLORY), self.mostly(good, *bad))

    # -- vesting ---------------------------------------------------------------------------------

    def some_row(self) -> tuple[int, Address, Address]:
        """A row's number, its beneficiary and the proposed one."""
        rows = self.model.allocations
        number = self.mostly(self.choose(*rows), 200) if rows else 0
        row = rows.get(number)
        return (number, row.beneficiary, row.pending_beneficiary) if row else (number, MALLORY, MALLORY)

    def release(self) -> None:
        number, owner, _ = self.some_row()
        self.do_release(number, self.mostly(wallet(owner), Tokens("spare", owner), wallet(MALLORY)))

    def propose_beneficiary(self) -> None:
        number, owner, _ = self.some_row()
        signer, to = self.mostly(owner, MALLORY), self.mostly(self.person(), ZERO)
        self.act(
            "propose_beneficiary",
            lambda: self.model.propose_beneficiary(signer, number, to),
            client.propose_beneficiary(number, Pubkey(signer), Pubkey(to)),
            signer,
        )

    def accept_beneficiary(self) -> None:
        number, _, pending = self.some_row()
        signer = self.mostly(pending if pending != ZERO else self.choose(MALLORY, ZERO), MALLORY)
        self.act(
            "accept_beneficiary",
            lambda: self.model.accept_beneficiary(signer, number),
            client.accept_beneficiary(number, Pubkey(signer)),
            signer,
        )

    # -- seasons ---------------------------------------------------------------------------------

    def some_season(self) -> int:
        """The number of one of the last seasons, or of none."""
        numbers = sorted(self.model.seasons, reverse=True)[:2]
        return self.mostly(self.choose(*numbers), 99) if numbers else 99

    def open_season(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        source = self.mostly(wallet(admin), wallet(MALLORY), GENESIS_VAULT, Tokens("spare", admin))
        has = self.model.tokens.get(source, 0)
        good_pools = self.choose([IO, 2 * IO, 3], [0, 0, 10], [has // 3, 0, has // 4])
        self.do_open_season(
            admin,
            self.mostly(len(self.model.seasons), 0),
            self.mostly(self.choose(2, 9_000, 8_193), 1, 0),
            self.mostly(good_pools, [0, 0, 0], [U64, 1, 0], [has, 1, 0]),
            self.now + self.mostly(DAY, DAY - 1, -5 if self.now > DAY else 0),
            DAY * self.mostly(self.choose(30, 3_650), 29, 3_651, -1),
            source,
            root=self.mostly(None, ZERO),
        )

    def open_claim_page(self) -> None:
        self.do_open_claim_page(self.person(), PageKey(self.some_season(), self.choose(0, 1, 2)))

    def claim_season(self) -> None:
        number = self.choose(*sorted(self.plans, reverse=True)[:2])
        plan = self.plans[number]
        leaf = self.choose(*plan.leaves)
        good = plan.proof(leaf)
        page = PageKey(number, leaf.number // client.PAGE_CLAIMS)
        self.claim(
            number,
            self.mostly(page, PageKey(number, page.page ^ 1), PageKey(max(0, number - 1), page.page)),
            self.mostly(season_vault(number), season_vault(number + 1), GENESIS_VAULT),
            self.mostly(leaf, leaf._replace(amount=leaf.amount + 1), leaf._replace(wallet=ADMIN)),
            self.mostly("wallet", "spare", "other"),
            self.mostly(good, good[32:], good[:-1], good + bytes(32)),
        )

    def prepared_claim(self) -> None:
        """A claim that its time, its index or the pools alone can spoil."""
        number = self.choose(*sorted(self.plans, reverse=True)[:2])
        leaf = self.choose(*self.plans[number].leaves)
        page = PageKey(number, leaf.number // client.PAGE_CLAIMS)
        self.do_create_tokens(leaf.wallet)
        self.do_open_claim_page(ADMIN, page)
        self.claim(number, page, season_vault(number), leaf, "wallet", self.plans[number].proof(leaf))

    def claim(self, number: int, page: PageKey, vault: Tokens, leaf: Leaf, tokens: str, proof: bytes) -> None:
        to = wallet(MALLORY if leaf.wallet != MALLORY else ADMIN)
        if tokens != "other":
            to = Tokens(tokens, leaf.wallet)
        signed = self.mostly(tokens == "spare", tokens != "spare")
        arguments = {"index": leaf.number, "amount": leaf.amount, "proof": proof}
        call = client.PROGRAM.instruction(
            "claim_season",
            arguments,
            season=client.season_address(number),
            claim_page=client.claim_page_address(*page),
            season_vault=self.pair.address(vault),
            wallet=Pubkey(leaf.wallet),
            wallet_tokens=self.pair.address(to),
        )
        self.act(
            "claim_season",
            lambda: self.model.claim_season(
                number,
                page,
                vault,
                leaf.wallet,
                to,
                **arguments,
                signed=signed,  # type: ignore[arg-type]
            ),
            signed_by(call, Pubkey(leaf.wallet)) if signed else call,
            *([leaf.wallet] if signed else []),
        )

    def cancel_season(self) -> None:
        guardian, number = self.mostly(self.config.guardian, MALLORY), self.some_season()
        self.act(
            "cancel_season",
            lambda: self.model.cancel_season(guardian, number),
            client.cancel_season(Pubkey(guardian), number),
            guardian,
        )

    def close_season(self) -> None:
        number = self.some_season()
        season: Season | None = self.model.seasons.get(number)
        vault = self.mostly(season_vault(number), season_vault(max(0, number - 1)))
        funder = self.mostly(season.funder if season else ADMIN, MALLORY)
        to = self.mostly(wallet(funder), Tokens("spare", funder), wallet(MALLORY))
        signed = self.mostly(to.kind == "spare", to.kind != "spare")
        call = client.PROGRAM.instruction(
            "close_season",
            season=client.season_address(number),
            season_vault=self.pair.address(vault),
            funder=Pubkey(funder),
            funder_tokens=self.pair.address(to),
        )
        self.act(
            "close_season",
            lambda: self.model.close_season(number, vault, funder, to, signed=signed),
            signed_by(call, Pubkey(funder)) if signed else call,
            *([funder] if signed else []),
        )

    def close_claim_page(self) -> None:
        pages = self.model.pages
        key = self.choose(*pages) if pages else PageKey(0, 0)
        payer = self.mostly(pages[key].payer if pages else ADMIN, MALLORY)
        number = self.mostly(key.season, self.some_season())
        self.act(
            "close_claim_page",
            lambda: self.model.close_claim_page(payer, number, key),
            client.PROGRAM.instruction(
                "close_claim_page",
                payer=Pubkey(payer),
                season=client.season_address(number),
                claim_page=client.claim_page_address(*key),
            ),
        )

    # -- emission and burns ----------------------------------------------------------------------

    def emit(self) -> None:
        self.act("emit", self.model.emit, client.emit())

    def some_tokens(self) -> tuple[Tokens, int]:
        """A token account, sometimes a vault or one that doesn't exist, and an amount."""
        held = [account for account, amount in self.model.tokens.items() if amount and account.owner]
        other = (wallet(MALLORY), GENESIS_VAULT, REWARD_VAULT, wallet(STAKING))
        source = self.mostly(self.choose(*held), *other) if held else wallet(ADMIN)
        has = self.model.tokens.get(source, 0)
        return source, self.choose(has // 10, 1, has, has + 1, 0)

    def burn(self) -> None:
        source, amount = self.some_tokens()
        amount = self.mostly(amount, self.model.supply + 1)
        owner = self.mostly(source.owner if source.owner in EVERYBODY else ADMIN, MALLORY)
        held = self.model.tokens.get(source, 0)
        expected = self.mostly(self.choose(held, 0), held + 1, U64)
        self.act(
            "burn",
            lambda: self.model.burn(owner, source, amount, expected),
            client.PROGRAM.instruction(
                "burn",
                {"amount": amount, "expected": expected},
                owner=Pubkey(owner),
                owner_tokens=self.pair.address(source),
            ),
            owner,
        )

    def sync_burned(self) -> None:
        self.act("sync_burned", self.model.sync_burned, client.sync_burned())

    # -- the token program, used directly --------------------------------------------------------

    def create_tokens(self) -> None:
        self.do_create_tokens(self.person())

    def give(self) -> None:
        """A transfer between people, or a donation to a vault."""
        source, amount = self.some_tokens()
        owner = self.mostly(source.owner if source.owner in EVERYBODY else ADMIN, MALLORY)
        to = self.choose(*self.model.tokens, wallet(STAKING))
        self.act(
            "give" if to.owner else "donate",
            lambda: self.model.transfer(owner, source, to, amount),
            transfer(self.pair.address(source), self.pair.address(to), Pubkey(owner), amount),
            owner,
        )

    def token_burn(self) -> None:
        """A burn that the program doesn't see."""
        source, amount = self.some_tokens()
        owner = self.mostly(source.owner if source.owner in EVERYBODY else ADMIN, MALLORY)
        self.act(
            "token_burn",
            lambda: self.model.token_burn(owner, source, amount),
            burn(self.pair.address(source), client.MINT, Pubkey(owner), amount),
            owner,
        )


UNREACHABLE = {"UnknownVersion", "InvariantViolated"}
"""No instruction leads there: they guard against accounts of later versions and against mistakes."""
OTHERS = {"AccountMissing", "AccountInUse", "InvalidAccountData", "InsufficientFunds", "OwnerMismatch"}
TOKEN_ACTIONS = {"create_tokens", "give", "donate", "token_burn"}


OFTEN = (
    "open_season",
    "cancel_season",
    "close_season",
    *("claim_season",) * 2,
    *("prepared_claim",) * 3,
    *("wait",) * 4,
)
"""What leads far, or is refused in many ways."""
ACTIONS = (*client.PROGRAM.instructions, *OFTEN, "create_tokens", "give", "token_burn")
NEEDS_SEASON = {"claim_season", "prepared_claim"}
NEEDS_MINT = {"create_tokens", "give", "token_burn"}


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    possible = client.PROGRAM.instructions.keys() | client.ERROR.keys() | OTHERS | TOKEN_ACTIONS
    explore(Sequences, ACTIONS, possible - UNREACHABLE, examples=200)

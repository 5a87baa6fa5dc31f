"""All four programs on one chain, and their four reference models with one purse, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.program import Event as ProgramEvent
from keeper.chain.program import Program
from keeper.chain.token import read_mint
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.programs import BY_ADDRESS
from keeper.economy.genesis import read_table
from tests.model.buyback.program import Buyback
from tests.model.buyback.state import BuybackConfig
from tests.model.buyback.state import Params as BuybackParams
from tests.model.orders.program import Orders
from tests.model.orders.state import FEES, IO, USDC, OrdersParams
from tests.model.staking.state import Params
from tests.model.state import GENESIS_VAULT, Address, Event, Tokens, require, wallet
from tests.model.tokenomics.program import PAGE_CLAIMS, Tokenomics
from tests.model.tokenomics.state import Allocation, Config, season_vault
from tests.programs.buyback.machine import KEYS as BIDDERS
from tests.programs.buyback.pair import auction_address
from tests.programs.buyback.world import USDC_MINT
from tests.programs.folded import assert_events_make_the_accounts
from tests.programs.orders.calls import BOB, PAULA, RENTERS
from tests.programs.orders.calls import PEOPLE as OF_ORDERS
from tests.programs.orders.pair import FEE_VAULTS, OrdersPair
from tests.programs.side_by_side import ADMIN, GUARDIAN, OTHER_CODES, RUNTIME_NAMES, SideBySide, plain
from tests.programs.staking.machine import KEYS as OF_STAKING
from tests.programs.tokenomics.machine import EVERYBODY
from tests.programs.tokenomics.pair import PAGE_BITS_AT
from tests.programs.world import finish, key

KEEPER = "keeper"
PEOPLE = tuple(dict.fromkeys((*OF_ORDERS, *OF_STAKING, *BIDDERS, "penniless", KEEPER)))
HOLDERS = tuple(dict.fromkeys((*RENTERS, BOB, PAULA, *EVERYBODY, *OF_STAKING.values(), *BIDDERS.values())))
"""Who has IO at first; all of them but Paula have USDC."""
season_vault_address, season_address = tokenomics.season_vault_address, tokenomics.season_address
INNER = {"DeviceLeased": "lease_device", "DeviceFreed": "free_device", "LeaseRecorded": "record_lease"}
"""Instructions that orders alone may call, by the event that tells of it."""


class SharedBuyback(Buyback):
    """Buyback beside orders: what the issuer of USDC does to accounts is in orders' model."""

    orders: Orders
    _payee: Tokens = FEES

    @property  # type: ignore[override]
    def frozen(self) -> bool:
        """Whether the issuer has stopped an account that USDC moves between."""
        return any((each, USDC) in self.orders.frozen for each in (FEES, self._payee))

    @frozen.setter
    def frozen(self, stopped: bool) -> None:
        if hasattr(self, "orders"):
            self.orders.freeze(FEES, thaw=not stopped)

    def bid(self, bidder: Address, number: int, to: Tokens, max_io: int, min_usdc: int) -> list[Event]:
        """The bidder's account may be a stopped one, too."""
        self._payee = to
        try:
            return super().bid(bidder, number, to, max_io, min_usdc)
        finally:
            self._payee = FEES

    def mint_usdc(self, to: Tokens, amount: int) -> None:
        """Nothing comes into a stopped account."""
        require((to, USDC) not in self.orders.frozen, "AccountFrozen")
        super().mint_usdc(to, amount)
        self.orders.usdc_supply = self.usdc_supply

    def move_usdc(self, owner: Address, to: Tokens, amount: int) -> None:
        """Nor out of one, and nobody moves what it handed over."""
        ends = wallet(owner), to
        require(not any((each, USDC) in self.orders.frozen for each in ends), "AccountFrozen")
        require(amount <= self.usdc[ends[0]], "InsufficientFunds")
        require((ends[0], USDC) not in self.orders.owners, "OwnerMismatch")
        super().move_usdc(owner, to, amount)


class Together:
    """What holds of all models at once."""

    def __init__(self, *models: Orders | Buyback) -> None:
        self._models = models

    def invariants(self) -> None:
        """AssertionError where one is broken; orders' are those of staking and of tokenomics, too."""
        for each in self._models:
            each.invariants()


class Whole(OrdersPair):
    """One launched network: a purse, a clock, and everybody in it."""

    model: Any
    buyback: SharedBuyback | None = None
    programs: Sequence[Program] = ()
    """Whose events the one who acts is told."""

    def __init__(self, operators: Params, params: OrdersParams) -> None:
        super().__init__(PEOPLE, operators, params, holders=HOLDERS, penniless=[PAULA])
        world, economy = self.world, self.staking.economy
        for label in (row.label for row in read_table()):
            self.keys[bytes(key(label).pubkey())] = key(label)
        _complete(self, economy)
        assert self.orders is not None
        terms = BuybackParams()
        self.buyback = model = SharedBuyback(
            economy,
            addresses={},
            auction_address=lambda number: bytes(auction_address(number)),
            upgrade_authority=bytes(world.admin.pubkey()),
            config=BuybackConfig(ADMIN, GUARDIAN, terms),
            usdc=self.orders.usdc,
            usdc_supply=self.orders.usdc_supply,
        )
        model.orders = self.orders
        self.model = Together(self.orders, model)
        for each in EVERYBODY:
            self.create_spare(each)
        self.tally: Counter[tuple[str, str, str | None]] = Counter()
        """How often each instruction of each program succeeded (None), and was refused with which name."""
        self.flows: Counter[tuple[Address, int]] = Counter()
        """What reached and left wallets by anything but orders; whoever acts on orders keeps it."""
        self.compare()
        self.model.invariants()

    def act_of(
        self,
        side: Side,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction | Sequence[Instruction],
        signers: Sequence[Address] = (),
    ) -> str:
        """One action of a program's; what it means for the others' records follows."""
        self.programs = side.programs

        def told() -> Event | Sequence[Event] | None:
            before = self._sums()
            try:
                return call()
            finally:
                if orders not in side.clients:
                    self._follow(before)
                self._burned(before)

        outcome = self.act(name, told, instruction, signers)
        first = instruction if isinstance(instruction, Instruction) else instruction[0]
        program = BY_ADDRESS.get(first.program_id)
        called = program.decode_instruction(bytes(first.data)) if program else None
        self.tally[
            program.name if program else "others",
            called[0] if called else name,
            None if outcome == name else outcome,
        ] += 1
        for said in self.said:
            if said in INNER:
                self.tally[staking.PROGRAM.name, INNER[said], None] += 1
        return outcome

    # -- what one program's action means for another's model ---------------------------------------

    def _sums(self) -> dict[str, Any]:
        economy, orders, buyback = self.staking.economy, self.orders, self.buyback
        assert economy.config is not None and orders is not None
        assert buyback is not None and buyback.config is not None
        return {
            "elsewhere": economy.config.emitted
            - economy.supply
            - buyback.config.burned_fees
            - buyback.config.burned_auctions
            - buyback.burned_by_holders,
            IO: Counter(orders.purse(IO)),
            USDC: Counter(orders.purse(USDC)),
        }

    def _burned(self, before: dict[str, Any]) -> None:
        """What others burned is what buyback's model calls a holder's."""
        assert self.buyback is not None
        self.buyback.burned_by_holders += self._sums()["elsewhere"] - before["elsewhere"]

    def _follow(self, before: dict[str, Any]) -> None:
        """Gifts to the fee vaults, and what buyback takes out of them, are no fee of an order's."""
        assert self.orders is not None
        for currency in (IO, USDC):
            for account, amount in self.orders.purse(currency).items():
                change = amount - before[currency][account]
                if not change:
                    continue
                if account == FEES:
                    self.orders.past_fees[currency] += change
                    self.told[bytes(FEE_VAULTS[currency]), currency] += change
                elif account.kind == "wallet":
                    assert isinstance(account.of, bytes)
                    self.flows[account.of, currency] += change

    # -- comparing -----------------------------------------------------------------------------------

    def compare(self) -> None:
        """Every account, balance and total of all four is the same on both sides."""
        super().compare()
        model, economy = self.buyback, self.staking.economy
        if model is None or model.config is None:
            return
        config = {name: value for name, value in vars(model.config).items() if name != "pending"}
        config["params"] = model.config.params.fields()
        if model.config.pending:
            config["pending"] = model.config.pending.fields()
        same = partial(self._same, program=buyback.PROGRAM)
        same("Config", buyback.CONFIG, config)
        for number, auction in model.auctions.items():
            same("Auction", auction_address(number), vars(auction))
        mint = self.world.account(USDC_MINT).data
        assert read_mint(mint).supply == model.usdc_supply
        same = partial(self._same, program=tokenomics.PROGRAM)
        same("Config", tokenomics.CONFIG, vars(economy.config))
        for number, row in economy.allocations.items():
            same("Allocation", tokenomics.allocation_address(number), vars(row))
        for number, season in economy.seasons.items():
            same("Season", season_address(number), vars(season))
            if season_vault(number) not in economy.tokens:
                assert self.world.chain.get(season_vault_address(number)) is None
        for (number, at), page in economy.pages.items():
            data = self.world.account(tokenomics.claim_page_address(number, at)).data
            bits = sum(1 << index for index in page.claimed).to_bytes(PAGE_CLAIMS // 8, "little")
            assert data[PAGE_BITS_AT - 32 :] == page.payer + bits
        assert self.world.tokens(tokenomics.GENESIS_VAULT) == economy.tokens[GENESIS_VAULT]

    def compare_accounts(self) -> None:
        """No program has an account that its model doesn't know, and events make every one."""
        super().compare_accounts()
        economy = self.staking.economy
        found = finish(self.world.chain.program_accounts(tokenomics.PROGRAM.address))
        expected = {tokenomics.CONFIG, *map(tokenomics.allocation_address, economy.allocations)}
        expected |= {season_address(number) for number in economy.seasons}
        expected |= {tokenomics.claim_page_address(*page) for page in economy.pages}
        assert found.keys() == expected
        assert_events_make_the_accounts(self.world.chain, tokenomics.PROGRAM)
        assert self.buyback is not None
        found = finish(self.world.chain.program_accounts(buyback.PROGRAM.address))
        assert found.keys() == {buyback.CONFIG, *map(auction_address, self.buyback.auctions)}

    def address(self, account: Tokens) -> Pubkey:
        """Where an IO account of the models is on the chain."""
        if account.kind == "season":
            assert isinstance(account.of, int)
            return season_vault_address(account.of)
        return tokenomics.GENESIS_VAULT if account == GENESIS_VAULT else super().address(account)

    def usdc_address(self, account: Tokens) -> Pubkey:
        """Where a USDC account of the models is on the chain."""
        return self.tokens_address(account, USDC)

    def _events(self, record: TransactionRecord) -> list[ProgramEvent]:
        if self.buyback is None:
            return super()._events(record)
        of_orders = super()._events(record)
        if self.programs and self.programs[0] is orders.PROGRAM:
            return of_orders
        return [event for each in self.programs for event in each.events(record)]

    def _refusal(self, record: TransactionRecord) -> str | None:
        """The name by the program that refused first, which may be one that another called."""
        if record.code is not None and record.code not in OTHER_CODES:
            failed = (line.split()[1] for line in record.logs if " failed" in line)
            program = BY_ADDRESS.get(Pubkey.from_string(next(failed)))
            if program is not None:
                name = program.error(record.code).name
                return RUNTIME_NAMES.get(name, name)
        return super()._refusal(record)


class Side:
    """The whole, as those see it who act on one program: its model is theirs."""

    def __init__(self, whole: Whole, model: Any, *clients: Any) -> None:
        self.whole, self.model, self.clients = whole, model, clients
        self.programs = [each.PROGRAM for each in clients]

    def act(self, *arguments: Any) -> str:
        """See :meth:`~tests.programs.side_by_side.SideBySide.act`."""
        return self.whole.act_of(self, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


def _rows(whole: SideBySide) -> list[tokenomics.Allocation]:
    return finish(tokenomics.read_allocations(whole.world.chain))


def _complete(whole: Whole, economy: Tokenomics) -> None:
    """What the launch and those who handed out the first IO left: all that staking's model leaves out."""
    program, world = tokenomics.PROGRAM, whole.world
    economy.config = Config(
        **_fields(Config, program.account("Config", world.account(tokenomics.CONFIG).data))
    )
    for row in _rows(whole):
        data = world.account(tokenomics.allocation_address(row.id)).data
        economy.allocations[row.id] = Allocation(**_fields(Allocation, program.account("Allocation", data)))
        tokens = tokenomics.tokens_address(row.beneficiary)
        if world.chain.get(tokens) is not None:
            economy.tokens[wallet(bytes(row.beneficiary))] = world.tokens(tokens)
    economy.tokens[GENESIS_VAULT] = world.tokens(tokenomics.GENESIS_VAULT)


def _fields(kind: Any, decoded: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(decoded[name]) for name in kind.__dataclass_fields__}

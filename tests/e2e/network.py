"""A network for the scenarios: the programs and their reference models on one chain, whichever it is.

Every action happens on both; afterwards every account and every balance of all four programs must be the
model's. The model's clock is what the chain says of each transaction, so a scenario runs as well on a
chain whose clock goes on by itself. Durations are short enough to be waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams
from solders.system_program import transfer as transfer_lamports

from keeper.chain import TransactionRecord
from keeper.chain.framework import associated_token_address
from keeper.chain.program import Event as ProgramEvent
from keeper.chain.token import create_associated, mint_to, transfer
from keeper.clients import buyback, staking, tokenomics
from keeper.clients.signing import signed_by
from keeper.economy.calendar import HOUR, month_of
from keeper.economy.orders import TICK, Currency, turn_opens
from tests.e2e.live import LiveChain
from tests.e2e.stakes import StakeCalls
from tests.model.orders.state import FEES, IO, Lease, OrdersParams, Terms
from tests.model.schedule import GENESIS
from tests.model.staking.state import Device, Params
from tests.model.state import GENESIS_VAULT, Address, Event, require, wallet
from tests.programs.buyback.world import ISSUER, USDC, USDC_MINT
from tests.programs.orders.calls import CLASSES, OPERATORS, OrdersCalls
from tests.programs.orders.calls import STAKING as STAKING_ACCOUNTS
from tests.programs.orders.pair import FEE_VAULTS, MINTS, OrdersPair, lease_address, order_address
from tests.programs.orders.world import ASK_IO, ASK_USDC, OrdersWorld
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import DrivenChain, finish, key

COOLDOWN = CO_STAKE_WAIT = NOTICE = 10
APPEAL = ACCEPT_WINDOW = 30
MATCH_WINDOW = 900
"""Seconds. Something must be done within each of them: they leave a slow machine time for it."""
EXCLUSIVE = 10
"""Seconds, less than an operator's first turn, which comes 16 to 46 seconds after an order's opening."""
STAKING = Params(
    OPERATORS[:3], 2, cooldown=COOLDOWN, co_stake_wait=CO_STAKE_WAIT, appeal=APPEAL, notice=NOTICE
)
ORDERS = OrdersParams(
    match_window=MATCH_WINDOW, accept_window=ACCEPT_WINDOW, notice=NOTICE, exclusive=EXCLUSIVE
)
PEOPLE = ("admin", "guardian", "mallory", "operator 0", "operator 1", "operator 2")
PURSE_IO, PURSE_USDC = 10_000 * 10**8, 10_000 * USDC
LAMPORTS = 10**10


class NetworkPair(OrdersPair):
    """All four programs: buyback's fees and tokenomics' burns are on the model's side, too."""

    fees_burned = 0

    def compare(self) -> None:
        """Every account, balance and total is the same on both sides."""
        super().compare()
        economy = self.staking.economy.config
        assert economy is not None
        assert self.world.config().burned == economy.burned
        if self.orders is not None:
            assert self.world.buyback_config().burned_fees == self.fees_burned

    def _events(self, record: TransactionRecord) -> list[ProgramEvent]:
        others = (tokenomics.PROGRAM, buyback.PROGRAM)
        return [*super()._events(record), *(event for each in others for event in each.events(record))]


class Network(StakeCalls, OrdersCalls):
    """What people do on it, one method for each instruction; each says how it ended."""

    pair: NetworkPair

    def __init__(self, chain: DrivenChain, params: OrdersParams = ORDERS) -> None:
        """Launch a network on a chain that has the programs; emission starts with the next month."""
        # An hour ahead: the month must not change before the launch.
        world = OrdersWorld.launched(chain=chain, start_month=month_of(chain.now() + HOUR) + 1)
        assert isinstance(world, OrdersWorld)
        if isinstance(chain, LiveChain):
            chain.hear(tokenomics.PROGRAM, "Launched")
        pair = NetworkPair(PEOPLE, STAKING, params, holders=[MALLORY], penniless=[], world=world)
        super().__init__(pair, Counter())
        self.opened: Counter[Address] = Counter()
        """Orders so far, by renter."""
        for row in CLASSES:
            assert self.add_class(row) == "add_class"
        self.wait_until(max(row.opens_at for row in self.staking.classes.values()))

    def act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction | Sequence[Instruction],
        *signers: Address,
    ) -> str:
        """One action on both sides; the name when it succeeds, the refusal's name otherwise."""
        return self.pair.act(name, call, instruction, signers)

    # -- time --------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The chain's clock."""
        return self.pair.world.chain.now()

    def wait_until(self, time: int) -> None:
        """Come to a time, at once or by waiting."""
        self.pair.warp(max(time, self.now))

    def pass_through(self, begin: int, end: int) -> None:
        """Come to ``end`` with blocks all along from ``begin`` on, which :meth:`wait_until` may leave out."""
        chain = self.pair.world.chain
        if isinstance(chain, LiveChain):
            chain.pass_through(begin, end)
        self.wait_until(end)

    # -- people ------------------------------------------------------------------------------------

    def join(self, name: str) -> Address:
        """Somebody new with lamports, both currencies and a wallet that can earn."""
        world, person = self.pair.world, key(name)
        owner, payer, community = person.pubkey(), world.payer.pubkey(), key("community")
        io, usdc = (associated_token_address(owner, mint) for mint in (tokenomics.MINT, USDC_MINT))
        source = tokenomics.tokens_address(community.pubkey())
        world.do(
            transfer_lamports(TransferParams(from_pubkey=payer, to_pubkey=owner, lamports=LAMPORTS)),
            create_associated(payer, owner, tokenomics.MINT),
            create_associated(payer, owner, USDC_MINT),
            transfer(source, io, community.pubkey(), PURSE_IO),
            mint_to(USDC_MINT, usdc, ISSUER.pubkey(), PURSE_USDC),
            staking.open_wallet(payer, owner),
            signers=[community, ISSUER],
        )
        address = bytes(owner)
        self.pair.keys[address] = person
        tokens = self.staking.economy.tokens
        # The community's own account is not in the model: what it gives comes out of genesis there.
        tokens[GENESIS_VAULT] -= PURSE_IO
        tokens[wallet(address)] = PURSE_IO
        self.model.usdc[wallet(address)] = PURSE_USDC
        self.model.usdc_supply += PURSE_USDC
        self.staking.open_wallet(address)
        return address

    def let(
        self,
        worker: str,
        supplier: Address,
        amount: int = 0,
        *,
        number: int = GPU_CLASS,
        may_end: bool = False,
    ) -> Address:
        """Register a device of a class, four processors; stake ``amount`` on it."""
        signer = key(worker)
        named, address = bytes(signer.pubkey()), bytes(staking.device_address(signer.pubkey()))
        self.pair.keys[named] = signer
        row = Device(named, supplier, supplier, number, 4, 4, b"CH", ASK_IO, ASK_USDC)
        row.worker_may_end = int(may_end)
        owner, asks = Pubkey(supplier), {"ask_io": ASK_IO, "ask_usdc": ASK_USDC}
        outcome = self.act(
            "register_device",
            lambda: self.staking.register_device(address, row),
            staking.register_device(
                owner,
                signer.pubkey(),
                owner,
                number,
                processors=4,
                tier=4,
                country="CH",
                worker_may_end=may_end,
                **asks,
            ),
            supplier,
            named,
        )
        assert outcome == "register_device"
        if amount:
            assert self.stake(address, amount) == "stake"
        return address

    def money(self, owner: Address, currency: int = IO) -> int:
        """What a wallet has on the chain, base units."""
        return self.pair.world.money(Pubkey(owner), Currency(currency))

    def fees(self, currency: int) -> int:
        """What is in buyback's vault, base units."""
        return self.pair.world.tokens(FEE_VAULTS[currency])

    # -- orders ------------------------------------------------------------------------------------

    def open(self, renter: Address, terms: Terms) -> Address:
        """Open a renter's next order, later than all that devices were changed."""
        self.wait_until(self.now + 1)
        self.opened[renter] += 1
        assert self.do_create(renter, self.opened[renter], terms) == "create_order"
        return bytes(order_address(Pubkey(renter), self.opened[renter]))

    def lease(self, order: Address, device: Address) -> Lease:
        """The lease of a device to an order, as the model has it."""
        return self.model.leases[bytes(lease_address(Pubkey(order), Pubkey(device)))]

    def match(self, order: Address, device: Address, matcher: Address = OPERATORS[0]) -> str:
        """Match a device by an operator once it has a turn."""
        operators = STAKING.operators
        tick = self.model.orders[order].created_at // TICK + 1
        self.wait_until(turn_opens(tick, operators.index(matcher), len(operators)))
        return self.do_match(matcher, order, device)

    def run(self, order: Address, device: Address, matcher: Address | None = None) -> Lease:
        """Match a device and accept for its worker: by its supplier, unless an operator is named."""
        if matcher is None:
            return self.take(order, device)
        assert self.match(order, device, matcher) == "match_device"
        lease = self.lease(order, device)
        assert self.do_accept(lease.worker, lease) == "accept_lease"
        return lease

    def take(self, order: Address, device: Address) -> Lease:
        """Match a device by its supplier and accept for its worker, in one transaction."""
        self.wait_until(self.model.orders[order].exclusive_until)
        row = self.device(device)
        named = {"order": Pubkey(order), "lease": lease_address(Pubkey(order), Pubkey(device))}
        match = self.call(
            "match_device",
            {"tick": 0},
            matcher=row.supplier,
            order=order,
            device=device,
            worker=row.worker,
            **{"class": staking.class_address(row.class_id)},
            **STAKING_ACCOUNTS,
        )
        mint = MINTS[self.model.orders[order].terms.currency]
        payout = associated_token_address(Pubkey(row.payout), mint)
        accept = self.call("accept_lease", worker=row.worker, payout_tokens=payout, **named)

        def both() -> list[Event]:
            matched, *leased = self.model.match_device(
                row.supplier, order, device, row.class_id, 0, worker=True
            )
            # The pair collects what orders says before what staking says.
            return [matched, *self.model.accept_lease(row.worker, bytes(named["lease"])), *leased]

        calls = [signed_by(match, Pubkey(row.worker)), accept]
        assert self.act("accept_lease", both, calls, row.supplier, row.worker) == "accept_lease"
        return self.lease(order, device)

    def extend(self, order: Address, device: Address, hours: int) -> str:
        lease, renter = self.lease(order, device), self.model.orders[order].renter
        tokens = self.refunded(order, self.model.orders[order])["renter_tokens"]
        most = replace(lease, hours=lease.hours + hours).price - lease.price
        return self.act(
            "extend_lease",
            lambda: self.model.extend_lease(renter, self.address_of(lease), hours, most, lease.hours),
            self.call(
                "extend_lease",
                {"hours": hours, "max_amount": most, "expected": lease.hours},
                renter=renter,
                renter_tokens=tokens,
                vault=self.vault(lease),
                device=device,
                **self.rented(lease),
            ),
            renter,
        )

    def cancel(self, order: Address) -> str:
        renter = self.model.orders[order].renter
        instruction = self.call("cancel_order", renter=renter, order=order)
        return self.act("cancel_order", lambda: self.model.cancel_order(renter, order), instruction, renter)

    def refund(self, order: Address) -> str:
        instruction = self.call("refund", **self.refunded(order, self.model.orders[order]))
        return self.act("refund", lambda: self.model.refund(order), instruction)

    def close(self, order: Address) -> str:
        row = self.model.orders[order]
        return self.do_close_order(row.renter, order, row)

    def give_up(self, order: Address) -> int:
        """Cancel an order without leases and close it; returns what that costs, base units."""
        row = self.model.orders[order]
        before = row.fees
        assert self.cancel(order) == "cancel_order"
        assert self.close(order) == "close_order"
        return row.fees - before

    # -- supply and fees ---------------------------------------------------------------------------

    def supply(self) -> tokenomics.Supply:
        """Where all IO is."""
        return finish(tokenomics.read_supply(self.pair.world.chain))

    def uncounted(self) -> int:
        """Burned, but not counted by tokenomics yet, base units."""
        economy = self.staking.economy
        assert economy.config is not None
        return GENESIS + economy.config.emitted - economy.supply - economy.config.burned

    def burn_fees(self) -> str:
        """Burn all of buyback's IO."""

        def burned() -> tuple[str, dict[str, int]]:
            economy = self.staking.economy
            amount = economy.tokens[FEES]
            require(amount > 0, "NothingToBurn")
            economy.tokens[FEES] = 0
            economy.supply -= amount
            self.model.past_fees[IO] -= amount
            self.pair.fees_burned += amount
            return "FeesBurned", {"amount": amount, "fees_io": self.pair.fees_burned}

        return self.act("burn_fees", burned, buyback.burn_fees())

    def sync_burned(self) -> str:
        """Count what was burned on the token program."""
        return self.act("sync_burned", self.staking.economy.sync_burned, tokenomics.sync_burned())

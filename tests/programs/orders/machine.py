"""What orders' random sequences stand on: first states, the clock, how arguments are chosen, and the end that
every history comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import orders as client
from keeper.economy.orders import REACH, TICK, tick_ends, turn_opens
from tests.model.orders.state import (
    ACCEPTED,
    ENDED,
    FEES,
    IO,
    MATCHED,
    PARKED,
    USDC,
    Lease,
    Order,
    OrdersConfig,
    OrdersParams,
    Terms,
    fee,
)
from tests.model.schedule import DAY, HOUR
from tests.model.staking.state import PENDING, Device, Params
from tests.model.state import CANCELLED, Address, Event, wallet
from tests.programs.orders.accounts import AccountCalls
from tests.programs.orders.calls import (
    ALICE,
    BOB,
    CLASSES,
    FLEET,
    OPERATORS,
    PAULA,
    PEOPLE,
    PRICES,
    RENTERS,
    UNITS,
)
from tests.programs.orders.pair import FEE_VAULTS, OrdersPair
from tests.programs.role_acts import ParamActs
from tests.programs.sequences import tell
from tests.programs.side_by_side import ADMIN, MALLORY

SERVICE, GIVEN_UP = {"settle", "park_pay"}, {"cancel_order", "end_lease"}
"""What charges fees for what was served, and for what a renter doesn't want any more."""
STAGES = ("fleet", "orders", "matched", *("running",) * 4)


class OrdersMachine(AccountCalls, ParamActs):
    """Orders by random acts."""

    client = client
    pauses = 60, HOUR

    def __init__(self, seed: int, met: Counter[str]) -> None:
        """Start a history; count in ``met`` how often each action succeeded and each refusal came."""
        self.random = Random(seed)
        lag = self.choose(2 * HOUR, 2 * HOUR, 0, 1, DAY)
        params = OrdersParams(settlement_lag=lag, notice=HOUR, supplier_fee_bps=self.choose(25, 25, 0, 100))
        operators = Params(OPERATORS[:3], 2, notice=HOUR, appeal=DAY)
        holders = *RENTERS, BOB, PAULA
        super().__init__(OrdersPair(PEOPLE, operators, params, holders=holders, penniless=[PAULA]), met)
        self.start = {c: dict(self.model.purse(c)) for c in (IO, USDC)}
        met["initialize"] += 1
        self.begin(self.choose(*STAGES))

    def begin(self, stage: str) -> None:
        """Come as far as ``stage``: devices that are let, orders for them, leases, running ones."""
        for row in CLASSES:
            values = {name: getattr(row, name) for name in ("id", "name", "multiplier", "pool", "kind")}
            prices = PRICES[row.id]
            arguments = {**values, "prices": vars(prices)}
            self.do_staking("add_class", (ADMIN, replace(row), prices), arguments, admin=ADMIN)
        self.pair.warp(self.now + HOUR)
        for owner in (ALICE, BOB, PAULA):
            self.do_staking("open_wallet", (owner,), {"owner": Pubkey(owner)}, payer=ADMIN)
        for number in range(len(FLEET)):
            self.do_register(number)
            self.do_stake(number)
        # What devices are is older than any order.
        self.pair.warp(self.now + 1)
        if stage == "fleet":
            return
        for renter in RENTERS[: self.choose(1, 2, 2)]:
            hours, price = self.choose(1, 3, 10, 24), self.choose(2, 3)
            currency = self.choose(IO, USDC)
            devices = self.choose(1, 2, 3)
            least = self.choose(1, 1, devices)
            terms = Terms(price * UNITS[currency], hours, devices, 4, (1, 2), currency, min_devices=least)
            self.do_create(renter, 0, terms)
        if stage == "orders":
            return
        for order in list(self.model.orders):
            for device in list(self.devices)[: self.choose(1, 2, 4)]:
                operator = self.choose(*OPERATORS[:2])
                self.turn(operator, order)
                self.do_match(operator, order, device)
        for lease in list(self.model.leases.values()) if stage == "running" else ():
            self.do_accept(lease.worker, lease)

    def act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction,
        *signers: Address,
    ) -> str:
        """One action, and whom it may cost what: renters pay for service, or for their change of mind."""
        before = {a: (order.fees, order.open) for a, order in self.model.orders.items()}
        outcome = super().act(name, call, instruction, *signers)
        for address, (fees, places) in before.items():
            order = self.model.orders.get(address)
            charged = order.fees - fees if order else 0
            if not order or not charged or outcome in SERVICE:
                continue
            # Of a gang that its renter cancelled, each lease is an hour's fee when its time is over.
            assert outcome in GIVEN_UP and (order.renter in signers or order.status == CANCELLED)
            assert charged <= fee(order.hour * (places + 1), order.renter_fee_bps) + 1
        return outcome

    # -- looking ---------------------------------------------------------------------------------

    @property
    def devices(self) -> dict[Address, Device]:
        return self.pair.staking.devices

    @property
    def now(self) -> int:
        return self.pair.staking.now

    @property
    def config(self) -> OrdersConfig:
        assert self.model.config is not None
        return self.model.config

    @property
    def operators(self) -> Params:
        assert self.staking.config is not None
        return self.staking.config.params

    # -- time ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Move the clock on, with a taste for the seconds around deadlines."""
        kind = self.choose("second", "minutes", "hour", "hour", *("deadline",) * 5, "days")
        now = self.now
        if kind == "second":
            to = now + 1
        elif kind == "minutes":
            to = now + self.random.randrange(HOUR)
        elif kind == "hour":
            to = now + HOUR * self.choose(1, 1, 2, 5) + self.choose(0, 0, -1, 1)
        elif kind == "days":
            to = now + DAY * self.choose(1, 7, 14, 31)
        else:
            to = self.choose(*self.deadlines()) + self.choose(0, 0, -1, 1)
        tell(f"at {max(now, to)}")
        self.pair.warp(max(now, to))

    def turn(self, operator: Address, order: Address, *, late: bool = False) -> int:
        """Move the clock on to an operator's next turn for an order, or to its last second; the tick."""
        operators, created = self.operators.operators, self.model.orders[order].created_at
        number, now = operators.index(operator), self.now
        tick = max(created // TICK + 1, (now - REACH) // TICK)
        while max(now, turn_opens(tick, number, len(operators))) > tick_ends(tick):
            tick += 1
        opens = turn_opens(tick, number, len(operators))
        self.pair.warp(max(now, tick_ends(tick) if late else opens))
        return tick

    def deadlines(self) -> list[int]:
        """Moments to come at which an answer changes; the next hour when there are none."""
        moments = [self.config.pause_until, self.config.pending_at, self.config.guardian_at]
        moments += [order.match_until for order in self.model.orders.values()]
        moments += [order.exclusive_until for order in self.model.orders.values()]
        moments += [order.gang_until for order in self.model.orders.values()]
        moments += [device.barred_until for device in self.devices.values()]
        for lease in self.model.leases.values():
            if lease.status in {MATCHED, ACCEPTED}:
                moments.append(lease.accept_until)
                continue
            lag = self.model.orders[lease.order].params.settlement_lag
            whole = (self.now - lease.start) // HOUR * HOUR + lease.start
            moments += [lease.start + HOUR, whole + HOUR, lease.stop]
            moments += [lease.start + HOUR + lag, lease.stop + lag, lease.hold_until, lease.hold_until + lag]
            moments += [lease.stop - DAY, lease.stop - 7 * DAY]
        moments += [slash.appeal_until for slash in self.staking.slashes.values() if slash.status == PENDING]
        moments += [device.own_until for device in self.devices.values()]
        return [at for at in moments if at > self.now] or [self.now + HOUR]

    def finish(self) -> None:
        """See RandomActs: with everything at its end."""
        self.drain()

    # -- the end ---------------------------------------------------------------------------------

    def drain(self) -> None:
        """Everything comes to its end by time and by strangers alone, while all that can be paused is."""
        self.pair.compare_accounts()
        guardian, model = self.config.guardian, self.model
        until = self.now + 7 * DAY
        self.act(
            "set_pause",
            lambda: model.set_pause(guardian, 3, until),
            self.call("set_pause", {"mask": 3, "until": until}, guardian=guardian),
            guardian,
        )
        leases = list(model.leases.values())
        ends = [max(self.stop(each), each.accept_until, each.hold_until) for each in leases]
        self.pair.warp(max([self.now, *ends]))
        for each in leases:
            assert each.status == ENDED or self.do_end(MALLORY, each) == "end_lease"
        self.pair.warp(max([self.now + DAY, *(order.match_until for order in model.orders.values())]))
        for each in leases:
            self.pay_out(each)
            assert self.do_close_lease(each.payer, each) == "close_lease"
        for name, fault in list(model.faults.items()):
            assert self.do_close_fault(fault.payer, name) == "close_fault"
        for address, order in list(model.orders.items()):
            self.close_out(address, order)
        # What waits for somebody reaches it as soon as that one can be paid.
        for account, _ in {*model.frozen, *model.owners}:
            self.let_go(account)
        for address, order in list(model.orders.items()):
            assert self.do_close_order(order.renter, address, order) == "close_order"
        for (owner, currency), record in list(model.parked.items()):
            if record.destination not in model.purse(currency):
                self.do_open(owner)
            assert self.do_pay_parked(record.payer, owner, currency) == "pay_parked"
        self.pair.compare_accounts()
        assert not model.orders and not model.leases and not model.faults and not model.parked
        self.add_up()

    def stop(self, lease: Lease) -> int:
        """When its hours are over, though nobody has written down that they began."""
        filled = self.model.orders[lease.order].filled_at
        start = lease.start or (max(lease.accepted_at, filled) if lease.status == ACCEPTED and filled else 0)
        return lease.stop or start + lease.hours * HOUR * (start > 0)

    def pay_out(self, lease: Lease) -> None:
        """An ended lease is paid in full by a stranger, whatever has become of its payee's account."""
        if not lease.start:
            return
        currency = self.model.orders[lease.order].terms.currency
        if self.do_settle(lease) == "PayeeBlocked":
            assert not self.model.is_payable(wallet(lease.payout), currency)
            assert self.do_park_pay(MALLORY, lease) == "park_pay"
        assert lease.held == 0

    def close_out(self, address: Address, order: Order) -> None:
        """An order is closed by a stranger, unless its renter's own account is in the way of that."""
        currency = order.terms.currency
        outcome = self.do_close_order(order.renter, address, order)
        if outcome == "FeesBlocked":
            assert self.do_park_fees(MALLORY, address, currency) == "park_fees"
            outcome = self.do_close_order(order.renter, address, order)
        assert outcome == "close_order" or not self.model.is_payable(wallet(order.renter), currency)

    def add_up(self) -> None:
        """Everybody has what hours and fees make, to the last base unit, and the events say so."""
        model, told = self.model, self.pair.told
        for currency in (IO, USDC):
            purse = model.purse(currency)
            assert not [account for account in purse if account.kind == "order"]
            assert purse[FEES] == model.past_fees[currency] == told[bytes(FEE_VAULTS[currency]), currency]
            assert purse[PARKED] == 0
            for account, amount in purse.items():
                if account.kind != "wallet":
                    continue
                who = account.of, currency
                moved = model.earned[who] - model.spent[who]
                assert told[who] == moved
                assert amount == self.start[currency].get(account, 0) + moved + self.flows[who]

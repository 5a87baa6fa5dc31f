"""Random sequences of every instruction of orders, with staking's in between, on the real programs and on the
reference models; every history ends with everything paid, closed and added up.
"""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import transfer
from keeper.clients import orders as client
from keeper.economy.orders import REACH, TICK
from tests.model.orders.state import ENDED, IO, MATCHED, RUNNING, USDC, Lease, Order, Terms
from tests.model.schedule import DAY, HOUR
from tests.model.staking.state import MAX_STEP, STALE, Device
from tests.model.state import U32, U64, ZERO, Address, wallet
from tests.programs.orders.calls import BOB, MINTS, RENTERS, UNITS
from tests.programs.orders.pair import USDC_MINT, vault_address
from tests.programs.orders.staking import EVIDENCE, NO_DEVICE, STEPS, StakingBetween
from tests.programs.sequences import explore
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY


class Sequences(StakingBetween):
    """A method for each instruction of orders, for stories of several, and for gifts."""

    def step(self, action: str) -> None:
        """See RandomActs; there is a lease to act on, as long as devices are left."""
        if not self.model.leases:
            self.begin_again()
        super().step(action)

    # -- roles -----------------------------------------------------------------------------------

    def initialize(self) -> None:
        params = self.config.params
        self.act(
            "initialize",
            lambda: self.model.initialize(ADMIN, GUARDIAN, params),
            client.initialize(Pubkey(ADMIN), Pubkey(GUARDIAN), USDC_MINT, client.Params(**vars(params))),
            ADMIN,
        )

    def propose_params(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        good = replace(
            self.config.params,
            match_window=(window := self.choose(1, 20 * 60, 20 * 60)),
            exclusive=self.choose(0, window // 2, window // 4),
            accept_window=self.choose(1, 10 * 60, DAY),
            settlement_lag=self.choose(0, HOUR - 1, 2 * HOUR, DAY),
            renter_fee_bps=self.choose(0, 25, 100),
            supplier_fee_bps=self.choose(0, 25, 33, 100),
            usdc_fee_bps=self.choose(0, 200, 500),
            soon_fee_bps=self.choose(0, 100, 500),
            now_fee_bps=self.choose(0, 300, 500),
            notice=max(self.config.params.notice, self.choose(HOUR, HOUR, HOUR, 2 * HOUR)),
        )
        bad = [replace(good, **{name: value}) for name, value in BOUNDS]
        params = self.mostly(good, self.choose(*bad), self.choose(*bad))
        self.act(
            "propose_params",
            lambda: self.model.propose_params(admin, params),
            client.propose_params(Pubkey(admin), client.Params(**vars(params))),
            admin,
        )

    def new_terms(self) -> None:
        """Parameters from proposal to effect, with orders and leases that keep theirs."""
        self.propose_params()
        self.pair.warp(max(self.now, self.config.pending_at))
        self.apply_params()
        self.create_order()

    # -- orders ----------------------------------------------------------------------------------

    def create_order(self) -> None:
        renter = self.choose(*RENTERS)
        used = [each.id for each in self.model.orders.values() if each.renter == renter]
        number = self.mostly(self.choose(len(self.pair.told), U64) + len(used), max(used, default=0))
        currency = self.choose(IO, USDC)
        good = Terms(
            price=self.choose(*(2 * UNITS[currency], 3 * UNITS[currency] + 1) * 2, 7),
            hours=self.choose(1, 1, 2, 3, 10, 24, 30, 100),
            devices=(devices := self.choose(1, 1, 2, 3)),
            min_devices=self.choose(1, 1, devices, min(devices, 2)),
            processors=self.mostly(4, 2, 1),
            classes=self.choose((1,), (1, 2), (1, 2), (2, 1), (2,)),
            currency=currency,
            min_tier=self.choose(1, 1, 1, 2, 4),
            urgency=self.choose(0, 1, 2),
            colocated=self.choose(0, 0, 1),
            countries=self.choose((), (), (b"CH",), (b"DE", b"CH")),
        )
        bad = self.choose(*(replace(good, **{name: value}) for name, value in BAD_TERMS))
        terms = self.mostly(good, bad, bad, bad)
        number = min(number, U64)
        class_id = self.mostly(None, 3 - (terms.classes or (1,))[0], 9)
        mint = self.mostly(None, 1 - min(currency, USDC))
        self.do_create(renter, number, terms, class_id, mint, self.limit(terms))

    def limit(self, terms: Terms) -> int:
        """The most that a renter puts down: what it comes to, sometimes a base unit less, or no limit."""
        if terms.urgency not in range(3):
            return U64
        order = Order(0, ZERO, terms, self.config.params, 0, 0, 0)
        deposit = order.place * terms.devices
        return min(U64, self.mostly(self.choose(deposit, U64), max(0, deposit - 1)))

    def some_order(self) -> tuple[Address, Order]:
        """One of the orders with its address, sometimes one that isn't there."""
        renter = self.choose(*RENTERS)
        missing = self.model.addresses.order(renter, U32)
        nothing = Order(U32, renter, Terms(1, 1, 1, 1, (1,)), self.config.params, 0, 1, 0)
        rows = list(self.model.orders.items())
        return self.mostly(self.choose(*rows), (missing, nothing)) if rows else (missing, nothing)

    def cancel_order(self) -> None:
        address, order = self.some_order()
        renter = self.mostly(order.renter, MALLORY)
        instruction = self.call("cancel_order", renter=renter, order=address)
        self.act("cancel_order", lambda: self.model.cancel_order(renter, address), instruction, renter)

    def refund(self) -> None:
        address, order = self.some_order()
        instruction = self.call("refund", **self.refunded(address, order))
        self.act("refund", lambda: self.model.refund(address), instruction)

    def close_order(self) -> None:
        address, order = self.some_order()
        # The renter's account must go with its tokens': another renter's order is another order.
        self.do_close_order(self.mostly(order.renter, MALLORY), address, order)

    def donate(self) -> None:
        """A gift to an order's vault, which the renter gets in the end."""
        rows = list(self.model.orders.items())
        if not rows:
            return
        address, order = self.choose(*rows)
        currency = order.terms.currency
        source = wallet(self.choose(*RENTERS, BOB))
        amount = self.choose(1, 7, UNITS[currency])
        owner = source.of
        assert isinstance(owner, bytes)
        self.aside(
            "donate",
            lambda: self.model.donate(owner, source, address, amount),
            transfer(
                self.pair.tokens_address(source, currency),
                vault_address(Pubkey(address)),
                Pubkey(owner),
                amount,
            ),
            owner,
        )

    # -- leases ----------------------------------------------------------------------------------

    def match_device(self) -> None:
        address, device = self.some_match()
        order, row = self.model.orders.get(address), self.devices.get(device)
        supplier = row.supplier if row else BOB
        matcher = self.mostly(self.choose(*self.operators.operators, supplier), MALLORY)
        if order and matcher in self.operators.operators and self.random.random() < 0.8:
            self.turn(matcher, address, late=self.random.random() < 0.2)
        class_id = self.mostly(None, 9, 3 - row.class_id if row else 1)
        early = self.now // TICK - self.choose(0, 1, 2, 3, 4, 5)
        self.do_match(matcher, address, device, class_id, self.mostly(None, early, early, 0, U32))

    def some_match(self) -> tuple[Address, Address]:
        """An order and a device, mostly such as fit."""
        takers = [a for a, order in self.model.orders.items() if order.takes_devices(self.now)]
        address = self.choose(*takers) if takers and self.random.random() < 0.8 else self.some_order()[0]
        order = self.model.orders.get(address)
        fit = [a for a, device in self.devices.items() if order and self.fits(order, device)]
        return address, self.choose(*fit) if fit and self.random.random() < 0.8 else self.some_device()[0]

    def take(self) -> None:
        """A supplier matches its own device once it may, or a second too early, and the worker accepts."""
        address, device = self.some_match()
        order, row = self.model.orders.get(address), self.devices.get(device)
        if order is None or row is None:
            return
        self.pair.warp(max(self.now, order.exclusive_until - self.mostly(0, 1)))
        self.do_match(row.supplier, address, device, tick=0, signs=self.mostly(True, False))
        lease = self.model.leases.get(self.model.addresses.lease(address, device))
        if lease and self.random.random() < 0.8:
            self.do_accept(lease.worker, lease)

    def fits(self, order: Order, device: Device) -> bool:
        """Whether a device looks right, as an operator would see it."""
        terms = order.terms
        ask = device.ask_usdc if terms.currency == USDC else device.ask_io
        suits = device.class_id in terms.classes and device.processors == terms.processors
        fresh = device.lease == ZERO and not device.slash_pending and device.barred_until <= self.now
        known = device.changed_at < order.created_at
        return suits and fresh and known and device.tier >= terms.min_tier and ask > 0

    def some_lease(self, *states: int) -> Lease:
        """A lease, mostly one in one of the states, sometimes one that is gone."""
        every = list(self.model.leases.values())
        some = [each for each in every if each.status in states] or every
        gone = [each for address, each in self.gone.items() if address not in self.model.leases]
        nothing = Lease(self.some_order()[0], NO_DEVICE, BOB, MALLORY, BOB, MALLORY, 1, 1, 0, 0, 1, 0, 25)
        other = self.choose(*gone) if gone else nothing
        return self.mostly(self.choose(*some), self.choose(*every), other) if every else other

    def accept_lease(self) -> None:
        lease = self.some_lease(MATCHED)
        self.do_accept(self.mostly(lease.worker, lease.supplier), lease)

    def begin_again(self) -> None:
        """An order and its leases, when there are none."""
        self.pair.warp(self.now + 1)
        self.create_order()
        self.match_and_accept()

    def match_and_accept(self) -> None:
        """Every device that fits an order goes to it."""
        for address, order in list(self.model.orders.items()):
            for device, row in list(self.devices.items()):
                if order.takes_devices(self.now) and self.fits(order, row):
                    operator = self.choose(*self.operators.operators)
                    self.turn(operator, address)
                    self.do_match(operator, address, device)
        for lease in list(self.model.leases.values()):
            if lease.status == MATCHED and self.random.random() < 0.8:
                self.do_accept(lease.worker, lease)

    def whole_order(self) -> None:
        """An order from its opening to running leases, and on to where it can be paid."""
        self.begin_again()
        self.pair.warp(self.now + self.choose(0, HOUR, 3 * HOUR - 1, 3 * HOUR, 25 * HOUR))
        self.settle()

    def last_seconds(self) -> None:
        """A match and an acceptance in the last second of their time, or in the first after it."""
        self.create_order()
        for address, order in list(self.model.orders.items()):
            fit = [a for a, device in self.devices.items() if self.fits(order, device)]
            if order.takes_devices(self.now) and fit:
                self.pair.warp(max(self.now, order.match_until - self.choose(0, 1)))
                self.do_match(self.choose(*self.operators.operators), address, fit[0])
        for lease in list(self.model.leases.values()):
            if lease.status == MATCHED:
                self.pair.warp(max(self.now, lease.accept_until - self.choose(0, 1)))
                self.do_accept(lease.worker, lease)

    # -- attackers -------------------------------------------------------------------------------

    def grief(self) -> None:
        """A supplier takes places and breaks off, as often as it can; sometimes with other terms."""
        address, device = self.some_match()
        order, row = self.model.orders.get(address), self.devices.get(device)
        if order is None or row is None:
            return
        if self.random.random() < 0.3:
            self.change_device()
        self.pair.warp(max(self.now, order.exclusive_until))
        for _ in range(2):
            self.do_match(row.supplier, address, device, tick=0)
            lease = self.model.leases.get(self.model.addresses.lease(address, device))
            if lease is None:
                return
            if self.random.random() < 0.7:
                self.do_accept(lease.worker, lease)
            self.do_end(lease.supplier, lease)
            self.do_close_lease(lease.payer, lease)
            if self.random.random() < 0.5:
                self.pair.warp(max(self.now, self.devices[device].barred_until))

    def lapse(self) -> None:
        """A worker never says yes; while matching is stopped it could not."""
        address, device = self.some_match()
        if address not in self.model.orders or device not in self.devices:
            return
        operator = self.choose(*self.operators.operators)
        self.turn(operator, address)
        self.do_match(operator, address, device)
        if self.random.random() < 0.3:
            self.set_pause()
        lease = self.model.leases.get(self.model.addresses.lease(address, device))
        if lease and lease.status == MATCHED:
            self.pair.warp(max(self.now, lease.accept_until))
            self.do_end(MALLORY, lease)

    def change_of_mind(self) -> None:
        """A renter withdraws, cancels, or ends at once, while others are on their way to its order."""
        waiting = [each for each in self.model.leases.values() if each.status != ENDED]
        if not waiting:
            return
        lease = self.choose(*waiting)
        order = self.model.orders[lease.order]
        if self.random.random() < 0.4:
            renter, address = order.renter, lease.order
            instruction = self.call("cancel_order", renter=renter, order=address)
            self.act("cancel_order", lambda: self.model.cancel_order(renter, address), instruction, renter)
        if self.random.random() < 0.5 and lease.status == MATCHED:
            self.do_accept(lease.worker, lease)
        self.do_end(order.renter, lease)

    def half_a_gang(self) -> None:
        """Some of a gang accept, the last one late or never; then anybody ends what is over."""
        gangs = [a for a, order in self.model.orders.items() if order.gathers and order.gang_until]
        if not gangs:
            self.create_order()
            self.match_and_accept()
            return
        address = self.choose(*gangs)
        order = self.model.orders[address]
        for lease in self.model.leases_of(address).values():
            if lease.status == MATCHED and self.random.random() < 0.5:
                self.do_accept(lease.worker, lease)
        self.pair.warp(max(self.now, order.gang_until - self.choose(0, 0, 1)))
        for lease in list(self.model.leases_of(address).values()):
            step = self.choose(self.do_accept, self.do_end, self.do_end)
            step(lease.worker if step == self.do_accept else self.choose(MALLORY, lease.supplier), lease)

    def hopeless_gang(self) -> None:
        """Too few of a gang come before its renter cancels it, or its matching is over; then they leave."""
        self.pair.warp(self.now + 1)
        renter, currency = self.choose(*RENTERS[:2]), self.choose(IO, USDC)
        late = self.random.random() < 0.5
        number = len(self.pair.told) + len(self.model.orders)
        terms = Terms(4 * UNITS[currency], 1, 3, 4, (1, 2), currency, min_devices=3)
        if self.do_create(renter, number, terms) != "create_order":
            return
        address = self.model.addresses.order(renter, number)
        order = self.model.orders[address]
        if late:
            self.pair.warp(order.match_until - 5 * TICK)
        for device in [a for a, row in self.devices.items() if self.fits(order, row)][:2]:
            operator = self.choose(*self.operators.operators)
            self.turn(operator, address)
            self.do_match(operator, address, device)
        for lease in self.model.leases_of(address).values():
            if self.random.random() < 0.5:
                self.do_accept(lease.worker, lease)
        if late:
            self.pair.warp(max(self.now, order.match_until - self.choose(0, 0, 0, 1)))
        else:
            instruction = self.call("cancel_order", renter=renter, order=address)
            self.act("cancel_order", lambda: self.model.cancel_order(renter, address), instruction, renter)
        for lease in list(self.model.leases_of(address).values()):
            if self.random.random() < 0.3:
                self.pair.warp(max(self.now, lease.accept_until))
            self.do_end(self.choose(lease.supplier, lease.supplier, renter, MALLORY), lease)

    def prices_go_stale(self) -> None:
        """Nobody renews a price for a day: then a lease costs what its device asks, within bounds."""
        self.change_device()
        self.announce(*STEPS)
        stale = max(row.step_at for row in self.staking.classes.values()) + STALE
        self.pair.warp(max(self.now, stale - self.choose(0, 0, 1)))
        self.begin_again()

    def money_runs_short(self) -> None:
        """What is above a lease's price goes back, the price rises, and its place opens again."""
        holds = self.announce(MAX_STEP)
        self.pair.warp(holds - 2 * TICK - REACH)
        renter, currency = self.choose(*RENTERS[:2]), self.choose(IO, USDC)
        terms = Terms(2 * UNITS[currency], self.choose(1, 3), 1, 4, (1,), currency)
        address = self.model.addresses.order(renter, number := len(self.pair.told) + len(self.model.orders))
        if self.do_create(renter, number, terms) != "create_order":
            return
        order = self.model.orders[address]
        for device in [a for a, row in self.devices.items() if self.fits(order, row)]:
            operator = self.choose(*self.operators.operators)
            self.turn(operator, address)
            self.do_match(operator, address, device)
            lease = self.model.leases.get(self.model.addresses.lease(address, device))
            if lease:
                instruction = self.call("refund", **self.refunded(address, order))
                self.act("refund", lambda: self.model.refund(address), instruction)
                self.pair.warp(max(self.now, holds))
                self.do_end(lease.supplier, lease)

    def blocked_pay(self) -> None:
        """What is due goes where it can: to the payee, or aside."""
        lease = self.some_lease(RUNNING, ENDED)
        if self.random.random() < 0.3 or self.do_settle(lease) == "PayeeBlocked":
            self.do_park_pay(self.choose(MALLORY, lease.supplier), lease)

    park_pay = blocked_pay

    def park_fees(self) -> None:
        address, order = self.some_order()
        owing = [(a, each) for a, each in self.model.orders.items() if each.fees_due]
        if owing and self.random.random() < 0.7:
            address, order = self.choose(*owing)
        self.do_park_fees(self.choose(MALLORY, order.renter), address, order.terms.currency)

    def pay_parked(self) -> None:
        if not self.model.parked:
            return
        owner, currency = self.choose(*self.model.parked)
        record = self.model.parked[owner, currency]
        if self.random.random() < 0.5:
            self.let_go(record.destination)
        if record.destination not in self.model.usdc and self.random.random() < 0.5:
            self.do_open(owner)
        # Seldom reached: somebody else asks more often than elsewhere, so that a long run has that refusal.
        self.do_pay_parked(self.choose(*[record.payer] * 3, MALLORY), owner, currency)

    # -- leases, on ------------------------------------------------------------------------------

    def extend_lease(self) -> None:
        lease = self.some_lease(RUNNING)
        order = self.model.orders.get(lease.order)
        renter = self.mostly(order.renter if order else MALLORY, lease.supplier)
        most = max(1, (7 * DAY - (lease.stop - self.now)) // HOUR)
        hours = self.mostly(
            self.choose(1, 2, 24, most), 0, most + 1, 8_760 - lease.hours, 8_761 - lease.hours, U32
        )
        cost = replace(lease, hours=lease.hours + hours).price - lease.price
        limit = min(U64, self.mostly(self.choose(cost, U64), max(0, cost - 1)))
        address, currency = self.address_of(lease), order.terms.currency if order else IO
        tokens = associated_token_address(Pubkey(renter), MINTS[currency])
        expected = self.mostly(lease.hours, lease.hours - 1, lease.hours + 1)
        self.act(
            "extend_lease",
            lambda: self.model.extend_lease(renter, address, hours, limit, expected),
            self.call(
                "extend_lease",
                {"hours": hours, "max_amount": limit, "expected": expected},
                renter=renter,
                renter_tokens=tokens,
                vault=self.vault(lease),
                device=lease.device,
                **self.rented(lease),
            ),
            renter,
        )

    def settle(self) -> None:
        self.do_settle(self.some_lease(RUNNING, ENDED))

    def settle_all(self) -> None:
        """As a keeper does once a day, and twice in a second."""
        for lease in list(self.model.leases.values()) * 2:
            self.do_settle(lease)

    def end_lease(self) -> None:
        lease = self.some_lease(MATCHED, RUNNING)
        order = self.model.orders.get(lease.order)
        renter = order.renter if order else MALLORY
        self.do_end(self.choose(renter, renter, lease.supplier, lease.worker, MALLORY), lease)

    def end_when_paid(self) -> None:
        """A renter ends what was paid in the same second: without a lag only the fee's rest is due then."""
        lease = self.some_lease(RUNNING)
        order = self.model.orders.get(lease.order)
        self.do_settle(lease)
        self.do_end(order.renter if order else MALLORY, lease)
        self.do_close_lease(lease.payer, lease)
        self.do_settle(lease)
        self.do_settle(lease)
        self.do_close_lease(lease.payer, lease)

    def end_done(self) -> None:
        """A stranger ends what is over."""
        for lease in list(self.model.leases.values()):
            over = lease.accept_until if lease.status == MATCHED else lease.stop
            if lease.status != ENDED and self.now >= over:
                self.do_end(MALLORY, lease)

    def vote_fault(self) -> None:
        lease = self.some_lease(RUNNING, ENDED)
        operator = self.mostly(self.choose(*self.operators.operators), MALLORY)
        name = lease.number, lease.registered_at
        other = self.mostly(name, (lease.number + 1, lease.registered_at), (lease.number, 0))
        self.do_vote(operator, lease, self.choose(*EVIDENCE), self.good_hours(lease), other)

    def good_hours(self, lease: Lease) -> int:
        """Hours that a lease may have served, sometimes more than it can have."""
        whole = max(0, min(self.now, lease.stop) - lease.start) // HOUR
        return min(U32, self.mostly(self.choose(whole, max(0, whole - 1), 0), whole + 1, U32))

    def fault(self) -> None:
        """Operators agree, some of them before and some after a change of their list."""
        lease = self.some_lease(RUNNING, ENDED)
        evidence, hours = self.choose(*EVIDENCE), self.good_hours(lease)
        self.do_vote(self.operators.operators[0], lease, evidence, hours)
        if self.random.random() < 0.3:
            self.new_operators()
        for operator in self.operators.operators:
            self.do_vote(operator, lease, evidence, hours)

    def fault_again(self) -> None:
        """A lease ends and is matched anew to the same order: old votes are void."""
        lease = self.some_lease(RUNNING)
        evidence = EVIDENCE[0]
        self.do_vote(self.operators.operators[0], lease, evidence, 0)
        self.do_end(lease.worker, lease)
        self.do_settle(lease)
        self.do_close_lease(lease.payer, lease)
        self.pair.warp(self.now + HOUR)
        self.take()
        again = self.model.leases.get(self.address_of(lease), lease)
        for operator in self.operators.operators:
            self.do_vote(operator, again, evidence, 0)

    def hold_lease(self) -> None:
        lease = self.some_lease(RUNNING, ENDED)
        guardian = self.mostly(self.config.guardian, MALLORY)
        new = self.choose(1, HOUR, 3 * HOUR, DAY, 7 * DAY) + self.now
        if lease.hold_from and self.random.random() < 0.8:
            new = self.choose(max(lease.hold_until, 1) - 1, self.now + 1, lease.hold_from, 0)
        self.do_hold(guardian, lease, self.mostly(new, self.now, self.now + 7 * DAY + 1, U64))

    def hold_through(self) -> None:
        """A hold to its last second and past it, with a settlement on both sides."""
        lease = self.some_lease(RUNNING, ENDED)
        self.do_hold(self.config.guardian, lease, self.now + self.choose(HOUR, 3 * HOUR, DAY))
        for at in (lease.hold_until - 1, lease.hold_until):
            self.pair.warp(max(self.now, at))
            self.do_settle(lease)

    def close_lease(self) -> None:
        lease = self.some_lease(ENDED)
        self.do_close_lease(self.mostly(lease.payer, MALLORY), lease)

    def close_fault(self) -> None:
        names = list(self.model.faults)
        orphans = [name for name in names if name[0] not in self.model.leases]
        nothing = self.address_of(self.some_lease()), b"x" * 32, 0
        name = self.mostly(self.choose(*(orphans or names)), nothing) if names else nothing
        fault = self.model.faults.get(name)
        self.do_close_fault(self.mostly(fault.payer if fault else MALLORY, MALLORY), name)

    def whole_end(self) -> None:
        """What has ended is paid in full and closed, its order too."""
        self.end_done()
        self.pair.warp(self.now + DAY)
        for lease in list(self.model.leases.values()):
            if lease.status == ENDED:
                self.do_settle(lease)
                self.do_close_lease(lease.payer, lease)
        for address, order in list(self.model.orders.items()):
            self.do_close_order(order.renter, address, order)


BOUNDS = (
    *(("accept_window", 0), ("accept_window", DAY + 1)),
    *(("match_window", 0), ("match_window", 20 * 60 + 1)),
    *(("exclusive", 601), ("soon_fee_bps", 501), ("now_fee_bps", 501)),
    ("settlement_lag", DAY + 1),
    ("notice", 0),
    ("notice", HOUR - 1),
    ("notice", 90 * DAY + 1),
    ("renter_fee_bps", 101),
    ("supplier_fee_bps", 101),
    ("usdc_fee_bps", 501),
)
"""Parameters that are refused."""
BAD_TERMS = (
    ("price", 0),
    ("price", U64),
    ("price", 10**16),
    ("hours", 0),
    ("hours", 8_761),
    ("devices", 0),
    ("devices", 10_001),
    ("min_devices", 0),
    ("min_devices", 4),
    ("processors", 0),
    ("processors", 9),
    ("classes", ()),
    ("classes", (1, 1)),
    ("currency", 2),
    ("min_tier", 0),
    ("min_tier", 5),
    ("urgency", 3),
    ("colocated", 2),
    ("countries", (b"ch",)),
    ("countries", (b"CH", b"CH")),
)
"""Terms that are refused."""

UNREACHABLE = {
    "UnknownVersion": "no instruction writes another version",
    "InvalidClock": "the clock goes forwards; the security tests turn it back",
    "InvariantViolated": "that is what it is for",
    "NotUpgradeAuthority": "sequences begin initialised; the security tests try it",
    "ZeroAddress": "sequences begin initialised; the security tests try it",
    "PriceChanged": "nothing is refused for it any more",
    **dict.fromkeys(
        ("WrongAccount", "WrongOrder", "WrongDevice"),
        "sequences name the accounts that belong together; the security tests try others",
    ),
}
"""Errors that sequences can't meet, and why."""
OTHERS = {
    *("AccountMissing", "AccountInUse", "InsufficientFunds"),
    *("DeviceLeased", "DeviceTerminated", "SlashPending", "StakeInsufficient"),
    *("DeviceBarred", "OrderServed", "AccountFrozen", "OwnerMismatch"),
    *("freeze", "thaw", "hand over", "close account", "open account", "staking pause_device"),
    *("staking vote_prices", "staking apply_price"),
    *("staking unstake", "staking terminate_device", "staking withdraw", "staking execute_slash"),
    *("staking take_offer", "staking leave_co_stake", "staking withdraw_co_stake"),
}
"""Refusals of the framework and of staking by way of orders, and what staking does in between."""

OFTEN = (
    *("wait",) * 10,
    *("create_order", "match_device", "accept_lease", "settle", "end_lease", "refund") * 2,
    *("match_and_accept",) * 3,
    *("whole_order", "fault", "vote_fault", "hold_lease", "close_lease", "extend_lease", "settle_all") * 2,
    *("change_device", "set_payout", "unstake", "terminate_device", "withdraw", "device_goes"),
    *("vote_slash", "end_slash", "new_operators", "open_account", "change_device", "co_stake"),
    *("donate", "end_done", "whole_end", "new_terms", "fault_again", "close_order"),
    *("extend_lease", "hold_through", "last_seconds", "end_when_paid") * 2,
    *("take", "grief", "lapse", "change_of_mind", "half_a_gang", "hopeless_gang", "blocked_pay") * 2,
    *("freeze_account", "hand_over_account", "close_account", "pause_device", "pay_parked", "park_fees"),
    *("price_moves", "prices_go_stale", "money_runs_short", "co_stake", "co_stake", "grief"),
)
"""What leads far, or is refused in many ways."""
ACTIONS = (*client.PROGRAM.instructions, *OFTEN)


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    possible = client.PROGRAM.instructions.keys() | client.ERROR.keys() | OTHERS
    explore(Sequences, ACTIONS, possible - UNREACHABLE.keys(), examples=60)

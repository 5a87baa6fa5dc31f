"""Random sequences of every instruction of orders, with staking's in between, on the real programs and on the
reference models; every history ends with everything paid, closed and added up.
"""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import transfer
from keeper.clients import orders as client
from tests.model.orders.state import ENDED, IO, MATCHED, RUNNING, USDC, Lease, Order, Terms
from tests.model.schedule import DAY, HOUR
from tests.model.staking.state import Device
from tests.model.state import U32, U64, ZERO, Address, wallet
from tests.programs.orders.calls import BOB, MINTS, RENTERS, UNITS
from tests.programs.orders.pair import USDC_MINT, vault_address
from tests.programs.orders.staking import EVIDENCE, NO_DEVICE, StakingBetween
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
            match_window=self.choose(1, 20 * 60, DAY),
            accept_window=self.choose(1, 10 * 60, DAY),
            settlement_lag=self.choose(0, HOUR - 1, 2 * HOUR, DAY),
            renter_fee_bps=self.choose(0, 25, 100),
            supplier_fee_bps=self.choose(0, 25, 33, 100),
            usdc_fee_bps=self.choose(0, 200, 500),
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
            hours=self.choose(1, 1, 2, 3, 10, 24, 100),
            devices=self.choose(1, 1, 2, 3),
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
        self.do_create(renter, number, terms, class_id, mint)

    def some_order(self) -> tuple[Address, Order]:
        """One of the orders with its address, sometimes one that isn't there."""
        renter = self.choose(*RENTERS)
        missing = self.model.addresses.order(renter, U32)
        nothing = Order(U32, renter, Terms(1, 1, 1, 1, (1,)), self.config.params, 0, 1)
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
        find = self.pair.address if currency == IO else self.pair.usdc_address
        owner = source.of
        assert isinstance(owner, bytes)
        self.aside(
            "donate",
            lambda: self.model.donate(owner, source, address, amount),
            transfer(find(source), vault_address(Pubkey(address)), Pubkey(owner), amount),
            owner,
        )

    # -- leases ----------------------------------------------------------------------------------

    def match_device(self) -> None:
        takers = [a for a, order in self.model.orders.items() if order.takes_devices(self.now)]
        address = self.choose(*takers) if takers and self.random.random() < 0.8 else self.some_order()[0]
        order = self.model.orders.get(address)
        fit = [a for a, device in self.devices.items() if order and self.fits(order, device)]
        device = self.choose(*fit) if fit and self.random.random() < 0.8 else self.some_device()[0]
        row = self.devices.get(device)
        matcher = self.choose(*self.operators.operators, row.supplier if row else BOB)
        class_id = self.mostly(None, 9, 3 - row.class_id if row else 1)
        ask = (row.ask_usdc if order and order.terms.currency == USDC else row.ask_io) if row else 1
        self.do_match(
            self.mostly(matcher, MALLORY), address, device, class_id, self.mostly(ask, min(ask + 1, U64))
        )

    def fits(self, order: Order, device: Device) -> bool:
        """Whether a device looks right, as an operator would."""
        terms = order.terms
        ask = device.ask_usdc if terms.currency == USDC else device.ask_io
        suits = device.class_id in terms.classes and device.processors == terms.processors
        fresh = device.lease == ZERO and not device.slash_pending
        return suits and fresh and device.tier >= terms.min_tier and 0 < ask <= terms.price

    def some_lease(self, *states: int) -> Lease:
        """A lease, mostly one in one of the states, sometimes one that is gone."""
        every = list(self.model.leases.values())
        some = [each for each in every if each.status in states] or every
        gone = [each for address, each in self.gone.items() if address not in self.model.leases]
        nothing = Lease(self.some_order()[0], NO_DEVICE, BOB, MALLORY, BOB, MALLORY, 1, 1, 0, 0, 1, 25)
        other = self.choose(*gone) if gone else nothing
        return self.mostly(self.choose(*some), self.choose(*every), other) if every else other

    def accept_lease(self) -> None:
        lease = self.some_lease(MATCHED)
        self.do_accept(self.mostly(lease.worker, lease.supplier), lease)

    def begin_again(self) -> None:
        """An order and its leases, when there are none."""
        self.create_order()
        self.match_and_accept()

    def match_and_accept(self) -> None:
        """Every device that fits an order goes to it."""
        for address, order in list(self.model.orders.items()):
            for device, row in list(self.devices.items()):
                if order.takes_devices(self.now) and self.fits(order, row):
                    self.do_match(self.operators.operators[0], address, device)
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
                self.do_match(self.operators.operators[0], address, fit[0])
        for lease in list(self.model.leases.values()):
            if lease.status == MATCHED:
                self.pair.warp(max(self.now, lease.accept_until - self.choose(0, 1)))
                self.do_accept(lease.worker, lease)

    def extend_lease(self) -> None:
        lease = self.some_lease(RUNNING)
        order = self.model.orders.get(lease.order)
        renter = self.mostly(order.renter if order else MALLORY, lease.supplier)
        hours = self.mostly(self.choose(1, 2, 24), 0, 8_760 - lease.hours, 8_761 - lease.hours, U32)
        address, currency = self.address_of(lease), order.terms.currency if order else IO
        tokens = associated_token_address(Pubkey(renter), MINTS[currency])
        self.act(
            "extend_lease",
            lambda: self.model.extend_lease(renter, address, hours),
            self.call(
                "extend_lease",
                {"hours": hours},
                renter=renter,
                renter_tokens=tokens,
                vault=self.vault(lease),
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
        self.do_vote(operator, lease, self.choose(*EVIDENCE), self.good_hours(lease))

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
        self.do_match(lease.supplier, lease.order, lease.device)
        self.do_accept(lease.worker, lease)
        for operator in self.operators.operators:
            self.do_vote(operator, lease, evidence, 0)

    def hold_lease(self) -> None:
        lease = self.some_lease(RUNNING, ENDED)
        guardian = self.mostly(self.config.guardian, MALLORY)
        new = self.choose(1, HOUR, 3 * HOUR, DAY, 7 * DAY) + self.now
        if lease.hold_from and self.random.random() < 0.8:
            new = self.choose(lease.hold_until - 1, self.now + 1, lease.hold_from, 0)
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
    *((name, value) for name in ("match_window", "accept_window") for value in (0, DAY + 1)),
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
    **dict.fromkeys(
        ("WrongAccount", "WrongOrder", "WrongDevice"),
        "sequences name the accounts that belong together; the security tests try others",
    ),
}
"""Errors that sequences can't meet, and why."""
OTHERS = {
    *("AccountMissing", "AccountInUse", "InsufficientFunds"),
    *("DeviceLeased", "DeviceTerminated", "SlashPending", "StakeInsufficient"),
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
)
"""What leads far, or is refused in many ways."""
ACTIONS = (*client.PROGRAM.instructions, *OFTEN)


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    possible = client.PROGRAM.instructions.keys() | client.ERROR.keys() | OTHERS
    explore(Sequences, ACTIONS, possible - UNREACHABLE.keys(), examples=60)

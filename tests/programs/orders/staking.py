"""What happens to devices and operators while orders go on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.clients import staking
from tests.model import schedule
from tests.model.orders.state import USDC
from tests.model.schedule import HOUR
from tests.model.staking.prices import price_leaf
from tests.model.staking.state import MAX_STEP, NONE, PENDING, WAITING, Device
from tests.model.state import U64, Address, wallet
from tests.programs.orders.accounts import PAYEES, TARGETS
from tests.programs.orders.calls import BOB, FLEET, MINTS, OPERATORS, PAULA, RENTERS, UNITS, WORKERS
from tests.programs.orders.machine import OrdersMachine
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.pair import chain_params

EVIDENCE = b"e" * 32, b"f" * 32
STEPS = 0, 0, 333, -333, MAX_STEP, -MAX_STEP
NO_DEVICE = bytes(staking.device_address(Pubkey(MALLORY)))
ASKS = (2 * UNITS[0], 10**6), (1_234_567, 0), (0, 7), (U64, 999_999)
"""In IO and in USDC; 0 is not let."""


class StakingBetween(OrdersMachine):
    """Staking's actions that leases have to do with, whether the device is leased or not."""

    def some_device(self) -> tuple[Address, Device | None]:
        """One of the devices, sometimes one that isn't there."""
        rows = list(self.devices.items())
        return self.mostly(self.choose(*rows), (NO_DEVICE, None)) if rows else (NO_DEVICE, None)

    def on_device(self, name: str, address: Address, *values: object, **arguments: object) -> None:
        """What a supplier does with its device and the device's class."""
        device = self.devices[address]
        self.do_staking(
            name,
            (device.supplier, address, device.class_id, *values),
            arguments,
            supplier=device.supplier,
            device=Pubkey(address),
            **{"class": staking.class_address(device.class_id)},
        )

    def change_device(self) -> None:
        """Another ask, or another place: leases that are there keep theirs."""
        address, device = self.some_device()
        if device is None:
            return
        asks = dict(zip(("ask_io", "ask_usdc"), self.choose(*ASKS), strict=True))
        consent = {"worker_may_end": self.choose(0, 0, 1)}
        terms = {"tier": self.choose(1, 4), "country": self.choose(b"CH", b"DE"), **asks, **consent}
        supplier, number = device.supplier, device.class_id
        self.aside(
            "staking change_device",
            lambda: self.staking.change_device(supplier, address, number, **terms),
            staking.PROGRAM.instruction(
                "change_device",
                terms,
                supplier=Pubkey(supplier),
                device=Pubkey(address),
                **{"class": staking.class_address(number)},
            ),
            supplier,
        )

    def set_payout(self) -> None:
        """Another payout wallet: leases that are there keep theirs."""
        address, device = self.some_device()
        if device is None:
            return
        payout = self.choose(device.supplier, PAULA)
        self.do_staking(
            "set_payout",
            (device.supplier, address, payout),
            supplier=device.supplier,
            device=Pubkey(address),
            payout=staking.wallet_address(Pubkey(payout)),
        )

    def co_stake(self) -> None:
        """Paula takes a quarter of a device's minimum over, or leaves, or takes out what has cooled: a lease
        holds her back from none of it."""
        address, device = self.some_device()
        if device is None:
            return
        if device.co.state == NONE:
            offer = {"amount": max(1, device.own // 4), "reward_bps": 2_000}
            self.on_device("open_offer", address, *offer.values(), **offer)
            self.do_staking(
                "take_offer",
                (PAULA, address, device.class_id, *offer.values()),
                offer,
                staker=PAULA,
                staker_tokens=associated_token_address(Pubkey(PAULA), MINTS[0]),
                **self.co_staked(address, device),
            )
        else:
            named = {"staker": PAULA, "device": Pubkey(address)}
            self.do_staking("leave_co_stake", (PAULA, address), **named)
        if self.random.random() < 0.3:
            device, config = self.devices[address], self.staking.config
            assert config is not None
            cools = config.params.cooldown if device.co.state == WAITING else 0
            self.pair.warp(max(self.now, device.co.until + cools, device.leaving.until))
            self.do_staking(
                "withdraw_co_stake",
                (PAULA, address, device.class_id),
                owner=Pubkey(PAULA),
                owner_tokens=associated_token_address(Pubkey(PAULA), MINTS[0]),
                **self.co_staked(address, device),
            )

    def co_staked(self, address: Address, device: Device) -> dict[str, Pubkey]:
        """What a co-stake comes in and goes out by."""
        return {
            "device": Pubkey(address),
            "wallet": staking.wallet_address(Pubkey(PAULA)),
            "class": staking.class_address(device.class_id),
        }

    def unstake(self) -> None:
        address, device = self.some_device()
        if device is not None:
            self.on_device("unstake", address)

    def terminate_device(self) -> None:
        address, device = self.some_device()
        if device is not None:
            self.on_device("terminate_device", address)

    def withdraw(self) -> None:
        """What has cooled down is taken out, by anybody for the supplier."""
        address, device = self.some_device()
        if device is not None:
            self.do_withdraw(address, device)

    def do_withdraw(self, address: Address, device: Device) -> None:
        self.do_staking(
            "withdraw",
            (device.supplier, address, device.class_id),
            device=Pubkey(address),
            owner=Pubkey(device.supplier),
            owner_tokens=associated_token_address(Pubkey(device.supplier), MINTS[0]),
            **{"class": staking.class_address(device.class_id)},
        )

    def device_goes(self) -> None:
        """A device from unstaking to closing, or one that isn't there registered; with a stake at the end."""
        number = self.random.randrange(len(FLEET))
        address = bytes(staking.device_address(Pubkey(WORKERS[number])))
        device = self.devices.get(address)
        if device is None:
            self.do_register(number)
        elif self.random.random() < 0.5:
            self.on_device("unstake", address)
            self.on_device("terminate_device", address)
            self.pair.warp(max(self.now, device.own_until))
            self.do_withdraw(address, device)
            named = {"supplier": Pubkey(device.supplier), "device": Pubkey(address)}
            self.do_staking("close_device", (device.supplier, address), **named)
        self.do_stake(number)

    def vote_slash(self) -> None:
        """Two operators propose a slash: the device can't be matched while it is pending."""
        address, device = self.some_device()
        if device is None:
            return
        evidence = self.choose(*EVIDENCE)
        for operator in self.operators.operators[:2]:
            self.do_staking(
                "vote_slash",
                (operator, address, evidence, 1_000),
                {"evidence": evidence, "bps": 1_000},
                operator=operator,
                device=Pubkey(address),
            )

    def end_slash(self) -> None:
        """A slash is vetoed or, after the appeal, burned; void after a change of the operators."""
        pending = [slash for slash in self.staking.slashes.values() if slash.status == PENDING]
        if not pending:
            return
        slash = self.choose(*pending)
        name = slash.device, slash.evidence
        device, config = self.devices[slash.device], self.staking.config
        assert config is not None
        named = {
            "device": Pubkey(slash.device),
            "slash": staking.slash_address(Pubkey(slash.device), slash.evidence),
        }
        if self.random.random() < 0.5:
            self.do_staking("veto_slash", (config.guardian, *name), guardian=config.guardian, **named)
            return
        self.do_staking(
            "execute_slash",
            (slash.device, device.class_id, slash.evidence),
            **named,
            mint=MINTS[0],
            **{"class": staking.class_address(device.class_id)},
        )

    def new_operators(self) -> None:
        """Another list of operators, from proposal to effect."""
        config = self.staking.config
        assert config is not None
        lists = OPERATORS[:3], OPERATORS[1:], (OPERATORS[3], *OPERATORS[:2]), OPERATORS
        operators = self.choose(*lists)
        params = replace(config.params, operators=operators, threshold=len(operators) // 2 + 1)
        admin = config.admin
        self.aside(
            "staking propose_params",
            lambda: self.staking.propose_params(admin, params),
            staking.propose_params(Pubkey(admin), chain_params(params)),
            admin,
        )
        self.pair.warp(max(self.now, config.pending_at))
        self.aside("staking apply_params", self.staking.apply_params, staking.apply_params())

    def pause_device(self) -> None:
        """A worker takes its own device off the market."""
        address, device = self.some_device()
        if device is None:
            return
        worker = device.worker
        self.do_staking("pause_device", (worker, address), worker=worker, device=Pubkey(address))

    # -- prices ------------------------------------------------------------------------------------

    def price_moves(self) -> None:
        """Operators agree on an hour's steps; the clock may move on to when they hold."""
        holds = self.announce(*STEPS)
        if self.random.random() < 0.5:
            self.pair.warp(holds - self.choose(0, 0, 1))

    def announce(self, *steps_: int) -> int:
        """Operators agree on some of these steps for each class, which are applied; when they hold."""
        self.pair.warp(self.now - self.now % HOUR + HOUR + self.choose(0, 1, 2_399))
        hour = self.now // HOUR - 1
        steps = {number: (self.choose(*steps_), self.choose(*steps_)) for number in self.staking.classes}
        leaves = [price_leaf(hour, number, each) for number, each in steps.items()]
        for operator in self.operators.operators[: self.operators.threshold]:
            root = schedule.root(leaves)
            self.aside(
                "staking vote_prices",
                partial(self.staking.vote_prices, operator, hour, root),
                staking.vote_prices(Pubkey(operator), hour, root),
                operator,
            )
        for position, (number, each) in enumerate(steps.items()):
            proof = b"".join(schedule.proof(leaves, position))
            self.aside(
                "staking apply_price",
                partial(self.staking.apply_price, number, hour, each, proof),
                staking.apply_price(number, hour, *each, proof),
            )
        return (hour + 2) * HOUR

    # -- accounts ----------------------------------------------------------------------------------

    def open_account(self) -> None:
        """Paula opens the account that she is to be paid USDC into."""
        self.do_open(PAULA)

    def close_account(self) -> None:
        """Paula empties hers and closes it."""
        if self.model.is_payable(wallet(PAULA), USDC):
            self.do_close_tokens(PAULA, self.choose(BOB, *RENTERS))

    def freeze_account(self) -> None:
        """USDC's issuer stops a payee, or the network's own vault; or lets one go."""
        account = self.choose(*TARGETS)
        if (account, USDC) in self.model.frozen:
            self.let_go(account)
        elif self.model.is_payable(account, USDC):
            self.do_freeze(account)

    def hand_over_account(self) -> None:
        """A payee gives its account to somebody else, or gets it back."""
        owner = self.choose(*PAYEES)
        if (wallet(owner), USDC) in self.model.owners:
            self.let_go(wallet(owner))
        elif self.model.is_payable(wallet(owner), USDC):
            self.do_hand_over(owner)

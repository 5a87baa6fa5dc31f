"""Every instruction of orders, and staking's that lead to leases, with given arguments on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.clients import orders as client
from keeper.clients import staking
from keeper.clients.signing import signed_by
from keeper.economy.orders import tick_to_match
from tests.model.orders.program import Orders
from tests.model.orders.state import IO, USDC, Lease, Order, Terms
from tests.model.schedule import IO as ONE_IO
from tests.model.staking.program import Staking
from tests.model.staking.state import Class, Device, Prices
from tests.model.state import U64, Address
from tests.programs.orders.pair import (
    FEE_VAULTS,
    MINTS,
    PARKED_VAULTS,
    OrdersPair,
    lease_address,
    parked_address,
    vault_address,
)
from tests.programs.sequences import Acts
from tests.programs.world import key

PEOPLE = (
    *("admin", "guardian", "mallory", "ruth", "ray", "alice", "bob", "paula", "issuer"),
    *(f"operator {number}" for number in range(4)),
    *(f"worker {number}" for number in range(5)),
)
KEYS = {name: bytes(key(name).pubkey()) for name in PEOPLE}
ALICE, BOB, PAULA = KEYS["alice"], KEYS["bob"], KEYS["paula"]
ISSUER = KEYS["issuer"]
"""Can freeze what anybody has in USDC."""
RENTERS = KEYS["ruth"], KEYS["ray"], ALICE
"""Alice supplies and rents; her own devices are refused to her."""
OPERATORS = tuple(KEYS[f"operator {number}"] for number in range(4))
WORKERS = tuple(KEYS[f"worker {number}"] for number in range(5))
CLASSES = (Class(1, b"RTX 4090".ljust(24, b"\0"), 125, 0, 0), Class(2, b"EPYC".ljust(24, b"\0"), 50, 1, 1))
UNITS = ONE_IO, 10**6
PRICES = {
    1: Prices(199_999_999, 1, 4 * ONE_IO, 1_000_003, 1, 10**7),
    2: Prices(7, 1, ONE_IO),
}
"""What the classes cost at first: odd, so that every second is rounded; next to nothing, and in IO alone."""
FLEET = (
    # supplier, payout, class, processors, tier, country, asks for a processor and hour, worker may end
    (ALICE, ALICE, 1, 4, 4, b"CH", ONE_IO, 10**6, 1),
    (ALICE, PAULA, 1, 4, 2, b"CH", 199_999_999, 1_000_003, 0),
    (ALICE, ALICE, 2, 4, 3, b"CH", 1, 7, 0),
    (BOB, BOB, 1, 4, 4, b"DE", 7, 999_999, 0),
    (BOB, BOB, 1, 2, 1, b"DE", 0, 10**6, 0),
)
"""What the five workers' devices are; Paula begins without an account for USDC."""
STAKING = {
    "staking_config": staking.CONFIG,
    "staking_program": staking.PROGRAM.address,
    "staking_events": staking.PROGRAM.event_authority,
}


class OrdersCalls(Acts):
    """A pair, and who got what beside it."""

    def __init__(self, pair: OrdersPair, met: Counter[str]) -> None:
        """Count in ``met`` how often each action succeeded and each refusal came."""
        self.pair = pair
        self.met = met
        self.flows: Counter[tuple[Address, int]] = Counter()
        """What left and reached wallets by anything but orders, by wallet and currency."""
        self.gone: dict[Address, Lease] = {}
        """Leases that were closed."""

    @property
    def model(self) -> Orders:
        assert self.pair.orders is not None
        return self.pair.orders

    @property
    def staking(self) -> Staking:
        return self.pair.staking

    def address_of(self, lease: Lease) -> Address:
        """A lease's account."""
        return bytes(lease_address(Pubkey(lease.order), Pubkey(lease.device)))

    # -- acting ----------------------------------------------------------------------------------

    def aside(self, name: str, call: Callable[[], Any], instruction: Instruction, *signers: Address) -> str:
        """An action of another program, whose movements of money are kept apart."""
        before = {c: Counter(self.model.purse(c)) for c in (IO, USDC)}
        outcome = self.act(name, call, instruction, *signers)
        for currency in (IO, USDC):
            for account, amount in self.model.purse(currency).items():
                if account.kind == "wallet":
                    self.flows[account.of, currency] += amount - before[currency][account]
        return outcome

    def do_staking(
        self, name: str, values: Sequence[Any], arguments: dict[str, Any] | None = None, **accounts: Any
    ) -> str:
        """An instruction of staking, signed by whoever of ``accounts`` is somebody."""
        keys = {name: each if isinstance(each, Pubkey) else Pubkey(each) for name, each in accounts.items()}
        people = [each for each in accounts.values() if each in self.pair.keys]
        return self.aside(
            f"staking {name}",
            lambda: getattr(self.staking, name)(*values),
            staking.PROGRAM.instruction(name, arguments, **keys),
            *dict.fromkeys(people),
        )

    def do_register(self, number: int) -> None:
        """Register one of the fleet."""
        supplier, payout, class_id, processors, tier, country, ask_io, ask_usdc, consent = FLEET[number]
        worker = WORKERS[number]
        address = bytes(staking.device_address(Pubkey(worker)))
        terms = {"processors": processors, "tier": tier, "country": country}
        asks = {"ask_io": ask_io, "ask_usdc": ask_usdc, "worker_may_end": consent}
        device = Device(worker, supplier, payout, class_id, **terms, **asks)
        self.do_staking(
            "register_device",
            (address, device),
            {**terms, **asks},
            supplier=supplier,
            worker=worker,
            payout=staking.wallet_address(Pubkey(payout)),
            **{"class": staking.class_address(class_id)},
        )

    def do_stake(self, number: int) -> None:
        """Stake what one of the fleet needs, whatever is on it already."""
        address = bytes(staking.device_address(Pubkey(WORKERS[number])))
        supplier, _, class_id, processors, *_ = FLEET[number]
        amount = 2 * ONE_IO * max(100, CLASSES[class_id - 1].multiplier) * processors
        tokens = associated_token_address(Pubkey(supplier), MINTS[IO])
        device = self.staking.devices.get(address)
        has = device.own if device else 0
        self.do_staking(
            "stake",
            (supplier, address, class_id, amount, has),
            {"amount": amount, "expected": has},
            supplier=supplier,
            device=Pubkey(address),
            supplier_tokens=tokens,
            **{"class": staking.class_address(class_id)},
        )

    def call(
        self, name: str, arguments: dict[str, Any] | None = None, /, **accounts: Address | Pubkey
    ) -> Instruction:
        """An instruction of orders."""
        keys = {name: each if isinstance(each, Pubkey) else Pubkey(each) for name, each in accounts.items()}
        return client.PROGRAM.instruction(name, arguments, **keys)

    def do_create(
        self,
        renter: Address,
        number: int,
        terms: Terms,
        class_id: int | None = None,
        mint: int | None = None,
        max_deposit: int = U64,
    ) -> str:
        first = terms.classes[0] if terms.classes else 1
        class_id = first if class_id is None else class_id
        token = MINTS[min(terms.currency, USDC) if mint is None else mint]
        return self.act(
            "create_order",
            lambda: self.model.create_order(renter, number, terms, class_id, bytes(token), max_deposit),
            self.call(
                "create_order",
                {"id": number, "terms": terms.fields(), "max_deposit": max_deposit},
                renter=renter,
                mint=token,
                renter_tokens=associated_token_address(Pubkey(renter), token),
                **{"class": staking.class_address(class_id)},
            ),
            renter,
        )

    def do_match(
        self,
        matcher: Address,
        order: Address,
        device: Address,
        class_id: int | None = None,
        tick: int | None = None,
        *,
        signs: bool | None = None,
    ) -> str:
        """Match: in an operator's newest turn, or as a supplier whose worker signs, unless told otherwise."""
        row = self.staking.devices.get(device)
        number = class_id if class_id is not None else row.class_id if row else 1
        worker = row.worker if row else WORKERS[0]
        tick = self.tick(matcher, order) if tick is None else tick
        signs = tick == 0 if signs is None else signs
        call = self.call(
            "match_device",
            {"tick": tick},
            matcher=matcher,
            order=order,
            device=device,
            worker=worker,
            **{"class": staking.class_address(number)},
            **STAKING,
        )
        return self.act(
            "match_device",
            lambda: self.model.match_device(matcher, order, device, number, tick, worker=signs),
            signed_by(call, Pubkey(worker)) if signs else call,
            *dict.fromkeys((matcher, worker) if signs else (matcher,)),
        )

    def tick(self, matcher: Address, order: Address) -> int:
        """The newest tick that somebody may match, one that is too old if there is none; 0 for a supplier."""
        config = self.staking.config
        assert config is not None
        operators = config.params.operators
        if matcher not in operators:
            return 0
        row, now = self.model.orders.get(order), self.staking.now
        number = operators.index(matcher)
        found = tick_to_match(number, len(operators), row.created_at if row else 0, now)
        return found if found is not None else now // 30

    def rented(self, lease: Lease) -> dict[str, Pubkey]:
        """A lease and its order."""
        return {"order": Pubkey(lease.order), "lease": Pubkey(self.address_of(lease))}

    def vault(self, lease: Lease) -> Pubkey:
        """Where a lease's money is."""
        return vault_address(Pubkey(lease.order))

    def fee_vault(self, lease: Lease) -> Pubkey:
        """Where the fees on it go."""
        order = self.model.orders.get(lease.order)
        return FEE_VAULTS[order.terms.currency if order else IO]

    def payout(self, lease: Lease) -> Pubkey:
        """Where a lease's supplier is paid."""
        order = self.model.orders.get(lease.order)
        return associated_token_address(Pubkey(lease.payout), MINTS[order.terms.currency if order else IO])

    def parties(self, lease: Lease) -> dict[str, Pubkey]:
        """Accounts of a lease that staking has a word in."""
        address = Pubkey(self.address_of(lease))
        return {"order": Pubkey(lease.order), "lease": address, "device": Pubkey(lease.device), **STAKING}

    def do_accept(self, worker: Address, lease: Lease) -> str:
        return self.act(
            "accept_lease",
            lambda: self.model.accept_lease(worker, self.address_of(lease)),
            self.call("accept_lease", worker=worker, payout_tokens=self.payout(lease), **self.rented(lease)),
            worker,
        )

    def do_settle(self, lease: Lease) -> str:
        """Settle, and see that it paid what the keeper would have said."""
        address = self.address_of(lease)
        before, due = (lease.paid, lease.fees), self.pair.due(address)
        outcome = self.act(
            "settle",
            lambda: self.model.settle(address),
            self.call("settle", payout_tokens=self.payout(lease), **self.between(lease)),
        )
        # A chain that goes on by itself tells only afterwards when it was.
        told = lease.paid - before[0], lease.fees - before[1]
        assert outcome != "settle" or told == due(self.pair.last.time)
        return outcome

    def between(self, lease: Lease) -> dict[str, Pubkey]:
        """A lease's money, and where the fees on it go."""
        return {"vault": self.vault(lease), "fees": self.fee_vault(lease), **self.rented(lease)}

    def do_park_pay(self, payer: Address, lease: Lease) -> str:
        order = self.model.orders.get(lease.order)
        parked = PARKED_VAULTS[order.terms.currency if order else IO]
        return self.act(
            "park_pay",
            lambda: self.model.park_pay(payer, self.address_of(lease)),
            self.call(
                "park_pay",
                payer=payer,
                parked_vault=parked,
                destination=self.payout(lease),
                **self.between(lease),
            ),
            payer,
        )

    def do_park_fees(self, payer: Address, address: Address, currency: int) -> str:
        return self.act(
            "park_fees",
            lambda: self.model.park_fees(payer, address),
            self.call(
                "park_fees",
                payer=payer,
                order=address,
                vault=vault_address(Pubkey(address)),
                destination=FEE_VAULTS[currency],
                parked_vault=PARKED_VAULTS[currency],
            ),
            payer,
        )

    def do_pay_parked(self, payer: Address, owner: Address, currency: int) -> str:
        to = Pubkey(owner)
        if to not in FEE_VAULTS:
            to = associated_token_address(to, MINTS[currency])
        return self.act(
            "pay_parked",
            lambda: self.model.pay_parked(payer, owner, currency),
            self.call(
                "pay_parked",
                payer=payer,
                record=parked_address(owner, currency),
                parked_vault=PARKED_VAULTS[currency],
                destination=to,
            ),
        )

    def do_end(self, caller: Address, lease: Lease) -> str:
        return self.act(
            "end_lease",
            lambda: self.model.end_lease(caller, self.address_of(lease)),
            self.call("end_lease", caller=caller, **self.parties(lease)),
            caller,
        )

    def do_vote(
        self,
        operator: Address,
        lease: Lease,
        evidence: bytes,
        hours: int,
        name: tuple[int, int] | None = None,
    ) -> str:
        """Vote on a lease by its own name: the device's count and registration, unless told otherwise."""
        number, registered_at = name or (lease.number, lease.registered_at)
        return self.act(
            "vote_fault",
            lambda: self.model.vote_fault(
                operator, self.address_of(lease), evidence, hours, number, registered_at
            ),
            self.call(
                "vote_fault",
                {
                    "evidence": evidence,
                    "good_hours": hours,
                    "number": number,
                    "registered_at": registered_at,
                },
                operator=operator,
                **self.parties(lease),
            ),
            operator,
        )

    def do_hold(self, guardian: Address, lease: Lease, until: int) -> str:
        return self.act(
            "hold_lease",
            lambda: self.model.hold_lease(guardian, self.address_of(lease), until),
            self.call("hold_lease", {"until": until}, guardian=guardian, **self.parties(lease)),
            guardian,
        )

    def do_close_lease(self, payer: Address, lease: Lease) -> str:
        self.gone[self.address_of(lease)] = lease
        return self.act(
            "close_lease",
            lambda: self.model.close_lease(payer, self.address_of(lease)),
            self.call("close_lease", payer=payer, **self.rented(lease)),
        )

    def do_close_fault(self, payer: Address, name: tuple[Address, bytes, int]) -> str:
        return self.act(
            "close_fault",
            lambda: self.model.close_fault(payer, *name),
            self.call(
                "close_fault",
                payer=payer,
                lease=name[0],
                fault=client.fault_address(Pubkey(name[0]), name[1], name[2]),
            ),
        )

    def do_close_order(self, renter: Address, address: Address, order: Order) -> str:
        return self.act(
            "close_order",
            lambda: self.model.close_order(renter, address),
            self.call(
                "close_order",
                renter=renter,
                fees=FEE_VAULTS[order.terms.currency],
                **self.refunded(address, order),
            ),
        )

    def refunded(self, address: Address, order: Order) -> dict[str, Pubkey]:
        """Accounts between which a renter's money comes back."""
        renter_tokens = associated_token_address(Pubkey(order.renter), MINTS[order.terms.currency])
        return {
            "order": Pubkey(address),
            "vault": vault_address(Pubkey(address)),
            "renter_tokens": renter_tokens,
        }

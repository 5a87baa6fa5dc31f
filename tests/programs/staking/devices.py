"""What staking's random sequences do to devices and the stakes on them."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.model.staking.state import COOLING, LATE
from tests.model.state import U64, ZERO, Address, wallet
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.machine import EARNERS, NO_DEVICE, STAKERS, SUPPLIERS, WORKERS, StakingMachine


class DeviceActs(StakingMachine):
    """A method for each instruction, and for stories of several."""

    # -- devices ---------------------------------------------------------------------

    def open_wallet(self) -> None:
        self.do_open_wallet(self.mostly(self.choose(*EARNERS), ZERO))

    def register_device(self) -> None:
        supplier, worker = self.choose(*SUPPLIERS), self.choose(*WORKERS)
        self.do_register_device(
            self.mostly(supplier, worker),
            worker,
            self.mostly(self.choose(*EARNERS[:-1]), MALLORY),
            self.mostly(self.choose(1, 2), 9),
            self.mostly(self.choose(1, 4, 8), 0, 9, 255),
            self.mostly(self.choose(1, 4), 0, 5),
            self.mostly(b"CH", b"ch", b"C\0"),
        )

    def change_device(self) -> None:
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        tier, country = self.mostly(2, 0, 5), self.mostly(b"DE", b"d1")
        terms = {
            "tier": self.choose(tier, device.tier),
            "country": self.choose(country, device.country),
            "ask_io": self.choose(0, device.ask_io, U64),
            "ask_usdc": self.choose(0, 1),
            "worker_may_end": self.mostly(self.choose(0, 1), 2),
        }
        self.act(
            "change_device",
            lambda: self.model.change_device(supplier, address, number, **terms),
            client.PROGRAM.instruction(
                "change_device",
                terms,
                supplier=Pubkey(supplier),
                device=Pubkey(address),
                **{"class": client.class_address(number)},
            ),
            supplier,
        )

    def pause_device(self) -> None:
        address, device = self.some_device()
        worker = self.mostly(MALLORY if device is NO_DEVICE else device.worker, device.supplier, MALLORY)
        self.act(
            "pause_device",
            lambda: self.model.pause_device(worker, address),
            client.PROGRAM.instruction("pause_device", worker=Pubkey(worker), device=Pubkey(address)),
            worker,
        )

    def set_payout(self) -> None:
        address, device = self.some_device()
        supplier, payout = self.mostly(device.supplier, MALLORY), self.choose(*EARNERS)
        self.act(
            "set_payout",
            lambda: self.model.set_payout(supplier, address, payout),
            client.set_payout(self.on_chain(address, device, supplier, 1), Pubkey(payout)),
            supplier,
        )

    def terminate_device(self) -> None:
        self.owner_action("terminate_device")

    def unstake(self) -> None:
        self.owner_action("unstake")

    def close_offer(self) -> None:
        self.owner_action("close_offer")

    def owner_action(self, name: str) -> None:
        """What takes a supplier, a device and its class."""
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        self.act(
            name,
            lambda: getattr(self.model, name)(supplier, address, number),
            getattr(client, name)(self.on_chain(address, device, supplier, number)),
            supplier,
        )

    def close_device(self) -> None:
        address, device = self.some_device()
        supplier = self.mostly(device.supplier, MALLORY)
        self.act(
            "close_device",
            lambda: self.model.close_device(supplier, address),
            client.close_device(self.on_chain(address, device, supplier, 1)),
        )

    def settle_device(self) -> None:
        address, device = self.some_device()
        number = self.class_of(device)
        self.act(
            "settle_device",
            lambda: self.model.settle_device(address, number),
            client.settle_device(self.on_chain(address, device, device.supplier, number)),
        )

    def whole_end(self) -> None:
        """A device's end, without waiting for luck: everything out, then closed."""
        address, device = self.some_device()
        if self.random.random() > 0.3:
            return
        for name in ("unstake", "terminate_device"):
            self.act(
                name,
                lambda name=name: getattr(self.model, name)(device.supplier, address, device.class_id),
                getattr(client, name)(self.on_chain(address, device, device.supplier, device.class_id)),
                device.supplier,
            )
        self.pair.warp(self.now + self.config.params.cooldown)
        self.withdraw()
        self.close_device()

    # -- stakes ----------------------------------------------------------------------------------

    def stake(self) -> None:
        address, device = self.some_device()
        supplier = self.mostly(device.supplier, MALLORY)
        lacks = max(1, self.minimum(device) - device.counted(self.now))
        has = self.model.economy.tokens[wallet(supplier)]
        amount = self.mostly(self.choose(lacks, lacks, lacks // 2 or 1, 1, lacks + 7), 0, has + 1, U64)
        self.do_stake(supplier, address, amount, self.class_of(device))

    def withdraw_overflow(self) -> None:
        address, device = self.some_device()
        supplier, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        overflow = device.overflow(self.minimum(device), self.now)
        beyond = max(0, device.counted(self.now) - self.minimum(device))
        amount = self.mostly(self.choose(overflow, 1, overflow // 2), 0, overflow + 1, beyond, U64)
        expected = self.expected(device)
        found = replace(self.on_chain(address, device, supplier, number), own=expected)
        self.act(
            "withdraw_overflow",
            lambda: self.model.withdraw_overflow(supplier, address, number, amount, expected),
            client.withdraw_overflow(found, amount),
            supplier,
        )

    def withdraw(self) -> None:
        address, device = self.some_device()
        owner, number = self.mostly(device.supplier, MALLORY), self.class_of(device)
        self.act(
            "withdraw",
            lambda: self.model.withdraw(owner, address, number),
            client.withdraw(self.on_chain(address, device, owner, number)),
        )

    def gives_away(self) -> None:
        """An owner's own account is somebody else's, or not, while its stake waits to go out.

        Who calls would rather send it to another account of that owner.
        """
        rows = self.model.devices.items()
        own = [(a, each, each.supplier, each.own_until) for a, each in rows if each.own_cooling]
        slots = [(a, each, slot) for a, each in rows for slot in (each.co, each.leaving)]
        co = [(a, each, slot.staker, slot.until) for a, each, slot in slots if slot.state == COOLING]
        if not own and not co:
            return
        address, device, owner, until = self.choose(*own, *co)
        given = owner != MALLORY and self.random.random() < 0.7
        if given:
            self.pair.hand_over(owner)
        due = max(until, device.frozen_until)
        self.pair.warp(max(self.now, self.choose(due, due + LATE - 1, due + LATE, until + LATE)))
        to = self.mostly(self.pair.create_spare(owner), wallet(owner))
        number, where = self.class_of(device), self.pair.address(to) if to != wallet(owner) else None
        on_chain = self.on_chain(address, device, owner, number)
        if (address, device, owner, until) in own:
            self.act(
                "withdraw",
                lambda: self.model.withdraw(owner, address, number, to),
                client.withdraw(on_chain, where),
            )
        else:
            self.act(
                "withdraw_co_stake",
                lambda: self.model.withdraw_co_stake(owner, address, number, to),
                client.withdraw_co_stake(on_chain, Pubkey(owner), where),
            )
        if given:
            self.pair.hand_over(owner, back=True)

    def open_offer(self) -> None:
        address, device = self.some_device()
        minimum = self.minimum(device)
        good = self.choose(minimum // 2, minimum // 3, max(1, minimum - device.own))
        amount = self.mostly(good, minimum // 2 + 1, 0, U64, 1)
        bps = self.mostly(self.choose(500, 2_000, 10_000), 499, 10_001)
        supplier = self.mostly(device.supplier, MALLORY)
        self.do_open_offer(supplier, address, amount, bps, self.class_of(device))

    def take_offer(self) -> None:
        address, device = self.offering()
        staker = self.mostly(self.choose(STAKERS[0], *STAKERS), device.supplier, MALLORY)
        amount = self.mostly(device.offer, device.offer + 1)
        bps = self.mostly(device.offer_reward_bps, device.offer_reward_bps - 1 if device.offer else 7)
        self.do_take_offer(staker, address, amount, bps, self.class_of(device))

    def same_staker(self) -> None:
        """One staker tries to take an offer of every device, of which there are three at least."""
        supplier = SUPPLIERS[0]
        self.do_register_device(supplier, WORKERS[2], supplier, 1, 4, 4, b"CH")
        for address, device in list(self.model.devices.items()):
            self.do_stake(device.supplier, address, self.minimum(device))
            self.do_open_offer(device.supplier, address, self.minimum(device) // 2, 2_000)
            self.do_take_offer(STAKERS[0], address, device.offer, device.offer_reward_bps)

    def offering(self) -> tuple[Address, object]:
        """A device with an open offer, if there is one."""
        open_ = [pair for pair in self.model.devices.items() if pair[1].offer]
        return self.choose(*open_) if open_ and self.random.random() < 0.9 else self.some_device()

    def co_staked(self) -> tuple[Address, object, Address]:
        """A device with a co-staker, and who that is."""
        some = [
            (address, device, each.staker)
            for address, device in self.model.devices.items()
            for each in (device.co, device.leaving)
            if each.staker != ZERO
        ]
        if some and self.random.random() < 0.9:
            return self.choose(*some)
        return *self.some_device(), self.choose(*STAKERS)

    def leave_co_stake(self) -> None:
        address, device, holder = self.co_staked()
        staker = self.mostly(holder, MALLORY)
        self.act(
            "leave_co_stake",
            lambda: self.model.leave_co_stake(staker, address),
            client.leave_co_stake(self.on_chain(address, device, device.supplier, 1), Pubkey(staker)),
            staker,
        )

    def withdraw_co_stake(self) -> None:
        address, device, holder = self.co_staked()
        staker, number = self.mostly(holder, self.choose(*STAKERS), MALLORY), self.class_of(device)
        self.act(
            "withdraw_co_stake",
            lambda: self.model.withdraw_co_stake(staker, address, number),
            client.withdraw_co_stake(self.on_chain(address, device, device.supplier, number), Pubkey(staker)),
        )

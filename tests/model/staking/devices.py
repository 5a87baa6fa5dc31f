"""Devices, stakes and co-stakes in the reference model."""

from __future__ import annotations

from dataclasses import replace

from tests.model.staking.base import PAUSE_STAKING, StakingLedger
from tests.model.staking.state import ACTIVE, COOLING, NONE, WAITING, CoStake, Device, Wallet
from tests.model.state import U64, ZERO, Address, Event, Refused, Tokens, require, wallet


class Devices(StakingLedger):
    """Devices are named by their accounts' addresses."""

    # -- life cycle ------------------------------------------------------------------------------

    def open_wallet(self, owner: Address) -> Event:
        config = self._config()
        require(owner not in self.wallets, "AccountInUse")
        require(owner != ZERO, "ZeroAddress")
        self.wallets[owner] = Wallet(owner, config.final_total)
        return "WalletOpened", {"wallet": owner, "opened_total": config.final_total}

    def register_device(self, address: Address, device: Device) -> Event:
        self._config()
        # The framework refuses one account as payer and as anything else.
        require(device.supplier != device.worker, "ConstraintDuplicateMutableAccount")
        self._wallet(device.payout)
        require(address not in self.devices, "AccountInUse")
        self._require_running(PAUSE_STAKING)
        require(device.class_id in self.classes, "UnknownClass")
        self._require_flag(device.worker_may_end)
        require(1 <= device.processors <= 8, "ProcessorsInvalid")
        self._require_place(device.tier, device.country)
        device.registered_at = device.changed_at = self.now
        self.devices[address] = device
        names = ("worker", "supplier", "payout", "processors", "tier", "country", "ask_io", "ask_usdc")
        fields = {name: getattr(device, name) for name in (*names, "worker_may_end")}
        return "DeviceRegistered", {"device": address, "class": device.class_id, **fields, "at": self.now}

    def change_device(
        self,
        supplier: Address,
        address: Address,
        class_id: int,
        *,
        tier: int,
        country: bytes,
        ask_io: int,
        ask_usdc: int,
        worker_may_end: int,
    ) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        require(not device.terminated, "DeviceTerminated")
        self._require_flag(worker_may_end)
        self._require_place(tier, country)
        asks = (ask_io, device.ask_io), (ask_usdc, device.ask_usdc)
        # Whoever only takes a device off the market, or changes who ends leases, changes no terms.
        if (tier, country) != (device.tier, device.country) or any(new not in (0, old) for new, old in asks):
            device.changed_at = self.now
        device.tier, device.country, device.ask_io, device.ask_usdc = tier, country, ask_io, ask_usdc
        device.worker_may_end = worker_may_end
        return self._changed(address, device)

    def pause_device(self, worker: Address, address: Address) -> Event:
        device = self._device(address)
        require(worker == device.worker, "NotWorker")
        require(not device.terminated, "DeviceTerminated")
        device.ask_io = device.ask_usdc = 0
        return self._changed(address, device)

    def _changed(self, address: Address, device: Device) -> Event:
        names = ("tier", "country", "ask_io", "ask_usdc", "worker_may_end", "changed_at")
        return "DeviceChanged", {"device": address, **{name: getattr(device, name) for name in names}}

    def set_payout(self, supplier: Address, address: Address, payout: Address) -> Event:
        self._wallet(payout)
        device = self._owned(address, supplier)
        before, device.payout = device.payout, payout
        device.changed_at = self.now
        fields = {"device": address, "from": before, "to": payout, "changed_at": self.now}
        return "PayoutChanged", fields

    def terminate_device(self, supplier: Address, address: Address, class_id: int) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        require(not device.terminated, "DeviceTerminated")
        require(device.lease == ZERO, "DeviceLeased")
        device.terminated, device.sufficient_since = True, 0
        device.offer = device.offer_reward_bps = 0
        return "DeviceTerminated", {"device": address, "at": self.now}

    def close_device(self, supplier: Address, address: Address) -> Event:
        device = self._owned(address, supplier)
        require(not device.slash_pending, "SlashPending")
        require(device.terminated and not device.owed(), "DeviceNotEmpty")
        del self.devices[address]
        return "DeviceClosed", {"device": address, "supplier": supplier}

    def settle_device(self, address: Address, class_id: int) -> Event:
        self._class(class_id)
        device = self._device(address)
        minimum = self._minimum(device, class_id)
        self._settle(device)
        self._refresh(device, minimum)
        return "DeviceSettled", {
            "device": address,
            "counted": device.counted(self.now),
            "minimum": minimum,
            "sufficient_since": device.sufficient_since,
        }

    # -- own stake -------------------------------------------------------------------------------

    def stake(self, supplier: Address, address: Address, class_id: int, amount: int, expected: int) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        self._require_running(PAUSE_STAKING)
        minimum = self._minimum(device, class_id)
        require(device.own == expected, "NotAsExpected")
        require(not device.terminated, "DeviceTerminated")
        require(amount > 0, "ZeroAmount")
        require(device.own_cooling == 0, "StillCooling")
        require(device.owed() + amount <= U64, "Overflow")
        self._take(supplier, amount)
        self._settle(device)
        self._refresh(device, minimum)
        device.own += amount
        self._refresh(device, minimum)
        return "Staked", {
            "device": address,
            "supplier": supplier,
            "amount": amount,
            "own": device.own,
            "sufficient_since": device.sufficient_since,
        }

    def withdraw_overflow(
        self, supplier: Address, address: Address, class_id: int, amount: int, expected: int
    ) -> Event:
        self._class(class_id)
        self._device(address)
        self._require_tokens(wallet(supplier))
        device = self._owned(address, supplier)
        minimum = self._minimum(device, class_id)
        require(device.own == expected, "NotAsExpected")
        self._require_no_slash(device)
        require(amount > 0, "ZeroAmount")
        # What counts doesn't change when a wait that is over is written down.
        require(amount <= device.overflow(minimum, self.now), "ExceedsOverflow")
        self._settle(device)
        device.own -= amount
        self._refresh(device, minimum)
        self._give(amount, wallet(supplier))
        fields = {"device": address, "supplier": supplier, "amount": amount, "own": device.own}
        return "OverflowWithdrawn", fields

    def unstake(self, supplier: Address, address: Address, class_id: int) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        minimum = self._minimum(device, class_id)
        require(device.lease == ZERO, "DeviceLeased")
        require(device.own > 0, "NothingStaked")
        self._settle(device)
        until = self.now + self._config().params.cooldown
        own, device.own = device.own, 0
        device.own_cooling += own
        device.own_until = until
        device.offer = device.offer_reward_bps = 0
        co = 0
        if device.co.state in {ACTIVE, WAITING}:
            co = device.co.amount
            device.co.state, device.co.until = COOLING, until
            self._settle(device)
        self._refresh(device, minimum)
        return "Unstaked", {"device": address, "supplier": supplier, "own": own, "co": co, "until": until}

    def withdraw(self, owner: Address, address: Address, class_id: int, to: Tokens | None = None) -> Event:
        to = to or wallet(owner)
        self._class(class_id)
        device = self._device(address)
        self._require_tokens(to)
        require(owner == device.supplier, "WrongAccount")
        self._require_no_slash(device)
        require(device.own_cooling > 0 and self.now >= device.own_until, "NothingToWithdraw")
        self._require_way(to, max(device.own_until, device.frozen_until))
        amount, device.own_cooling, device.own_until = device.own_cooling, 0, 0
        self._give(amount, to)
        return "Withdrawn", {"device": address, "supplier": owner, "amount": amount}

    # -- co-stake --------------------------------------------------------------------------------

    def open_offer(
        self, supplier: Address, address: Address, class_id: int, amount: int, reward_bps: int
    ) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        minimum = self._minimum(device, class_id)
        require(not device.terminated, "DeviceTerminated")
        self._require_no_slash(device)
        require(device.offer == 0, "OfferOpen")
        require(device.co.state != ACTIVE, "CoStakerPresent")
        require(500 <= reward_bps <= 10_000, "RewardShareInvalid")
        require(device.own + amount <= U64, "Overflow")
        require(0 < 2 * amount <= minimum <= device.own + amount, "OfferInvalid")
        self._settle(device)
        device.offer, device.offer_reward_bps = amount, reward_bps
        return "OfferOpened", {"device": address, "amount": amount, "reward_bps": reward_bps}

    def close_offer(self, supplier: Address, address: Address, class_id: int) -> Event:
        self._class(class_id)
        device = self._owned(address, supplier)
        require(device.offer > 0, "NoOffer")
        device.offer = device.offer_reward_bps = 0
        return "OfferClosed", {"device": address}

    def take_offer(
        self, staker: Address, address: Address, class_id: int, amount: int, reward_bps: int
    ) -> Event:
        self._class(class_id)
        device, holder = self._device(address), self._wallet(staker)
        self._require_running(PAUSE_STAKING)
        minimum = self._minimum(device, class_id)
        require(not device.terminated, "DeviceTerminated")
        self._require_no_slash(device)
        require(staker not in {device.supplier, device.worker}, "OwnCoStake")
        require(device.offer > 0, "NoOffer")
        require((device.offer, device.offer_reward_bps) == (amount, reward_bps), "OfferChanged")
        require(2 * amount <= minimum, "OfferInvalid")
        # Tried on a copy: whatever refuses below must leave everything as it was.
        after = replace(device, co=replace(device.co), leaving=replace(device.leaving))
        self._settle(after)
        self._refresh(after, minimum)
        replaced = ZERO
        if after.co.state == WAITING:
            replaced = after.co.staker
            after.co.state, after.co.until = COOLING, self.now + self._config().params.cooldown
            self._settle(after)
        require(after.co.state == NONE, "CoStakerPresent")
        after.co = CoStake(staker, amount, 0, reward_bps, ACTIVE)
        after.offer = after.offer_reward_bps = 0
        require(after.counted(self.now) >= minimum, "OfferInvalid")
        require(holder.co_stakes < 2, "TooManyCoStakes")
        self._take(staker, amount)
        holder.co_stakes += 1
        self._refresh(after, minimum)
        self.devices[address] = after
        return "CoStaked", {
            "device": address,
            "staker": staker,
            "amount": amount,
            "reward_bps": reward_bps,
            "replaced": replaced,
            "sufficient_since": after.sufficient_since,
        }

    def leave_co_stake(self, staker: Address, address: Address) -> Event:
        device = self._device(address)
        require(device.co.state == ACTIVE and device.co.staker == staker, "NotCoStaker")
        until = self.now + self._config().params.co_stake_wait
        device.co.state, device.co.until = WAITING, until
        return "CoStakerLeft", {"device": address, "staker": staker, "until": until}

    def withdraw_co_stake(
        self, staker: Address, address: Address, class_id: int, to: Tokens | None = None
    ) -> Event:
        to = to or wallet(staker)
        self._class(class_id)
        device = self._device(address)
        self._require_tokens(to)
        holder = self._wallet(staker)
        self._require_no_slash(device)
        after = replace(device, co=replace(device.co), leaving=replace(device.leaving))
        self._settle(after)
        for slot in ("leaving", "co"):
            each: CoStake = getattr(after, slot)
            if each.state == COOLING and each.staker == staker and self.now >= each.until:
                break
        else:
            raise Refused("NothingToWithdraw")
        self._require_way(to, max(each.until, device.frozen_until))
        setattr(after, slot, CoStake())
        self._settle(after)
        self.devices[address] = after
        holder.co_stakes -= 1
        self._give(each.amount, to)
        return "CoStakeWithdrawn", {"device": address, "staker": staker, "amount": each.amount}

    def _require_flag(self, worker_may_end: int) -> None:
        require(worker_may_end in (0, 1), "FlagInvalid")

    def _require_place(self, tier: int, country: bytes) -> None:
        require(1 <= tier <= 4, "TierInvalid")
        require(all(65 <= letter <= 90 for letter in country), "CountryInvalid")

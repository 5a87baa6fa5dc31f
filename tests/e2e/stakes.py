"""Staking's instructions on both sides, by whoever the device's account says must sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.economy.classes import ClassPrices
from tests.model.staking.program import Staking
from tests.model.staking.state import Class, Device, Prices
from tests.model.state import Address, Event
from tests.programs.orders.pair import OrdersPair
from tests.programs.side_by_side import ADMIN
from tests.programs.staking.world import PRICES


class StakeCalls:
    """Devices are named by their accounts' addresses; each method says how the action ended."""

    pair: OrdersPair
    staking: Staking
    act: Callable[..., str]

    def device(self, address: Address) -> Device:
        """A device as the model has it, which is how the chain has it."""
        return self.staking.devices[address]

    def add_class(self, row: Class, prices: ClassPrices = PRICES) -> str:
        name, terms = row.name.rstrip(b"\0").decode(), (row.multiplier, row.pool, row.kind)
        return self._admin(
            "add_class",
            lambda: self.staking.add_class(ADMIN, replace(row), Prices(**asdict(prices))),
            client.add_class(Pubkey(ADMIN), row.id, name, *terms, prices),
        )

    def change_class(self, number: int, multiplier: int) -> str:
        return self._admin(
            "change_class",
            lambda: self.staking.change_class(ADMIN, number, multiplier),
            client.change_class(Pubkey(ADMIN), number, multiplier),
        )

    # -- own stake ---------------------------------------------------------------------------------

    def stake(self, address: Address, amount: int) -> str:
        device = self._read(address)
        return self._supplier("stake", address, [amount, device.own], client.stake(device, amount))

    def withdraw_overflow(self, address: Address, amount: int) -> str:
        device = self._read(address)
        instruction = client.withdraw_overflow(device, amount)
        return self._supplier("withdraw_overflow", address, [amount, device.own], instruction)

    def unstake(self, address: Address) -> str:
        return self._supplier("unstake", address, [], client.unstake(self._read(address)))

    def terminate_device(self, address: Address) -> str:
        return self._supplier("terminate_device", address, [], client.terminate_device(self._read(address)))

    def withdraw(self, address: Address) -> str:
        device = self.device(address)
        return self.act(
            "withdraw",
            lambda: self.staking.withdraw(device.supplier, address, device.class_id),
            client.withdraw(self._read(address)),
        )

    def settle_device(self, address: Address) -> str:
        number = self.device(address).class_id
        return self.act(
            "settle_device",
            lambda: self.staking.settle_device(address, number),
            client.settle_device(self._read(address)),
        )

    def close_device(self, address: Address) -> str:
        supplier = self.device(address).supplier
        return self.act(
            "close_device",
            lambda: self.staking.close_device(supplier, address),
            client.close_device(self._read(address)),
        )

    # -- co-stake ----------------------------------------------------------------------------------

    def open_offer(self, address: Address, amount: int, bps: int) -> str:
        instruction = client.open_offer(self._read(address), amount, bps)
        return self._supplier("open_offer", address, [amount, bps], instruction)

    def take_offer(self, staker: Address, address: Address, amount: int, bps: int) -> str:
        number = self.device(address).class_id
        return self.act(
            "take_offer",
            lambda: self.staking.take_offer(staker, address, number, amount, bps),
            client.take_offer(self._read(address), Pubkey(staker), amount, bps),
            staker,
        )

    def leave_co_stake(self, staker: Address, address: Address) -> str:
        return self.act(
            "leave_co_stake",
            lambda: self.staking.leave_co_stake(staker, address),
            client.leave_co_stake(self._read(address), Pubkey(staker)),
            staker,
        )

    def withdraw_co_stake(self, staker: Address, address: Address) -> str:
        number = self.device(address).class_id
        return self.act(
            "withdraw_co_stake",
            lambda: self.staking.withdraw_co_stake(staker, address, number),
            client.withdraw_co_stake(self._read(address), Pubkey(staker)),
        )

    # -- slashes -----------------------------------------------------------------------------------

    def vote_slash(self, operator: Address, address: Address, evidence: bytes, bps: int) -> str:
        return self.act(
            "vote_slash",
            lambda: self.staking.vote_slash(operator, address, evidence, bps),
            client.vote_slash(Pubkey(operator), self._read(address), evidence, bps),
            operator,
        )

    def appeal_slash(self, address: Address, evidence: bytes, statement: bytes) -> str:
        supplier = self.device(address).supplier
        return self.act(
            "appeal_slash",
            lambda: self.staking.appeal_slash(supplier, address, evidence, statement),
            client.appeal_slash(self._read(address), evidence, statement),
            supplier,
        )

    def veto_slash(self, guardian: Address, address: Address, evidence: bytes) -> str:
        return self.act(
            "veto_slash",
            lambda: self.staking.veto_slash(guardian, address, evidence),
            client.veto_slash(Pubkey(guardian), self._read(address), evidence),
            guardian,
        )

    def execute_slash(self, address: Address, evidence: bytes) -> str:
        number = self.device(address).class_id
        return self.act(
            "execute_slash",
            lambda: self.staking.execute_slash(address, number, evidence),
            client.execute_slash(self._read(address), evidence),
        )

    # -- shared ------------------------------------------------------------------------------------

    def _read(self, address: Address) -> client.Device:
        return client.parse_device(self.pair.world.account(Pubkey(address)).data)

    def _admin(self, name: str, call: Callable[[], Event], instruction: Instruction) -> str:
        return self.act(name, call, instruction, ADMIN)

    def _supplier(self, name: str, address: Address, values: Sequence[Any], instruction: Instruction) -> str:
        device = self.device(address)
        return self.act(
            name,
            lambda: getattr(self.staking, name)(device.supplier, address, device.class_id, *values),
            instruction,
            device.supplier,
        )

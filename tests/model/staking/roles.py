"""Staking's roles, parameters and pause in the reference model."""

from __future__ import annotations

from tests.model.roles import ParamRoles
from tests.model.schedule import DAY, IO
from tests.model.staking.base import StakingLedger
from tests.model.staking.state import MAX_OPERATORS, STAKE_VAULT, Params, StakingConfig
from tests.model.state import ZERO, Address, Event, require


def check(params: Params) -> None:
    """Bounds of the protocol, and a threshold that two disjoint groups can't reach."""
    limits = {
        "cooldown": 30 * DAY,
        "co_stake_wait": 30 * DAY,
        "challenge_window": 7 * DAY,
        "appeal": 90 * DAY,
        "notice": 90 * DAY,
        "max_slash_bps": 5_000,
    }
    require(all(1 <= getattr(params, name) <= most for name, most in limits.items()), "ParamsInvalid")
    require(100 <= params.wallet_share_bps <= 10_000, "ParamsInvalid")
    require(params.claim_limit >= 10_000 * IO, "ParamsInvalid")
    operators = params.operators
    require(1 <= len(operators) <= MAX_OPERATORS, "OperatorsInvalid")
    require(len(operators) < 2 * params.threshold <= 2 * len(operators), "OperatorsInvalid")
    require(len(set(operators)) == len(operators) and ZERO not in operators, "OperatorsInvalid")


class Roles(StakingLedger, ParamRoles):
    """Who may do what."""

    _check = staticmethod(check)

    def initialize(
        self, admin: Address, lease_authority: Address, guardian: Address, params: Params
    ) -> Event:
        require(self.config is None, "AccountInUse")
        require(admin == self.upgrade_authority, "NotUpgradeAuthority")
        require(guardian != ZERO, "ZeroAddress")
        check(params)
        self.config = StakingConfig(admin, guardian, params, lease_authority)
        self.economy.tokens[STAKE_VAULT] = 0
        return "Initialized", {
            "admin": admin,
            "guardian": guardian,
            "mint": self.economy.mint,
            "stake_vault": self.stake_vault,
            "reward_vault": self.economy.reward_vault,
            "lease_authority": lease_authority,
            "params": params.fields(),
        }

    def apply_params(self) -> Event:
        config = self._config()
        before = config.params
        event = super().apply_params()
        for slot in range(MAX_OPERATORS):
            if operator_of(before, slot) != operator_of(config.params, slot):
                config.slot_since[slot] = config.revision
        return event


def operator_of(params: Params, slot: int) -> Address:
    """The key in a slot of the list, zero where there is none."""
    return params.operators[slot] if slot < len(params.operators) else ZERO

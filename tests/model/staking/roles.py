"""Staking's roles, parameters, pause and classes in the reference model."""

from __future__ import annotations

from tests.model.roles import ParamRoles
from tests.model.schedule import DAY, IO
from tests.model.staking.base import StakingLedger
from tests.model.staking.state import MAX_OPERATORS, STAKE_VAULT, Class, Params, StakingConfig
from tests.model.state import U64, ZERO, Address, Event, require


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
    """Who may do what, and the class table."""

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

    def add_class(self, admin: Address, row: Class) -> Event:
        config = self._config()
        require(row.id not in self.classes, "AccountInUse")
        require(admin == config.admin, "NotAdmin")
        named = row.name[0] != 0
        require(named and row.pool < 2 and row.kind < 3 and row.multiplier <= 50_000, "ClassInvalid")
        self.classes[row.id] = row
        return "ClassAdded", {
            "id": row.id,
            "name": row.name,
            "multiplier": row.multiplier,
            "pool": row.pool,
            "kind": row.kind,
        }

    def change_class(self, admin: Address, number: int, multiplier: int) -> Event:
        config = self._config()
        row = self._class(number)
        require(admin == config.admin, "NotAdmin")
        at = self.now + config.params.notice
        require(at <= U64, "Overflow")
        require(multiplier <= 50_000, "ClassInvalid")
        row.multiplier = row.multiplier_at(self.now)
        row.pending_multiplier, row.pending_at = multiplier, at
        return "ClassChanged", {"id": number, "from": row.multiplier, "to": multiplier, "at": at}

"""Orders' roles, parameters and pause in the reference model."""

from __future__ import annotations

from tests.model.orders.base import PAUSE_MATCHING, OrdersLedger
from tests.model.orders.state import FEES, IO, PARKED, USDC, OrdersConfig, OrdersParams
from tests.model.roles import ParamRoles
from tests.model.schedule import DAY
from tests.model.state import ZERO, Address, Event, require


def check(params: OrdersParams) -> None:
    """Bounds of the protocol."""
    limits = {
        "match_window": (1, 20 * 60),
        "accept_window": (1, DAY),
        "settlement_lag": (0, DAY),
        "notice": (1, 90 * DAY),
        "renter_fee_bps": (0, 100),
        "supplier_fee_bps": (0, 100),
        "usdc_fee_bps": (0, 500),
        "exclusive": (0, params.match_window // 2),
        "soon_fee_bps": (0, 500),
        "now_fee_bps": (0, 500),
    }
    within = (least <= getattr(params, name) <= most for name, (least, most) in limits.items())
    require(all(within), "ParamsInvalid")


class Roles(OrdersLedger, ParamRoles):
    """Who may do what."""

    _check = staticmethod(check)

    def initialize(self, admin: Address, guardian: Address, params: OrdersParams) -> Event:
        require(self.config is None, "AccountInUse")
        require(admin == self.upgrade_authority, "NotUpgradeAuthority")
        require(guardian != ZERO, "ZeroAddress")
        check(params)
        self.config = OrdersConfig(admin, guardian, params)
        return "Initialized", {
            "admin": admin,
            "guardian": guardian,
            "io_mint": self.mint(IO),
            "usdc_mint": self.mint(USDC),
            "io_fees": self.addresses.tokens(FEES, IO),
            "usdc_fees": self.addresses.tokens(FEES, USDC),
            "params": params.fields(),
        }

    def set_pause(self, guardian: Address, mask: int, until: int) -> Event:
        """Until when matching was stopped is remembered: who could not accept is not to blame."""
        config = self._config()
        stopped = min(config.pause_until, self.now) if config.pause_mask & PAUSE_MATCHING else 0
        event = super().set_pause(guardian, mask, until)
        config.matching_stopped_until = max(config.matching_stopped_until, stopped)
        return event

    def fees_exist(self) -> None:
        """Buyback has created its vaults."""
        self.purse(IO)[FEES] = self.purse(USDC)[FEES] = 0

    def parked_vaults_exist(self) -> None:
        """Somebody has created them: they are accounts like any wallet's."""
        self.purse(IO)[PARKED] = self.purse(USDC)[PARKED] = 0

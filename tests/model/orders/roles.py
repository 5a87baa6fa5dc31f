"""Orders' roles, parameters and pause in the reference model."""

from __future__ import annotations

from tests.model.orders.base import OrdersLedger
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
            "io_fees": self.addresses.fees[IO],
            "usdc_fees": self.addresses.fees[USDC],
            "params": params.fields(),
        }

    def fees_exist(self) -> None:
        """Buyback has created its vaults."""
        for currency in (IO, USDC):
            self.purse(currency)[FEES] = self.purse(currency)[PARKED] = 0

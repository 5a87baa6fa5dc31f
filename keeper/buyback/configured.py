"""What the settings say about bidding: how far to go, and by whose price."""

from __future__ import annotations

from keeper.buyback.decide import Limits
from keeper.buyback.sources import HttpOracle, OwnHistory, PriceSource
from keeper.economy.supply import IO
from keeper.settings import Settings


def limits(settings: Settings) -> Limits:
    """How far the keeper goes with its own money."""
    return Limits(settings.bid_max_io * IO, settings.bid_margin_bps)


def price_source(settings: Settings) -> PriceSource:
    """Where the keeper takes an IO's worth from."""
    if settings.price_url is None:
        return OwnHistory()
    return HttpOracle(
        str(settings.price_url),
        settings.price_path,
        settings.price_time_path,
        settings.price_max_age,
        settings.price_max_deviation_bps,
    )

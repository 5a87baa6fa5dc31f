"""The jobs' names, for whoever names jobs without running them: settings, checks, the command line."""

from __future__ import annotations

EMISSION = "emission"
VESTING = "vesting"
SEASONS = "seasons"
BLOCKS = "blocks"
SLASHES = "slashes"
LEASES = "leases"
FEES = "fees"
AUCTIONS = "auctions"
BURNS = "burns"
ATTEST = "attest"
"""The operators' job: see :func:`~keeper.jobs.blocks.attest_hours`."""
BIDS = "bids"
"""Bidding with the keeper's own IO: see :func:`~keeper.jobs.buyback.bid_on_auction`."""

NAMES = (EMISSION, VESTING, SEASONS, BLOCKS, SLASHES, LEASES, FEES, AUCTIONS, BURNS, ATTEST, BIDS)
"""In the order they run in."""

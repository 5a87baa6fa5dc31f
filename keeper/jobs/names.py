"""The jobs' names, for whoever names jobs without running them: settings, checks, the command line."""

from __future__ import annotations

EMISSION = "emission"
VESTING = "vesting"
SEASONS = "seasons"
BLOCKS = "blocks"
PRICES = "prices"
SLASHES = "slashes"
LEASES = "leases"
FEES = "fees"
AUCTIONS = "auctions"
BURNS = "burns"
ATTEST = "attest"
"""The operators' job: see :func:`~keeper.jobs.blocks.attest_hours`."""
BIDS = "bids"
"""Bidding with the keeper's own IO: see :func:`~keeper.jobs.buyback.bid_on_auction`."""

NAMES = (EMISSION, VESTING, SEASONS, BLOCKS, PRICES, SLASHES, LEASES, FEES, AUCTIONS, BURNS, ATTEST, BIDS)
"""In the order they run in.

What judges a lease comes before what pays for it: after an outage of the chain the first payment is for
all of that time, and only votes that are there by then take any of it back. So a job that votes for faults
goes before LEASES.
"""

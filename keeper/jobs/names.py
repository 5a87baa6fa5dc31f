"""The jobs' names, for whoever names jobs without running them: settings, checks, the command line."""

from __future__ import annotations

EMISSION = "emission"
VESTING = "vesting"
SEASONS = "seasons"
BLOCKS = "blocks"
PRICES = "prices"
SLASHES = "slashes"
PARAMS = "params"
FAULTS = "faults"
"""The operators' votes that a lease isn't served on: see :func:`~keeper.jobs.faults.vote_faults`."""
LEASES = "leases"
FEES = "fees"
AUCTIONS = "auctions"
BURNS = "burns"
ATTEST = "attest"
"""The operators' job: see :func:`~keeper.jobs.blocks.attest_hours`."""
PROPOSALS = "proposals"
"""The operators' votes to slash: see :func:`~keeper.jobs.proposals.propose_slashes`."""
MATCHING = "matching"
"""The operators' matches: see :func:`~keeper.jobs.matching.match_tick`."""
STEPS = "steps"
"""The operators' votes for prices: see :func:`~keeper.jobs.steps.vote_steps`."""
BIDS = "bids"
"""Bidding with the keeper's own IO: see :func:`~keeper.jobs.buyback.bid_on_auction`."""

NAMES = (
    EMISSION,
    VESTING,
    SEASONS,
    BLOCKS,
    PRICES,
    SLASHES,
    PARAMS,
    FAULTS,
    LEASES,
    FEES,
    AUCTIONS,
    BURNS,
    ATTEST,
    PROPOSALS,
    MATCHING,
    STEPS,
    BIDS,
)
"""In the order in which they are started, and run one after the other with ``--once``.

``ionet keeper run`` has them run side by side: what one job leaves to do for another is found in that one's
next run. Where an order matters it is asked for by whoever needs it, from the chain: the program refuses a
block above what was emitted, ``attest`` waits until an hour is final and indexed. What judges a lease must
come before what pays for it, as after an outage of the chain the first payment is for all of that time, and
only votes that are there by then take any of it back: so FAULTS is before LEASES here. Side by side an
order's settlement lag is between them, two hours; what is due after that anybody may pay anyway.
"""

"""Every job that needs no set-up; those of operators and bidders are made where settings are read."""

from __future__ import annotations

from functools import partial

from keeper.jobs import names
from keeper.jobs.blocks import finalise_blocks
from keeper.jobs.buyback import burn_fees, run_auctions
from keeper.jobs.leases import keep_leases
from keeper.jobs.params import apply_params
from keeper.jobs.port import Job
from keeper.jobs.prices import keep_prices
from keeper.jobs.slashes import execute_slashes
from keeper.jobs.tokenomics import close_ended_seasons, count_burns, emit_finished_hours, release_vested

ALL: dict[str, Job] = {
    names.EMISSION: emit_finished_hours,
    names.VESTING: release_vested,
    names.SEASONS: close_ended_seasons,
    names.BLOCKS: finalise_blocks,
    names.PRICES: partial(keep_prices, folder=None),
    names.SLASHES: execute_slashes,
    names.PARAMS: apply_params,
    names.LEASES: keep_leases,
    names.FEES: burn_fees,
    names.AUCTIONS: run_auctions,
    names.BURNS: count_burns,
}
"""By name, in the order they are started in; :data:`~keeper.jobs.names.NAMES` says why in that one."""

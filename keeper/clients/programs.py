"""The network's programs, all of them."""

from __future__ import annotations

from keeper.clients import buyback, orders, staking, tokenomics

PROGRAMS = {each.PROGRAM.name: each.PROGRAM for each in (tokenomics, staking, buyback, orders)}
"""By name, in the order in which they are deployed."""
BY_ADDRESS = {each.address: each for each in PROGRAMS.values()}

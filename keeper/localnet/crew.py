"""Who works on a network of one's own, as its clock sees them: what operators say, what is on the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
from solders.pubkey import Pubkey

from keeper.chain.http import http_client
from keeper.clients import orders, staking
from keeper.economy.orders import LeaseStatus
from keeper.localnet.chain import LocalChain
from keeper.localnet.haste import Report, WaveAt

ASK_SECONDS = 0.2
"""How often operators are asked while time waits for them; otherwise they are left alone."""
PATIENCE_SECONDS = 10.0
FIRST_PROVEN = 1
"""The first hour that devices of a network of one's own can have proven: they were there when it began."""


@dataclass
class AtWork:
    """See :class:`keeper.localnet.haste.Crew`."""

    chain: LocalChain
    workers: int
    services: dict[str, Callable[[], bool]] = field(default_factory=dict)
    """Where each operator's service is, and whether its process still runs; none before they are started."""
    _said: dict[str, Report] = field(default_factory=dict, init=False)

    @property
    def reports(self) -> list[Report | None]:
        """What each operator that runs has said last."""
        if not self.services:
            return [None]
        return [self._said.get(url) for url, runs in self.services.items() if runs()]

    def is_agreed(self, hour: int) -> bool:
        """Whether operators have agreed on an hour."""
        config = self._data(staking.CONFIG)
        if config is None:
            return False
        terms = staking.parse_config(config)
        block = self._data(staking.block_address(hour))
        return hour < terms.next_hour or (block is not None and staking.parse_block(block).is_decided(terms))

    def is_trading(self) -> bool:
        """Whether an order waits for devices that have proven their work, or a lease for its acceptance."""
        now = self.chain.now()
        for _, account in self.chain.owned(orders.PROGRAM.address):
            kind = orders.PROGRAM.kind_of(account.data)
            if kind == "Lease" and orders.parse_lease(account.data).status == LeaseStatus.MATCHED:
                return True
            if kind == "Order" and orders.parse_order(account.data).takes_devices(now):
                return self.is_agreed(FIRST_PROVEN)
        return False

    async def follow(self) -> None:
        """Ask operators how far they are, until this is cancelled."""
        async with http_client(PATIENCE_SECONDS) as http:
            while True:
                running = [url for url, runs in self.services.items() if runs()]
                await asyncio.gather(*(self._ask(http, url) for url in running))
                await asyncio.sleep(ASK_SECONDS)

    async def _ask(self, http: httpx.AsyncClient, url: str) -> None:
        try:
            answer = await http.get(f"{url}/ready")
            self._said[url] = _report(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
            return  # It isn't up yet, or is busy: what it said before holds.

    def _data(self, address: Pubkey) -> bytes | None:
        found = self.chain.get(address)
        return found.data if found is not None and found.data else None


def _report(found: Mapping[str, Any]) -> Report:
    """What an operator's ``/ready`` says; raises KeyError and the like for what isn't its answer."""
    if not found["hours"]:
        raise ValueError("it hasn't seen the chain yet")
    waves = {
        int(slot): WaveAt(each["state"], each["commits"], each["lacking"])
        for slot, each in found["waves"].items()
    }
    pings = {int(slot): count for slot, count in found["pings"].items()}
    hours = {int(hour): state for hour, state in found["hours"].items()}
    return Report(found["read"], hours, waves, pings)

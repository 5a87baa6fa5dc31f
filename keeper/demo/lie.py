"""An operator of the demo that attests an hour in which somebody else's pay goes to it, and publishes that.

All in its files follows from one false word: an audit finds that word, and whose signature stands under it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.demo.checks import DemoFailed
from keeper.economy import emission
from keeper.economy.calendar import HOUR, month_start
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.rewards import publication, publishing, rule
from keeper.rewards.history import History
from keeper.rewards.observed import observations
from keeper.rewards.publication import Manifest
from keeper.rewards.rows import Hour, class_rows, field_rows
from keeper.rewards.work import WorkFolder, network_of


async def publish(
    chain: ChainReader,
    history: History,
    work: WorkFolder,
    honest: Path,
    folder: Path,
    liar: Pubkey,
    number: int,
    start_month: int,
) -> Manifest:
    """Write hour ``number`` into ``folder``: its best-paid device pays ``liar``.

    ``honest`` is the liar's folder up to the hour before. Raises DemoFailed where the hour isn't final yet.
    """
    first = month_start(start_month)
    start = first + number * HOUR
    if not await history.knows(start + EVIDENCE_SECONDS):
        raise DemoFailed(f"hour {number} isn't final when it is due")
    past = await history.hour(start)
    before = publication.read_observed(honest, number)
    seen = await work.of(chain, await network_of(chain, first), number, past, before)
    if seen is None:
        raise DemoFailed(f"the chain doesn't say all of hour {number}")
    hour = Hour(number, start, emission.cumulative(start_month, number + 1))
    rows = field_rows(past.devices, observations(seen.observed), past.hired)
    classes = class_rows(past.classes, start)
    paid = rule.reward(hour, rows, classes, publication.wallets_before(honest, number))
    rows["payout"][paid.devices["reward"].argmax()] = bytes(liar)
    shutil.copytree(honest / str(number - 1), folder / str(number - 1))
    return publishing.publish(folder, hour, seen, rows, classes)

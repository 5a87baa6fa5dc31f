"""From settings to jobs."""

from pathlib import Path
from typing import Any

from keeper.chain.embedded import EmbeddedChain
from keeper.db import Database
from keeper.jobs import names, registry
from keeper.rewards.history import History
from keeper.runtime.wiring import chosen_jobs, market_of
from keeper.settings import Settings


async def test_jobs_are_configured_by_their_names(tmp_path: Path, database: Database) -> None:
    history = History(EmbeddedChain(), database)

    def chosen(**said: Any) -> tuple[str, ...]:
        settings = Settings(rewards=tmp_path, **said)
        return tuple(chosen_jobs(settings, names.NAMES, history, market_of(settings, history)))

    same = "jobs/names.py and jobs/registry.py (or runtime/wiring.py) name the same jobs in the same order"
    assert chosen(pow=tmp_path, market=tmp_path, bid_max_io=1) == names.NAMES, same
    assert chosen() == tuple(registry.ALL), same

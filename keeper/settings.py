"""What an operator sets: environment variables (``IONET_...``), or the same names in ``ionet.env``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keeper.services.jobs import NAMES


class Settings(BaseSettings):
    """The keeper's settings; the command line's options go before them."""

    model_config = SettingsConfigDict(env_prefix="IONET_", env_file="ionet.env", extra="forbid")

    chain: str = Field(
        default="http://127.0.0.1:8899", description="an RPC node's URL or a saved chain's file"
    )
    keypair: Path = Field(
        default=Path("~/.config/solana/id.json"), description="the keeper's key; it pays fees"
    )
    check_seconds: float = Field(default=20, gt=0, le=3600, description="how often to look what is due")
    jobs: list[str] = Field(default=list(NAMES), description="the jobs that run, as a JSON list")
    rewards: Path = Field(default=Path("rewards"), description="where reward blocks are published")
    observations: Path | None = Field(
        default=None, description="an operator's folder of <hour>.csv: what was seen of the devices"
    )
    log: Literal["json", "console"] = Field(default="json", description="an object a line, or for reading")

    @field_validator("jobs")
    @classmethod
    def _known(cls, jobs: list[str]) -> list[str]:
        if unknown := [name for name in jobs if name not in NAMES]:
            raise ValueError(f"no job is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return jobs

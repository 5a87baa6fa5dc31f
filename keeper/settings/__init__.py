"""The keeper's settings, from the environment (``IONET_...``) or from ``ionet.env``.

Every command reads them by :func:`read_settings` and signs with :meth:`Settings.signer`.
"""

from __future__ import annotations

import json
import socket
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AnyHttpUrl,
    AnyWebsocketUrl,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from keeper.chain import Signer
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import LAMPORTS
from keeper.compute.egress import reachable, require_allowed
from keeper.errors import UserError, unfit, why
from keeper.jobs.names import NAMES
from keeper.settings.explorer import Explorer
from keeper.settings.keys import choose_signer

OFF = "off"
PORTS = 1 << 16
FILE = "ionet.env"
"""Where settings are looked for beside the environment, in the working folder."""


class SettingsRefused(UserError):
    """Settings that make no sense: a line for each, which and why."""


class Settings(BaseSettings):
    """The keeper's settings; the command line's options override them."""

    model_config = SettingsConfigDict(env_prefix="IONET_", env_file=FILE, extra="forbid")

    chain: str = Field(
        default="http://127.0.0.1:8899", repr=False, description="an RPC node's URL or a saved chain's file"
    )
    keypair: Path = Field(
        default=Path("~/.config/solana/id.json"),
        description="file of the keeper's key, which pays; nobody else may be able to read it",
    )
    key: SecretStr | None = Field(
        default=None, description="the key itself, a JSON list or base58; overrides the file"
    )
    signer_command: str | None = Field(
        default=None, repr=False, description="a command that signs, in place of a key; overrides both"
    )
    signer_address: str | None = Field(default=None, description="the address that the command signs for")
    signer_seconds: float = Field(
        default=10, gt=0, le=60, description="how long the command may take for a signature"
    )
    name: str = Field(
        default_factory=socket.gethostname, description="what this keeper is called, for people"
    )
    database: str = Field(
        default="sqlite:///ionet.db",
        repr=False,
        description="what it remembers: sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME for several",
    )
    websocket: AnyWebsocketUrl | None = Field(
        default=None, description="where the node sends notices [default: the port after the chain's]"
    )
    fee_percentile: int = Field(default=60, ge=0, le=100, description="of the priority fees that others pay")
    fee_highest: int = Field(default=1_000_000, ge=0, description="micro-lamports per compute unit, at most")
    fee_daily: int = Field(default=20_000_000, ge=0, description="lamports that a job may spend in a day")
    check_seconds: float = Field(default=20, gt=0, le=3600, description="how often to look for what is due")
    jobs: Annotated[list[str], NoDecode] = Field(
        default=list(NAMES), description="the jobs that run, as a JSON list; the others are off"
    )
    rewards: Path = Field(default=Path("rewards"), description="where reward blocks are published")
    pow: Path | None = Field(
        default=None, description="an operator's folder of proofs of work, which its challenge service fills"
    )
    profiles: Path | None = Field(
        default=None,
        description="which tables of proof of work hold when, on a network with its own [default: ionet's]",
    )
    market: Path | None = Field(
        default=None, description="where an operator publishes ticks and steps; without it, it doesn't match"
    )
    peers: Annotated[list[AnyHttpUrl], NoDecode] = Field(
        default=[],
        description="where other operators serve blocks, steps and proof of work, a JSON list of URLs",
    )
    http: str = Field(
        default="127.0.0.1:9464",
        description="address and port of /health, /ready and /metrics, or off; it has no access control",
    )
    pow_http: str = Field(
        default="127.0.0.1:9470", description="address and port of an operator's challenge service"
    )
    pow_metrics: str = Field(
        default="127.0.0.1:9471",
        description="address and port of the challenge service's /metrics, or off; it has no access control",
    )
    relay: str = Field(
        default="127.0.0.1:9472",
        description="address and UDP port of an operator's relay for clusters, or off",
    )
    relay_rate: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="Mbit/s that the relay carries for a member of a cluster",
    )
    pow_line: int = Field(
        default=10_000, ge=1, le=10_000_000, description="Mbit/s of an operator's line, which it publishes"
    )
    pow_connections: int = Field(
        default=16_384,
        ge=64,
        le=1_000_000,
        description="connections that the challenge service holds at a time: two for each device",
    )
    web_node: AnyHttpUrl | None = Field(
        default=None,
        description="the node by which wallets in pages read and send [default: none, no page signs]",
    )
    web_notices: AnyWebsocketUrl | None = Field(
        default=None, description="where that node sends notices [default: the port after its own]"
    )
    web_explorer: str | None = Field(
        default=None,
        description="where pages lead to for a transaction or an address elsewhere, such as "
        "https://explorer.solana.com/{tx,address}/{id} [default: none]",
    )
    actions: AnyHttpUrl | None = Field(
        default=None,
        description="the site's public URL, for Solana Actions on it [default: none, there are none]",
    )
    balance_warning: Decimal = Field(
        default=Decimal("0.5"), ge=0, decimal_places=9, description="SOL below which the keeper warns"
    )
    balance_stop: Decimal = Field(
        default=Decimal("0.05"), ge=0, decimal_places=9, description="SOL below which it sends nothing"
    )
    lag_slots: int = Field(
        default=1_500,
        gt=0,
        description="slots that the index may be behind before the keeper isn't ready, and before ionet api "
        "serve answers 503 while it catches up",
    )
    lag_hours: int = Field(
        default=3,
        gt=0,
        description="ended hours that may wait, to be minted, attested or made final, before it isn't",
    )
    bid_max_io: int = Field(
        default=0,
        ge=0,
        le=800_000_000,
        description="most IO that the keeper pays for one lot; 0: it never bids",
    )
    bid_margin_bps: int = Field(
        default=200,
        ge=0,
        lt=10_000,
        description="how much cheaper than its worth a lot must be, basis points",
    )
    price_url: AnyHttpUrl | None = Field(
        default=None,
        description="a JSON server that says what an IO is worth [default: the auctions' own sales]",
    )
    price_path: str = Field(default="io.usd", description="where its answer has the price, US dollars per IO")
    price_time_path: str = Field(
        default="io.last_updated_at", description="where its answer has the price's unix time"
    )
    price_max_age: int = Field(default=600, gt=0, description="seconds after which its price is stale")
    price_max_deviation_bps: int = Field(
        default=10_000,
        gt=0,
        description="how far its price may be below the reference or above the anchor price, basis points",
    )
    operators: Annotated[list[AnyHttpUrl], NoDecode] = Field(
        default=[],
        description="where operators take what devices prove, and have clusters' boards: a JSON list of URLs",
    )
    worker: Path = Field(
        default=Path("worker"), description="a device's folder: what it signed, before it was sent"
    )
    leases: Literal["serve", "unserved"] = Field(
        default="serve",
        description="serve: what a device accepts it serves; unserved: nothing runs, for networks of a test",
    )
    lease_rate: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="Mbit/s of the machine's line that a lease's sandbox may use, each way",
    )
    endpoint: str = Field(
        default=OFF,
        description="public IPv4 address and UDP port at which a device is reached without a relay, or off",
    )
    unconfined: bool = Field(
        default=False,
        description="leases are served also where the kernel limits no sandbox",
    )
    egress: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="hosts that a renter's code may reach by https if its renter asks: a JSON list of names, "
        "*.NAME for all below one",
    )
    egress_limit: int = Field(
        default=100, ge=1, le=1_000_000, description="GiB that a lease may send to those and take from them"
    )
    runtimes: Path = Field(
        default=Path("~/.local/share/ionet/runtimes"),
        description="where the Ray is installed that a device runs for renters",
    )
    log: Literal["json", "console"] = Field(
        default="json", description="json: an object a line; console: for people to read"
    )

    @field_validator("jobs", "peers", "operators", "egress", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError('write a JSON list, such as ["one", "two"]') from error

    @field_validator("jobs")
    @classmethod
    def _known(cls, jobs: list[str]) -> list[str]:
        if unknown := [name for name in jobs if name not in NAMES]:
            raise ValueError(f"no job is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return jobs

    @field_validator("egress")
    @classmethod
    def _allowed(cls, egress: list[str]) -> list[str]:
        require_allowed(egress)
        return egress

    @field_validator("endpoint")
    @classmethod
    def _reached(cls, endpoint: str) -> str:
        if endpoint == OFF:
            return endpoint
        found = reachable([_place(endpoint)[0]], ()) if _is_place(endpoint) else []
        if not any(isinstance(each, IPv4Address) for each in found) or not _place(endpoint)[1]:
            raise ValueError(f"write the public one like 93.184.216.34:51900, or {OFF}")
        return endpoint

    @field_validator("http", "pow_metrics", "relay")
    @classmethod
    def _listens(cls, http: str, info: ValidationInfo) -> str:
        if http != OFF and not _is_place(http):
            raise ValueError(f"write it like {cls.model_fields[str(info.field_name)].default}, or {OFF}")
        return http

    @field_validator("web_explorer")
    @classmethod
    def _leads(cls, template: str | None) -> str | None:
        return None if template is None else Explorer(template).template

    @field_validator("pow_http")
    @classmethod
    def _serves(cls, http: str) -> str:
        if not _is_place(http):
            raise ValueError("write it like 127.0.0.1:9470")
        return http

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.balance_stop > self.balance_warning:
            raise ValueError("IONET_BALANCE_STOP is above IONET_BALANCE_WARNING: the warning comes first")
        return self

    @property
    def listen(self) -> tuple[str, int] | None:
        """Host and port to serve on, None for nowhere."""
        return None if self.http == OFF else _place(self.http)

    @property
    def pow_listen(self) -> tuple[str, int]:
        """Host and port of the challenge service."""
        return _place(self.pow_http)

    @property
    def pow_own(self) -> str:
        """The URL of the challenge service from its own machine."""
        host, port = self.pow_listen
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def pow_figures(self) -> tuple[str, int] | None:
        """Host and port of its figures, None for nowhere."""
        return None if self.pow_metrics == OFF else _place(self.pow_metrics)

    @property
    def relay_listen(self) -> tuple[str, int] | None:
        """Host and UDP port of the relay, None without one."""
        return None if self.relay == OFF else _place(self.relay)

    @property
    def reached(self) -> tuple[str, int] | None:
        """Address and UDP port at which other members reach a device; None: by relays alone."""
        return None if self.endpoint == OFF else _place(self.endpoint)

    @property
    def warning_lamports(self) -> int:
        """The balance below which the keeper warns."""
        return int(self.balance_warning * LAMPORTS)

    @property
    def stop_lamports(self) -> int:
        """The balance below which it sends nothing."""
        return int(self.balance_stop * LAMPORTS)

    @property
    def fees(self) -> FeePolicy:
        """What transactions offer to be included sooner."""
        return FeePolicy(self.fee_percentile, self.fee_highest, self.fee_daily)

    def signer(self) -> Signer:
        """The signer, here or elsewhere; it isn't asked for a signature yet. Raises KeyRefused."""
        return choose_signer(
            keypair=self.keypair,
            key=self.key.get_secret_value() if self.key else None,
            command=self.signer_command,
            address=self.signer_address,
            seconds=self.signer_seconds,
        )


def _is_place(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isascii() and port.isdigit() and int(port) < PORTS


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def read_settings(**given: Any) -> Settings:
    """Read the settings; what is ``given`` overrides them. Raises SettingsRefused."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsRefused("\n".join(map(_problem, error.errors()))) from error
    except OSError as error:
        raise SettingsRefused(f"{FILE} can't be read: {why(error)}") from error
    except UnicodeDecodeError as error:
        raise SettingsRefused(f"{FILE} is not UTF-8 text: {error}") from error


def _problem(found: ErrorDetails) -> str:
    """A line about one setting; what it was set to is not repeated, as it may be a key."""
    what = unfit(found)
    if not found["loc"]:
        return what
    name = str(found["loc"][0]).upper()
    if found["type"] == "extra_forbidden":
        return f"{FILE}: no setting is called {name}"
    return f"IONET_{name}: {what}"

"""``/network``, ``/supply``, ``/emission``, ``/vesting``: the rules in force, and where all IO is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from keeper.api.answers import Answer, Asked, On, list_of
from keeper.api.fields import Address, Amount, Form, account_model, shown
from keeper.api.queries import network as queries
from keeper.chain.program import Fields
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy import emission
from keeper.economy.calendar import DAY, month_name, month_of, month_start
from keeper.economy.money import DECIMALS
from keeper.economy.orders import Currency
from keeper.economy.supply import EMISSION_MONTHS
from keeper.economy.vesting import Schedule
from keeper.wallet.roles import CLIENTS, Governed

router = APIRouter(tags=["network"])
MONTHS_A_YEAR = 12


class Supply(Form):
    """Where all IO is by the programs' own books, base units."""

    genesis: Amount = Field(description="minted at launch, for the genesis table's owners")
    emitted: Amount = Field(description="minted since, an hour at a time")
    burned: Amount = Field(description="burned, as far as it is counted")
    supply: Amount = Field(description="genesis + emitted - burned")
    locked: Amount = Field(description="of genesis, not released yet")
    seasons: Amount = Field(description="in airdrop seasons, neither claimed nor paid back")
    rewards: Amount = Field(description="emitted, not claimed yet")
    circulating: Amount = Field(description="supply - locked - seasons - rewards")


class SupplyStep(Form):
    """What moved in a month or a year, base units of IO; those in which nothing did are left out."""

    starts_at: int = Field(description="unix seconds")
    minted: Amount = Field(description="at launch, for the genesis table's owners")
    emitted: Amount
    burned: Amount = Field(description="as far as it is counted")
    released: Amount = Field(description="of genesis, to its owners")
    supply: Amount = Field(description="at its end: minted and emitted by then, less what was burned")


class Governance(Form):
    """Who governs a program, and what is stopped or waits."""

    program: Address
    admin: Address = Field(description="proposes changes, which hold after a notice")
    guardian: Address = Field(description="may stop operations for a while, and veto")
    stopped: list[str] = Field(description="operations that are stopped now")
    stopped_until: Amount | None = Field(description="unix seconds")
    can_be_stopped: list[str]
    params: dict[str, str | list[str]] = Field(description="in force: digits, or addresses")
    proposed: dict[str, str | list[str]] = Field(description="what will replace them, of those that differ")
    proposed_at: Amount | None = Field(description="from when on the change can be applied, unix seconds")


class Network(Form):
    """Everything of the network that has one value."""

    io_decimals: int
    usdc_decimals: int
    io_mint: Address
    usdc_mint: Address
    emission_start: int | None = Field(description="unix seconds; null before launch")
    emitted_hours: int = Field(description="hours of the emission that were minted")
    staked: Amount = Field(description="in the stake vault, IO base units")
    slashed: Amount
    supply: Supply
    programs: dict[str, Governance]


class Month(Form):
    """A month of the 20 years."""

    month: str = Field(description="such as 2027-01")
    starts_at: int = Field(description="unix seconds")
    amount: Amount = Field(description="emitted in it, base units")
    cumulative: Amount = Field(description="emitted up to its end, base units")


class _AllocationMore(Form):
    """A row of the genesis table."""

    address: Address
    vested: Amount = Field(description="due by now, of which `released` was paid, base units")


Allocation = account_model(tokenomics.PROGRAM, "Allocation", _AllocationMore)


@router.get("/network")
async def network(asked: Asked, on: On) -> Answer[Network]:
    """Who governs, what is in force, what waits, and the sums of everything."""
    fields = {name: await queries.config(on, asked.index, name) for name in PROGRAMS}
    configs = {name: CLIENTS[name].config_of(each) for name, each in fields.items()}
    books = await queries.books(on, asked.index, fields["tokenomics"], fields["staking"])
    tokens, staking, sales = configs["tokenomics"], configs["staking"], configs["buyback"]
    return asked.one(
        Network(
            io_decimals=DECIMALS[Currency.IO],
            usdc_decimals=DECIMALS[Currency.USDC],
            io_mint=sales.io_mint,
            usdc_mint=sales.usdc_mint,
            emission_start=queries.emission_start(tokens),
            emitted_hours=tokens.emitted_hours,
            staked=staking.staked,
            slashed=staking.slashed,
            supply=Supply.model_validate(books),
            programs={
                name: _governance(Governed(name, config, asked.state.time))
                for name, config in configs.items()
            },
        )
    )


@router.get("/supply")
async def supply(asked: Asked, on: On) -> Answer[Supply]:
    """Where all IO is now, by the programs' own books."""
    tokens, staking = [await queries.config(on, asked.index, each) for each in ("tokenomics", "staking")]
    return asked.one(Supply.model_validate(await queries.books(on, asked.index, tokens, staking)))


class Steps(BaseModel):
    """How long a step is."""

    model_config = ConfigDict(extra="forbid")

    step: Literal["month", "year"] = "month"


@router.get("/supply/history")
async def supply_history(asked: Asked, on: On, asking: Annotated[Steps, Query()]) -> Answer[list[SupplyStep]]:
    """How the supply went, by calendar months or years of UTC in which anything moved, the oldest first.

    What moved on single days is in `/days`, and by hour in `/blocks`.
    """
    rows: dict[int, SupplyStep] = {}
    supply = 0
    for day, moved in (await queries.flows(on)).items():
        month = month_of(day * DAY)
        first = month - month % MONTHS_A_YEAR if asking.step == "year" else month
        minted, emitted, burned = (moved.get(name, 0) for name in ("minted", "emitted", "burned"))
        supply += minted + emitted - burned
        had = rows.get(first)
        rows[first] = SupplyStep(
            starts_at=month_start(first),
            minted=minted + (had.minted if had else 0),
            emitted=emitted + (had.emitted if had else 0),
            burned=burned + (had.burned if had else 0),
            released=moved.get("released", 0) + (had.released if had else 0),
            supply=supply,
        )
    return asked.one(list(rows.values()))


@router.get("/emission")
async def months(asked: Asked, on: On) -> Answer[list[Month]]:
    """What each of the 240 months emits, by the formula that the program holds as constants."""
    start = (await queries.config(on, asked.index, "tokenomics"))["start_month"]
    ends = emission.cumulative_by_month()
    return asked.one(
        [
            Month(
                month=month_name(start + number),
                starts_at=month_start(start + number),
                amount=ends[number + 1] - ends[number],
                cumulative=ends[number + 1],
            )
            for number in range(EMISSION_MONTHS)
        ]
    )


@router.get("/vesting", response_model=list_of(Allocation))
async def vesting(asked: Asked, on: On) -> object:
    """The genesis table: to whom, when, and what was paid."""
    config = await queries.config(on, asked.index, "tokenomics")
    found = await asked.index.accounts(on, "tokenomics", "Allocation")
    return asked.one(
        [
            Allocation(
                address=address,
                vested=_schedule(each).vested(config["start_month"], asked.state.time)
                if config["launched"]
                else 0,
                **shown(each),
            )
            for address, each in sorted(found.items(), key=lambda row: row[1]["id"])
        ]
    )


def _schedule(row: Fields) -> Schedule:
    return Schedule(row["amount"], row["tge_bps"], row["cliff_months"], row["tranches"])


def _governance(at: Governed) -> Governance:
    return Governance(
        program=at.program.address,
        admin=at.config.admin,
        guardian=at.config.guardian,
        stopped=at.paused,
        stopped_until=at.config.pause_until if at.paused else None,
        can_be_stopped=list(at.operations),
        params={name: _value(each) for name, each in at.params.items()},
        proposed={name: _value(each) for name, each in at.proposed.items()},
        proposed_at=at.config.pending_at if at.proposed else None,
    )


def _value(value: object) -> str | list[str]:
    """A parameter: digits, or addresses."""
    return [str(each) for each in value] if isinstance(value, tuple) else str(value)

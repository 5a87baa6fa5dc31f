"""``ionet operator``: what an operator votes for by hand, with evidence that it publishes."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper.cli.guardian import digest
from keeper.cli.options import U32_MAX, address
from keeper.cli.orders import lease_of
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument
from keeper.clients import orders, staking
from keeper.economy.calendar import duration
from keeper.wallet import openings
from keeper.wallet.plan import Plan
from keeper.wallet.roles import Governed, RoleRefused, read_governed
from keeper.wallet.stakes import read_device

app = typer.Typer()

EvidenceOption = Annotated[str, typer.Option(help="SHA-256 of the evidence, which you publish")]


@app.command("vote-slash")
@signs
async def vote_slash(
    session: Session,
    device: DeviceArgument,
    evidence: EvidenceOption,
    bps: Annotated[
        int, typer.Option(min=1, max=5_000, help="part of all its stakes, in basis points: 1000 is 10 %")
    ],
) -> None:
    """Vote to have a part of a device's stakes burned; the operators' job does so for proof of work.

    Example: ionet operator vote-slash DEVICE --evidence SHA256 --bps 1000
    """
    at = await read_governed(session.chain, "staking")
    _require_operator(at, session)
    found = await read_device(session.chain, address(device))
    params = at.config.params
    note = (
        f"{params.threshold} of {len(params.operators)} operators with the same vote have {bps / 100:g} "
        "% of all "
        f"that is staked on it burned, after an appeal of {duration(params.appeal)}, unless the "
        "guardian vetoes."
    )
    proof, at_device = digest(evidence), staking.device_address(found.worker)
    call = staking.vote_slash(session.address, found, proof, bps)
    opened = (openings.slash(at_device, proof, session.address),)
    await session.carry_out(Plan((call,), notes=(note,), openings=opened))


@app.command("vote-fault")
@signs
async def vote_fault(
    session: Session,
    lease: Annotated[str, typer.Argument(help="the lease's address, as ionet order show has it")],
    evidence: EvidenceOption,
    good_hours: Annotated[int, typer.Option(min=0, max=U32_MAX, help="whole hours that it was served well")],
) -> None:
    """Vote that a lease was served for so long and no longer: what isn't due yet goes back to the renter.

    Example: ionet operator vote-fault LEASE --evidence SHA256 --good-hours 2
    """
    at = await read_governed(session.chain, "staking")
    _require_operator(at, session)
    found = await lease_of(session.chain, address(lease))
    params = at.config.params
    note = (
        f"With {params.threshold} of {len(params.operators)} operators the lease ends as a fault: its "
        "supplier keeps "
        f"{good_hours} hours at most, and what was due is not taken back."
    )
    proof = digest(evidence)
    call = orders.vote_fault(session.address, found, proof, good_hours)
    opened = (openings.fault(found.address, proof, good_hours, session.address),)
    await session.carry_out(Plan((call,), notes=(note,), openings=opened))


def _require_operator(at: Governed, session: Session) -> None:
    if session.address not in at.config.params.operators:
        raise RoleRefused(f"{session.address} is no operator of this network; ionet network lists them")

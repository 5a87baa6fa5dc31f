"""``/audit``: what there is to check the network by, and what the keeper that made the index found."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from keeper import resources
from keeper.api.answers import Answer, Asked, On
from keeper.api.fields import Address, Form
from keeper.api.queries import audit as queries
from keeper.api.queries import network
from keeper.api.routes.activity import Event
from keeper.api.routes.activity import shown as event
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from keeper.indexer import lookup
from keeper.indexer.compare import Difference

router = APIRouter(tags=["network"])


class Build(Form):
    """A program as this version of ``ionet`` has it; a build of the same sources gives the same bytes."""

    address: Address
    sha256: str = Field(description="of the program's bytes")
    source_sha256: str = Field(description="of the sources that they were built from")
    bytes: int


class Compared(Form):
    """The newest comparison of what follows from a program's events with its accounts on the chain."""

    slot: int = Field(description="as of which both were")
    at: int = Field(description="when, unix seconds of the keeper's machine")
    accounts: int = Field(description="that were compared, field by field")
    differences: list[str] = Field(description="each in words; empty where all agreed")
    views: list[str] = Field(description="the same of the tables that lists are read from")
    deployed_sha256: str | None = Field(
        description="of the program's bytes on the chain then; null where they couldn't be read"
    )
    is_this_build: bool | None = Field(description="whether that is the hash of `builds`")
    halted: str | None = Field(
        description="why the keeper sends nothing that moves money; null while it does"
    )


class Operator(Form):
    """Who attests hours."""

    number: int
    address: Address


class Audit(Form):
    """What there is to check everything by."""

    builds: dict[str, Build]
    compared: dict[str, Compared | None] = Field(
        description="by program; null where nothing was compared yet"
    )
    operators: list[Operator]
    threshold: int = Field(description="operators that must say the same")
    changes: list[Event] = Field(description="newest changes of parameters, roles and pauses, newest first")


@router.get("/audit")
async def audit(asked: Asked, on: On) -> Answer[Audit]:
    """Programs' hashes, comparisons of the index with the chain, operators, changes of parameters and roles.

    What is deployed was read by the keeper, from its node: who trusts neither reads it from one of their own.
    """
    manifest = resources.manifest()
    config = staking.config_of(await network.config(on, asked.index, "staking"))
    found, halts = await queries.comparisons(on), await lookup.halts(on)
    return asked.one(
        Audit(
            builds={
                name: Build(address=program.address, **manifest[name]) for name, program in PROGRAMS.items()
            },
            compared={
                name: Compared(
                    **{key: found[name][key] for key in ("slot", "at", "accounts")},
                    differences=[str(Difference(**each)) for each in found[name]["differences"]],
                    views=[str(Difference(**each)) for each in found[name]["views"]],
                    deployed_sha256=(deployed := found[name]["deployed_sha256"]),
                    is_this_build=None if deployed is None else deployed == manifest[name]["sha256"],
                    halted=halts.get(name),
                )
                if name in found
                else None
                for name in PROGRAMS
            },
            operators=[
                Operator(number=number, address=each) for number, each in enumerate(config.params.operators)
            ],
            threshold=config.params.threshold,
            changes=[event(each) for each in await queries.changes(on)],
        )
    )

"""``ionet cluster end-when-idle``: nobody pays for a cluster that does nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from keeper.cli import options
from keeper.cli.extras import needs
from keeper.cli.options import address
from keeper.cli.orders import OrderArgument, end_leases
from keeper.cli.signing import Session, signs
from keeper.errors import UserError

LOOK_SECONDS = 10.0


@signs
async def end_when_idle(
    session: Session,
    order: OrderArgument,
    idle: Annotated[str, typer.Argument(help="how long no job may run, such as 30m")],
) -> None:
    """End an order's leases once no job has run for a while; needs a connection of ionet cluster connect.

    Jobs are as the head tells them: one that lies can make it end sooner, or not before the leases do.

    Example: ionet cluster end-when-idle ORDER 30m --yes
    """
    at, limit = address(order), options.seconds(idle, "time")
    if not (session.yes or session.dry_run):
        raise UserError("nobody may be there to answer when it is idle: add --yes, or --dry-run")
    with needs("compute", "ionet cluster end-when-idle"):
        from keeper.renter import Cluster, HeadError, NotConnected  # noqa: PLC0415 - for this alone
        from keeper.renter.idle import Idleness  # noqa: PLC0415
        from keeper.renter.jobs import Job  # noqa: PLC0415
        from keeper.renter.place import Place  # noqa: PLC0415

    cluster, idleness = Cluster(Place(at)), Idleness(limit)

    def running() -> list[Job] | None:
        try:
            with cluster.jobs() as head:
                return head.list()
        except (HeadError, NotConnected):
            return None

    while True:
        if idleness.seen(await asyncio.to_thread(running), time.monotonic()):
            break
        await asyncio.sleep(min(LOOK_SECONDS, max(1, limit)))
    session.say(f"No job has run for {idle}.")
    session.now = (await session.chain.clock()).unix_timestamp
    await end_leases(session, order, None)

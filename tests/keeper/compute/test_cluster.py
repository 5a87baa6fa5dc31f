"""A real cluster: Ray in two sandboxes, over WireGuard, that a renter in a third network gives jobs to.

One boot for the module. Its runtime is installed once on a machine, which takes a minute and the network.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType

import pytest

from keeper.compute import runtime
from keeper.compute.node import Node, TokenRefused, alive, ask
from keeper.compute.overlay import Overlay
from keeper.compute.runtime import RuntimeFailed
from tests.keeper.compute import sandboxing
from tests.keeper.compute.booting import BOOT_SECONDS, LIMITS, OBJECTS, nodes
from tests.keeper.compute.sandboxing import PYTHON, give_up, require, sandbox
from tests.keeper.compute.test_overlay import join, overlay

HEAD, WORKER, RENTER = map(IPv4Address, ("10.77.13.1", "10.201.99.2", "10.255.255.254"))


@pytest.fixture(scope="module")
def installed() -> runtime.Runtime:
    require()
    place = Path("/var/tmp") / f"ionet-runtimes-{os.getuid()}"
    try:
        return runtime.install(place, PYTHON)
    except RuntimeFailed as error:
        give_up(str(error))


async def run(
    member: Overlay, node: Node, code: str, variables: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, str]:
    """Give the cluster a job, and wait for its end; its status and what it printed."""
    number = secrets.token_hex(8)
    said = {"entrypoint": f"python -c '{code}'", "submission_id": number}
    said |= {"runtime_env": {"env_vars": dict(variables)}} if variables else {}
    await ask(member, node, "POST", "/api/jobs/", said)
    async with asyncio.timeout(BOOT_SECONDS):
        while True:
            status = json.loads(await ask(member, node, "GET", f"/api/jobs/{number}"))["status"]
            if status not in ("PENDING", "RUNNING"):
                logs = json.loads(await ask(member, node, "GET", f"/api/jobs/{number}/logs"))["logs"]
                return status, logs
            await asyncio.sleep(0.2)


EVERYWHERE = """
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
ray.init(log_to_driver=False)
where = ray.remote(num_cpus=0)(lambda: ray.util.get_node_ip_address())
nodes = [n["NodeID"] for n in ray.nodes() if n["Alive"]]
found = ray.get([where.options(scheduling_strategy=On(n, soft=False)).remote() for n in nodes])
print("NODES", *sorted(found))
"""
LONG = """
import ray, time
ray.init(log_to_driver=False)
@ray.remote(num_cpus=1, max_retries=0)
def work(n):
    for _ in range(60): time.sleep(0.05)
    return n
print("SUM", sum(ray.get([work.remote(n) for n in range(4)])))
"""


async def serve(installed: runtime.Runtime) -> dict[str, object]:
    """All that is tried on one cluster, in the order in which it is tried."""
    found: dict[str, object] = {}
    token = secrets.token_bytes(32)
    head = Node(HEAD, HEAD, token, 1, OBJECTS)
    worker = Node(WORKER, HEAD, token, 1, OBJECTS)
    async with AsyncExitStack() as stack:
        first, first_net = await stack.enter_async_context(sandbox(HEAD))
        second, second_net = await stack.enter_async_context(sandbox(WORKER))
        renter = await stack.enter_async_context(overlay(RENTER))
        await join(first_net, second_net)
        await join(first_net, renter)
        await first.run(head.job(installed, LIMITS))
        await second.run(worker.job(installed, LIMITS))
        both = await nodes(first_net, head, lambda rows: len(rows) == 2, first, second)
        found["addresses"] = sorted(str(each.address) for each in both)
        found["by the worker"] = sorted(str(each.address) for each in await alive(second_net, worker))
        found["job"] = await run(renter, head, EVERYWHERE)

        wrong = Node(HEAD, HEAD, secrets.token_bytes(32), 1, OBJECTS)
        for name, say in {
            "list": lambda: alive(renter, wrong),
            "submit": lambda: ask(renter, wrong, "POST", "/api/jobs/", {"entrypoint": "true"}),
        }.items():
            try:
                await say()
                found[f"wrong token, {name}"] = "taken"
            except TokenRefused:
                found[f"wrong token, {name}"] = "refused"

        long = asyncio.create_task(run(renter, head, LONG))
        waves = 0
        while not long.done() or waves < 20:
            await asyncio.gather(first.freeze(), second.freeze())
            waves += 1
            await asyncio.gather(first.thaw(), second.thaw())
            await asyncio.sleep(0.1)
        found["frozen job"] = await long
        found["waves"] = waves >= 20
        found["same nodes"] = await alive(first_net, head) == both

        # The token is nowhere on a command line, and in no file of the agent's.
        found["token seen"] = sandboxing.alive(token.hex())
        found["processes"] = bool(sandboxing.alive(str(WORKER)))
        second_net.close()
        await second.end()
        found["processes of an ended node"] = [
            each for each in sandboxing.alive(str(WORKER)) if each not in first.spaces.processes()
        ]
        left = await nodes(first_net, head, lambda rows: len(rows) == 1, first)
        found["left"] = [str(each.address) for each in left]

        third, third_net = await stack.enter_async_context(sandbox(WORKER))
        await first_net.remove(next(each for each in first_net.peers.values() if each.address == WORKER))
        await join(first_net, third_net)
        await third.run(worker.job(installed, LIMITS))
        again = await nodes(first_net, head, lambda rows: len(rows) == 2, first, third)
        found["replaced"] = sorted(str(each.address) for each in again)
        found["another node"] = {each.node for each in again} != {each.node for each in both}
    found["left behind"] = [*sandboxing.alive(str(HEAD)), *sandboxing.alive(str(WORKER))]
    return found


@pytest.fixture(scope="module")
def cluster(installed: runtime.Runtime) -> dict[str, object]:
    return asyncio.run(serve(installed))


def test_nodes_join_and_both_see_both(cluster: dict[str, object]) -> None:
    both = sorted([str(HEAD), str(WORKER)])
    assert (cluster["addresses"], cluster["by the worker"]) == (both, both)


def test_a_renters_job_has_a_task_on_each(cluster: dict[str, object]) -> None:
    status, logs = cluster["job"]
    assert (status, logs.splitlines()[-1]) == ("SUCCEEDED", f"NODES {WORKER} {HEAD}")


def test_a_wrong_token_is_refused(cluster: dict[str, object]) -> None:
    assert (cluster["wrong token, list"], cluster["wrong token, submit"]) == ("refused", "refused")


def test_a_job_survives_twenty_waves(cluster: dict[str, object]) -> None:
    status, logs = cluster["frozen job"]
    assert (status, logs.splitlines()[-1]) == ("SUCCEEDED", "SUM 6")
    assert (cluster["waves"], cluster["same nodes"]) == (True, True)


def test_the_token_is_on_no_command_line(cluster: dict[str, object]) -> None:
    assert (cluster["processes"], cluster["token seen"]) == (True, [])


def test_an_ended_node_is_missed_and_replaced(cluster: dict[str, object]) -> None:
    assert (cluster["processes of an ended node"], cluster["left"]) == ([], [str(HEAD)])
    assert cluster["replaced"] == sorted([str(HEAD), str(WORKER)])
    assert cluster["another node"]


def test_the_end_leaves_no_process(cluster: dict[str, object]) -> None:
    assert cluster["left behind"] == []

"""What monitoring sees of a keeper, over HTTP from the keeper's own loop."""

import asyncio
import json
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from keeper.chain.rpc import RpcChain
from keeper.jobs import registry
from keeper.runtime.keeper import STILL_SECONDS
from keeper.runtime.listen import ListenRefused
from keeper.runtime.monitoring import application
from keeper.runtime.readiness import reasons
from keeper.runtime.serving import served
from tests.keeper.runtime.keepers import new_keeper
from tests.programs.world import HOUR, START, World, key

EVERY = 20


async def get(port: int, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def test_a_keeper_at_work(database):
    world = World.launched()
    world.chain.warp_to(START + HOUR)
    keeper = new_keeper(world.chain, world.payer, database, {"emission": registry.ALL["emission"]})
    async with served(application(keeper, EVERY), "127.0.0.1", 0, "IONET_HTTP") as port:
        status, body = await get(port, "/ready")
        assert (status, json.loads(body)["ready"]) == (200, True), "it looks where it hasn't yet"
        await keeper.run_job("emission")
        status, body = await get(port, "/ready")
        found = json.loads(body)
        assert (status, found["ready"], found["reasons"], found["leads"]) == (200, True, {}, True)
        assert found["address"] == str(world.payer.pubkey())
        assert await get(port, "/health") == (200, '{"alive":true}')
        status, body = await get(port, "/metrics")
        assert status == 200
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        }
        assert samples["ionet_job_runs_total", "emission", "ok"] == 1
        assert samples["ionet_leader",] == 1
        assert (await get(port, "/rewards"))[0] == 404
    await keeper.resign()


async def test_a_chain_in_a_file_may_stand_still(database):
    """Its slots wait for transactions, those of a node don't."""
    world = World.launched()
    keeper = new_keeper(world.chain, world.payer, database, {})
    await keeper.look()
    keeper.moved_at -= 2 * STILL_SECONDS
    await keeper.look()
    assert reasons(keeper) == {}
    await keeper.resign()


async def test_why_it_is_not_ready_and_that_it_is_dead(database):
    chain = RpcChain("http://127.0.0.1:9")
    keeper = new_keeper(chain, key("payer"), database, {})
    await keeper.look()
    async with served(application(keeper, EVERY), "127.0.0.1", 0, "IONET_HTTP") as port:
        status, body = await get(port, "/ready")
        assert status == 503
        assert json.loads(body)["reasons"] == {"chain": keeper.chain_error}
        assert (await get(port, "/health"))[0] == 200, "an RPC node that is down is no reason to restart"
        keeper.looked_at -= 10_000
        assert await get(port, "/health") == (503, '{"alive":false}')
    await chain.close()
    await keeper.resign()


async def test_a_port_that_is_taken(database):
    keeper = new_keeper(World().chain, key("payer"), database, {})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ListenRefused, match=rf"127\.0\.0\.1:{port} \(Address already in use\): set IONET_HTTP to"
        ):
            async with served(application(keeper, EVERY), "127.0.0.1", port, "IONET_HTTP"):
                raise AssertionError("it listens")

"""What Prometheus reads of a challenge service at work."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families

from keeper.operator.claims import Due
from keeper.operator.operator import Operator
from keeper.rewards.peers import Peers
from tests.keeper.operator.bad_peer import peer, says
from tests.keeper.operator.network import ADDRESS, Net
from tests.keeper.operator.serving import serving
from tests.programs.world import HOUR, START, key


def samples(operator: Operator) -> dict[tuple[str, ...], float]:
    """All values that aren't the bounds of a histogram, by name and labels, these by their names."""
    text = operator.figures().decode()
    found = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {
        (each.name.removeprefix("ionet_pow_"), *each.labels.values()): each.value
        for each in found
        if not each.name.endswith(("_bucket", "_created"))
    }


async def test_an_hour_in_figures(tmp_path: Path) -> None:
    net = Net(tmp_path)
    operator = await net.operator(0)
    assert samples(operator)["chain_age_seconds",] == -1
    wave = await net.until_wave(operator)
    device = net.devices[0]
    root = device.prove(wave.wave, net.profiles).root
    async with serving(operator) as (url, _), httpx.AsyncClient(base_url=url) as http:
        for data in (
            device.commit(wave.wave, root),
            device.commit(wave.wave, root, key("worker b")),
            b"short",
        ):
            await http.post("/pow/commit", content=data)
        await http.post("/pow/ping", content=bytes(128))
        await http.post("/pow/pings", content=bytes(256))
        await http.get("/pow/nothing")
        await http.get("/pow/hours/1/nothing")
    before = samples(operator)
    taken = {each: value for each, value in before.items() if each[0] in ("taken_total", "refused_total")}
    assert taken == {
        ("taken_total", "commit"): 1,
        ("refused_total", "bad_signature", "commit"): 1,
        ("refused_total", "wrong_length", "commit"): 1,
        ("refused_total", "unknown_wave", "ping"): 3,
        ("refused_total", "not_found", "read"): 2,
    }
    assert (before["devices",], before["chain_age_seconds",]) == (2, 0)

    await net.go(70, operator)
    data = device.opening(wave, net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert isinstance(expected, Due)
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))
    assert samples(operator)["openings_unverified",] == 1
    await operator.collecting.verify()
    await net.go(60, operator)
    net.world.chain.warp_to(START + 2 * HOUR + 75)
    await net.go(120, operator)
    after = samples(operator)
    assert after["openings_verified_total", "pass"] == after["verification_seconds_count",] == 1
    assert after["openings_unverified",] == 0
    waves = {each[1]: value for each, value in after.items() if each[0] == "waves_total"}
    # Hour 0 was over when the service came.
    assert waves == {"sealed": 1, "missed": waves["missed"]}
    assert after["posts_total", "wave", "in_time"] == 1
    assert after["posts_total", "evidence", "in_time"] == 1


async def test_what_peers_answered(tmp_path: Path) -> None:
    operator = await Net(tmp_path).operator(0)
    async with peer(says(b"", "404 No")) as (lacks, _), peer(says(b"x")) as (has, _):
        urls = [lacks.replace("127.0.0.1", "localhost"), has]
        peers = Peers(urls, asked=operator.desk.metrics.asked)
        digest = bytes.fromhex("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
        assert await peers.fetch("/x", digest, 1) == b"x"
        assert await peers.fetch("/x", bytes(32), 1) is None
        await peers.close()
    found = {each[1:]: value for each, value in samples(operator).items() if each[0] == "files_total"}
    assert found == {
        ("lacking", "localhost"): 2,
        ("fetched", "127.0.0.1"): 1,
        ("failed", "127.0.0.1"): 1,
    }

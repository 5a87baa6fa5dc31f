"""Pages on which an hour is checked: what they tell the script, and what its worker may do."""

from __future__ import annotations

from keeper.rewards.publication import read_manifest
from keeper.web import assets
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.world import key


def told(page: str) -> dict[str, str]:
    """What the form's element tells the script."""
    inside = page.partition('<section class="check" data-check ')[2].partition(" aria-labelledby")[0]
    pairs = (each.split("=", 1) for each in inside.split(" "))
    return {name.removeprefix("data-"): value.strip('"') for name, value in pairs}


async def test_pages_tell_what_they_show(site: Client, world: Life) -> None:
    worker = assets.address("check-worker")
    root = read_manifest(world.folder, 1).root
    block = (await site.http.get("/blocks/1")).text
    assert told(block) == {"worker": worker, "hour": "1", "root": root}
    assert "<form hidden>" in block and "ionet rewards verify" in block
    owner = key("supplier a").pubkey()
    found = await site.data(f"/wallets/{owner}")
    wallet = (await site.http.get(f"/wallets/{owner}")).text
    assert told(wallet) == {"worker": worker, "hour": "1", "wallet": str(owner), "earned": found["earned"]}
    audit = (await site.http.get("/audit")).text
    assert told(audit) == {"worker": worker}
    assert 'name="hour" type="number" required min="0" max="4294967295" value="1"' in audit


async def test_a_blocks_files_are_linked_by_their_hash(site: Client, world: Life) -> None:
    page = (await site.http.get("/blocks/0")).text
    for name, each in read_manifest(world.folder, 0).files.items():
        assert f'<a href="/rewards/0/{name}?sha256={each.sha256}">{name}</a>' in page


async def test_the_worker_alone_may_ask_a_node_of_the_viewers_choice(site: Client) -> None:
    own = assets.own_file("check-worker")
    for name in assets.manifest()["files"]:
        (policy,) = (await site.http.get(f"/static/{name}")).headers.get_list("content-security-policy")
        assert ("connect-src 'self' https:" in policy) == (name == own)
        assert "script-src 'self'" in policy and policy.startswith("default-src 'none'")
    (page,) = (await site.http.get("/audit")).headers.get_list("content-security-policy")
    assert "connect-src 'self';" in page and "trusted-types ionet-worker" in page

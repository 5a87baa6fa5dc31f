"""Pages on which an hour is checked: what they tell the script, and what its worker may do."""

from __future__ import annotations

import shutil
from pathlib import Path

from keeper.rewards.publication import read_manifest
from keeper.web import assets
from keeper.web.app import install
from keeper.web.text import amount
from tests.keeper.api.conftest import Client, asking
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


async def test_a_season_shows_what_a_wallet_gets(
    site: Client, life: tuple[Life, Path], tmp_path: Path
) -> None:
    """And its check is told what it shows; nobody's part is shown where the points aren't published."""
    (row,) = await site.data("/seasons")
    about = {"worker": assets.address("check-worker"), "season": "1", "root": row["root"]}
    assert told((await site.http.get("/seasons/1")).text) == about
    for name, words in (("claimant", "yes"), ("absent", "not yet")):
        wallet = key(name).pubkey()
        part = await site.data(f"/seasons/1/proof/{wallet}")
        page = (await site.http.get(f"/seasons/1?wallet={wallet}")).text
        assert told(page) == {**about, "wallet": str(wallet)}
        assert amount(int(part["amount"])) in page and f"<dd>{words}</dd>" in page
    nobody = (await site.http.get(f"/seasons/1?wallet={key('nobody').pubkey()}")).text
    assert "gets nothing in season 1" in nobody
    wrong = await site.http.get("/seasons/1?wallet=abc")
    assert (wrong.status_code, "address is none" in wrong.text) == (400, True)
    async with asking(shutil.copy(life[1], tmp_path / "other.db"), tmp_path, install) as bare:
        page = (await bare.http.get(f"/seasons/1?wallet={key('absent').pubkey()}")).text
        assert "isn't published here" in page and "data-check" not in page and "600." not in page


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
